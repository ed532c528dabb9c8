import type { PartitionPorts } from '../../src/partitions/ports.ts';
import { type SyncRequest, syncDatabase } from '../../src/partitions/sync.ts';
import { type AwsStandIn, Refusal, startAws } from './aws-stand-in.ts';
import { configWith, days, portsTo, tableOf } from './lake.ts';

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

const registered = (table: string, database = 'web_raw') =>
  [...aws.databases.get(database)!.get(table)!.partitions.values()]
    .map((one) => one.StorageDescriptor!.Location!)
    .sort();

const run = (request: Partial<SyncRequest> = {}, config = configWith()) => {
  aws.calls = {};
  return syncDatabase(ports, config, { database: 'web_raw', mode: 'incremental', ...request });
};

test('a table is filled, and from then on a run costs one listing and no write', async () => {
  aws.addTable('web_raw', tableOf('clicks', ['dt:date']));
  aws.addFolders('s3://raw/clicks', [...days(0, 250), '_temporary/', 'dt=someday/']);
  const first = await run();
  expect(first.tables).toMatchObject([
    {
      table: 'clicks',
      outcome: 'synced',
      mode: 'reconcile',
      created: 250,
      rejected: { count: 1 },
      errors: { count: 0 },
    },
  ]);
  expect(aws.calls).toEqual({ GetTables: 1, GetPartitions: 1, BatchCreatePartition: 3, ListObjectsV2: 1 });
  expect(registered('clicks')).toEqual(days(0, 250).map((day) => `s3://raw/clicks/${day}`));

  const second = await run();
  expect(second.totals).toMatchObject({ created: 0, unchanged: 250 });
  expect(aws.calls).toEqual({ GetTables: 1, ListObjectsV2: 1 });

  aws.addFolders('s3://raw/clicks', days(250, 251));
  expect((await run()).totals).toMatchObject({ created: 1, unchanged: 250 });
  expect(aws.calls).toEqual({ GetTables: 1, ListObjectsV2: 1, BatchCreatePartition: 1 });
  expect((await run({ mode: 'reconcile' })).totals).toMatchObject({ created: 0, unchanged: 251 });
});

test('late partitions are found by a full run, and removed ones reported, or taken out where that is wanted', async () => {
  const { partitions } = aws.addTable('web_raw', tableOf('clicks', ['dt:date']));
  aws.addFolders('s3://raw/clicks', days(5, 100));
  await run();
  aws.addFolders('s3://raw/clicks', days(2, 5));
  expect((await run()).totals).toMatchObject({ created: 0 });
  expect((await run({ mode: 'full' })).totals).toMatchObject({ created: 3 });
  aws.levels.set('raw/clicks/', { length: 90, at: (i) => days(10, 100)[i]!.slice(0, -1) });
  const full = await run({ mode: 'full' });
  expect(full.tables[0]).toMatchObject({ gone: { count: 8 }, removed: 0, unchanged: 90 });
  // One of them was put elsewhere by somebody meanwhile.
  const moved = partitions.get('["2026-01-03"]')!;
  moved.StorageDescriptor = { ...moved.StorageDescriptor, Location: 's3://archive/clicks/1/' };
  expect((await run({ mode: 'full', remove: true })).totals).toMatchObject({ removed: 7 });
  expect(aws.calls).toMatchObject({ BatchDeletePartition: 1, BatchGetPartition: 1, LookAgain: 7 });
  expect(registered('clicks')).toHaveLength(91);
  expect((await run({ mode: 'full', remove: true })).totals).toMatchObject({ removed: 0, gone: 0 });
});

test('a folder that is filled again after the listing keeps its partition', async () => {
  aws.addTable('web_raw', tableOf('clicks', ['dt:date']));
  aws.addFolders('s3://raw/clicks', days(0, 300));
  await run();
  const emptied = days(0, 150).map((prefix) => prefix.slice(0, -1));
  aws.levels.set('raw/clicks/', { length: 150, at: (i) => days(150, 300)[i]!.slice(0, -1) });
  aws.lookAgain = (prefix) => {
    // The job that empties the folders fills two of them, one late.
    const back = prefix.startsWith(`clicks/${emptied[120]}`) ? [emptied[3]!, emptied[120]!] : [emptied[3]!];
    const there = [...back, ...days(150, 300).map((each) => each.slice(0, -1))];
    aws.levels.set('raw/clicks/', { length: there.length, at: (i) => there[i]! });
  };
  const { tables, totals } = await run({ mode: 'full', remove: true });
  expect(tables[0]).toMatchObject({ outcome: 'synced', removed: 148, unchanged: 152, gone: { count: 148 } });
  expect(totals.tally.s3).toBe(1 + 150);
  expect(registered('clicks')).toHaveLength(152);
  // What could not be looked at again is not taken out.
  aws.lookAgain = () => {
    throw new Error('S3 is down');
  };
  aws.levels.set('raw/clicks/', { length: 150, at: (i) => days(150, 300)[i]!.slice(0, -1) });
  const { tables: failed } = await run({ mode: 'full', remove: true });
  expect(failed).toMatchObject([{ outcome: 'failed', removed: 0, gone: { count: 2 }, error: { kind: 'unavailable' } }]);
  expect(registered('clicks')).toHaveLength(152);
});

test('a place without any partition keeps them all registered, unless a person names the table', async () => {
  const { partitions } = aws.addTable('web_raw', tableOf('clicks', ['dt:date']));
  aws.addFolders('s3://raw/clicks', days(0, 40));
  await run();
  aws.levels.set('raw/clicks/', { length: 2, at: (i) => ['_temporary', 'dt=unknown'][i]! });
  expect((await run({ remove: true })).tables).toMatchObject([{ outcome: 'synced', removed: 0 }]);
  for (const mode of ['full', 'reconcile'] as const) {
    const { tables } = await run({ mode, remove: true });
    expect(tables).toMatchObject([
      { outcome: 'failed', removed: 0, gone: { count: 40 }, error: { kind: 'invalid', retryable: false } },
    ]);
    expect(tables[0]!.error!.message).toContain('40 partitions are registered and s3://raw/clicks/ holds no folder');
  }
  expect(partitions.size).toBe(40);
  expect((await run({ mode: 'full', remove: true, tables: ['clicks'] })).totals).toMatchObject({ removed: 40 });
  expect(partitions.size).toBe(0);
});

test('what is registered at a folder that is passed over as a writer’s own is not taken for gone', async () => {
  const { partitions } = aws.addTable('web_raw', tableOf('clicks', ['source']));
  aws.addFolders('s3://raw/clicks', ['shop/', '_kept/']);
  const config = configWith({ remove: true, tables: [{ pattern: 'web_raw.clicks', layout: '{source}' }] });
  const kept = { Values: ['_kept'], StorageDescriptor: { Location: 's3://raw/clicks/_kept/' } };
  partitions.set(JSON.stringify(kept.Values), kept);
  expect((await run({}, config)).tables).toMatchObject([{ created: 1, removed: 0, rejected: { count: 1 } }]);
  expect(partitions.size).toBe(2);
});

test('a partition is registered as its table is, but for its place', async () => {
  const table = tableOf('clicks', ['dt:date']);
  const { partitions } = aws.addTable('web_raw', table);
  aws.addFolders('s3://raw/clicks', days(0, 1));
  await run();
  expect([...partitions.values()]).toEqual([
    {
      Values: ['2026-01-01'],
      StorageDescriptor: { ...table.StorageDescriptor, Location: 's3://raw/clicks/dt=2026-01-01/' },
    },
  ]);
});

test('what Glue takes badly is tried again where it may help, and told where not', async () => {
  aws.addTable('web_raw', tableOf('clicks', ['dt:date']));
  aws.addTable('web_raw', tableOf('visits', ['dt:date']));
  aws.addFolders('s3://raw/clicks', days(0, 120));
  aws.addFolders('s3://raw/visits', days(0, 5));
  const hit = new Set<string>();
  aws.itemFault = (_, [day = '']) => {
    if (day === '2026-01-02') return { ErrorCode: 'InvalidInputException', ErrorMessage: 'no' };
    if (day !== '2026-01-03' || hit.size > 2) return undefined;
    hit.add(String(hit.size));
    return { ErrorCode: 'ConcurrentModificationException', ErrorMessage: 'busy' };
  };
  let lost = 0;
  aws.before = (operation) => {
    if (operation === 'BatchCreatePartition' && lost++ === 1)
      throw new Refusal('InternalServiceException', 'oops', 500);
  };
  const { tables } = await run();
  expect(tables).toMatchObject([
    { table: 'clicks', outcome: 'synced', created: 119, errors: { count: 1, first: [{ values: ['2026-01-02'] }] } },
    { table: 'visits', outcome: 'synced', created: 4, errors: { count: 1 } },
  ]);
  // What was not taken is tried in the next run.
  aws.itemFault = () => undefined;
  expect((await run({ mode: 'full' })).totals).toMatchObject({ created: 2, errors: 0 });
});

test('one table that fails stops no other', async () => {
  aws.addTable('web_raw', tableOf('a', ['dt:date']));
  aws.addTable('web_raw', tableOf('b', ['dt:date']));
  aws.addTable('web_raw', tableOf('c', ['dt:date']));
  for (const name of ['a', 'b', 'c']) aws.addFolders(`s3://raw/${name}`, days(0, 2));
  aws.before = (operation, body) => {
    if (operation === 'BatchCreatePartition' && body.TableName === 'b') {
      throw new Refusal('AccessDeniedException', 'not authorized to perform glue:BatchCreatePartition');
    }
  };
  const { tables, record } = await run({}, configWith({ tables: [{ pattern: 'web_raw.c', layout: '{nokey}' }] }));
  expect(tables).toMatchObject([
    { table: 'a', outcome: 'synced', created: 2 },
    { table: 'b', outcome: 'failed', error: { message: expect.stringContaining('register partitions of web_raw.b') } },
    { table: 'c', outcome: 'failed', error: { kind: 'config', message: expect.stringContaining('nokey') } },
  ]);
  const { bytes } = await ports.store.read(record!);
  expect(JSON.parse(Buffer.from(bytes).toString())).toMatchObject({
    database: 'web_raw',
    totals: { created: 2, failed: 2 },
  });
});

test('tables that are none of ours are left alone, with the reason', async () => {
  aws.addTable('web_raw', tableOf('p', ['dt:date'], { Parameters: { 'projection.enabled': 'true' } }));
  aws.addTable('web_raw', tableOf('i', ['dt:date'], { Parameters: { table_type: 'ICEBERG' } }));
  aws.addTable('web_raw', tableOf('kept', ['dt:date']));
  const { tables } = await run({}, configWith({ tables: [{ pattern: '*.kept', skip: 'by hand' }] }));
  expect(tables.map(({ table, skip }) => [table, skip?.reason, skip?.text])).toEqual([
    ['i', 'iceberg', expect.any(String)],
    ['kept', 'configured', 'by hand'],
    ['p', 'projection', expect.any(String)],
  ]);
  expect(aws.calls).toEqual({ GetTables: 1 });
});

test('columns that differ from the table’s are reported without asking Glue, and set right on request', async () => {
  const stored = aws.addTable('web_raw', tableOf('clicks', ['dt:date']));
  aws.addFolders('s3://raw/clicks', days(0, 130));
  await run();
  const first = stored.partitions.get('["2026-01-01"]')!;
  stored.partitions.set('["2026-01-01"]', { ...first, Parameters: { rows: '7' } });
  const csv = stored.partitions.get('["2026-01-02"]')!;
  csv.StorageDescriptor = { ...csv.StorageDescriptor, InputFormat: 'org.apache.hadoop.mapred.TextInputFormat' };
  const Columns = [...stored.table.StorageDescriptor!.Columns!, { Name: 'added', Type: 'string' }];
  stored.table.StorageDescriptor = { ...stored.table.StorageDescriptor, Columns };
  expect((await run()).totals).toMatchObject({ drifted: 130, updated: 0 });
  expect(aws.calls).toEqual({ GetTables: 1, ListObjectsV2: 1 });
  expect((await run({ mode: 'full', updateSchema: true })).totals).toMatchObject({ drifted: 1, updated: 129 });
  expect(aws.calls).toMatchObject({ BatchGetPartition: 1, BatchUpdatePartition: 2 });
  expect(stored.partitions.get('["2026-01-01"]')).toMatchObject({
    Parameters: { rows: '7' },
    StorageDescriptor: { Columns, Location: 's3://raw/clicks/dt=2026-01-01/' },
  });
  expect(stored.partitions.get('["2026-01-02"]')!.StorageDescriptor!.Columns).toHaveLength(2);
});

test('a reconcile finds what others did to the catalogue', async () => {
  const { partitions } = aws.addTable('web_raw', tableOf('clicks', ['dt:date']));
  aws.addFolders('s3://raw/clicks', days(0, 10));
  await run();
  partitions.delete('["2026-01-05"]');
  const at = (key: string, Location: string) => {
    const one = partitions.get(key)!;
    one.StorageDescriptor = { ...one.StorageDescriptor, Location };
  };
  at('["2026-01-06"]', 's3://archive/6/');
  at('["2026-01-07"]', 's3://raw/clicks/seven/');
  expect((await run({ mode: 'full' })).totals).toMatchObject({ created: 0 });
  const { tables } = await run({ mode: 'reconcile' });
  expect(tables[0]).toMatchObject({
    created: 1,
    moved: { count: 1, first: [{ registered: 's3://raw/clicks/seven/', folder: 's3://raw/clicks/dt=2026-01-07/' }] },
  });
  expect((await run({ mode: 'reconcile' })).totals).toMatchObject({ created: 0 });
});

test('a state that is lost or broken costs a reconcile, and nothing else', async () => {
  aws.addTable('web_raw', tableOf('clicks', ['dt:date']));
  aws.addFolders('s3://raw/clicks', days(0, 10));
  await run();
  const url = 'memory:/lake/partitions/state/web_raw.json.gz';
  const { etag } = await ports.store.read(url);
  await ports.store.replace(url, Buffer.from('not gzip'), etag);
  expect((await run()).tables[0]).toMatchObject({ mode: 'reconcile', created: 0, unchanged: 10 });
  expect((await run()).tables[0]).toMatchObject({ mode: 'incremental', created: 0, unchanged: 10 });
});

test('a table that was dropped and made again gets its partitions back', async () => {
  aws.addTable('web_raw', tableOf('clicks', ['dt:date'], { CreateTime: new Date(1_790_000_000_000) }));
  aws.addFolders('s3://raw/clicks', days(0, 30));
  await run();
  expect((await run()).tables).toMatchObject([{ mode: 'incremental', created: 0 }]);
  aws.addTable('web_raw', tableOf('clicks', ['dt:date'], { CreateTime: new Date(1_790_000_060_000) }));
  expect((await run()).tables).toMatchObject([{ mode: 'reconcile', created: 30 }]);
  expect(registered('clicks')).toHaveLength(30);
  expect((await run()).tables).toMatchObject([{ mode: 'incremental', created: 0 }]);
});

test('a dry run says what would be done, and does nothing', async () => {
  aws.addTable('web_raw', tableOf('clicks', ['dt:date']));
  aws.addFolders('s3://raw/clicks', days(0, 3));
  const { tables } = await run({ dryRun: true, mode: 'full' });
  expect(tables[0]).toMatchObject({ missing: { count: 3, first: days(0, 3) }, created: 0 });
  expect(registered('clicks')).toEqual([]);
  const urls: string[] = [];
  for await (const { url } of ports.store.list('memory:/lake/')) urls.push(url);
  expect(urls).toEqual([]);
});

test('a run ends in time, says where to go on, and the next one finishes', async () => {
  for (let i = 0; i < 30; i += 1) {
    const name = `t${String(i).padStart(2, '0')}`;
    aws.addTable('web_raw', tableOf(name, ['dt:date']));
    aws.addFolders(`s3://raw/${name}`, days(0, 150));
  }
  let creates = 0;
  ports.close();
  ports = portsTo(aws.endpoint, { remainingMs: () => (creates > 8 ? -1 : 1000) });
  aws.before = (operation) => {
    if (operation === 'BatchCreatePartition') creates += 1;
  };
  let result = await run();
  let rounds = 1;
  for (; result.continuation !== undefined; rounds += 1) {
    expect(JSON.stringify(result.continuation).length).toBeLessThan(1024);
    creates = 0;
    result = await run({ continuation: result.continuation });
  }
  // Requests that are under way when the time is over still count: two rounds may do.
  expect(rounds).toBeGreaterThan(1);
  expect(rounds).toBeLessThan(8);
  for (const name of aws.databases.get('web_raw')!.keys()) expect(registered(name)).toHaveLength(150);
});

test('a table that no run has time for does not keep the others waiting for ever', async () => {
  aws.addTable('web_raw', tableOf('a', ['dt:date']));
  aws.addTable('web_raw', tableOf('b', ['dt:date']));
  for (const name of ['a', 'b']) aws.addFolders(`s3://raw/${name}`, days(0, 2));
  let out = false;
  ports.close();
  ports = portsTo(aws.endpoint, { remainingMs: () => (out ? -1 : 1000) });
  aws.before = (operation, body) => {
    if (operation === 'GetPartitions' && body.TableName === 'a') {
      out = true;
      throw new Refusal('ThrottlingException', 'slow');
    }
  };
  const failed: string[] = [];
  let result = await run();
  for (let i = 0; result.continuation !== undefined && i < 10; i += 1) {
    out = false;
    result = await run({ continuation: result.continuation });
    failed.push(...result.tables.filter(({ outcome }) => outcome === 'failed').map(({ table }) => table));
  }
  expect(result.continuation).toBeUndefined();
  expect(failed).toEqual(['a']);
  expect(registered('b')).toHaveLength(2);
});
