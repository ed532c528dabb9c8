import type { TableRequirement } from '../../src/iceberg/model.ts';
import { checkRequirements } from '../../src/iceberg/requirements.ts';
import { branch, sampleSnapshot, tableWith } from './sample-table.ts';

const table = tableWith([sampleSnapshot(1)], { main: branch(1) });

test('what holds passes', () => {
  checkRequirements(table, [
    { type: 'assert-table-uuid', uuid: table.tableUuid.toUpperCase() },
    { type: 'assert-ref-snapshot-id', ref: 'main', snapshotId: 1n },
    { type: 'assert-ref-snapshot-id', ref: 'constructor', snapshotId: undefined },
    { type: 'assert-last-assigned-field-id', lastAssignedFieldId: 2 },
    { type: 'assert-current-schema-id', currentSchemaId: 0 },
    { type: 'assert-last-assigned-partition-id', lastAssignedPartitionId: 999 },
    { type: 'assert-default-spec-id', defaultSpecId: 0 },
    { type: 'assert-default-sort-order-id', defaultSortOrderId: 0 },
  ]);
  checkRequirements(undefined, [{ type: 'assert-create' }]);
});

test.each<[TableRequirement, RegExp]>([
  [{ type: 'assert-create' }, /assert-create.*expected no table, found table 9c12/],
  [{ type: 'assert-table-uuid', uuid: 'ab' }, /assert-table-uuid.*expected ab, found 9c12/],
  [{ type: 'assert-ref-snapshot-id', ref: 'main', snapshotId: 2n }, /"main".*expected 2, found 1\. /],
  [{ type: 'assert-ref-snapshot-id', ref: 'main', snapshotId: undefined }, /expected no such ref, found 1/],
  [{ type: 'assert-ref-snapshot-id', ref: 'wap', snapshotId: 1n }, /"wap".*expected 1, found no such ref/],
  [{ type: 'assert-last-assigned-field-id', lastAssignedFieldId: 3 }, /expected 3, found 2/],
  [{ type: 'assert-current-schema-id', currentSchemaId: 1 }, /expected 1, found 0/],
  [{ type: 'assert-last-assigned-partition-id', lastAssignedPartitionId: 1000 }, /expected 1000, found 999/],
  [{ type: 'assert-default-spec-id', defaultSpecId: 1 }, /expected 1, found 0/],
  [{ type: 'assert-default-sort-order-id', defaultSortOrderId: 1 }, /expected 1, found 0/],
])('$type that does not hold is a conflict', (requirement, message) => {
  expect(() => checkRequirements(table, [requirement])).toThrow(
    expect.objectContaining({ kind: 'conflict', retryable: true, message: expect.stringMatching(message) }),
  );
});

test('a table that has gone is a conflict', () => {
  expect(() => checkRequirements(undefined, [{ type: 'assert-default-spec-id', defaultSpecId: 0 }])).toThrow(
    /expected a table, found no table/,
  );
});
