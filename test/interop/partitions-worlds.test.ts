/** How many requests partition management makes in large lakes, held against the fewest that could do. */
import pLimit from 'p-limit';
import type { PartitionPorts } from '../../src/partitions/ports.ts';
import type { DatabaseResult, SyncMode } from '../../src/partitions/result.ts';
import { managedDatabases, syncDatabase } from '../../src/partitions/sync.ts';
import { type AwsStandIn, startAws } from '../partitions/aws-stand-in.ts';
import { configWith, days, portsTo, tableOf } from '../partitions/lake.ts';

let aws: AwsStandIn;
let ports: PartitionPorts & { close(): void };

beforeAll(async () => {
  aws = await startAws();
});
afterAll(async () => aws.stop());
beforeEach(() => {
  aws.reset();
  ports = portsTo(aws.endpoint);
});
afterEach(() => ports.close());

const FORMS = [
  { keys: ['dt:date'], layout: 'hive', folder: (day: string) => `dt=${day}/` },
  {
    keys: ['year:int', 'month:int', 'day:int'],
    layout: '{year}/{month}/{day}',
    folder: (day: string) => `${day.replaceAll('-', '/')}/`,
  },
  { keys: ['region', 'dt'], layout: 'hive', folder: (day: string) => `region=e%3Au/dt=${day}/` },
  { keys: ['dt:date'], layout: 'load-{dt:YYYYMMDD}', folder: (day: string) => `load-${day.replaceAll('-', '')}/` },
];

/** 60 databases of 20 tables; each table's folders, by `database.table`. */
function world(perTable: number): Map<string, string[]> {
  const folders = new Map<string, string[]>();
  for (let d = 0; d < 60; d += 1) {
    const database = `d${d}_raw`;
    for (let t = 0; t < 20; t += 1) {
      const { keys, folder } = FORMS[t % FORMS.length]!;
      const name = `t${t % FORMS.length}_${t}`;
      const location = `s3://raw/${database}/${name}`;
      const table = tableOf(name, keys);
      table.StorageDescriptor!.Location = location;
      aws.addTable(database, table);
      folders.set(`${database}.${name}`, days(0, perTable, folder));
      aws.addFolders(location, folders.get(`${database}.${name}`)!);
    }
  }
  return folders;
}

const config = configWith({
  tables: FORMS.flatMap(({ layout }, i) => (layout === 'hive' ? [] : [{ pattern: `*.t${i}_*`, layout }])),
});

async function runAll(mode: SyncMode): Promise<DatabaseResult[]> {
  aws.calls = {};
  const limit = pLimit(config.concurrency);
  const names = await managedDatabases(ports, config);
  return Promise.all(names.map((database) => limit(() => syncDatabase(ports, config, { database, mode }))));
}

const sum = (results: DatabaseResult[], key: 'created' | 'unchanged' | 'failed' | 'errors') =>
  results.reduce((total, { totals }) => total + totals[key], 0);

test('60 databases, 1,200 tables, 40,800 folders of mixed layouts: the catalogue shows them all, and then nothing is written', async () => {
  const perTable = 34;
  const folders = world(perTable);
  expect(sum(await runAll('incremental'), 'created')).toBe(1200 * perTable);
  expect(aws.calls).toMatchObject({ GetDatabases: 1, GetTables: 60, GetPartitions: 1200, BatchCreatePartition: 1200 });
  for (const [name, prefixes] of folders) {
    const [database, table] = name.split('.') as [string, string];
    const locations = [...aws.databases.get(database)!.get(table)!.partitions.values()].map(
      (partition) => partition.StorageDescriptor!.Location,
    );
    expect(locations.sort()).toEqual(prefixes.map((prefix) => `s3://raw/${database}/${table}/${prefix}`).sort());
  }
  const again = await runAll('incremental');
  expect([sum(again, 'created'), sum(again, 'unchanged')]).toEqual([0, 1200 * perTable]);
  // Of Glue, what tables there are; of S3, one listing for each level of folders that may have changed.
  expect(aws.calls).toEqual({ GetDatabases: 1, GetTables: 60, ListObjectsV2: 60 * (5 + 5 * 4 + 5 * 2 + 5) });
  expect(sum(await runAll('reconcile'), 'created')).toBe(0);
  expect(aws.calls.BatchCreatePartition).toBeUndefined();
});

test('400,000 folders: new ones are found in one listing, all are seen in little more than the pages there are', async () => {
  const table = tableOf('clicks', ['id:string']);
  const stored = aws.addTable('web_raw', table);
  const name = (i: number) => `id=${String(i).padStart(7, '0')}`;
  const count = 400_000;
  // As an earlier run left it: making it known by a run would take most of the test's time.
  const { saveState, stateUrl } = await import('../../src/partitions/state.ts');
  const { schemaOf } = await import('../../src/partitions/entry.ts');
  const { knownPartitions, textOf } = await import('../../src/partitions/known-partitions.ts');
  const schema = schemaOf(stored.table.StorageDescriptor!);
  const folders = Array.from({ length: count }, (_, i) => `${name(i)}/`);
  const partitions = knownPartitions(new Map([[schema, textOf(folders)]]));
  await saveState(
    ports.store,
    stateUrl(config.state, 'web_raw'),
    { tables: new Map() },
    new Map([['clicks', { created: '', location: 's3://raw/clicks/', layout: 'hive', keys: 'id:string', partitions }]]),
  );
  aws.levels.set('raw/clicks/', { length: count + 5_000, at: name });
  const { totals } = await syncDatabase(ports, config, { database: 'web_raw', mode: 'full' });
  expect(totals).toMatchObject({ created: 5_000, unchanged: count, gone: 0 });
  expect(aws.calls.BatchCreatePartition).toBe(50);
  expect(aws.calls.ListObjectsV2).toBeLessThanOrEqual(1.2 * ((count + 5_000) / 1000));
  expect(aws.calls.GetPartitions).toBeUndefined();
});

test('10,000 registered and 24 new: one listing, one request', async () => {
  aws.addTable('web_raw', tableOf('clicks', ['dt:date']));
  aws.addFolders('s3://raw/clicks', days(0, 10_000));
  await syncDatabase(ports, config, { database: 'web_raw', mode: 'full' });
  aws.addFolders('s3://raw/clicks', days(10_000, 10_024));
  aws.calls = {};
  const { totals } = await syncDatabase(ports, config, { database: 'web_raw', mode: 'incremental' });
  expect(totals).toMatchObject({ created: 24, unchanged: 10_000 });
  expect(aws.calls).toEqual({ GetTables: 1, ListObjectsV2: 1, BatchCreatePartition: 1 });
});

test('5,000 new over two levels: fifty requests, and a reconcile reads them in segments', async () => {
  const table = tableOf('clicks', ['region', 'dt:date']);
  aws.addTable('web_raw', table);
  for (let r = 0; r < 5; r += 1)
    aws.addFolders(
      's3://raw/clicks',
      days(0, 1000, (day) => `region=${r}/dt=${day}/`),
    );
  expect((await syncDatabase(ports, config, { database: 'web_raw', mode: 'full' })).totals.created).toBe(5000);
  expect(aws.calls).toMatchObject({ ListObjectsV2: 6, BatchCreatePartition: 50 });
  aws.addFolders(
    's3://raw/clicks',
    days(1000, 2100, (day) => `region=0/dt=${day}/`),
  );
  await syncDatabase(ports, config, { database: 'web_raw', mode: 'full' });
  aws.calls = {};
  const { totals } = await syncDatabase(ports, config, { database: 'web_raw', mode: 'reconcile' });
  expect(totals).toMatchObject({ created: 0, unchanged: 6100 });
  expect(aws.calls).toEqual({ GetTables: 1, GetPartitions: 8, ListObjectsV2: 8 });
});

test('above 100 requests a second Glue throttles: 1,200 tables are filled and reconciled without one failure, and without a storm', async () => {
  world(2);
  aws.limit = 100;
  const filled = await runAll('incremental');
  expect([sum(filled, 'created'), sum(filled, 'failed'), sum(filled, 'errors')]).toEqual([2400, 0, 0]);
  const calls = () =>
    Object.entries(aws.calls).reduce((all, [name, n]) => (name.startsWith('List') ? all : all + n), 0);
  const needed = 1 + 60 + 1200 + 1200;
  expect(calls() - aws.refused).toBe(needed);
  expect(aws.refused).toBeLessThan(0.15 * needed);
  const refusedBefore = aws.refused;
  const again = await runAll('reconcile');
  expect([sum(again, 'created'), sum(again, 'failed'), sum(again, 'errors')]).toEqual([0, 0, 0]);
  expect(aws.refused - refusedBefore).toBeLessThan(0.15 * 1261);
});
