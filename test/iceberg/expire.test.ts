import fc from 'fast-check';
import { ancestorsOf } from '../../src/iceberg/ancestry.ts';
import { asUpdates, planExpiry } from '../../src/iceberg/expire.ts';
import { parseMetadata, serializeMetadata } from '../../src/iceberg/metadata.ts';
import type { SnapshotRef, TableMetadata } from '../../src/iceberg/model.ts';
import { applyUpdates } from '../../src/iceberg/updates.ts';
import { branch, DAY_MS, sampleSnapshot, tableWith, tag } from './sample-table.ts';

/** A metadata file's text. */
function serialized(metadata: Parameters<typeof serializeMetadata>[0]): string {
  return Buffer.from(serializeMetadata(metadata)).toString('utf8');
}

const NOW = 100 * DAY_MS;
/** Main is 1 … 6, made on days 90, 92, 94, 96, 98, 100. */
const chain = [1, 2, 3, 4, 5, 6].map((id) => sampleSnapshot(id, id > 1 ? id - 1 : undefined, (88 + 2 * id) * DAY_MS));
const plan = (refs: Record<string, SnapshotRef>, properties: Record<string, string> = {}, extra = chain) => {
  const { refsToRemove, snapshotsToRemove } = planExpiry(tableWith(extra, refs, properties), NOW);
  return [refsToRemove, snapshotsToRemove.map(Number)];
};

test('by default five days and at least one snapshot are kept', () => {
  expect(plan({ main: branch(6) })).toEqual([[], [1, 2, 3]]);
  expect(planExpiry(tableWith(chain, { main: branch(6) }), 10 * NOW).snapshotsToRemove.map(Number)).toEqual([
    1, 2, 3, 4, 5,
  ]);
});

test('properties, a ref’s own settings and overrides', () => {
  expect(plan({ main: branch(6) }, { 'history.expire.min-snapshots-to-keep': '5' })).toEqual([[], [1]]);
  expect(plan({ main: branch(6) }, { 'history.expire.max-snapshot-age-ms': '0' })).toEqual([[], [1, 2, 3, 4, 5]]);
  expect(plan({ main: branch(6, { maxSnapshotAgeMs: 7 * DAY_MS }) })).toEqual([[], [1, 2]]);
  expect(plan({ main: branch(6, { minSnapshotsToKeep: 4, maxSnapshotAgeMs: 0 }) })).toEqual([[], [1, 2]]);
  const table = tableWith(chain, { main: branch(6, { minSnapshotsToKeep: 2 }) });
  const all = { maxSnapshotAgeMs: 0, minSnapshotsToKeep: 1 };
  expect(planExpiry(table, NOW, all).snapshotsToRemove.map(Number)).toEqual([1, 2, 3, 4]);
});

test('a ref goes by the age of its snapshot, main never', () => {
  const refs = {
    main: branch(6, { maxRefAgeMs: 1 }),
    b: branch(5, { maxRefAgeMs: DAY_MS }),
    v1: tag(1),
    v2: tag(2, { maxRefAgeMs: 9 * DAY_MS }),
  };
  expect(plan(refs)).toEqual([['b'], [3]]);
  expect(plan(refs, { 'history.expire.max-ref-age-ms': String(DAY_MS) })).toEqual([
    ['b', 'v1'],
    [1, 3],
  ]);
});

test('a tag on a branch’s way does not hide what is behind it from the branch', () => {
  const settings = { maxSnapshotAgeMs: 0 };
  expect(plan({ v5: tag(5), main: branch(6, settings) })).toEqual([[], [1, 2, 3, 4]]);
});

test('unreferenced snapshots go by the table’s age alone', () => {
  const staged = [...chain, sampleSnapshot(7, 6, NOW - 6 * DAY_MS), sampleSnapshot(8, 6, NOW - DAY_MS)];
  expect(plan({ main: branch(6) }, {}, staged)).toEqual([[], [1, 2, 3, 7]]);
});

test('no garbage collection, no expiry; a property must be a number', () => {
  expect(() => plan({ main: branch(6) }, { 'gc.enabled': 'false' })).toThrow(/gc\.enabled is false/);
  expect(() => plan({ main: branch(6) }, { 'history.expire.max-snapshot-age-ms': '5d' })).toThrow(/found "5d"/);
});

test('nothing to expire is no update', () => {
  expect(asUpdates(planExpiry(tableWith(chain.slice(5), { main: branch(6) }), NOW))).toEqual([]);
});

const retention = fc.record(
  {
    minSnapshotsToKeep: fc.integer({ min: 1, max: 6 }),
    maxSnapshotAgeMs: fc.integer({ min: 0, max: 60 }),
    maxRefAgeMs: fc.integer({ min: 0, max: 60 }),
  },
  { requiredKeys: [] },
);
/** A tree of snapshots with times that mostly, but not always, grow; refs anywhere in it. */
const tables: fc.Arbitrary<TableMetadata> = fc
  .array(fc.record({ parent: fc.nat({ max: 100 }), step: fc.integer({ min: -3, max: 6 }) }), {
    minLength: 1,
    maxLength: 25,
  })
  .chain((nodes) => {
    let time = 20;
    const snapshots = nodes.map(({ parent, step }, index) => {
      time = Math.max(0, time + step);
      return sampleSnapshot(index + 1, index === 0 ? undefined : 1 + (parent % index), time);
    });
    const anywhere = fc.integer({ min: 1, max: snapshots.length });
    const ref = fc.oneof(
      fc.tuple(anywhere, retention).map(([id, settings]) => branch(id, settings)),
      fc
        .tuple(anywhere, retention)
        .map(([id, { maxRefAgeMs }]) => tag(id, maxRefAgeMs === undefined ? {} : { maxRefAgeMs })),
    );
    return fc
      .record({
        main: fc.option(fc.tuple(anywhere, retention), { nil: undefined }),
        refs: fc.dictionary(fc.stringMatching(/^[a-e]$/), ref),
        minimum: fc.integer({ min: 1, max: 4 }),
        age: fc.integer({ min: 0, max: 60 }),
      })
      .map(({ main, refs, minimum, age }) =>
        tableWith(snapshots, main === undefined ? refs : { ...refs, main: branch(main[0], main[1]) }, {
          'history.expire.min-snapshots-to-keep': String(minimum),
          'history.expire.max-snapshot-age-ms': String(age),
        }),
      );
  });

/** The policy word for word, ref by ref: what has to stay. */
function mustStay(table: TableMetadata, nowMs: number, removedRefs: string[]): Set<bigint> {
  const stay = new Set<bigint>();
  const minimum = Number(table.properties['history.expire.min-snapshots-to-keep']);
  const age = Number(table.properties['history.expire.max-snapshot-age-ms']);
  const referenced = new Set<bigint>();
  for (const [name, ref] of Object.entries(table.refs)) {
    if (removedRefs.includes(name)) continue;
    const ancestors =
      ref.type === 'tag'
        ? [...ancestorsOf(table, ref.snapshotId)].slice(0, 1)
        : [...ancestorsOf(table, ref.snapshotId)];
    for (const { snapshotId } of ancestors) referenced.add(snapshotId);
    let kept = 0;
    for (const { snapshotId, timestampMs } of ancestors) {
      if (kept >= (ref.minSnapshotsToKeep ?? minimum) && timestampMs < nowMs - (ref.maxSnapshotAgeMs ?? age)) break;
      stay.add(snapshotId);
      kept++;
    }
  }
  for (const { snapshotId, timestampMs } of table.snapshots) {
    if (!referenced.has(snapshotId) && timestampMs >= nowMs - age) stay.add(snapshotId);
  }
  return stay;
}

test('removes exactly what no remaining ref needs, and the result is a sound table', () => {
  fc.assert(
    fc.property(tables, fc.integer({ min: 0, max: 120 }), (table, nowMs) => {
      const { refsToRemove, snapshotsToRemove } = planExpiry(table, nowMs);
      expect(refsToRemove).not.toContain('main');
      const stay = mustStay(table, nowMs, refsToRemove);
      const expected = table.snapshots.map(({ snapshotId }) => snapshotId).filter((id) => !stay.has(id));
      expect(snapshotsToRemove).toEqual(expected);
      const after = applyUpdates(table, asUpdates({ refsToRemove, snapshotsToRemove }), nowMs);
      expect(Object.keys(after.refs)).toEqual(Object.keys(table.refs).filter((name) => !refsToRemove.includes(name)));
      expect(after.currentSnapshotId).toBe(table.currentSnapshotId);
      expect(parseMetadata(serialized(after), 'x')).toEqual(after);
    }),
    { numRuns: 1000 },
  );
});
