import { LakegateError } from '../errors.ts';
import { headOf } from './ancestry.ts';
import type { TableMetadata, TableRequirement } from './model.ts';

/**
 * Checks a commit's requirements against the table as it is (REST catalogue protocol: TableRequirement).
 * @param metadata undefined: there is no table
 * @throws LakegateError `conflict` for the first that does not hold, naming it, what it expected and what was found
 */
export function checkRequirements(
  metadata: TableMetadata | undefined,
  requirements: readonly TableRequirement[],
): void {
  for (const requirement of requirements) {
    const { expected, found } = compare(metadata, requirement);
    if (expected !== found) throw conflict(metadata, requirement, expected, found);
  }
}

type Fact = string | number | bigint | undefined;

function compare(metadata: TableMetadata | undefined, requirement: TableRequirement): { expected: Fact; found: Fact } {
  if (requirement.type === 'assert-create') {
    return { expected: 'no table', found: metadata === undefined ? 'no table' : `table ${metadata.tableUuid}` };
  }
  if (metadata === undefined) return { expected: 'a table', found: 'no table' };
  switch (requirement.type) {
    case 'assert-table-uuid':
      return { expected: requirement.uuid.toLowerCase(), found: metadata.tableUuid.toLowerCase() };
    case 'assert-ref-snapshot-id':
      return { expected: requirement.snapshotId, found: headOf(metadata, requirement.ref) };
    case 'assert-last-assigned-field-id':
      return { expected: requirement.lastAssignedFieldId, found: metadata.lastColumnId };
    case 'assert-current-schema-id':
      return { expected: requirement.currentSchemaId, found: metadata.currentSchemaId };
    case 'assert-last-assigned-partition-id':
      return { expected: requirement.lastAssignedPartitionId, found: metadata.lastPartitionId };
    case 'assert-default-spec-id':
      return { expected: requirement.defaultSpecId, found: metadata.defaultSpecId };
    case 'assert-default-sort-order-id':
      return { expected: requirement.defaultSortOrderId, found: metadata.defaultSortOrderId };
  }
}

function conflict(
  metadata: TableMetadata | undefined,
  requirement: TableRequirement,
  expected: Fact,
  found: Fact,
): LakegateError {
  const table = metadata === undefined ? 'the table' : `the table at ${metadata.location}`;
  const subject = requirement.type === 'assert-ref-snapshot-id' ? ` of ${JSON.stringify(requirement.ref)}` : '';
  return new LakegateError(
    'conflict',
    `${requirement.type}${subject} does not hold for ${table}: expected ${expected ?? 'no such ref'}, found ${found ?? 'no such ref'}. Somebody else committed first: reload the table and try again.`,
    { context: { requirement: requirement.type, expected: String(expected), found: String(found) } },
  );
}
