import { ancestorsOf, headOf, history, isAncestor, snapshotById } from '../../src/iceberg/ancestry.ts';
import { applyUpdates } from '../../src/iceberg/updates.ts';
import { branch, sampleSnapshot, tableWith } from './sample-table.ts';

//  1 ── 2 ── 3 (main)      0 has expired
//       └─── 4 (side)
const table = tableWith([sampleSnapshot(1, 0), sampleSnapshot(2, 1), sampleSnapshot(3, 2), sampleSnapshot(4, 2)], {
  main: branch(3),
  side: branch(4),
});
const ids = (metadata: typeof table, from: bigint | undefined) =>
  [...ancestorsOf(metadata, from)].map(({ snapshotId }) => Number(snapshotId));

test('ancestors end at a parent that has expired', () => {
  expect(ids(table, 4n)).toEqual([4, 2, 1]);
  expect(ids(table, 99n)).toEqual([]);
  expect(ids(table, undefined)).toEqual([]);
});

test('a loop of parents ends', () => {
  const loop = tableWith([sampleSnapshot(1, 2), sampleSnapshot(2, 1)], {});
  expect(ids(loop, 2n)).toEqual([2, 1]);
  expect(isAncestor(loop, 5n, 2n)).toBe(false);
});

test('ancestry is along parents, not along time', () => {
  expect(isAncestor(table, 1n, 4n)).toBe(true);
  expect(isAncestor(table, 4n, 4n)).toBe(true);
  expect(isAncestor(table, 3n, 4n)).toBe(false);
  expect(isAncestor(table, 4n, 1n)).toBe(false);
});

test('lookups see a commit at once, and names of object parts are no refs', () => {
  expect(snapshotById(table, 5n)).toBeUndefined();
  const next = applyUpdates(table, [{ action: 'add-snapshot', snapshot: sampleSnapshot(5, 3) }], 9);
  expect(snapshotById(next, 5n)).toBe(next.snapshots.at(-1));
  expect(headOf(table, 'side')).toBe(4n);
  expect(headOf(table, 'toString')).toBeUndefined();
});

test('history marks what was rolled back', () => {
  const rolledBack = applyUpdates(table, [{ action: 'set-snapshot-ref', ref: 'main', value: branch(2) }], 50);
  expect(
    history(rolledBack).map((entry) => [
      Number(entry.snapshot.snapshotId),
      entry.madeCurrentAt,
      entry.isCurrentAncestor,
    ]),
  ).toEqual([
    [1, 1, true],
    [2, 2, true],
    [3, 3, false],
    [2, 50, true],
  ]);
});
