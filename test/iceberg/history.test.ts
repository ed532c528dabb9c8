import fc from 'fast-check';
import { ancestorsOf, headOf } from '../../src/iceberg/ancestry.ts';
import { planAppend } from '../../src/iceberg/append.ts';
import { asUpdates, planExpiry } from '../../src/iceberg/expire.ts';
import { deleteExpiredFiles, planOrphans } from '../../src/iceberg/expire-files.ts';
import type { TableMetadata } from '../../src/iceberg/model.ts';
import { planOverwrite } from '../../src/iceberg/overwrite.ts';
import { planPublish } from '../../src/iceberg/publish.ts';
import { liveFiles } from '../../src/iceberg/published.ts';
import { isUnderLocation, reachableFiles } from '../../src/iceberg/reachable.ts';
import { planDropBranch, planRollback } from '../../src/iceberg/refs.ts';
import { planRemoveFiles } from '../../src/iceberg/remove-files.ts';
import type { TableIO } from '../../src/iceberg/table-io.ts';
import { dataFile, type FakeTable, fakeTable } from './fake-table.ts';

/**
 * Promise: nothing deletes a file that a live snapshot references, and main shows exactly what was published. Random
 * histories are held against a model of what main must show, and every file the table reaches must be in the store.
 */

const DAY = 86_400_000;

type Step =
  | { do: 'stage'; files: number }
  | { do: 'overwrite'; files: number }
  | { do: 'publish'; pick: number; keep: number; discard: boolean }
  | { do: 'drop' | 'rollback' | 'remove' | 'refused'; pick: number }
  | { do: 'wait'; days: number }
  | { do: 'expire' | 'sweep' };

const pick = fc.nat({ max: 1000 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { arbitrary: fc.record({ do: fc.constant('stage' as const), files: fc.integer({ min: 0, max: 4 }) }), weight: 6 },
  fc.record({ do: fc.constant('overwrite' as const), files: fc.integer({ min: 1, max: 2 }) }),
  {
    arbitrary: fc.record({
      do: fc.constant('publish' as const),
      pick,
      keep: fc.nat({ max: 3 }),
      discard: fc.boolean(),
    }),
    weight: 6,
  },
  fc.record({ do: fc.constantFrom('drop' as const, 'rollback' as const, 'remove' as const, 'refused' as const), pick }),
  { arbitrary: fc.record({ do: fc.constant('wait' as const), days: fc.integer({ min: 1, max: 4 }) }), weight: 2 },
  { arbitrary: fc.record({ do: fc.constantFrom('expire' as const, 'sweep' as const) }), weight: 3 },
);

test('random histories never lose a file that is referenced', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 40, size: 'max' }), async (steps) => {
      const run = await begin();
      for (const each of steps) {
        await apply(run, each);
        await check(run);
      }
    }),
    { numRuns: 40 },
  );
});

interface Run {
  table: FakeTable;
  /** Makes names. */
  counter: number;
  /** By snapshot: the paths it must show. */
  shows: Map<bigint, Set<string>>;
  /** `<branch> <path>` of every staged file: whether an overwrite staged it. */
  overwrites: Map<string, boolean>;
  /** Where files lie that are registered and not the table's. */
  registered: string;
}

async function begin(): Promise<Run> {
  const table = fakeTable({
    properties: { 'commit.manifest.min-count-to-merge': '3', 'history.expire.max-snapshot-age-ms': String(DAY) },
  });
  return { table, counter: 0, shows: new Map(), overwrites: new Map(), registered: 'memory:/raw/' };
}

async function newFiles(run: Run, count: number) {
  const names = Array.from({ length: count }, () => {
    run.counter += 1;
    // Every third file is one that was registered where it lay: never the table's to delete.
    return run.counter % 3 === 0 ? `${run.registered}${run.counter}` : `memory:/wh/t/data/${run.counter}`;
  });
  for (const name of names) await run.table.store.create(name, new Uint8Array([1]));
  return names;
}

async function apply(run: Run, each: Step): Promise<void> {
  const { table } = run;
  const { io } = table;
  const { metadata } = table.current;
  const branches = Object.keys(metadata.refs).filter((name) => name !== 'main');
  const shown = (ref: string) => run.shows.get(headOf(metadata, ref) ?? 0n) ?? new Set<string>();
  const added = (branch: string) => [...shown(branch)].filter((path) => run.overwrites.has(`${branch} ${path}`));
  switch (each.do) {
    case 'stage':
    case 'overwrite': {
      const branch = `b${run.counter++}`;
      const names = await newFiles(run, each.files);
      const input = { branch, dataFiles: names.map((name) => dataFile(name)), summary: {}, maxRefAgeMs: 6 * DAY };
      const overwrite = each.do === 'overwrite';
      await table.commit(
        overwrite
          ? await planOverwrite(io, table.current, { ...input, replace: 'table' })
          : await planAppend(io, table.current, input),
      );
      for (const name of names) run.overwrites.set(`${branch} ${name}`, overwrite);
      remember(run, branch, overwrite ? names : [...shown('main'), ...names]);
      return;
    }
    case 'publish': {
      const branch = branches[each.pick % branches.length];
      if (branch === undefined) return;
      const own = added(branch);
      const overwrite = own.some((path) => run.overwrites.get(`${branch} ${path}`));
      const kept = overwrite ? [] : own.slice(0, Math.min(each.keep, own.length));
      const discarded = !overwrite && each.discard ? own.slice(kept.length, kept.length + 1) : [];
      const passing = own.filter((path) => !kept.includes(path) && !discarded.includes(path));
      const before = shown('main');
      const parent = [...shown(branch)].filter((path) => !own.includes(path));
      const plan = await planPublish(io, table.current, {
        branch,
        auditedSnapshotId: headOf(metadata, branch)!,
        keep: kept.map((path) => ({
          branch: `k${run.counter++}`,
          files: new Set([path]),
          summary: {},
          maxRefAgeMs: DAY,
        })),
        discard: new Set(discarded),
        summary: {},
      });
      await table.commit(plan);
      if (passing.length > 0 || own.length === 0) remember(run, 'main', overwrite ? passing : [...before, ...passing]);
      for (const update of plan.updates) {
        if (update.action !== 'set-snapshot-ref' || update.ref === 'main') continue;
        const path = kept.shift()!;
        run.overwrites.set(`${update.ref} ${path}`, false);
        remember(run, update.ref, [...parent, path]);
      }
      return;
    }
    case 'drop': {
      const branch = branches[each.pick % branches.length];
      if (branch !== undefined) await expireWith(run, () => table.commit(planDropBranch(table.current, branch)));
      return;
    }
    case 'rollback': {
      const history = [...ancestorsOf(metadata, headOf(metadata, 'main'))];
      const target = history[each.pick % history.length];
      if (target !== undefined) await table.commit(planRollback(table.current, target.snapshotId));
      return;
    }
    case 'remove': {
      const live = [...shown('main')];
      const path = live[each.pick % live.length];
      if (path === undefined) return;
      await table.commit(await planRemoveFiles(io, table.current, { paths: new Set([path]), summary: {} }));
      remember(
        run,
        'main',
        live.filter((name) => name !== path),
      );
      return;
    }
    case 'refused': {
      // A writer was killed between its files and its commit.
      await planAppend(io, table.current, { branch: `r${run.counter++}`, dataFiles: [dataFile('x')], summary: {} });
      return;
    }
    case 'wait':
      table.clock.now += each.days * DAY;
      return;
    case 'expire':
      await expireWith(run, () =>
        table.commit({
          requirements: [],
          updates: asUpdates(planExpiry(metadata, io.now())),
          written: [],
          obsolete: [],
        }),
      );
      return;
    case 'sweep':
      await table.store.delete(await planOrphans(io, table.current, DAY));
  }
}

function remember(run: Run, ref: string, paths: Iterable<string>): void {
  run.shows.set(headOf(run.table.current.metadata, ref)!, new Set(paths));
}

async function expireWith(run: Run, commit: () => Promise<unknown>): Promise<void> {
  const before: TableMetadata = run.table.current.metadata;
  await commit();
  const deleted = await deleteExpiredFiles(run.table.io, before, run.table.current.metadata);
  expect(deleted.filter((url) => !isUnderLocation(before, url))).toEqual([]);
}

async function check(run: Run): Promise<void> {
  const { table } = run;
  const { metadata } = table.current;
  // A cold reader: nothing may be answered from this process's cache.
  const cold: TableIO = { ...table.io, store: { ...table.store } };
  const present = new Set(await Array.fromAsync(table.store.list('memory:/'), ({ url }) => url));
  const missing = [...(await reachableFiles(cold, metadata))].filter((url) => !present.has(url) && !url.endsWith('/x'));
  expect(missing).toEqual([]);
  for (const [ref, { snapshotId }] of Object.entries(metadata.refs)) {
    const files = await liveFiles(cold, table.current, ref);
    expect(new Set(files.keys())).toEqual(run.shows.get(snapshotId));
    const total = metadata.snapshots.find((snapshot) => snapshot.snapshotId === snapshotId)!.summary[
      'total-data-files'
    ];
    if (total !== undefined) expect(total).toBe(String(files.size));
  }
}
