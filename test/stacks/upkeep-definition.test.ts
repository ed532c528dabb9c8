/** The state machine of table upkeep, run from its definition with stand-ins for the maintenance function, Athena and the bus. */
import { StateMachine } from 'aws-local-stepfunctions';
import { UPKEEP_FAILED, upkeepDefinition } from '../../lib/constructs/upkeep-definition.ts';

const definition = upkeepDefinition({
  planner: 'arn:aws:lambda:eu-west-1:111111111111:function:acme-dev-maintenance',
  workgroup: 'acme-dev',
  bus: 'acme-dev',
  concurrency: 2,
});

const TABLES = ['orders', 'clicks', 'visits'].map((table) => ({
  database: 'shop',
  table,
  optimize: `OPTIMIZE shop.${table} REWRITE DATA USING BIN_PACK`,
  vacuum: `VACUUM shop.${table}`,
}));

type JSONValue = Parameters<StateMachine['run']>[0];

/** A query that Athena refuses, as Step Functions reports it. */
class QueryFailed extends Error {
  constructor(words: string) {
    super(JSON.stringify({ QueryExecution: { Status: { State: 'FAILED', StateChangeReason: words } } }));
    this.name = 'States.TaskFailed';
  }
}

interface Query {
  QueryString: string;
  WorkGroup: string;
  QueryExecutionContext: { Database: string };
}

/** @param athena answers a query, or throws */
async function run(athena: (query: Query, earlier: number) => void, tables: readonly object[] = TABLES) {
  const queries: Query[] = [];
  const told: unknown[] = [];
  const query = async (json: JSONValue) => {
    const input = json as unknown as Query;
    queries.push(input);
    athena(input, queries.filter(({ QueryString }) => QueryString === input.QueryString).length - 1);
    return {};
  };
  const machine = new StateMachine(definition as unknown as ConstructorParameters<typeof StateMachine>[0], {
    // Local runs do not know ARNs of integrations; states are overridden by name.
    validationOptions: { checkArn: false },
  });
  const execution = machine.run(
    {},
    {
      context: { State: { EnteredTime: '2026-11-12T02:17:00Z' } },
      overrides: {
        taskResourceLocalHandlers: {
          Plan: async () => ({ StatusCode: 200, Payload: { tables } }) as unknown as JSONValue,
          Optimize: query,
          Vacuum: query,
          Tell: async (input: unknown) => {
            told.push(input);
            return {};
          },
        },
      },
    },
  );
  const outcome = await execution.result.then(
    () => 'succeeded',
    (error: unknown) => String(error),
  );
  return { outcome, told, queries, statements: queries.map(({ QueryString }) => QueryString) };
}

test('each table is optimized, then vacuumed, in the stage’s workgroup', async () => {
  const { outcome, queries, told } = await run(() => undefined);
  expect(outcome).toBe('succeeded');
  expect(told).toEqual([]);
  for (const { optimize, vacuum, table } of TABLES) {
    const own = queries.filter(({ QueryString }) => QueryString.includes(table));
    expect(own.map(({ QueryString }) => QueryString)).toEqual([optimize, vacuum]);
    for (const { WorkGroup, QueryExecutionContext } of own) {
      expect({ WorkGroup, QueryExecutionContext }).toEqual({
        WorkGroup: 'acme-dev',
        QueryExecutionContext: { Database: 'shop' },
      });
    }
  }
});

test('a lake without tables is done at once', async () => {
  expect(await run(() => undefined, [])).toMatchObject({ outcome: 'succeeded', queries: [] });
});

test('a statement is run again as long as Athena says that more is left, or the gate committed first', async () => {
  const { outcome, statements } = await run(({ QueryString }, earlier) => {
    if (QueryString.startsWith('OPTIMIZE shop.orders') && earlier < 3)
      throw new QueryFailed('ICEBERG_OPTIMIZE_MORE_RUNS_NEEDED: run again');
    if (QueryString === 'VACUUM shop.orders' && earlier < 1)
      throw new QueryFailed('ICEBERG_VACUUM_MORE_RUNS_NEEDED: run again');
    if (QueryString === 'VACUUM shop.clicks' && earlier < 2)
      throw new QueryFailed('ICEBERG_COMMIT_ERROR: Failed to commit');
  });
  expect(outcome).toBe('succeeded');
  const times = (start: string) => statements.filter((statement) => statement.startsWith(start)).length;
  expect([times('OPTIMIZE shop.orders'), times('VACUUM shop.orders'), times('VACUUM shop.clicks')]).toEqual([4, 2, 3]);
});

test('but not for ever', async () => {
  const { outcome, statements } = await run(({ QueryString }) => {
    if (QueryString === 'VACUUM shop.orders') throw new QueryFailed('ICEBERG_VACUUM_MORE_RUNS_NEEDED: run again');
  });
  expect(outcome).not.toBe('succeeded');
  expect(statements.filter((statement) => statement === 'VACUUM shop.orders')).toHaveLength(10);
});

test('a table that fails is told, holds back no other, and fails the execution at its end', async () => {
  const { outcome, told, statements } = await run(({ QueryString }) => {
    if (QueryString.startsWith('OPTIMIZE shop.orders')) throw new QueryFailed('TABLE_NOT_FOUND: no table orders');
  });
  expect(outcome).toMatch(/TablesFailed|OPTIMIZE or VACUUM failed/);
  expect(told).toEqual([
    {
      Entries: [
        {
          EventBusName: 'acme-dev',
          Source: 'lakegate',
          DetailType: UPKEEP_FAILED,
          Detail: {
            event: UPKEEP_FAILED,
            at: '2026-11-12T02:17:00Z',
            table: 'shop.orders',
            error: 'States.TaskFailed',
            cause: expect.stringContaining('TABLE_NOT_FOUND'),
          },
        },
      ],
    },
  ]);
  expect(statements).not.toContain('VACUUM shop.orders');
  expect(statements).toEqual(expect.arrayContaining(['VACUUM shop.clicks', 'VACUUM shop.visits']));
});
