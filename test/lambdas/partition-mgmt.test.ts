import { asThrown, RETRYABLE } from '../../lambdas/partition-mgmt/retryable.ts';
import { LakegateError } from '../../src/errors.ts';
import { batch, created, TEST_EVENT } from '../events/samples.ts';
import { type AwsStandIn, Refusal, startAws } from '../partitions/aws-stand-in.ts';
import { days, tableOf } from '../partitions/lake.ts';
import { type TestPartitions, testPartitions } from './partition-stage.ts';
import { closeStages } from './stage.ts';

let aws: AwsStandIn;
let partitions: TestPartitions;

beforeAll(async () => {
  aws = await startAws();
});
afterAll(async () => aws.stop());
beforeEach(async () => {
  aws.reset();
  partitions = await testPartitions(aws.endpoint);
});
afterEach(() => {
  partitions.close();
  closeStages();
});

/** A table with folders, of which the catalogue knows none. */
function table(database: string, name: string, count = 3): void {
  const location = `s3://raw/${database}/${name}`;
  const found = tableOf(name, ['dt:date']);
  aws.addTable(database, { ...found, StorageDescriptor: { ...found.StorageDescriptor, Location: location } });
  aws.addFolders(location, days(0, count));
}

const first = (database: string, sync = 'full') => ({
  mode: 'database',
  item: { database, sync, continuation: null, outcome: null },
});

describe('databases', () => {
  test('those that match, in order, each as an item for the state machine', async () => {
    for (const name of ['web_raw', 'curated', 'app_raw']) table(name, 'clicks');
    expect(await partitions.invoke({ mode: 'databases', request: { sync: 'full' } })).toEqual({
      sync: 'full',
      items: ['app_raw', 'web_raw'].map((database) => ({ database, sync: 'full', continuation: null, outcome: null })),
      rest: null,
    });
    expect(partitions.total('GlueCalls')).toBe(1);
  });

  test('a run without words is incremental', async () => {
    table('web_raw', 'clicks');
    expect(await partitions.invoke({ mode: 'databases', request: {} })).toMatchObject({ sync: 'incremental' });
  });

  test('more than fit into one execution are split over several, none left out and none twice, each answer small', async () => {
    const names = Array.from({ length: 650 }, (_, i) => `${'long_name_'.repeat(24)}${String(i).padStart(4, '0')}_raw`);
    for (const name of names) aws.databases.set(name, new Map());
    const seen: string[] = [];
    let request: unknown = { sync: 'incremental' };
    while (request !== null) {
      const plan = (await partitions.invoke({ mode: 'databases', request })) as {
        items: { database: string }[];
        rest: unknown;
      };
      expect(JSON.stringify(plan).length).toBeLessThan(128 * 1024);
      seen.push(...plan.items.map(({ database }) => database));
      request = plan.rest;
    }
    expect(seen).toEqual(names);
  });

  test('only those that a person asks for, and no others than lake.yaml manages', async () => {
    for (const name of ['web_raw', 'app_raw', 'curated']) table(name, 'clicks');
    const asked = (databases: unknown) => partitions.invoke({ mode: 'databases', request: { databases } });
    expect(await asked(['web_raw'])).toMatchObject({ items: [{ database: 'web_raw' }], rest: null });
    await expect(asked(['curated', 'web_raw'])).rejects.toMatchObject({
      kind: 'usage',
      message: expect.stringContaining('found curated'),
    });
    await expect(asked('web_raw')).rejects.toMatchObject({ kind: 'usage' });
  });

  test.each([{ mode: 'nonsense' }, { mode: 'databases', request: { sync: 'all' } }, { mode: 'database' }])(
    '%j is refused',
    async (event) => {
      await expect(partitions.invoke(event)).rejects.toMatchObject({ kind: 'usage' });
    },
  );
});

describe('a database', () => {
  test('gets what is missing; what was done is counted', async () => {
    table('web_raw', 'clicks', 5);
    expect(await partitions.invoke(first('web_raw'))).toMatchObject({
      database: 'web_raw',
      continuation: null,
      outcome: { tables: 1, created: 5, errors: 0, failedTables: 0 },
    });
    expect(partitions.total('PartitionsCreated')).toBe(5);
    expect(partitions.total('S3Lists')).toBe(1);
    // Tables, partitions of a table that is new to it, and one request for five partitions.
    expect(partitions.total('GlueCalls')).toBe(3);
    expect(partitions.told).toEqual([]);
    // Nothing new: no request to Glue but for the tables.
    expect(await partitions.invoke(first('web_raw', 'incremental'))).toMatchObject({
      outcome: { created: 0, glue: 1 },
    });
  });

  test('partitions that Glue refuses are told by table with values and reason, and stop no other', async () => {
    table('web_raw', 'clicks');
    table('web_raw', 'visits');
    aws.itemFault = (_operation, [value]) =>
      value === '2026-01-02' ? { ErrorCode: 'InvalidInputException', ErrorMessage: 'no such thing' } : undefined;
    expect(await partitions.invoke(first('web_raw'))).toMatchObject({ outcome: { created: 4, errors: 2 } });
    const failed = (name: string) => ({
      event: 'partitions.failed',
      database: 'web_raw',
      table: name,
      count: 1,
      failures: [{ values: ['2026-01-02'], reason: 'InvalidInputException: no such thing' }],
    });
    expect(partitions.told).toEqual([
      expect.objectContaining(failed('clicks')),
      expect.objectContaining(failed('visits')),
    ]);
    expect(partitions.total('PartitionErrors')).toBe(2);
    expect(partitions.lines.filter(({ level }) => level === 'error').map(({ event }) => event)).toEqual([
      'partitions-refused',
      'partitions-refused',
    ]);
  });

  test('a table that fails stops no other, and people hear why', async () => {
    table('web_raw', 'clicks');
    table('web_raw', 'visits');
    aws.before = (operation, { TableName }) => {
      if (operation === 'GetPartitions' && TableName === 'clicks')
        throw new Refusal('AccessDeniedException', 'Insufficient Lake Formation permission(s)');
    };
    expect(await partitions.invoke(first('web_raw'))).toMatchObject({ outcome: { created: 3, failedTables: 1 } });
    expect(partitions.told).toMatchObject([
      { event: 'partitions.failed', table: 'clicks', failures: [{ reason: expect.stringContaining('clicks') }] },
    ]);
    expect(partitions.total('PartitionTablesFailed')).toBe(1);
  });

  test('goes on where the time was over, and sums up over its calls', async () => {
    for (let i = 0; i < 20; i += 1) table('web_raw', `table${String(i).padStart(2, '0')}`, 10);
    let event: object = first('web_raw');
    let calls = 0;
    for (;;) {
      calls += 1;
      // Time for a few requests of each invocation.
      let looks = 0;
      const answer = (await partitions.invoke(event, () => {
        looks += 1;
        return looks < 60 ? 1_000_000 : 0;
      })) as { continuation: unknown; outcome: object };
      expect(JSON.stringify(answer).length).toBeLessThan(2_000);
      if (answer.continuation === null) {
        expect(answer.outcome).toMatchObject({ created: 200, errors: 0, failedTables: 0 });
        // Tables work side by side: one behind the one that the next call starts from may be looked at twice.
        expect((answer.outcome as { tables: number }).tables).toBeGreaterThanOrEqual(20);
        break;
      }
      event = { mode: 'database', item: answer };
      expect(calls).toBeLessThan(50);
    }
    expect(calls).toBeGreaterThan(1);
    const there = [...aws.databases.get('web_raw')!.values()].map((stored) => stored.partitions.size);
    expect(there).toEqual(Array(20).fill(10));
  });

  test('one that cannot be looked at fails in a way that the state machine tries again', async () => {
    aws.before = () => {
      throw new Refusal('EntityNotFoundException', 'Database web_raw not found.');
    };
    await expect(partitions.invoke(first('web_raw'))).rejects.toMatchObject({ kind: 'not_found' });
    const passing = new LakegateError('unavailable', 'no answer');
    expect(asThrown(passing)).toMatchObject({ name: RETRYABLE });
    expect(asThrown(new LakegateError('not_found', 'gone'))).toMatchObject({ name: 'LakegateError' });
  });
});

test('the summary adds up, names the databases that were given up, and counts them', async () => {
  const outcome = { tables: 2, created: 3, removed: 0, updated: 0, rejected: 1, errors: 0, failedTables: 0 };
  const ended = { ...outcome, glue: 4, s3: 5, throttled: 0 };
  expect(
    await partitions.invoke({
      mode: 'summary',
      sync: 'full',
      outcomes: [
        { database: 'a_raw', ...ended },
        { database: 'b_raw', error: 'Lakegate.Retryable' },
      ],
      execution: 'arn:aws:states:eu-west-1:111122223333:execution:lake-dev-partition-runs:x',
    }),
  ).toEqual({ sync: 'full', databases: 2, failed: ['b_raw'], ...ended });
  expect(partitions.total('PartitionDatabasesFailed')).toBe(1);
  expect(partitions.lines).toMatchObject([
    { level: 'error', event: 'partition-run', reasons: { b_raw: 'Lakegate.Retryable' } },
  ]);
});

describe('objects', () => {
  const put = (key: string) => created({ key, bucket: 'raw' });

  test('become partitions: one request for each table, whatever the number of messages', async () => {
    table('web_raw', 'clicks', 0);
    table('web_raw', 'visits', 0);
    const keys = days(0, 30).flatMap((day) => [`web_raw/clicks/${day}a.parquet`, `web_raw/visits/${day}a.parquet`]);
    expect(await partitions.invoke(batch(keys.map(put)))).toEqual({ batchItemFailures: [] });
    expect(aws.calls).toMatchObject({ BatchCreatePartition: 2 });
    expect(partitions.total('PartitionsCreated')).toBe(60);
    expect(partitions.measures.some(({ QueueAge }) => Array.isArray(QueueAge) && QueueAge.length === 60)).toBe(true);
  });

  test('only those messages fail that may succeed later, or that nobody understands', async () => {
    table('web_raw', 'clicks', 0);
    table('web_raw', 'visits', 0);
    aws.before = (operation, { TableName }) => {
      if (operation === 'BatchCreatePartition' && TableName === 'clicks')
        throw new Refusal('AccessDeniedException', 'no');
    };
    const answer = await partitions.invoke(
      batch([
        put('web_raw/visits/dt=2026-01-01/a'),
        put('web_raw/clicks/dt=2026-01-01/a'),
        'no JSON',
        TEST_EVENT,
        put('nobody/a.parquet'),
        put('web_raw/visits/dt=tomorrow/a'),
        put('web_raw/visits/_temporary/0/a'),
        put('web_raw/visits/dt=2026-01-01/_SUCCESS'),
      ]),
    );
    expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'm2' }, { itemIdentifier: 'm1' }] });
    expect(aws.databases.get('web_raw')!.get('visits')!.partitions.size).toBe(1);
    expect(partitions.total('EventsMalformed')).toBe(1);
    expect(partitions.total('ObjectsUnmatched')).toBe(1);
    expect(partitions.total('PartitionsRejected')).toBe(1);
    expect(partitions.told).toMatchObject([{ event: 'partitions.failed', database: 'web_raw', table: 'clicks' }]);
  });

  test('a partition that Glue will never take is told, and its message is done with', async () => {
    table('web_raw', 'clicks', 0);
    aws.itemFault = () => ({ ErrorCode: 'InvalidInputException', ErrorMessage: 'never' });
    expect(await partitions.invoke(batch([put('web_raw/clicks/dt=2026-01-01/a')]))).toEqual({ batchItemFailures: [] });
    expect(partitions.told).toMatchObject([
      { table: 'clicks', failures: [{ values: ['2026-01-01'], reason: 'InvalidInputException: never' }] },
    ]);
  });

  test('an event that comes from the bus itself is registered, or comes again', async () => {
    table('web_raw', 'clicks', 0);
    expect(await partitions.invoke(put('web_raw/clicks/dt=2026-01-01/a'))).toEqual({ batchItemFailures: [] });
    aws.before = (operation) => {
      if (operation === 'BatchCreatePartition') throw new Refusal('AccessDeniedException', 'no');
    };
    await expect(partitions.invoke(put('web_raw/clicks/dt=2026-01-02/a'))).rejects.toMatchObject({ retryable: true });
    await expect(partitions.invoke({ some: 'thing' })).rejects.toMatchObject({ kind: 'invalid' });
  });
});
