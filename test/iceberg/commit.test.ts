import type { Catalog, LoadedTable } from '../../src/catalogs/catalog.ts';
import { LakegateError } from '../../src/errors.ts';
import { planAppend } from '../../src/iceberg/append.ts';
import { type CommitOptions, commitWithRetry } from '../../src/iceberg/commit.ts';
import { dataFile, type FakeTable, fakeTable } from './fake-table.ts';

const options = (table: FakeTable, more: Partial<CommitOptions> = {}): CommitOptions => ({
  io: table.io,
  happened: () => false,
  deadlineMs: table.io.now() + 10_000,
  sleep: async (ms) => {
    table.clock.now += ms;
  },
  random: () => 0.5,
  ...more,
});

const stage = (table: FakeTable, branch: string) => (at: LoadedTable) =>
  planAppend(table.io, at, { branch, dataFiles: [dataFile(branch)], summary: {} });

const hasBranch = (branch: string) => (table: LoadedTable) => table.metadata.refs[branch] !== undefined;

async function files(table: FakeTable) {
  return Array.fromAsync(table.store.list('memory:/wh/t/metadata/'), ({ url }) => url);
}

/** A catalogue whose next commits go as told before it behaves. */
function faulty(
  table: FakeTable,
  ...faults: ('conflict' | 'lost before' | 'lost after' | 'refused' | 'bug')[]
): Catalog {
  return {
    ...table.catalog,
    commit: async (base, requirements, updates) => {
      const fault = faults.shift();
      if (fault === 'lost after') await table.catalog.commit(base, requirements, updates);
      if (fault === 'conflict') throw new LakegateError('conflict', 'somebody was first');
      if (fault === 'refused') throw new LakegateError('invalid', 'no');
      if (fault === 'bug') throw new TypeError('bug');
      if (fault !== undefined) throw new LakegateError('unknown_outcome', 'no answer');
      return table.catalog.commit(base, requirements, updates);
    },
  };
}

test('a conflict is planned again on the reloaded table, and the refused attempt leaves no file', async () => {
  const table = fakeTable();
  const stale = table.current;
  await table.commit(await stage(table, 'other')(table.current));
  const before = await files(table);
  const result = await commitWithRetry(table.catalog, stale.identifier, stale, stage(table, 'b'), options(table));
  expect(result.attempts).toBe(2);
  expect(Object.keys(result.table.metadata.refs).sort()).toEqual(['b', 'other']);
  expect(await files(table)).toHaveLength(before.length + 2);
});

test('a commit whose answer was lost is not repeated when it happened', async () => {
  const table = fakeTable();
  const result = await commitWithRetry(
    faulty(table, 'lost after'),
    table.current.identifier,
    undefined,
    stage(table, 'b'),
    options(table),
  );
  expect(result).toMatchObject({ attempts: 1, plan: { snapshot: { sequenceNumber: 1 } } });
  expect(result.table.metadata.snapshots).toHaveLength(1);
});

test('a commit whose answer was lost and that did not happen is repeated, its files left for a late arrival', async () => {
  const table = fakeTable();
  const plan = stage(table, 'b');
  const result = await commitWithRetry(
    faulty(table, 'lost before'),
    table.current.identifier,
    undefined,
    plan,
    options(table),
  );
  expect(result.attempts).toBe(2);
  expect(await files(table)).toHaveLength(4);
});

test('work that another process has done meanwhile is not done again', async () => {
  const table = fakeTable();
  const stale = table.current;
  await table.commit(await stage(table, 'b')(table.current));
  const before = await files(table);
  const result = await commitWithRetry(
    table.catalog,
    stale.identifier,
    stale,
    stage(table, 'b'),
    options(table, { happened: hasBranch('b') }),
  );
  expect(result.plan).toBeUndefined();
  expect(await files(table)).toEqual(before);
});

test('a fault in the plan on a fresh table is final', async () => {
  const table = fakeTable();
  await table.commit(await stage(table, 'b')(table.current));
  const again = commitWithRetry(
    table.catalog,
    table.current.identifier,
    table.current,
    stage(table, 'b'),
    options(table),
  );
  await expect(again).rejects.toMatchObject({ kind: 'exists' });
});

test('gives up at the deadline with the last conflict', async () => {
  const table = fakeTable();
  const conflicts = Array.from({ length: 100 }, () => 'conflict' as const);
  const run = commitWithRetry(
    faulty(table, ...conflicts),
    table.current.identifier,
    undefined,
    stage(table, 'b'),
    options(table),
  );
  await expect(run).rejects.toThrow(/somebody was first \(Given up at the deadline, after \d+ attempts.\)/);
  expect(await files(table)).toEqual([]);
});

test('a refusal is thrown and cleaned up; a bug is thrown and nothing is deleted', async () => {
  const table = fakeTable();
  const { identifier } = table.current;
  const run = (fault: 'refused' | 'bug') =>
    commitWithRetry(faulty(table, fault), identifier, undefined, stage(table, 'b'), options(table));
  await expect(run('refused')).rejects.toMatchObject({ kind: 'invalid' });
  expect(await files(table)).toEqual([]);
  await expect(run('bug')).rejects.toThrow(TypeError);
  expect(await files(table)).toHaveLength(2);
});
