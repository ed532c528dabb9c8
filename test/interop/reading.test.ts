import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEngines, startSpark } from './engine.ts';
import { makeLake, type TestLake } from './lake.ts';
import {
  createDrops,
  createHistory,
  difference,
  expectRows,
  introduce,
  type Readers,
  sqlName,
  together,
} from './readers.ts';

/** Tables that lakegate alone writes, read by PyIceberg, Spark and DuckDB: on main, on branches and tags, across history. */

const RULES = 'rules: [{ not_null: [id] }, { range: { column: id, min: 0 } }]';

let readers: Readers;
let scratch: string;
const lakes: TestLake[] = [];

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'lakegate-interop-spark-'));
  readers = { engines: startEngines(), spark: startSpark(scratch) };
});

afterAll(async () => {
  await Promise.all([readers.engines.close(), readers.spark.close()]);
  await Promise.all(lakes.map((lake) => lake.remove()));
  await rm(scratch, { recursive: true, force: true });
});

async function newLake(name: string, tables: string): Promise<TestLake> {
  const lake = await makeLake(name, tables);
  lakes.push(lake);
  await introduce(readers, lake);
  return lake;
}

const FLAT_TEXT = ['id', 'region', 'ts', 'day', 'ts_utc', 'qty', 'price', 'share', 'ok', 'amount', 'big', 'note'];

test('flat drops of every format and writer, a bad one kept aside', async () => {
  const lake = await newLake('flat', `  s.flat: { from: flat/, ${RULES} }\n`);
  const drops = createDrops(readers.engines, lake);
  const history = createHistory(readers, lake, 's.flat');
  const common = { shape: 'flat', rows: 40, columns: FLAT_TEXT };
  const files = [
    await drops.make('flat/1.parquet', { ...common, writer: 'pyarrow' }),
    await drops.make('flat/2.parquet', {
      ...common,
      start: 40,
      writer: 'pyarrow',
      options: { write_statistics: false },
    }),
    await drops.make('flat/3.parquet', { ...common, start: 80, writer: 'polars' }),
    await drops.make('flat/4.parquet', { ...common, start: 120, writer: 'duckdb' }),
    await drops.make('flat/5.csv', { ...common, start: 160, writer: 'csv' }),
    await drops.make('flat/6.csv.gz', { ...common, start: 200, writer: 'csv' }),
    await drops.make('flat/7.jsonl.zst', { ...common, start: 240, writer: 'jsonl' }),
  ];
  const [first, ...rest] = files;
  expect((await lake.deliver(first!))[0]!.state).toBe('published');
  await history.now(await drops.rows([first!]));

  const bad = await drops.make('flat/bad.parquet', { ...common, start: -5, writer: 'pyarrow' });
  const records = await lake.deliver(...rest, bad);
  expect(records.map(({ state }) => state)).toEqual([...rest.map(() => 'published'), 'rejected']);
  await history.now(await drops.rows(files));

  // The bad delivery is what its branch has beside what main had when it was staged.
  const { branch, stagedSnapshotId } = records.at(-1)!;
  const kept = together(await drops.rows([first!]), await drops.rows([bad]));
  await expectRows(readers, lake, 's.flat', kept, { snapshot: stagedSnapshotId! });
  const inSpark = await readers.spark.ask<string[]>('rows', {
    sql: `select * from ${sqlName(lake, 's.flat')} version as of '${branch}'`,
  });
  expect(difference(inSpark, kept)).toEqual({ rows: kept.length, missing: [], surplus: [] });
  expect(await history.check()).toBe(2);
});

test('nested drops, with and without statistics', async () => {
  const lake = await newLake('nested', `  s.nested: { from: n/, ${RULES} }\n`);
  const drops = createDrops(readers.engines, lake);
  const files = [
    await drops.make('n/1.parquet', { shape: 'nested', writer: 'pyarrow' }),
    await drops.make('n/2.parquet', {
      shape: 'nested',
      start: 100,
      writer: 'pyarrow',
      options: { write_statistics: false, row_group_size: 30, data_page_version: '2.0' },
    }),
    await drops.make('n/3.parquet', { shape: 'nested', start: 200, writer: 'duckdb' }),
  ];
  const records = await lake.deliver(...files);
  expect(records.map(({ state, reason }) => reason ?? state)).toEqual(['published', 'published', 'published']);
  await expectRows(readers, lake, 's.nested', await drops.rows(files), {
    pyiceberg: await drops.rowsByPyiceberg(files, ['items']),
  });
});

const PARTITIONED: readonly { by: string; wheres: string[] }[] = [
  { by: 'region', wheres: ["region = 'süd'", "region <> 'north'"] },
  { by: 'day', wheres: ["day = '2024-02-29'", "day < '2024-03-01'"] },
  { by: 'ok', wheres: ['ok = true', 'ok is null'] },
  { by: 'qty', wheres: ['qty = -45', 'qty > 0'] },
  { by: 'bucket(4, id)', wheres: ['id = 17', 'id in (3, 40)'] },
  { by: 'bucket(3, region)', wheres: ["region = '🌊 west coast of nowhere in particular'"] },
  { by: 'bucket(5, amount)', wheres: ['amount = -0.20', 'amount is null'] },
  { by: 'bucket(4, ts)', wheres: ["ts > '2024-03-01T00:00:00'"] },
  { by: 'bucket(4, day)', wheres: ["day = '2024-03-01'"] },
  { by: 'truncate(10, id)', wheres: ['id = 17', 'id >= 30'] },
  { by: 'truncate(10, qty)', wheres: ['qty = -45', 'qty < -41'] },
  { by: 'truncate(2, region)', wheres: ["region = 'süd'", "region >= 'o'"] },
  { by: 'truncate(13, note)', wheres: ["note > 'note number 000020'", 'note is null'] },
  { by: 'truncate(20, amount)', wheres: ['amount = -0.20', 'amount < -0.10'] },
  { by: 'year(ts)', wheres: ["ts < '2024-03-01T00:00:00'"] },
  { by: 'month(day)', wheres: ["day = '2024-03-01'", "day > '2024-03-20'"] },
  { by: 'day(ts_utc)', wheres: ["ts_utc > '2024-03-05T22:00:00+00:00'", 'ts_utc is null'] },
  { by: 'hour(ts)', wheres: ["ts >= '2024-02-28T23:00:00'"] },
  { by: 'day(ts), bucket(2, id), region', wheres: ["region = 'east' and ts < '2024-03-03T00:00:00'", 'id = 11'] },
];

test.each(PARTITIONED.map((each, number) => ({ ...each, number })))(
  'partitioned by $by: whole files, split files and text, read whole and by filter',
  async ({ by, wheres, number }) => {
    const lake = await newLake(`part${number}`, `  s.t: { from: t/, partition_by: [${by}], ${RULES} }\n`);
    const drops = createDrops(readers.engines, lake);
    const files = [
      // One partition for most specs: copied as it is; the others span many and are split.
      await drops.make('t/one.parquet', { shape: 'flat', writer: 'pyarrow', start: 24, rows: 1, day: 3 }),
      await drops.make('t/many.parquet', { shape: 'flat', writer: 'pyarrow', rows: 30 }),
      await drops.make('t/text.jsonl', {
        shape: 'flat',
        writer: 'jsonl',
        start: 30,
        rows: 20,
        columns: FLAT_TEXT,
      }),
    ];
    const records = await lake.deliver(...files);
    expect(records.map(({ state, reason }) => reason ?? state)).toEqual(['published', 'published', 'published']);
    const columns = [...FLAT_TEXT, 'raw'];
    await expectRows(readers, lake, 's.t', await drops.rows(files, columns));
    for (const where of wheres) {
      await expectRows(readers, lake, 's.t', await drops.rows(files, columns, where), { where });
    }
  },
);
