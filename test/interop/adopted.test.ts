import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEngines, startSpark } from './engine.ts';
import { makeLake, type TestLake } from './lake.ts';
import { createDrops, createHistory, edit, introduce, type Readers, sqlName, together } from './readers.ts';

/** Tables that PyIceberg or Spark made, in the catalogue that lakegate shares with them, taking lakegate's deliveries. */

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

const COLUMNS = ['id', 'region', 'ts', 'day', 'qty', 'price', 'amount', 'note'];

async function begin(name: string, settings = '') {
  const rules = 'rules: [{ not_null: [id] }, { range: { column: id, min: 0 } }]';
  const lake = await makeLake(name, `  s.t: { from: t/, ${settings}${rules} }\n`);
  lakes.push(lake);
  await introduce(readers, lake);
  // Spark only finds its way in a catalogue that somebody has laid out.
  await readers.engines.ask('lay_out', { lake: lake.address });
  const drops = createDrops(readers.engines, lake);
  const make = (start: number, about: Record<string, unknown> = {}) =>
    drops.make(`t/${start}.parquet`, { shape: 'flat', writer: 'pyarrow', start, rows: 20, columns: COLUMNS, ...about });
  return { lake, drops, make, history: createHistory(readers, lake, 's.t') };
}

const PARTITIONINGS = [
  [],
  [['region', 'identity']],
  [
    ['id', 'bucket[4]'],
    ['ts', 'day'],
  ],
];

test.each(PARTITIONINGS.map((partition, number) => ({ partition, number, by: JSON.stringify(partition) })))(
  "PyIceberg's table, partitioned by $by",
  async ({ partition, number }) => {
    const { lake, drops, make, history } = await begin(`of_py${number}`);
    const own = await make(0);
    const about = { lake: lake.address, table: 's.t' };
    await readers.engines.ask('create', { ...about, path: own, partition });
    await readers.engines.ask('append', { ...about, paths: [own] });
    await history.now(await drops.rows([own]));

    // Files of others name their columns but have no ids, which this table has needed until now.
    const ours = [await make(100), await make(200, { rows: 1 }), await make(300, { writer: 'duckdb' })];
    const bad = await make(-10);
    const records = await lake.deliver(...ours, bad);
    expect(records.map(({ state, reason }) => (state === 'rejected' ? state : (reason ?? state)))).toEqual([
      'published',
      'published',
      'published',
      'rejected',
    ]);
    await history.now(await drops.rows([own, ...ours]));
    await readers.engines.ask('delete', { ...about, where: 'id = 3 or id = 105' });
    const left = edit(await drops.rows([own, ...ours]), (row) =>
      ['3', '105'].includes(String(row.id)) ? undefined : row,
    );
    await history.now(left);
    await lake.cli(['delivery', 'publish', records[3]!.id, '--reason', 'looked at it']);
    await history.now(together(left, await drops.rows([bad])));
    expect(await history.check()).toBe(4);
    const [listed] = await lake.cli<{ name: string; rows: number }[]>(['table', 'list']);
    expect(listed!.name).toBe('s.t');
  },
);

const SPARK_COLUMNS =
  'id bigint, region string, ts timestamp_ntz, day date, qty int, price double, amount decimal(12, 2), note string';

test.each([
  { name: 'sp_plain', clauses: '' },
  { name: 'sp_identity', clauses: 'partitioned by (region)' },
  {
    name: 'sp_transforms',
    clauses:
      "partitioned by (days(ts), bucket(4, id), truncate(3, region)) tblproperties ('write.metadata.compression-codec' = 'gzip', 'write.parquet.compression-codec' = 'gzip')",
  },
  { name: 'sp_mor', clauses: "partitioned by (region) tblproperties ('write.delete.mode' = 'merge-on-read')" },
])("Spark's table: $name $clauses", async ({ name, clauses }) => {
  const { lake, drops, make, history } = await begin(name);
  const table = sqlName(lake, 's.t');
  const sql = (text: string) => readers.spark.ask('records', { sql: text });
  await sql(`create namespace if not exists ${lake.address.catalog}.s`);
  await sql(`create table ${table} (${SPARK_COLUMNS}) using iceberg ${clauses}`);
  const own = await make(0);
  // Before anything is in it.
  const early = await make(100);
  expect((await lake.deliver(early))[0]!.reason).toBeUndefined();
  await history.now(await drops.rows([early]));
  await sql(`insert into ${table} select ${COLUMNS.join(', ')} from parquet.\`${own}\``);
  await history.now(await drops.rows([early, own]));
  const late = await make(200);
  expect((await lake.deliver(late))[0]!.reason).toBeUndefined();
  await history.now(await drops.rows([early, own, late]));
  await sql(`delete from ${table} where id in (3, 104, 205)`);
  const left = edit(await drops.rows([early, own, late]), (row) =>
    ['3', '104', '205'].includes(String(row.id)) ? undefined : row,
  );
  await history.now(left);
  const last = await make(300, { region: 'north' });
  expect((await lake.deliver(last))[0]!.reason).toBeUndefined();
  await history.now(together(left, await drops.rows([last])));
  expect(await history.check()).toBe(5);
});

test('a required column is not filled from one that may hold nulls', async () => {
  const { lake, make } = await begin('sp_required');
  const { catalog } = lake.address;
  await readers.spark.ask('records', { sql: `create namespace if not exists ${catalog}.s` });
  const columns = SPARK_COLUMNS.replace('bigint', 'bigint not null');
  await readers.spark.ask('records', { sql: `create table ${catalog}.s.t (${columns}) using iceberg` });
  const [record] = await lake.deliver(await make(0));
  expect(record!.state).toBe('rejected');
  expect(record!.reason).toMatch(/"id": expected a required column/);
});
