/**
 * Partitions that lakegate registers, read back by others: by moto's Glue, which evaluates filter expressions as queries send them, and beside
 * what Spark takes the same folders for.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateDatabaseCommand,
  CreateTableCommand,
  type GlueClient,
  paginateGetPartitions,
} from '@aws-sdk/client-glue';
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { composePartitions } from '../../src/compose-partitions.ts';
import { loadConfig } from '../../src/config/load.ts';
import { createPartitionEvents } from '../../src/partitions/events.ts';
import { hiveLayout } from '../../src/partitions/layout.ts';
import { syncDatabase } from '../../src/partitions/sync.ts';
import { createMemoryStore } from '../../src/storage/memory.ts';
import { createS3Client } from '../../src/storage/s3-client.ts';
import { days, tableOf } from '../partitions/lake.ts';
import { type Emulator, startMoto } from './emulators/index.ts';
import { type Engine, startSpark } from './engine.ts';
import { clientOf } from './glue-client.ts';
import { useEmulator } from './s3.ts';

let emulator: Emulator;
let glue: GlueClient;
let spark: Engine;
let scratch: string;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'lakegate-partitions-'));
  spark = startSpark(scratch);
  emulator = await startMoto();
  useEmulator(emulator);
  glue = clientOf(emulator);
});
afterAll(async () => {
  await spark?.close();
  await emulator?.stop();
  await rm(scratch, { recursive: true, force: true });
});

/** A database with one table, and objects in its folders. */
async function makeTable(keys: string[], prefixes: readonly string[]): Promise<{ database: string; location: string }> {
  const bucket = `raw-${randomUUID().slice(0, 13)}`;
  const database = `d${randomUUID().slice(0, 8)}_raw`;
  const location = `s3://${bucket}/data/t`;
  const s3 = createS3Client();
  await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  for (const prefix of prefixes) {
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: `data/t/${prefix}part-0.parquet`, Body: 'x' }));
  }
  s3.destroy();
  const table = tableOf('t', keys);
  table.StorageDescriptor!.Location = location;
  await glue.send(new CreateDatabaseCommand({ DatabaseInput: { Name: database } }));
  await glue.send(new CreateTableCommand({ DatabaseName: database, TableInput: table }));
  return { database, location };
}

async function partitionsOf(DatabaseName: string, Expression?: string) {
  const found: { values: string[]; location: string }[] = [];
  const input = { DatabaseName, TableName: 't', ...(Expression !== undefined && { Expression }) };
  for await (const { Partitions = [] } of paginateGetPartitions({ client: glue }, input)) {
    for (const { Values = [], StorageDescriptor } of Partitions) {
      found.push({ values: Values, location: StorageDescriptor?.Location ?? '' });
    }
  }
  return found.sort((a, b) => (a.location < b.location ? -1 : 1));
}

function open(yaml = 'partitions: {}') {
  const config = loadConfig(yaml, '/l/lake.yaml', {});
  const partitions = { ...config.partitions!, state: 'memory:/lake/partitions/' };
  return composePartitions({ ...config, partitions }, { env: process.env, store: createMemoryStore() });
}

test('registered partitions are found by the filters that queries send', async () => {
  const prefixes = ['e%3Au', 'us'].flatMap((region) => days(0, 120, (day) => `region=${region}/dt=${day}/`));
  const { database, location } = await makeTable(['region:string', 'dt:date'], prefixes);
  const { ports, config, close } = open();
  const { totals } = await syncDatabase(ports, config, { database, mode: 'incremental' });
  expect(totals).toMatchObject({ created: 240, errors: 0, failed: 0 });
  expect((await partitionsOf(database)).map((one) => one.location)).toEqual(
    prefixes.map((prefix) => `${location}/${prefix}`).sort(),
  );
  const filtered = await partitionsOf(database, "region = 'e:u' AND dt >= '2026-04-29'");
  expect(filtered.map(({ values }) => values)).toEqual([
    ['e:u', '2026-04-29'],
    ['e:u', '2026-04-30'],
  ]);
  expect((await syncDatabase(ports, config, { database, mode: 'reconcile' })).totals).toMatchObject({
    created: 0,
    unchanged: 240,
  });
  close();
});

test('a template’s values are those that the filter means', async () => {
  const prefixes = days(0, 40, (day) => `${day.replaceAll('-', '/')}/`);
  const { database, location } = await makeTable(['dt:date'], prefixes);
  const { ports, config, close } = open(
    `partitions: { tables: { "${database}.t": { layout: "{dt:YYYY}/{dt:MM}/{dt:DD}" } } }`,
  );
  expect((await syncDatabase(ports, config, { database, mode: 'full' })).totals.created).toBe(40);
  expect(await partitionsOf(database, "dt = '2026-02-03'")).toEqual([
    { values: ['2026-02-03'], location: `${location}/2026/02/03/` },
  ]);
  close();
});

test('an event registers what a later run then takes as it is', async () => {
  const { database, location } = await makeTable(['dt:date'], days(0, 2));
  const { ports, config, close } = open();
  const events = createPartitionEvents(ports, config);
  const { tables } = await events.apply([`${location}/dt=2026-01-01/part-0.parquet`]);
  expect(tables).toMatchObject([{ database, created: 1 }]);
  expect((await syncDatabase(ports, config, { database, mode: 'incremental' })).totals).toMatchObject({ created: 1 });
  expect(await partitionsOf(database)).toHaveLength(2);
  close();
});

/** Folders of files under one, relative, each ending in `/`. */
async function foldersOf(root: string): Promise<string[]> {
  const files = await readdir(root, { recursive: true });
  const data = files.filter((file) => file.endsWith('.parquet') && !file.split('/').at(-1)!.startsWith('.'));
  return [...new Set(data.map((file) => file.slice(0, file.lastIndexOf('/') + 1)))].sort();
}

test('folders that Spark writes have the values for us that they have for Spark', async () => {
  const at = join(scratch, 'spark');
  const texts = [
    'plain',
    'a b',
    'a/b',
    'a%b',
    '10:30',
    'k=v',
    'é ü',
    '"q"',
    '{x}',
    '#1',
    'tab\\there',
    '2026-01-01',
    '007',
  ];
  const rows = texts.map(
    (text, i) =>
      `('${text}', ${i - 3}, DATE '2026-01-${String(i + 1).padStart(2, '0')}', TIMESTAMP '2026-01-01 06:0${i % 10}:00', ${i}.50BD, ${i})`,
  );
  await spark.ask('records', {
    sql:
      `CREATE TABLE layouts USING parquet PARTITIONED BY (s, i, d, t, n) LOCATION '${at}' AS ` +
      `SELECT * FROM VALUES ${[...rows, '(NULL, NULL, NULL, NULL, NULL, 99)'].join(', ')} AS v(s, i, d, t, n, id)`,
  });
  const keys = [
    { name: 's', type: 'string' },
    { name: 'i', type: 'int' },
    { name: 'd', type: 'date' },
    { name: 't', type: 'timestamp' },
    { name: 'n', type: 'decimal(4,2)' },
  ];
  const layout = hiveLayout(keys);
  const ours = (await foldersOf(at)).map((prefix) => {
    const parsed = layout.parse(prefix);
    if ('fault' in parsed) throw new Error(`${prefix}: ${parsed.fault}`);
    // What we would call a folder of these values is what Spark called it.
    expect(layout.format(parsed.values)).toBe(prefix);
    return JSON.stringify(parsed.values);
  });
  const theirs = await spark.ask<Record<string, string | null>[]>('records', {
    sql: `SELECT DISTINCT ${keys.map(({ name }) => `CAST(${name} AS STRING) AS ${name}`).join(', ')} FROM layouts`,
  });
  const values = theirs.map((row) => JSON.stringify(keys.map(({ name }) => row[name] ?? '__HIVE_DEFAULT_PARTITION__')));
  expect(ours.sort()).toEqual(values.sort());
  expect(ours).toHaveLength(texts.length + 1);
});
