/** Tables made by DuckDB: cut by rows, or in Hive's buckets; cast where files differ; nothing half done is ever a table's. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type { ObjectStore } from '../../src/storage/store.ts';
import { createStores } from '../../src/storage/stores.ts';
import { checkBuckets } from '../../src/tables/check-buckets.ts';
import { splitByDuckDb } from '../../src/tables/engine-duckdb.ts';
import { widestType } from '../../src/tables/engine-duckdb-sql.ts';
import { planRows, type RowsOptions } from '../../src/tables/engine-rows.ts';
import { matchSource } from '../../src/tables/prepare-split.ts';

const SNAPSHOT = '2026-01-31';
const store = createStores();
let scratch: string;
let instance: DuckDBInstance;

beforeAll(async () => {
  // A folder whose name means something to SQL and to patterns.
  scratch = await mkdtemp(join(tmpdir(), "lakegate-duck'db [1] %41-"));
  instance = await DuckDBInstance.create(':memory:');
});

afterAll(async () => {
  instance.closeSync();
  await rm(scratch, { recursive: true, force: true });
});

async function sql(statement: string): Promise<unknown[]> {
  const connection = await instance.connect();
  try {
    return (await connection.runAndReadAll(statement)).getRowObjectsJson();
  } finally {
    connection.closeSync();
  }
}

const quoted = (path: string) => `'${path.replaceAll("'", "''").replace(/[*?[]/g, '[$&]')}'`;

/** A source of these SELECTs, a file each. */
async function source(name: string, selects: readonly string[]): Promise<string> {
  const folder = join(scratch, name, `snapshot_dt=${SNAPSHOT}`);
  await store.create(`file://${folder}/_SUCCESS`, new Uint8Array());
  for (const [index, select] of selects.entries()) {
    const path = join(folder, `${index}.parquet`).replaceAll("'", "''");
    await sql(`copy (${select}) to '${path}' (format parquet, row_group_size 2048)`);
  }
  return `file://${join(scratch, name)}/`;
}

async function split(
  from: string,
  name: string,
  { map, ...options }: Partial<RowsOptions> & { map?: string } = {},
  on: ObjectStore = store,
) {
  const target = `file://${join(scratch, name)}/`;
  const layout = options.buckets === undefined ? 'partitioned' : 'plain';
  const request = { source: from, target, key: 'id', aliases: {}, only: [], strict: false, targetBytes: 1e9, layout };
  const found = await matchSource(store, {
    ...request,
    layout,
    ...(map !== undefined && { map: { text: map, name: 'map' } }),
  });
  const tables = planRows(found.tables, found.files, { ...request, layout, snapshot: SNAPSHOT, ...options });
  return { tables, target, run: () => splitByDuckDb(on, tables, found.files, { memoryMb: 512, target }) };
}

const namesIn = async (folder: string) => (await readdir(folder.slice('file://'.length))).sort();

test('rows as they are, in as many files as their bytes come to; again, and with a newer source', async () => {
  const from = await source('cut', [
    'select i as ID, i * 2 as a, i::varchar as b from range(5000) t(i)',
    'select i as ID, i * 2 as a, i::varchar as b from range(5000, 7001) t(i)',
  ]);
  const bytes = { targetBytes: 40_000 };
  const { tables, run } = await split(from, 'cut-out', { map: 'table,column\nA,a\nB,b\n', ...bytes });
  const wanted = tables.map(({ plan }) => plan.outputs.length);
  expect(Math.min(...wanted)).toBeGreaterThan(1);
  const outcomes = await run();
  expect(outcomes.map(({ table, outcome, rows, files }) => [table, outcome, rows, files])).toEqual([
    ['A', 'written', 7001, wanted[0]],
    ['B', 'written', 7001, wanted[1]],
  ]);
  const folder = tables[0]!.plan.folder;
  const read = `read_parquet(${quoted(folder.slice(7)).slice(0, -1)}*.parquet', hive_partitioning = false)`;
  expect(await sql(`select count(*) n, count(distinct id) d, sum(a) s, min(columns(*)) from ${read}`)).toMatchObject([
    { n: '7001', d: '7001', s: String(7001 * 7000) },
  ]);
  expect(await sql(`select name from (describe select * from ${read}) t(name)`)).toEqual([
    { name: 'id' },
    { name: 'a' },
  ]);
  expect((await run()).map(({ outcome }) => outcome)).toEqual(['already', 'already']);
  const before = await namesIn(folder);
  await source('cut', ['select i as ID, i * 2 as a, i::varchar as b from range(7) t(i)']);
  const newer = await split(from, 'cut-out', { map: 'table,column\nA,a\n', ...bytes });
  expect(await newer.run()).toMatchObject([{ outcome: 'written', rows: 2008 }]);
  const after = await namesIn(folder);
  expect(after.filter((name) => before.includes(name))).toEqual([]);
  expect(after).toHaveLength(newer.tables[0]!.plan.outputs.length);
});

test.each([
  [
    'VARCHAR',
    "case i % 9 when 0 then null when 1 then '' when 2 then 'é-' || i when 3 then '€' || i || '😀' else 'cust-' || lpad(i::varchar, 10, '0') end",
  ],
  ['BIGINT', 'case i % 9 when 0 then null when 1 then i * -7000000001 else i * 7000000001 end'],
  ['INTEGER', 'case i % 9 when 0 then null else (i * 77 - 50000)::int end'],
  ['TINYINT', '(i % 256 - 128)::tinyint'],
])("every row lies in Hive's bucket of a key of %s", async (type, key) => {
  const COUNT = 16;
  const from = await source(`buckets-${type}`, [`select ${key} as Id, i as v from range(2000) t(i)`]);
  const { tables, run } = await split(from, `buckets-${type}-out`, { buckets: { column: 'id', count: COUNT } });
  expect(await run()).toMatchObject([{ table: 'addressable_ids', outcome: 'written', rows: 2000, files: COUNT }]);
  const { folder } = tables[0]!.plan;
  expect(await checkBuckets(store, folder, { column: 'id', count: COUNT })).toEqual({
    files: COUNT,
    rows: 2000,
    missing: [],
    faults: [],
  });
  expect(await run()).toMatchObject([{ outcome: 'already' }]);
});

test('files of several schemas meet in the widest type; a table without one keeps its data, and the others go on', async () => {
  const from = await source('mixed', [
    "select 'a' as id, 1::int as n, 'text' as x, 1::tinyint as f",
    "select 'b' as id, 5000000000::bigint as n, 7::int as x, 0.5::double as f, 1 as extra",
  ]);
  const map = 'table,column\nGOOD,n\nGOOD,f\nGOOD,extra\nBAD,x\n';
  const { tables, run } = await split(from, 'mixed-out', { map });
  const bad = tables[1]!.plan.folder;
  await store.create(`${bad}old.parquet`, new Uint8Array([1]));
  const outcomes = await run();
  expect(outcomes).toMatchObject([
    { table: 'GOOD', outcome: 'written', rows: 2 },
    { table: 'BAD', outcome: 'failed', reason: expect.stringContaining('VARCHAR, INTEGER') as string },
  ]);
  const read = `read_parquet(${quoted(tables[0]!.plan.folder.slice(7)).slice(0, -1)}*.parquet', hive_partitioning = false)`;
  expect(await sql(`select id, n, f, extra from ${read} order by id`)).toEqual([
    { id: 'a', n: '1', f: 1, extra: null },
    { id: 'b', n: '5000000000', f: 0.5, extra: 1 },
  ]);
  expect(await namesIn(bad)).toEqual(['old.parquet']);
  expect(widestType('c', ['INTEGER', 'FLOAT'])).toBe('DOUBLE');
  expect(() => widestType('c', ['BIGINT', 'DOUBLE'])).toThrow('no type holds without a loss');
});

test('a run that is broken off anywhere leaves the old data, and the next one ends it', async () => {
  const from = await source('killed', ['select i as id, i as a from range(3000) t(i)']);
  for (let dies = 0; dies < 8; dies += 1) {
    const name = `killed-${dies}`;
    let left = dies;
    const dying: ObjectStore = {
      ...store,
      move: (a, b) => {
        left -= 1;
        return left < 0 ? Promise.reject(new Error('killed')) : store.move!(a, b);
      },
    };
    const first = await split(from, name, { targetBytes: 10_000 }, dying);
    const { folder, outputs } = first.tables[0]!.plan;
    expect(outputs.length).toBeGreaterThan(2);
    const [outcome] = await first.run();
    if (outcome!.outcome === 'failed' && dies < outputs.length) await expect(namesIn(folder)).rejects.toThrow('ENOENT');
    const second = await split(from, name, { targetBytes: 10_000 });
    expect(await second.run()).toMatchObject([{ rows: 3000 }]);
    expect(await namesIn(folder)).toEqual(outputs.map((output) => output.name));
    expect(await namesIn(first.tables[0]!.plan.staging).catch(() => [])).toEqual([]);
  }
});

test.each(['partitioned', 'plain'] as const)(
  'what the Spark job had begun to commit (%s) is not mixed with its files',
  async (layout) => {
    const from = await source(`spark-${layout}`, ['select i as id, i as a from range(30) t(i)']);
    const buckets = layout === 'plain' ? { buckets: { column: 'id', count: 2 } } : {};
    const { run, target } = await split(from, `spark-${layout}-out`, buckets);
    const inside = layout === 'plain' ? '' : `snapshot_dt=${SNAPSHOT}/`;
    const record = `${target}_staging_spark/addressable_ids/${inside}commit.json`;
    await store.create(record, new Uint8Array([1]));
    expect(await run()).toMatchObject([
      { outcome: 'failed', reason: expect.stringContaining('the Spark job is committing') as string },
    ]);
    await store.delete([record]);
    expect(await run()).toMatchObject([{ outcome: 'written', rows: 30 }]);
  },
);

test('a source without rows is a table without rows; S3 is not DuckDB’s', async () => {
  const from = await source('empty', ['select i as id, i as a from range(3) t(i) where false']);
  const { tables, run } = await split(from, 'empty-out');
  expect(await run()).toMatchObject([{ outcome: 'written', rows: 0, files: 1 }]);
  const read = `read_parquet(${quoted(tables[0]!.plan.folder.slice(7)).slice(0, -1)}*.parquet', hive_partitioning = false)`;
  expect(await sql(`select count(id) n from ${read}`)).toEqual([{ n: '0' }]);
  await expect(splitByDuckDb(store, tables, [], { memoryMb: 512, target: 's3://b/x/' })).rejects.toThrow(
    'found s3://b/x/. On S3 use --engine copy',
  );
});
