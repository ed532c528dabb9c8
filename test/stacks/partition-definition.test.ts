/** The state machine of partition management, run from its definition, with the function's own code behind it and a server that stands in for Glue and S3. */
import { StateMachine } from 'aws-local-stepfunctions';
import { asThrown, RETRYABLE } from '../../lambdas/partition-mgmt/retryable.ts';
import { partitionDefinition } from '../../lib/constructs/partition-definition.ts';
import { newsOf } from '../../src/notify/bus-news.ts';
import { type TestPartitions, testPartitions } from '../lambdas/partition-stage.ts';
import { closeStages } from '../lambdas/stage.ts';
import { type AwsStandIn, Refusal, startAws } from '../partitions/aws-stand-in.ts';
import { days, tableOf } from '../partitions/lake.ts';

const OWN = 'arn:aws:states:eu-west-1:111111111111:stateMachine:acme-dev-partition-runs';
const definition = partitionDefinition({
  worker: 'arn:aws:lambda:eu-west-1:111111111111:function:acme-dev-partition-mgmt',
  stateMachine: OWN,
  bus: 'acme-dev',
  concurrency: 4,
});

type JSONValue = Parameters<StateMachine['run']>[0];

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

function table(database: string, name: string, count: number): void {
  const location = `s3://raw/${database}/${name}`;
  const found = tableOf(name, ['dt:date']);
  aws.addTable(database, { ...found, StorageDescriptor: { ...found.StorageDescriptor, Location: location } });
  aws.addFolders(location, days(0, count));
}

/** What Lambda reports of an error to Step Functions. */
class FunctionFailed extends Error {
  constructor(error: Error) {
    super(JSON.stringify({ errorType: error.name, errorMessage: error.message, trace: [] }));
    this.name = error.name;
  }
}

interface Invocation {
  mode: string;
  item?: { database: string };
}

/** @param remainingMs of each invocation @param before is told of each invocation, and may throw */
async function run(
  input: object,
  { remainingMs, before }: { remainingMs?: () => () => number; before?: (payload: Invocation) => void } = {},
) {
  const told: { Entries: { Detail: Record<string, unknown> }[] }[] = [];
  const started: { StateMachineArn: string; Input: object }[] = [];
  const invoked: string[] = [];
  const worker = async (json: JSONValue) => {
    const { FunctionName, Payload } = json as unknown as { FunctionName: string; Payload: Invocation };
    expect(FunctionName).toMatch(/:function:acme-dev-partition-mgmt$/);
    invoked.push(Payload.item?.database ?? Payload.mode);
    try {
      before?.(Payload);
      // Over the wire it is JSON.
      const answer = await partitions.invoke(JSON.parse(JSON.stringify(Payload)), remainingMs?.());
      return { StatusCode: 200, Payload: JSON.parse(JSON.stringify(answer)) } as unknown as JSONValue;
    } catch (error) {
      throw new FunctionFailed(asThrown(error) as Error);
    }
  };
  const machine = new StateMachine(definition as unknown as ConstructorParameters<typeof StateMachine>[0], {
    validationOptions: { checkArn: false },
  });
  const execution = machine.run(input as JSONValue, {
    context: { Execution: { Id: `${OWN}:x` }, State: { EnteredTime: '2026-11-21T06:00:00Z' } },
    overrides: {
      taskResourceLocalHandlers: {
        List: worker,
        Sync: worker,
        Summary: worker,
        GoOn: async (given: unknown) => {
          started.push(given as (typeof started)[number]);
          return {};
        },
        Tell: async (given: unknown) => {
          told.push(given as (typeof told)[number]);
          return {};
        },
      },
      // Their waits are Step Functions' own, which need no test.
      retryIntervalOverrides: { List: 0, Sync: 0, Summary: 0 },
    },
  });
  const outcome = await execution.result.then(
    (value: unknown) => value,
    (error: unknown) => String(error),
  );
  return { outcome, told, started, invoked };
}

function registered(): Record<string, number> {
  const all = [...aws.databases].flatMap(([database, tables]) =>
    [...tables].map(([name, stored]): [string, number] => [`${database}.${name}`, stored.partitions.size]),
  );
  return Object.fromEntries(all);
}

test('every database gets its partitions, and the run ends with its sums', async () => {
  for (const database of ['a_raw', 'b_raw', 'c_raw']) for (const name of ['clicks', 'visits']) table(database, name, 7);
  const { outcome, told, started } = await run({ sync: 'full' });
  expect(outcome).toEqual({
    summary: expect.objectContaining({ sync: 'full', databases: 3, failed: [], tables: 6, created: 42, errors: 0 }),
  });
  expect([told, started]).toEqual([[], []]);
  expect(Object.values(registered())).toEqual(Array(6).fill(7));
  // Again: nothing is left to do.
  expect((await run({})).outcome).toEqual({
    summary: expect.objectContaining({ sync: 'incremental', created: 0, glue: 3 }),
  });
});

test('no database at all is a run too', async () => {
  expect((await run({ sync: 'incremental' })).outcome).toEqual({ summary: expect.objectContaining({ databases: 0 }) });
});

test('a database that takes longer than the function may is gone on with until it is finished', async () => {
  for (let i = 0; i < 12; i += 1) table('a_raw', `table${i}`, 5);
  const short = () => {
    let looks = 0;
    return () => {
      looks += 1;
      return looks < 25 ? 1_000_000 : 0;
    };
  };
  const { outcome, invoked } = await run({ sync: 'full' }, { remainingMs: short });
  expect(outcome).toEqual({ summary: expect.objectContaining({ databases: 1, created: 60, failed: [] }) });
  // Tables work side by side: one behind the one that the next call starts from may be looked at twice.
  expect((outcome as { summary: { tables: number } }).summary.tables).toBeGreaterThanOrEqual(12);
  expect(invoked.filter((name) => name === 'a_raw').length).toBeGreaterThan(1);
  expect(Object.values(registered())).toEqual(Array(12).fill(5));
});

test('a database that fails holds back no other, is told, named in the summary, and fails the run at its end', async () => {
  for (const database of ['a_raw', 'b_raw', 'c_raw']) table(database, 'clicks', 3);
  aws.before = (operation, { DatabaseName }) => {
    if (operation === 'GetTables' && DatabaseName === 'b_raw')
      throw new Refusal('AccessDeniedException', 'no right to b_raw');
  };
  const { outcome, told } = await run({ sync: 'full' });
  expect(outcome).toMatch(/DatabasesFailed|Databases could not be looked at/);
  expect(registered()).toEqual({ 'a_raw.clicks': 3, 'b_raw.clicks': 0, 'c_raw.clicks': 3 });
  expect(partitions.lines).toContainEqual(
    expect.objectContaining({ event: 'partition-run', failed: ['b_raw'], databases: 3, created: 6 }),
  );
  expect(told).toHaveLength(1);
  const [{ Detail }] = told[0]!.Entries as [{ Detail: Record<string, unknown> }];
  // The notify function understands it.
  const { news } = newsOf(JSON.stringify({ source: 'lakegate', detail: Detail }))!;
  expect(news).toMatchObject({
    event: 'partitions.failed',
    database: 'b_raw',
    count: 1,
    failures: [{ reason: expect.stringContaining('no right to b_raw') }],
  });
});

test('what may pass is tried again, and what will not is not', async () => {
  table('a_raw', 'clicks', 3);
  let failures = 2;
  const tried = await run(
    { sync: 'full' },
    {
      before: ({ mode }) => {
        if (mode !== 'database' || failures === 0) return;
        failures -= 1;
        throw Object.assign(new Error('throttled'), { name: RETRYABLE });
      },
    },
  );
  expect(tried.outcome).toEqual({ summary: expect.objectContaining({ created: 3, failed: [] }) });
  expect(tried.invoked).toEqual(['databases', 'a_raw', 'a_raw', 'a_raw', 'summary']);

  const given = await run(
    { sync: 'full' },
    {
      before: ({ mode }) => {
        if (mode === 'database') throw Object.assign(new Error('a bug'), { name: 'LakegateError' });
      },
    },
  );
  expect(given.invoked).toEqual(['databases', 'a_raw', 'summary']);
  expect(given.told).toHaveLength(1);
});

test('more databases than one execution takes are handed to the next', async () => {
  const names = Array.from({ length: 310 }, (_, i) => `d${String(i).padStart(4, '0')}_raw`);
  for (const name of names) aws.databases.set(name, new Map());
  const { outcome, started } = await run({ sync: 'incremental' });
  expect(outcome).toEqual({ summary: expect.objectContaining({ databases: 300 }) });
  expect(started).toEqual([{ StateMachineArn: OWN, Input: { sync: 'incremental', after: 'd0299_raw' } }]);
  const next = await run(started[0]!.Input);
  expect(next.outcome).toEqual({ summary: expect.objectContaining({ databases: 10 }) });
  expect(next.started).toEqual([]);
});

test('what a state carries is far below its limit of 256 KiB', async () => {
  const names = Array.from({ length: 300 }, (_, i) => `${'x'.repeat(245)}${String(i).padStart(4, '0')}_raw`);
  const outcome = { tables: 99_999, created: 9_999_999, removed: 9_999_999, updated: 9_999_999, rejected: 9_999_999 };
  const counts = { errors: 9_999_999, failedTables: 99_999, glue: 9_999_999, s3: 9_999_999, throttled: 9_999_999 };
  const items = names.map((database) => ({ database, sync: 'incremental', continuation: null, outcome: null }));
  const outcomes = names.map((database) => ({ database, ...outcome, ...counts }));
  expect(JSON.stringify({ sync: 'incremental', items, rest: null, outcomes }).length).toBeLessThan(250 * 1024);
});
