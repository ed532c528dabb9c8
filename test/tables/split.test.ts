/** The copy engine over a source of the real shape: whole tables, broken off and run again, what it leaves to others. */
import { parquetReadObjects } from 'hyparquet';
import { createMemoryStore } from '../../src/storage/memory.ts';
import type { ObjectStore } from '../../src/storage/store.ts';
import { matchSplitMap } from '../../src/tables/match-map.ts';
import type { SplitPlan } from '../../src/tables/model.ts';
import { planSplit } from '../../src/tables/plan.ts';
import { findSnapshot } from '../../src/tables/snapshot.ts';
import { inspectSources } from '../../src/tables/sources.ts';
import { runSplit } from '../../src/tables/split.ts';
import { parseSplitMap } from '../../src/tables/split-map.ts';
import { fieldsOf, fieldValue, keyOf, REAL_TABLES, splitMapCsv, writeSource } from './generator.ts';

const SMALL = { A: 4, B: 3, C: 2 };
const SOURCE = 'memory:/raw/infobase/';
const TARGET = 'memory:/out/';
const MATCH = { key: 'customer_user_id', aliases: {}, maxColumns: 100, partitionKeys: ['snapshot_dt'], only: [] };

async function planned(store: ObjectStore, tables: Record<string, number>, targetBytes = 1e9): Promise<SplitPlan> {
  const snapshot = await findSnapshot(store, SOURCE, {});
  const { files, refused } = await inspectSources(store, snapshot.files);
  const names = files[0]!.columns.map(({ name }) => name);
  const map = matchSplitMap(parseSplitMap(splitMapCsv(tables), 'map.csv'), names, MATCH);
  expect(map.findings.filter(({ kind }) => kind !== 'too_wide')).toEqual([]);
  return planSplit(files, refused, map.tables, {
    snapshot: snapshot.date,
    target: TARGET,
    layout: 'partitioned',
    targetBytes,
    tablesAtOnce: 32,
    partBytes: 1e9,
  });
}

async function urlsUnder(store: ObjectStore, folder: string): Promise<string[]> {
  const urls: string[] = [];
  for await (const { url } of store.list(folder)) urls.push(url);
  return urls;
}

/** Rows of a table, its files in order. */
async function rowsOf(store: ObjectStore, folder: string): Promise<Record<string, unknown>[]> {
  const rows: Record<string, unknown>[] = [];
  for (const url of await urlsUnder(store, folder)) {
    const { bytes } = await store.read(url);
    rows.push(...(await parquetReadObjects({ file: Uint8Array.from(bytes).buffer })));
  }
  return rows;
}

function expectedRows(tables: Record<string, number>, table: string, rows: number): Record<string, unknown>[] {
  const fields = fieldsOf(tables).map((field, number) => ({ field, number }));
  return Array.from({ length: rows }, (_, row) => ({
    customer_user_id: keyOf(row),
    ...Object.fromEntries(
      fields
        .filter(({ field }) => field.table === table)
        .map(({ field, number }) => [field.column.toLowerCase(), fieldValue(field, number, row)]),
    ),
  }));
}

test('the real shape: 1,768 fields in 27 tables', async () => {
  const store = createMemoryStore();
  await writeSource(store, `${SOURCE}snapshot_dt=2026-01-31/`, { files: 2, rows: 3 });
  const plan = await planned(store, REAL_TABLES);
  const outcomes = await runSplit(store, plan);
  expect(outcomes.map(({ outcome }) => outcome)).toEqual(Array(27).fill('written'));
  let fields = 0;
  for (const table of Object.keys(REAL_TABLES)) {
    const rows = await rowsOf(store, `${TARGET}${table}/snapshot_dt=2026-01-31/`);
    expect(rows).toEqual(expectedRows(REAL_TABLES, table, 6));
    expect(Object.keys(rows[0]!)[0]).toBe('customer_user_id');
    fields += Object.keys(rows[0]!).length;
  }
  expect(fields).toBe(1768);
});

test('small files become one, large ones several, cut between row groups', async () => {
  const store = createMemoryStore();
  await writeSource(store, `${SOURCE}snapshot_dt=2026-01-31/`, { tables: SMALL, files: 4, rows: 40, rowGroupRows: 10 });
  const one = await planned(store, SMALL);
  expect(one.tables.map(({ outputs }) => outputs.length)).toEqual([1, 1, 1]);
  const bytes = one.tables[0]!.outputs[0]!.bytes;
  const several = await planned(store, SMALL, bytes / 3);
  expect(several.tables.map(({ outputs }) => outputs.length)).toEqual([4, 4, 2]);
  await runSplit(store, several);
  for (const table of Object.keys(SMALL)) {
    expect(await rowsOf(store, `${TARGET}${table}/`)).toEqual(expectedRows(SMALL, table, 160));
  }
});

test('a second run finds everything done; another snapshot and a foreign file in the partition', async () => {
  const store = createMemoryStore();
  await writeSource(store, `${SOURCE}snapshot_dt=2026-01-31/`, { tables: SMALL });
  await store.create(`${TARGET}A/snapshot_dt=2025-12-31/kept.parquet`, new Uint8Array(1));
  await store.create(`${TARGET}A/snapshot_dt=2026-01-31/old.parquet`, new Uint8Array(1));
  const plan = await planned(store, SMALL);
  await runSplit(store, plan);
  const before = await urlsUnder(store, TARGET);
  expect((await runSplit(store, plan)).map(({ outcome }) => outcome)).toEqual(['already', 'already', 'already']);
  expect(await urlsUnder(store, TARGET)).toEqual(before);
  expect(before).toHaveLength(4);
  expect(before).toContain(`${TARGET}A/snapshot_dt=2025-12-31/kept.parquet`);
});

/** A store that dies at its nth write, as a process that is killed: nothing after it happens. */
function dyingAt(store: ObjectStore, write: number): ObjectStore {
  let writes = 0;
  const alive = <T>(act: () => Promise<T>): Promise<T> => {
    writes += 1;
    return writes > write ? Promise.reject(new Error('killed')) : act();
  };
  return {
    ...store,
    create: (url, bytes) => alive(() => store.create(url, bytes)),
    copy: (from, to, expected) => alive(() => store.copy(from, to, expected)),
    delete: (urls) => alive(() => store.delete(urls)),
    writer: async (url) => {
      const writer = await store.writer(url);
      return { ...writer, finish: () => alive(() => writer.finish()) };
    },
  };
}

test('killed at every write, run again: the same tables, and old data until then', async () => {
  const rows = expectedRows(SMALL, 'A', 20);
  let alive = false;
  let writes = 0;
  for (let write = 0; !alive; write += 1) {
    const store = createMemoryStore();
    await writeSource(store, `${SOURCE}snapshot_dt=2026-01-31/`, { tables: SMALL, files: 2, rowGroupRows: 5 });
    await store.create(`${TARGET}A/snapshot_dt=2026-01-31/old.parquet`, new Uint8Array(1));
    const plan = await planned(store, SMALL, 2000);
    alive = (await runSplit(dyingAt(store, write), plan)).every(({ outcome }) => outcome === 'written');
    writes = write;
    // What stands in a partition is whole: either the old, or files of the plan.
    for (const url of await urlsUnder(store, `${TARGET}A/`)) {
      if (!url.endsWith('old.parquet')) expect((await store.read(url)).bytes.slice(-4)).toEqual(Buffer.from('PAR1'));
    }
    const outcomes = await runSplit(store, plan);
    expect(outcomes.every(({ outcome }) => outcome === 'written' || outcome === 'already')).toBe(true);
    expect(await rowsOf(store, `${TARGET}A/`)).toEqual(rows);
    expect(await urlsUnder(store, `${TARGET}_staging/`)).toEqual([]);
  }
  expect(writes).toBeGreaterThan(10);
});

test('one table that cannot be written keeps none of the others back', async () => {
  const store = createMemoryStore();
  await writeSource(store, `${SOURCE}snapshot_dt=2026-01-31/`, { tables: SMALL });
  const full: ObjectStore = {
    ...store,
    writer: async (url) => {
      const writer = await store.writer(url);
      return /_staging\/B\./.test(url) ? { ...writer, finish: () => Promise.reject(new Error('disk full')) } : writer;
    },
  };
  const outcomes = await runSplit(full, await planned(store, SMALL));
  expect(outcomes.map(({ table, outcome, reason }) => [table, outcome, reason])).toEqual([
    ['A', 'written', undefined],
    ['B', 'failed', 'disk full'],
    ['C', 'written', undefined],
  ]);
});

test('a table whose column changes its type, or is not in every file, is left with the reason', async () => {
  const store = createMemoryStore();
  await writeSource(store, `${SOURCE}snapshot_dt=2026-01-31/`, { tables: SMALL, files: 2 });
  const { files, refused } = await inspectSources(store, (await findSnapshot(store, SOURCE, {})).files);
  const [first, second] = files;
  const changed = {
    ...second!,
    kind: 'other',
    columns: second!.columns.map((column) => (column.name === 'B_Field_000' ? { ...column, type: 'x' } : column)),
  };
  const { tables } = matchSplitMap(
    parseSplitMap(splitMapCsv(SMALL), 'map'),
    first!.columns.map(({ name }) => name),
    MATCH,
  );
  const plan = planSplit([first!, changed], refused, tables, {
    snapshot: '2026-01-31',
    target: TARGET,
    layout: 'partitioned',
    targetBytes: 1e9,
    tablesAtOnce: 9,
    partBytes: 1e9,
  });
  expect(plan.left).toEqual([
    { table: 'B', reason: expect.stringMatching(/`B_Field_000` needs a cast.*part-00000.*part-00001/) },
  ]);
  expect(plan.tables.map(({ table, outputs }) => [table.name, outputs.length])).toEqual([
    ['A', 2],
    ['C', 2],
  ]);
});
