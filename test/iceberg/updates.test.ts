import type { Schema, TableUpdate } from '../../src/iceberg/model.ts';
import { applyUpdates } from '../../src/iceberg/updates.ts';
import { branch, sampleSnapshot, sampleTable, tableWith, tag } from './sample-table.ts';

const four = tableWith([sampleSnapshot(1), sampleSnapshot(2, 1), sampleSnapshot(3, 2), sampleSnapshot(4, 3)], {
  main: branch(4),
});
const idsIn = (log: readonly { snapshotId: bigint }[]) => log.map(({ snapshotId }) => Number(snapshotId));
const wider: Schema = {
  type: 'struct',
  schemaId: 7,
  fields: [...sampleTable().schemas[0]!.fields, { id: 3, name: 'extra', required: false, type: 'int' }],
};

test('append to main: one new snapshot, the rest the same objects, the input untouched', () => {
  const before = structuredClone(four);
  const snapshot = sampleSnapshot(5, 4, 500);
  const after = applyUpdates(
    four,
    [
      { action: 'add-snapshot', snapshot },
      { action: 'set-snapshot-ref', ref: 'main', value: branch(5) },
    ],
    1000,
  );
  expect(after).toMatchObject({ currentSnapshotId: 5n, lastSequenceNumber: 5, lastUpdatedMs: 500 });
  expect(after.snapshotLog.at(-1)).toEqual({ timestampMs: 500, snapshotId: 5n });
  expect(after.snapshots.every((kept, index) => kept === (four.snapshots[index] ?? snapshot))).toBe(true);
  expect(four).toEqual(before);
});

test('a stage on a branch leaves main and its log alone', () => {
  const after = applyUpdates(
    four,
    [
      { action: 'add-snapshot', snapshot: sampleSnapshot(9, 4) },
      { action: 'set-snapshot-ref', ref: 'wap-1', value: branch(9, { maxRefAgeMs: 10 }) },
    ],
    1000,
  );
  expect(after.currentSnapshotId).toBe(4n);
  expect(after.snapshotLog).toEqual(four.snapshotLog);
  expect(after.refs).toEqual({ main: branch(4), 'wap-1': branch(9, { maxRefAgeMs: 10 }) });
});

test('fast-forward to an older snapshot is logged at commit time, and rollback too', () => {
  const table = tableWith([sampleSnapshot(1), sampleSnapshot(2, 1)], { main: branch(1), b: branch(2) });
  const after = applyUpdates(
    table,
    [
      { action: 'set-snapshot-ref', ref: 'main', value: branch(2) },
      { action: 'remove-snapshot-ref', ref: 'b' },
      { action: 'remove-snapshot-ref', ref: 'never there' },
    ],
    70,
  );
  expect(after.refs).toEqual({ main: branch(2) });
  expect(after.snapshotLog.at(-1)).toEqual({ timestampMs: 70, snapshotId: 2n });
  expect(after.lastUpdatedMs).toBe(70);
  const back = applyUpdates(after, [{ action: 'set-snapshot-ref', ref: 'main', value: branch(1) }], 80);
  expect(idsIn(back.snapshotLog)).toEqual([1, 2, 1]);
});

test('setting main to where it is logs nothing', () => {
  const after = applyUpdates(
    four,
    [{ action: 'set-snapshot-ref', ref: 'main', value: branch(4, { minSnapshotsToKeep: 2 }) }],
    9,
  );
  expect(after.snapshotLog).toEqual(four.snapshotLog);
  expect(after.refs.main?.minSnapshotsToKeep).toBe(2);
});

test('times never go back, whatever the clocks say', () => {
  const late = { ...four, lastUpdatedMs: 5000 };
  const after = applyUpdates(
    late,
    [
      { action: 'add-snapshot', snapshot: sampleSnapshot(5, 4, 20) },
      { action: 'set-snapshot-ref', ref: 'main', value: branch(5) },
    ],
    30,
  );
  expect(after.lastUpdatedMs).toBe(5000);
  expect(after.snapshotLog.at(-1)?.timestampMs).toBe(5000);
});

test('a sequence number that is taken is a conflict, also between two snapshots of one commit', () => {
  const add = (id: number, sequenceNumber: number): TableUpdate => ({
    action: 'add-snapshot',
    snapshot: { ...sampleSnapshot(id, 4), sequenceNumber },
  });
  expect(() => applyUpdates(four, [add(5, 4)], 1)).toThrow(expect.objectContaining({ kind: 'conflict' }));
  expect(() => applyUpdates(four, [add(5, 5), add(6, 5)], 1)).toThrow(expect.objectContaining({ kind: 'conflict' }));
  expect(applyUpdates(four, [add(5, 5), add(6, 6)], 1).lastSequenceNumber).toBe(6);
});

describe('remove-snapshots', () => {
  test('clears the history before a gap, and only that', () => {
    expect(idsIn(applyUpdates(four, [{ action: 'remove-snapshots', snapshotIds: [2n] }], 9).snapshotLog)).toEqual([
      3, 4,
    ]);
    expect(idsIn(applyUpdates(four, [{ action: 'remove-snapshots', snapshotIds: [3n, 1n] }], 9).snapshotLog)).toEqual([
      4,
    ]);
    expect(idsIn(applyUpdates(four, [{ action: 'remove-snapshots', snapshotIds: [77n] }], 9).snapshotLog)).toEqual([
      1, 2, 3, 4,
    ]);
  });

  test('drops the statistics and the refs at them, but refuses main', () => {
    const table = { ...four, refs: { main: branch(4), old: tag(1), b: branch(2) } };
    table.statistics = [{ snapshotId: 1n }, { snapshotId: 3n }];
    table.partitionStatistics = [{ snapshotId: 1n }];
    const after = applyUpdates(table, [{ action: 'remove-snapshots', snapshotIds: [1n] }], 9);
    expect(after.statistics).toEqual([{ snapshotId: 3n }]);
    expect(after.partitionStatistics).toEqual([]);
    expect(Object.keys(after.refs)).toEqual(['main', 'b']);
    expect(after.snapshots[0]).toBe(table.snapshots[1]);
    expect(() => applyUpdates(table, [{ action: 'remove-snapshots', snapshotIds: [4n] }], 9)).toThrow(/is main's/);
  });

  test('with publish: main moves on, the staged snapshot and its branch go', () => {
    const table = {
      ...four,
      refs: { main: branch(3), wap: branch(4) },
      currentSnapshotId: 3n,
      snapshotLog: four.snapshotLog.slice(0, 3),
    };
    const after = applyUpdates(
      table,
      [
        { action: 'add-snapshot', snapshot: sampleSnapshot(5, 3) },
        { action: 'set-snapshot-ref', ref: 'main', value: branch(5) },
        { action: 'remove-snapshot-ref', ref: 'wap' },
        { action: 'remove-snapshots', snapshotIds: [4n] },
      ],
      9,
    );
    expect(idsIn(after.snapshotLog)).toEqual([1, 2, 3, 5]);
    expect(idsIn(after.snapshots)).toEqual([1, 2, 3, 5]);
    expect(after.refs).toEqual({ main: branch(5) });
  });
});

test('a snapshot that main only passed through in the commit is not in the log', () => {
  const after = applyUpdates(
    four,
    [
      { action: 'add-snapshot', snapshot: sampleSnapshot(5, 4) },
      { action: 'set-snapshot-ref', ref: 'main', value: branch(5) },
      { action: 'add-snapshot', snapshot: sampleSnapshot(6, 5) },
      { action: 'set-snapshot-ref', ref: 'main', value: branch(6) },
    ],
    9,
  );
  expect(idsIn(after.snapshotLog)).toEqual([1, 2, 3, 4, 6]);
});

test('removing main leaves the table without a current snapshot', () => {
  const after = applyUpdates(four, [{ action: 'remove-snapshot-ref', ref: 'main' }], 9);
  expect(after).not.toHaveProperty('currentSnapshotId');
  expect(after.refs).toEqual({});
});

describe('schemas and specs', () => {
  test('a new schema gets the next id, and -1 means it', () => {
    const after = applyUpdates(
      sampleTable(),
      [
        { action: 'add-schema', schema: wider, lastColumnId: 3 },
        { action: 'set-current-schema', schemaId: -1 },
      ],
      9,
    );
    expect(after.schemas.map(({ schemaId }) => schemaId)).toEqual([0, 1]);
    expect(after).toMatchObject({ currentSchemaId: 1, lastColumnId: 3 });
    const again = applyUpdates(
      after,
      [
        {
          action: 'add-schema',
          schema: { ...sampleTable().schemas[0]!, schemaId: 12, identifierFieldIds: [] },
          lastColumnId: 3,
        },
        { action: 'set-current-schema', schemaId: -1 },
      ],
      9,
    );
    expect(again.schemas).toBe(after.schemas);
    expect(again.currentSchemaId).toBe(0);
  });

  test('another doc is another schema', () => {
    const documented = { ...wider, fields: wider.fields.map((field) => ({ ...field, doc: 'd' })) };
    const after = applyUpdates(
      sampleTable(),
      [
        { action: 'add-schema', schema: wider, lastColumnId: 3 },
        { action: 'add-schema', schema: documented, lastColumnId: 3 },
      ],
      9,
    );
    expect(after.schemas).toHaveLength(3);
  });

  test('a new spec gets the next id and moves the last partition id; the same one is reused', () => {
    const spec = {
      specId: 0,
      fields: [{ sourceId: 1, fieldId: 1000, name: 'id_bucket', transform: 'bucket[4]' as const }],
    };
    const updates: TableUpdate[] = [
      { action: 'add-spec', spec },
      { action: 'set-default-spec', specId: -1 },
    ];
    const after = applyUpdates(sampleTable(), updates, 9);
    expect(after).toMatchObject({ defaultSpecId: 1, lastPartitionId: 1000 });
    expect(applyUpdates(after, updates, 9).partitionSpecs).toEqual(after.partitionSpecs);
  });

  test.each<[RegExp, TableUpdate]>([
    [/schema -1 is the one added last/, { action: 'set-current-schema', schemaId: -1 }],
    [/schema 5 is not in the table/, { action: 'set-current-schema', schemaId: 5 }],
    [/partition spec 5 is not in the table/, { action: 'set-default-spec', specId: 5 }],
    [/last column id 1 is below/, { action: 'add-schema', schema: wider, lastColumnId: 1 }],
    [
      /no column's id/,
      {
        action: 'add-spec',
        spec: { specId: 0, fields: [{ sourceId: 8, fieldId: 1000, name: 'x', transform: 'day' }] },
      },
    ],
    [/does not have/, { action: 'set-snapshot-ref', ref: 'b', value: branch(99) }],
    [/main is a branch/, { action: 'set-snapshot-ref', ref: 'main', value: tag(1) }],
    [
      /takes no snapshot retention/,
      { action: 'set-snapshot-ref', ref: 'v1', value: tag(1, { minSnapshotsToKeep: 1 }) },
    ],
    [/already/, { action: 'add-snapshot', snapshot: sampleSnapshot(4) }],
  ])('%s', (message, update) => {
    expect(() => applyUpdates(four, [update], 9)).toThrow(
      expect.objectContaining({ kind: 'invalid', message: expect.stringMatching(message) }),
    );
  });
});

test('properties and location', () => {
  const after = applyUpdates(
    sampleTable({ a: '1', b: '2' }),
    [
      { action: 'set-properties', updates: { b: '3', c: '4' } },
      { action: 'remove-properties', removals: ['a', 'zz', 'toString'] },
      { action: 'set-location', location: 'file:///new' },
    ],
    9,
  );
  expect(after).toMatchObject({ properties: { b: '3', c: '4' }, location: 'file:///new', lastUpdatedMs: 9 });
  expect(after.properties).not.toHaveProperty('a');
});
