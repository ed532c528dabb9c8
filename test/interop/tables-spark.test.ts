/** The Glue job's script in a real Spark, against the copy engine and Hive's buckets; its tables in the Glue of two emulators; Athena's statements under real grammars. */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { CreateDatabaseCommand, GetPartitionsCommand, GetTableCommand } from '@aws-sdk/client-glue';
import { runCli } from '../../src/cli/program.ts';
import type { ObjectStore } from '../../src/storage/store.ts';
import { createStores } from '../../src/storage/stores.ts';
import { createTableAs, repairTable } from '../../src/tables/athena-statements.ts';
import { checkBuckets } from '../../src/tables/check-buckets.ts';
import { createGlueTables } from '../../src/tables/glue-tables.ts';
import { commitHeld, heldState } from '../../src/tables/held-table.ts';
import { stagingFolder } from '../../src/tables/place-outputs.ts';
import { prepareSplit } from '../../src/tables/prepare-split.ts';
import { registerTables } from '../../src/tables/register.ts';
import { runSplit } from '../../src/tables/split.ts';
import { swapIn } from '../../src/tables/table-version.ts';
import { splitMapCsv, writeSource } from '../tables/generator.ts';
import { startMiniStack, startMoto } from './emulators/index.ts';
import { type Engine, startEngines, startSplitJob } from './engine.ts';
import { clientOf } from './glue-client.ts';
import { newBucket, useEmulator } from './s3.ts';

const KEY = 'customer_user_id';
const SNAPSHOT = '2026-01-31';
/** Some of the real map's: the widest among them. All of them are made in tables-engines.test.ts. */
const TABLES = { IBE_08: 3, MIACS_02_A: 100, MIACS_02_B: 4 };
const store = createStores();

interface Result {
  snapshot: string;
  notes: string[];
  source: { files: number; rows: number };
  error?: string;
  tables: { table: string; outcome: string; run?: string; files?: number; rows?: number; reason?: string }[];
}

let scratch: string;
let job: Engine;
let engines: Engine;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'lakegate-interop-split-'));
  job = startSplitJob(scratch);
  engines = startEngines();
});

afterAll(async () => {
  await Promise.all([job.close(), engines.close()]);
  await rm(scratch, { recursive: true, force: true });
});

const folder = (name: string) => `${join(scratch, name)}/`;

async function run(values: Record<string, string>): Promise<Result> {
  const words = Object.entries({ JOB_NAME: 'split', ...values }).flatMap(([name, value]) => [`--${name}`, value]);
  return job.ask<Result>('run', { arguments: words });
}

async function sql<T>(statement: string): Promise<T[]> {
  const rows = await engines.ask<string[]>('duckdb_sql', { statements: [statement] });
  return rows.map((row) => JSON.parse(row) as T);
}

/** How many rows two folders' files do not share, counted with repetitions. */
async function differences(one: string, other: string): Promise<string> {
  const rows = (path: string) => `select * from read_parquet('${path}*.parquet', hive_partitioning = false)`;
  const [found] = await sql<{ n: string }>(
    `select (select count(*) from (${rows(one)} except all ${rows(other)})) + (select count(*) from (${rows(other)} except all ${rows(one)})) as n`,
  );
  return String(found!.n);
}

test('tables as the copy engine makes them, row for row; again; a newer snapshot beside it', async () => {
  const [source, target, copied, map] = [folder('wide'), folder('spark'), folder('copy'), join(scratch, 'wide.csv')];
  await writeSource(store, `${source}snapshot_dt=${SNAPSHOT}/`, { tables: TABLES, files: 2, rows: 60 });
  await writeFile(map, splitMapCsv(TABLES));
  const { plan } = await prepareSplit(store, {
    source,
    target: copied,
    map: { text: splitMapCsv(TABLES), name: 'map' },
    key: KEY,
    aliases: {},
    only: [],
    strict: false,
    targetBytes: 1e9,
  });
  await runSplit(store, plan);
  // The spellings of the documented commands, and what the job passes for no snapshot.
  const words = {
    MODE: 'partitioned',
    SOURCE_PATH: source,
    TARGET_BUCKET: target,
    CSV_PATH: map,
    SNAPSHOT_DT: '_NONE_',
  };
  const result = await run(words);
  expect(result.tables.map(({ table, outcome, rows, files }) => [table, outcome, rows, files])).toEqual(
    Object.keys(TABLES).map((table) => [table, 'written', 120, 1]),
  );
  expect(result.notes).toEqual(['MIACS_02_A has 101 columns, partition keys counted: more than 100']);
  for (const { table, folder: place } of plan.tables) {
    const own = `${target}${table.name}/snapshot_dt=${SNAPSHOT}/`;
    expect([table.name, await differences(own, place)]).toEqual([table.name, '0']);
  }
  expect(await readFile(`${target}metadata/snapshot_dt.txt`, 'utf8')).toBe(`${SNAPSHOT}\n`);

  const some = { ...words, TABLES_FILTER: 'IBE_08,MIACS_02_B' };
  await run(some);
  await writeSource(store, `${source}snapshot_dt=2026-02-28/`, { tables: TABLES, files: 1, rows: 7 });
  expect((await run(some)).snapshot).toBe('2026-02-28');
  const [counted] = await sql<{ old: string; all: string }>(
    `select count(*) filter (snapshot_dt = '${SNAPSHOT}') as old, count(*) as all from read_parquet('${target}IBE_08/*/*.parquet', hive_partitioning = true)`,
  );
  expect(counted).toEqual({ old: '120', all: '127' });
  expect(await readdir(target)).toEqual(expect.arrayContaining(['IBE_08', 'metadata']));
  expect(await readdir(`${target}_staging_spark/IBE_08`)).toEqual([]);
});

test('a failed table keeps its data and is named, the others go on; files of several schemas meet in the widest type', async () => {
  const [source, target, map] = [folder('mixed'), folder('mixed-out'), join(scratch, 'mixed.csv')];
  const place = `${source}snapshot_dt=${SNAPSHOT}`;
  await mkdir(place, { recursive: true });
  await writeFile(map, 'table,column,description\nGOOD,n,""\nBAD,x,""\nPLAIN,y,""\n');
  const columns = { a: "1::int as n, 'text' as x", b: '5000000000::bigint as n, 7::int as x' };
  for (const [name, list] of Object.entries(columns)) {
    await sql(`copy (select '${name}' as ${KEY}, ${list}, 1 as y) to '${place}/${name}.parquet' (format parquet)`);
  }
  // What an earlier run of another kind left, which this one must not write beside.
  await mkdir(`${target}PLAIN`, { recursive: true });
  await sql(`copy (select 1 as old) to '${target}PLAIN/old.parquet' (format parquet)`);
  const result = join(scratch, 'results', 'mixed.json');
  const words = { MODE: 'partitioned', SOURCE_PATH: source, TARGET_PATH: target, CSV_FILE: map, RESULT_PATH: result };
  await expect(run(words)).rejects.toThrow(
    /2 of 3 tables failed, and have the data that they had: BAD: column x has types that no type holds without a loss: .*; PLAIN: .* has files beside folders of snapshots/,
  );
  expect(await sql(`select ${KEY} as k, n from read_parquet('${target}GOOD/*/*.parquet') order by 1`)).toEqual([
    { k: 'a', n: '1' },
    { k: 'b', n: '5000000000' },
  ]);
  expect(await readdir(`${target}PLAIN`)).toEqual(['old.parquet']);
  // Whoever goes on with the tables that were written finds them named, though the job failed.
  const told = async () => JSON.parse(await readFile(result, 'utf8')) as Result;
  expect(await told()).toMatchObject({
    snapshot: SNAPSHOT,
    source: { files: 2, rows: 2 },
    error: expect.stringContaining('2 of 3 tables failed') as string,
    tables: [
      { table: 'GOOD', outcome: 'written', files: 1, rows: 2 },
      { table: 'BAD', outcome: 'failed', reason: expect.stringContaining('column x has types') as string },
      { table: 'PLAIN', outcome: 'failed' },
    ],
  });
  // A job that did not come so far leaves its own reason, not the last one's tables.
  await expect(run({ ...words, SNAPSHOT_DT: '2026-03-31' })).rejects.toThrow(
    'there is no folder snapshot_dt=2026-03-31/',
  );
  expect(await told()).toMatchObject({
    snapshot: null,
    tables: [],
    error: expect.stringContaining('2026-03-31') as string,
  });
  // A job that failed says of no snapshot that its tables are there.
  await expect(readdir(`${target}metadata`)).rejects.toThrow('ENOENT');
});

test('nothing is written with a wrong map, without a snapshot, with wrong arguments', async () => {
  const [source, target, map] = [folder('small'), folder('small-out'), join(scratch, 'small.csv')];
  await writeSource(store, `${source}snapshot_dt=${SNAPSHOT}/`, { tables: { T: 3 }, rows: 5 });
  const words = { MODE: 'partitioned', SOURCE_PATH: source, TARGET_PATH: target, CSV_FILE: map };
  await writeFile(map, 'table,column,description\nmetadata,t_field_000,""\nT,nothing,""\n');
  await expect(run(words)).rejects.toThrow(
    /'metadata' cannot be a table[\s\S]*T would have no column but the key[\s\S]*the source has no column nothing for T[\s\S]*no table has the source's column T_Field_001/,
  );
  await writeFile(map, 'a,b\n1,2\n');
  await expect(run(words)).rejects.toThrow('expected a header that names a table and a column');
  await writeFile(map, 'table,column,description\nT,t_field_000,""\n');
  await expect(run({ ...words, STRICT: 'true' })).rejects.toThrow("no table has the source's column T_Field_001");
  await expect(run({ ...words, SNAPSHOT_DT: '2026-03-31' })).rejects.toThrow(
    'there is no folder snapshot_dt=2026-03-31/',
  );
  await expect(run({ ...words, MARKER: '_SUCCESS' })).rejects.toThrow(`${SNAPSHOT} lack _SUCCESS`);
  await expect(run({ ...words, SOURCE_PATH: folder('none') })).rejects.toThrow(
    'there is no folder snapshot_dt=YYYY-MM-DD/',
  );
  await expect(run({ MODE: 'x', SOURCE_PATH: source, TARGET_PATH: source, BUCKET_COUNT: '0' })).rejects.toThrow(
    /--MODE[\s\S]*--BUCKET_COUNT[\s\S]*apart from their source/,
  );
  await expect(readdir(target)).rejects.toThrow('ENOENT');

  // What another engine had begun to commit is not mixed with this one's files, nor the other way round.
  const others = stagingFolder(target, 'T', 'partitioned', SNAPSHOT);
  await mkdir(others, { recursive: true });
  await writeFile(`${others}commit.json`, '{}');
  await expect(run(words)).rejects.toThrow('tables split is committing');
  await rm(others, { recursive: true });

  // A commit that a killed run began: what it names is moved, what it replaces goes; names that lead out of the folder are refused.
  await run(words);
  const place = `${target}T/snapshot_dt=${SNAPSHOT}`;
  const staged = `${target}_staging_spark/T/snapshot_dt=${SNAPSHOT}`;
  const [old] = (await readdir(place)).filter((name) => name.endsWith('.parquet'));
  await mkdir(`${staged}/data`, { recursive: true });
  await writeFile(`${staged}/commit.json`, JSON.stringify({ moves: { 'data/../x': 'y' }, replaces: [] }));
  await expect(run(words)).rejects.toThrow("commit.json names '..'");
  // Nothing that readers have goes for files that are not there.
  const lost = { moves: { 'data/a.parquet': 'b.parquet' }, replaces: [old] };
  await writeFile(`${staged}/commit.json`, JSON.stringify(lost));
  await expect(run(words)).rejects.toThrow('files that are nowhere, data/a.parquet among them');
  expect(await readdir(place)).toContain(old);
  await writeFile(`${staged}/commit.json`, JSON.stringify({ moves: {}, replaces: [old] }));
  await run(words);
  const after = (await readdir(place)).filter((name) => name.endsWith('.parquet'));
  expect(after).toHaveLength(1);
  expect(after).not.toContain(old);
});

test('what a job says of files that it cannot read: their names, and what Java was the cause of', async () => {
  const [source, target] = [folder('broken'), folder('broken-out')];
  const place = `${source}snapshot_dt=${SNAPSHOT}`;
  await mkdir(place, { recursive: true });
  const words = {
    MODE: 'partitioned',
    SOURCE_PATH: source,
    TARGET_PATH: target,
    TABLE_NAME: 'T',
    ALIASES: 'Gone=there',
  };
  await sql(`copy (select 'k' || i as ${KEY}, i as v from range(3000) t(i)) to '${place}/a.parquet' (format parquet)`);
  const whole = await readFile(`${place}/a.parquet`);
  expect((await run(words)).notes).toEqual(['the source has no column gone, which the aliases call there']);
  await expect(run({ ...words, STRICT: 'true' })).rejects.toThrow('the aliases call there');
  await expect(run({ ...words, TABLES_FILTER: ' ,' })).rejects.toThrow(
    "--TABLES_FILTER: expected names of tables by commas, found ','",
  );

  // Pages that are none under a footer that is one: the job comes to them when it writes.
  await writeFile(`${place}/a.parquet`, Buffer.from(whole).fill(0xff, 4, 1500));
  const failing = await run(words).catch((error: unknown) => String(error));
  expect(failing).toMatch(/1 of 1 tables failed.*: T: file:\S*a\.parquet: \S*(Exception|Error): /);
  expect(failing).not.toContain('calling o');

  await writeFile(`${place}/b.parquet`, whole.subarray(0, whole.length - 9));
  await expect(run(words)).rejects.toThrow(/b\.parquet could not be read as Parquet: .*magic bytes not found/);
  // pyarrow would end the process at an encrypted column.
  await job.ask('write_encrypted', { path: `${place}/b.parquet` });
  await expect(run(words)).rejects.toThrow(
    /b\.parquet could not be read as Parquet: it has encrypted columns\. Have it written again/,
  );
});

test.each([
  ['string', "case when i % 10 = 0 then null else 'k-' || i || 'é' end"],
  ['bigint', 'case when i % 10 = 0 then null else i * -7000000001 end'],
  ['int', 'case when i % 10 = 0 then null else (i * 77 - 5000)::int end'],
])("Spark's rows lie in Hive's buckets by a key of %s; its own buckets do not", async (kind, key) => {
  const COUNT = 8;
  const [source, target] = [folder(`ids-${kind}`), folder(`ids-${kind}-out`)];
  const place = `${source}snapshot_dt=${SNAPSHOT}`;
  await mkdir(place, { recursive: true });
  await sql(
    `copy (select ${key} as Customer_User_id, i as v from range(500) t(i)) to '${place}/part-0.parquet' (format parquet)`,
  );
  const words = { MODE: 'bucketed', BUCKETING: 'direct', BUCKET_COUNT: String(COUNT), TARGET_PATH: target };
  const [table] = (await run({ ...words, SOURCE_PATH: source })).tables;
  expect(table).toMatchObject({ table: 'addressable_ids', outcome: 'written', rows: 500, files: COUNT });
  const check = await checkBuckets(store, `${target}addressable_ids/`, { column: KEY, count: COUNT });
  expect(check).toEqual({ files: COUNT, rows: 500, missing: [], faults: [] });
  if (kind !== 'string') return;
  expect(await differences(`${target}addressable_ids/`, `${place}/`)).toBe('0');
  const own = folder('spark-buckets');
  await job.ask('bucket_by', { source: place, target: own, key: 'Customer_User_id', count: COUNT });
  expect((await checkBuckets(store, own, { column: KEY, count: COUNT })).faults).not.toEqual([]);
  // Fewer keys than buckets: readers find a file of each all the same.
  const few = folder('few');
  await mkdir(`${few}snapshot_dt=${SNAPSHOT}`, { recursive: true });
  await sql(`copy (select 'one' as ${KEY}, 1 as v) to '${few}snapshot_dt=${SNAPSHOT}/part-0.parquet' (format parquet)`);
  await run({ ...words, SOURCE_PATH: few });
  const sparse = await checkBuckets(store, `${target}addressable_ids/`, { column: KEY, count: COUNT });
  expect(sparse).toEqual({ files: COUNT, rows: 1, missing: [], faults: [] });
});

test('held for whoever audits them: committed by the function or, where it was broken off, by the job; as Hive buckets', async () => {
  const COUNT = 8;
  const [source, target] = [folder('hold'), folder('hold-out')];
  await mkdir(`${source}snapshot_dt=${SNAPSHOT}`, { recursive: true });
  await sql(
    `copy (select 'k' || i as Customer_User_id, i as v from range(300) t(i)) to '${source}snapshot_dt=${SNAPSHOT}/0.parquet' (format parquet)`,
  );
  const words = { MODE: 'bucketed', BUCKETING: 'direct', BUCKET_COUNT: String(COUNT), SOURCE_PATH: source };
  const hold = async () => {
    const [made] = (await run({ ...words, TARGET_PATH: target, TABLE_NAME: 'T', HOLD: 'true' })).tables;
    expect(made).toMatchObject({ table: 'T', outcome: 'held', rows: 300, files: COUNT });
    return { id: made!.run!, files: made!.files! };
  };
  const place = { target, table: 'T', layout: 'plain', snapshot: SNAPSHOT } as const;
  const readers = async () => (await readdir(`${target}T`)).filter((name) => name.endsWith('.parquet')).sort();
  const whole = { files: COUNT, rows: 300, missing: [], faults: [] };
  // A table that the job had put there itself, as jobs without an audit do.
  await run({ ...words, TARGET_PATH: target, TABLE_NAME: 'T' });
  const before = await readers();
  const first = await hold();
  expect(await readers()).toEqual(before);
  const staged = await heldState(store, place, first);
  expect([staged.committed, staged.files.length]).toEqual([false, COUNT]);
  await commitHeld(store, place, first);
  expect((await readers()).every((name) => name.endsWith(`-${first.id}.parquet`))).toBe(true);
  expect(await checkBuckets(store, `${target}T/`, { column: KEY, count: COUNT })).toEqual(whole);
  expect((await readdir(`${target}T`)).filter((name) => name.endsWith('.crc'))).toEqual([]);
  const left = await readdir(`${target}_staging_spark/T`, { recursive: true, withFileTypes: true });
  expect(left.filter((entry) => entry.isFile())).toEqual([]);
  // What is held is replaced by the next run's.
  const second = await hold();
  const third = await hold();
  await expect(heldState(store, place, second)).rejects.toThrow(`those of run ${third.id}`);
  // Broken off after three files: the job does the rest before it begins anew.
  let moves = 0;
  const dying: ObjectStore = {
    ...store,
    move: async (from, to, expected) => {
      moves += 1;
      if (moves > 3) throw new Error('killed');
      await store.move!(from, to, expected);
    },
  };
  await expect(commitHeld(dying, place, third)).rejects.toThrow('killed');
  expect(await readers()).toHaveLength(3);
  const fourth = await hold();
  expect((await readers()).every((name) => name.endsWith(`-${third.id}.parquet`))).toBe(true);
  expect(await checkBuckets(store, `${target}T/`, { column: KEY, count: COUNT })).toEqual(whole);
  await commitHeld(store, place, fourth);
  expect(await checkBuckets(store, `${target}T/`, { column: KEY, count: COUNT })).toEqual(whole);
  // Which snapshot the tables are of is said by whoever commits them.
  expect(await readFile(`${target}metadata/snapshot_dt.txt`, 'utf8')).toBe(`${SNAPSHOT}\n`);
  const [plain, alone] = [folder('hold-plain'), { ...words, MODE: 'partitioned', TABLE_NAME: 'T', HOLD: 'true' }];
  const [parted] = (await run({ ...alone, TARGET_PATH: plain })).tables;
  await expect(readdir(`${plain}metadata`)).rejects.toThrow('ENOENT');
  await commitHeld(
    store,
    { ...place, target: plain, layout: 'partitioned' },
    { id: parted!.run!, files: parted!.files! },
  );
  expect(await differences(`${plain}T/snapshot_dt=${SNAPSHOT}/`, `${target}T/`)).toBe('0');
});

test('folders of id_bucket by the hash of the key, in place of files without, and the other way round', async () => {
  const [source, target] = [folder('id-bucket'), folder('id-bucket-out')];
  await mkdir(`${source}snapshot_dt=${SNAPSHOT}`, { recursive: true });
  await sql(
    `copy (select case when i % 10 = 0 then null else 'k' || i end as Customer_User_id, i as v from range(300) t(i)) to '${source}snapshot_dt=${SNAPSHOT}/0.parquet' (format parquet)`,
  );
  const words = { MODE: 'partitioned', SOURCE_PATH: source, TARGET_PATH: target, TABLE_NAME: 'T' };
  const place = `${target}T/snapshot_dt=${SNAPSHOT}`;
  await run(words);
  const [plain] = (await readdir(place)).filter((name) => name.endsWith('.parquet'));
  expect((await run({ ...words, ID_BUCKET: '4' })).tables).toMatchObject([{ outcome: 'written', rows: 300, files: 4 }]);
  expect(await readdir(place)).not.toContain(plain);
  expect(await job.ask('id_buckets', { path: `${target}T`, key: KEY, count: 4 })).toEqual([4, 300, 0]);
  // Fewer buckets: those that are gone leave no folder that would be taken for a partition.
  await run({ ...words, ID_BUCKET: '2' });
  expect((await readdir(place)).filter((name) => !name.startsWith('.')).sort()).toEqual(['id_bucket=0', 'id_bucket=1']);
  await run(words);
  expect((await readdir(place)).filter((name) => name.startsWith('id_bucket'))).toEqual([]);
  await expect(run({ ...words, MODE: 'bucketed', ID_BUCKET: '4' })).rejects.toThrow(
    'expected it with --MODE partitioned',
  );
});

test("Athena's statements are Trino's and Hive's", async () => {
  const names = { database: 'a-b', table: 'te"st', location: "s3://b/o'k/" };
  const source = { database: 'x', table: 'y' };
  const buckets = { column: KEY, count: 256 };
  const where = { column: 'snapshot_dt', value: "it's" };
  const columns = [{ name: KEY, as: 'row_id' }, { name: 'select' }];
  for (const statement of [
    createTableAs({ ...names, buckets, columns, source }),
    createTableAs({ ...names, columns, source, where }),
  ]) {
    for (const dialect of ['trino', 'athena']) {
      expect(await job.ask('parse', { statement, dialect })).toEqual(['Create']);
    }
  }
  expect(await job.ask('parse', { statement: repairTable('part_x'), dialect: 'spark' })).toEqual(['RepairTable']);
});

test.each([
  ['moto', startMoto],
  ['MiniStack', startMiniStack],
])('tables in the Glue of %s: made, unchanged, changed, swapped', async (name, start) => {
  const emulator = await start();
  const client = clientOf(emulator);
  try {
    await client.send(new CreateDatabaseCommand({ DatabaseInput: { Name: 'db' } }));
    const catalog = createGlueTables(client);
    const root = folder(`register-${name}`);
    await writeSource(store, `${root}IBE_01/`, { tables: { A: 3 } });
    await writeSource(store, `${root}IBE_02/snapshot_dt=${SNAPSHOT}/`, { tables: { A: 3 } });
    const request = { database: 'db', root, prefix: 'ext_', only: [], maxColumns: 100, tooWide: 'fail' as const };
    const register = async (snapshot: string, more = {}) =>
      (await registerTables({ store, catalog }, { ...request, snapshot, ...more })).tables.map(
        ({ outcome }) => outcome,
      );
    expect(await register(SNAPSHOT)).toEqual(['created', 'created']);
    expect(await register(SNAPSHOT)).toEqual(['unchanged', 'unchanged']);
    const buckets = { column: KEY, count: 4 };
    expect(await register(SNAPSHOT, { buckets, only: ['IBE_01'] })).toEqual(['updated']);
    const { Table: table } = await client.send(new GetTableCommand({ DatabaseName: 'db', Name: 'ext_ibe_01' }));
    expect(table).toMatchObject({
      Description: `Bucketed table created from snapshot_dt=${SNAPSHOT}`,
      Parameters: { bucketing_format: 'hive', classification: 'parquet' },
      StorageDescriptor: { Location: `${root}IBE_01/`, BucketColumns: [KEY], NumberOfBuckets: 4 },
    });
    await swapIn(
      { catalog },
      { database: 'db', table: 'bucketed_ibe_01', building: 'ext_ibe_01', location: `${root}IBE_01/`, comment: 'c' },
    );
    expect((await catalog.list('db', '')).map((one) => [one.name, one.buckets > 0])).toEqual([
      ['bucketed_ibe_01', true],
      ['ext_ibe_02', false],
    ]);
    await catalog.remove('db', 'nothing');
    // MiniStack answers for a database that is not there with no tables.
    if (name === 'moto') await expect(catalog.list('none', '')).rejects.toThrow('list the tables of none');
  } finally {
    client.destroy();
    await emulator.stop();
  }
});

test('registered and prepared by the command, in S3 and Glue', async () => {
  const moto = await startMoto();
  const before = { ...process.env };
  useEmulator(moto);
  const client = clientOf(moto);
  const lakegate = async (...words: string[]) => {
    const [out, err] = [new PassThrough(), new PassThrough()];
    const env = { ...process.env, HOME: scratch };
    const code = await runCli(['tables', ...words, '--database', 'db', '--json'], { out, err, cwd: scratch, env });
    const text = String(out.read() ?? '');
    return { code, err: String(err.read() ?? ''), value: text === '' ? undefined : (JSON.parse(text) as unknown) };
  };
  try {
    await client.send(new CreateDatabaseCommand({ DatabaseInput: { Name: 'db' } }));
    const root = `${await newBucket()}part/`;
    for (const date of ['2025-12-31', SNAPSHOT]) {
      await writeSource(createStores(), `${root}IBE_01/snapshot_dt=${date}/`, { tables: { A: 3 } });
    }
    expect(await lakegate('register', '--root', root, '--prefix', 'part_')).toMatchObject({
      code: 0,
      value: { tables: [{ table: 'part_ibe_01', outcome: 'created', columns: 3 }] },
    });
    expect(await lakegate('prepare')).toMatchObject({
      code: 0,
      value: { engine: 'sync', tables: [{ table: 'part_ibe_01', outcome: 'synced', created: 2 }] },
    });
    const { Partitions = [] } = await client.send(
      new GetPartitionsCommand({ DatabaseName: 'db', TableName: 'part_ibe_01' }),
    );
    expect(Partitions.map(({ Values }) => Values).sort()).toEqual([['2025-12-31'], [SNAPSHOT]]);
    expect(await lakegate('prepare')).toMatchObject({ code: 0, value: { tables: [{ created: 0 }] } });
    expect(await lakegate('register', '--root', root, '--bucket-count', '4')).toMatchObject({ code: 2 });

    // Virtual tables over a wide source: the snapshot at once, those before it as any partition.
    const wide = root.replace(/part\/$/, 'wide/');
    for (const date of ['2025-12-31', SNAPSHOT]) {
      await writeSource(createStores(), `${wide}snapshot_dt=${date}/`, { tables: { V: 3 } });
    }
    const map = join(scratch, 'virtual.csv');
    await writeFile(map, splitMapCsv({ V: 3 }));
    const virtual = ['split', '--engine', 'virtual', '--source', wide, '--map', map, '--prefix', 'virtual_'];
    expect(await lakegate(...virtual)).toMatchObject({
      code: 0,
      value: { tables: [{ table: 'virtual_v', outcome: 'created', columns: 3, partition: 'created' }] },
    });
    expect(await lakegate('prepare', '--prefix', 'virtual_')).toMatchObject({
      code: 0,
      value: { tables: [{ table: 'virtual_v', outcome: 'synced', created: 1 }] },
    });
    const { Partitions: both = [] } = await client.send(
      new GetPartitionsCommand({ DatabaseName: 'db', TableName: 'virtual_v' }),
    );
    expect(both.map(({ StorageDescriptor }) => StorageDescriptor?.Location?.replace(/\/?$/, '/')).sort()).toEqual([
      `${wide}snapshot_dt=2025-12-31/`,
      `${wide}snapshot_dt=${SNAPSHOT}/`,
    ]);
    expect(await lakegate(...virtual)).toMatchObject({
      value: { tables: [{ outcome: 'unchanged', partition: 'unchanged' }] },
    });
  } finally {
    client.destroy();
    process.env = before;
    await moto.stop();
  }
});
