/** What the state machine's definition refers to. */
export interface UpkeepParts {
  /** ARN of the maintenance function, which lists the tables with their statements. */
  planner: string;
  /** Athena workgroup. */
  workgroup: string;
  /** Event bus that hears of failures. */
  bus: string;
  /** Tables worked on at the same time. */
  concurrency: number;
}

/** Athena works on a table in pieces and says so by an error when another piece is left; this many are asked for in one go. */
const ROUNDS = 10;

/** Both are said by the query's error text. @see https://docs.aws.amazon.com/athena/latest/ug/querying-iceberg-data-optimization.html */
const MORE_RUNS = '*MORE_RUNS_NEEDED*';

/** A commit of the gate came first: the next round sees it. */
const COMMIT_LOST = '*ICEBERG_COMMIT_ERROR*';

/** Name of the event that tells of a table whose upkeep failed; it goes to the archive, while the state machine's alarm tells people. */
export const UPKEEP_FAILED = 'table.upkeep_failed';

/** Calls that AWS refuses for a moment. Query errors are none of these. */
const RETRY = (errors: readonly string[]) => [
  {
    ErrorEquals: errors,
    IntervalSeconds: 2,
    BackoffRate: 2,
    MaxAttempts: 6,
    MaxDelaySeconds: 60,
    JitterStrategy: 'FULL',
  },
];

const RETRY_LAMBDA = RETRY([
  'Lambda.ServiceException',
  'Lambda.AWSLambdaException',
  'Lambda.SdkClientException',
  'Lambda.TooManyRequestsException',
]);

const RETRY_ATHENA = RETRY([
  'Athena.TooManyRequestsException',
  'Athena.InternalServerException',
  'Athena.AmazonAthenaException',
]);

/**
 * The state machine that keeps Glue tables fast, in Amazon States Language with JSONPath: asks the maintenance function for the tables, and for
 * each runs OPTIMIZE, then VACUUM, as often as Athena asks to go on. A table that fails is told to the bus and holds back no other; the
 * execution fails at the end, when all have had their turn.
 */
export function upkeepDefinition({ planner, workgroup, bus, concurrency }: UpkeepParts): Record<string, unknown> {
  return {
    Comment: 'Compacts the files of Iceberg tables and removes what no snapshot needs',
    StartAt: 'Plan',
    TimeoutSeconds: 6 * 3600,
    States: {
      Plan: {
        Type: 'Task',
        Resource: 'arn:aws:states:::lambda:invoke',
        Parameters: { FunctionName: planner, Payload: { mode: 'plan-optimize' } },
        ResultSelector: { 'tables.$': '$.Payload.tables' },
        Retry: RETRY_LAMBDA,
        Next: 'Tables',
      },
      Tables: {
        Type: 'Map',
        ItemsPath: '$.tables',
        MaxConcurrency: concurrency,
        ItemProcessor: { ProcessorConfig: { Mode: 'INLINE' }, ...oneTable(workgroup, bus) },
        ResultPath: '$.outcomes',
        Next: 'Count',
      },
      Count: {
        Type: 'Pass',
        Parameters: { 'failed.$': "States.ArrayContains($.outcomes, 'failed')" },
        Next: 'AllDone',
      },
      AllDone: {
        Type: 'Choice',
        Choices: [{ Variable: '$.failed', BooleanEquals: true, Next: 'SomeFailed' }],
        Default: 'Done',
      },
      SomeFailed: {
        Type: 'Fail',
        Error: 'TablesFailed',
        Cause: 'OPTIMIZE or VACUUM failed; the events on the bus name the tables',
      },
      Done: { Type: 'Succeed' },
    },
  };
}

function oneTable(workgroup: string, bus: string): Record<string, unknown> {
  return {
    StartAt: 'Begin',
    States: {
      Begin: { Type: 'Pass', Result: { left: ROUNDS }, ResultPath: '$.rounds', Next: 'Optimize' },
      ...statement('Optimize', '$.optimize', workgroup, 'BeginVacuum'),
      BeginVacuum: { Type: 'Pass', Result: { left: ROUNDS }, ResultPath: '$.rounds', Next: 'Vacuum' },
      ...statement('Vacuum', '$.vacuum', workgroup, 'TableDone'),
      TableDone: { Type: 'Pass', Result: 'done', End: true },
      Tell: {
        Type: 'Task',
        Resource: 'arn:aws:states:::events:putEvents',
        Parameters: {
          Entries: [
            {
              EventBusName: bus,
              Source: 'lakegate',
              DetailType: UPKEEP_FAILED,
              Detail: {
                event: UPKEEP_FAILED,
                'at.$': '$$.State.EnteredTime',
                'table.$': "States.Format('{}.{}', $.database, $.table)",
                'error.$': '$.error.Error',
                'cause.$': '$.error.Cause',
              },
            },
          ],
        },
        ResultPath: null,
        Retry: RETRY(['States.ALL']),
        // The execution fails in any case, and its alarm tells a person.
        Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: null, Next: 'TableFailed' }],
        Next: 'TableFailed',
      },
      TableFailed: { Type: 'Pass', Result: 'failed', End: true },
    },
  };
}

/** One statement, run again as long as Athena asks for it and rounds are left. */
function statement(name: string, query: string, workgroup: string, next: string): Record<string, unknown> {
  const left = { Variable: '$.rounds.left', NumericGreaterThan: 1 };
  const says = (words: string) => ({ Variable: '$.error.Cause', StringMatches: words });
  return {
    [name]: {
      Type: 'Task',
      Resource: 'arn:aws:states:::athena:startQueryExecution.sync',
      Parameters: {
        'QueryString.$': query,
        WorkGroup: workgroup,
        QueryExecutionContext: { 'Database.$': '$.database' },
      },
      TimeoutSeconds: 3600,
      ResultPath: null,
      Retry: RETRY_ATHENA,
      Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: `More${name}` }],
      Next: next,
    },
    [`More${name}`]: {
      Type: 'Choice',
      Choices: [{ And: [left, { Or: [says(MORE_RUNS), says(COMMIT_LOST)] }], Next: `Count${name}` }],
      Default: 'Tell',
    },
    [`Count${name}`]: {
      Type: 'Pass',
      Parameters: { 'left.$': 'States.MathAdd($.rounds.left, -1)' },
      ResultPath: '$.rounds',
      Next: name,
    },
  };
}
