import { createPartitionEvents, type PartitionEvents } from '../../src/partitions/events.ts';
import type { PartitionPorts } from '../../src/partitions/ports.ts';
import { type AwsStandIn, Refusal, startAws } from './aws-stand-in.ts';
import { configWith, days, portsTo, tableOf } from './lake.ts';

let aws: AwsStandIn;
let ports: PartitionPorts & { close(): void };
let events: PartitionEvents;
let now = 0;

beforeAll(async () => {
  aws = await startAws();
});
afterAll(async () => aws.stop());
beforeEach(() => {
  aws.reset();
  now = 1_000_000;
  ports = portsTo(aws.endpoint, { now: () => now });
  events = createPartitionEvents(ports, configWith({ tables: [{ pattern: '*.hourly', layout: '{dt}/{hour}' }] }));
});
afterEach(() => ports.close());

const apply = (...urls: string[]) => {
  aws.calls = {};
  return events.apply(urls);
};

test('objects of many tables become partitions in one request a table', async () => {
  aws.addTable('web_raw', tableOf('clicks', ['dt:date']));
  aws.addTable('app_raw', tableOf('hourly', ['dt:date', 'hour:int']));
  aws.addTable('curated', tableOf('unmanaged', ['dt:date']));
  const result = await apply(
    's3://raw/clicks/dt=2026-01-01/a.parquet',
    's3://raw/clicks/dt=2026-01-01/b.parquet',
    's3://raw/clicks/dt=2026-01-02/deeper/a.parquet',
    's3a://raw/hourly/2026-01-01/06/x.json',
    's3://raw/unmanaged/dt=2026-01-01/a.parquet',
    's3://raw/elsewhere/a.csv',
    's3://raw/elsewhere/b.csv',
  );
  expect(result).toMatchObject({
    unknown: { count: 2, first: ['s3://raw/unmanaged/dt=2026-01-01/', 's3://raw/elsewhere/'] },
    again: [],
  });
  expect(result.tables).toMatchObject([
    { database: 'web_raw', table: 'clicks', created: 2 },
    { database: 'app_raw', table: 'hourly', created: 1 },
  ]);
  expect(aws.calls).toEqual({ GetDatabases: 1, GetTables: 2, BatchCreatePartition: 2 });
  // Known from then on: nothing is asked.
  expect((await apply('s3://raw/clicks/dt=2026-01-02/c.parquet')).tables).toMatchObject([{ created: 0, already: 1 }]);
  expect(aws.calls).toEqual({});
});

test('registered by somebody else is registered', async () => {
  const { partitions } = aws.addTable('web_raw', tableOf('clicks', ['dt:date']));
  partitions.set('["2026-01-01"]', { Values: ['2026-01-01'] });
  const { tables, again } = await apply('s3://raw/clicks/dt=2026-01-01/a', 's3://raw/clicks/dt=2026-01-02/a');
  expect(tables).toMatchObject([{ created: 1, already: 1, errors: { count: 0 } }]);
  expect(again).toEqual([]);
});

test('markers and files of writers under way make no partition; odd folders are told of', async () => {
  aws.addTable('web_raw', tableOf('clicks', ['dt:date']));
  const result = await apply(
    's3://raw/clicks/dt=2026-01-01/_SUCCESS',
    's3://raw/clicks/dt=2026-01-01/.a.crc',
    's3://raw/clicks/dt=2026-01-01/',
    's3://raw/clicks/dt=2026-01-01_$folder$',
    's3://raw/clicks/_temporary/0/dt=2026-01-01/a',
    's3://raw/clicks/dt=2026-01-01/_temporary/a',
    's3://raw/clicks/dt=monday/a',
    's3://raw/clicks/a',
  );
  expect(result.ignored).toBe(6);
  expect(result.tables).toMatchObject([{ created: 0, rejected: { count: 2 } }]);
  expect(aws.calls).toEqual({ GetDatabases: 1, GetTables: 1 });
});

test('five hundred new partitions of a table are five requests', async () => {
  aws.addTable('web_raw', tableOf('clicks', ['dt:date']));
  const { tables } = await apply(...days(0, 500).map((day) => `s3://raw/clicks/${day}a`));
  expect(tables).toMatchObject([{ created: 500 }]);
  expect(aws.calls.BatchCreatePartition).toBe(5);
});

test('the table of the longest location has the object', async () => {
  aws.addTable('web_raw', tableOf('outer', ['dt:date']));
  const inner = tableOf('inner', ['dt:date']);
  inner.StorageDescriptor!.Location = 's3://raw/outer/inner/';
  aws.addTable('web_raw', inner);
  const { tables } = await apply('s3://raw/outer/inner/dt=2026-01-01/a', 's3://raw/outer/dt=2026-01-01/a');
  expect(tables).toMatchObject([
    { table: 'inner', created: 1 },
    { table: 'outer', created: 1 },
  ]);
});

test('a table that is new is found, but databases are not asked again for each odd object', async () => {
  await apply('s3://raw/clicks/dt=2026-01-01/a');
  aws.addTable('web_raw', tableOf('clicks', ['dt:date']));
  expect((await apply('s3://raw/clicks/dt=2026-01-01/a')).unknown.count).toBe(1);
  expect(aws.calls).toEqual({});
  now += 6 * 60_000;
  expect((await apply('s3://raw/clicks/dt=2026-01-01/a')).tables).toMatchObject([{ created: 1 }]);
});

test('what may be taken later comes again; what will not be taken is told of', async () => {
  aws.addTable('web_raw', tableOf('clicks', ['dt:date']));
  aws.addTable('web_raw', tableOf('visits', ['dt:date']));
  aws.addTable('web_raw', tableOf('denied', ['dt:date']));
  aws.itemFault = (_, [day]) => {
    if (day === '2026-01-02') return { ErrorCode: 'InternalServiceException', ErrorMessage: 'busy' };
    return day === '2026-01-03' ? { ErrorCode: 'InvalidInputException', ErrorMessage: 'no' } : undefined;
  };
  aws.before = (operation, body) => {
    if (operation === 'BatchCreatePartition' && body.TableName === 'denied') {
      throw new Refusal('AccessDeniedException', 'no');
    }
  };
  const result = await apply(
    ...days(0, 3).map((day) => `s3://raw/clicks/${day}a`),
    's3://raw/visits/dt=2026-01-01/a',
    's3://raw/denied/dt=2026-01-01/a',
  );
  expect(result.again.sort()).toEqual(['s3://raw/clicks/dt=2026-01-02/a', 's3://raw/denied/dt=2026-01-01/a']);
  expect(result.tables).toMatchObject([
    { created: 1, errors: { count: 1, first: [{ values: ['2026-01-03'], code: 'InvalidInputException' }] } },
    { created: 1 },
    { created: 0, error: { retryable: false } },
  ]);
});

test('while Glue cannot be asked, every event comes again', async () => {
  aws.before = () => {
    throw new Refusal('AccessDeniedException', 'no');
  };
  expect((await apply('s3://raw/clicks/dt=2026-01-01/a')).again).toEqual(['s3://raw/clicks/dt=2026-01-01/a']);
});

test('a database that cannot be asked holds back no other, and is named; it is not asked for each object', async () => {
  aws.addTable('web_raw', tableOf('clicks', ['dt:date']));
  aws.addTable('crm_raw', tableOf('people', ['dt:date']));
  aws.before = (operation, body) => {
    if (operation === 'GetTables' && body.DatabaseName === 'crm_raw') throw new Refusal('AccessDeniedException', 'no');
  };
  const people = days(0, 20).map((day) => `s3://raw/people/${day}a`);
  const result = await apply(...people, 's3://raw/clicks/dt=2026-01-01/a');
  expect(result.tables).toMatchObject([{ table: 'clicks', created: 1 }]);
  expect(result.again).toEqual(people);
  expect(result.unknown.count).toBe(0);
  expect(result.reasons).toMatchObject({ count: 1, first: [expect.stringContaining('list the tables of crm_raw')] });
  expect(aws.calls).toEqual({ GetDatabases: 1, GetTables: 2, BatchCreatePartition: 1 });
  aws.before = () => undefined;
  now += 61_000;
  expect(await apply(...people)).toMatchObject({ tables: [{ table: 'people', created: 20 }], again: [] });
});

test('once the time is over, what is left comes again without a request', async () => {
  ports.close();
  ports = portsTo(aws.endpoint, { now: () => now, remainingMs: () => -1 });
  const late = createPartitionEvents(ports, configWith());
  aws.calls = {};
  const urls = days(0, 50).map((day) => `s3://raw/clicks/${day}a`);
  expect(await late.apply(urls)).toMatchObject({ again: urls, tables: [] });
  expect(aws.calls).toEqual({});
});

test('where partitions are taken out, one that comes back is registered again at once', async () => {
  const { partitions } = aws.addTable('web_raw', tableOf('clicks', ['dt:date']));
  const url = 's3://raw/clicks/dt=2026-01-01/a';
  await apply(url);
  partitions.clear();
  expect((await apply(url)).tables).toMatchObject([{ created: 0, already: 1 }]);
  const removing = createPartitionEvents(ports, configWith({ remove: true }));
  await removing.apply([url]);
  partitions.clear();
  expect((await removing.apply([url])).tables).toMatchObject([{ created: 1 }]);
});
