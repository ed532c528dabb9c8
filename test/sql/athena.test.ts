/** Athena as a rule's engine, through the real client against a stand-in of its protocol. There is no truth of Athena itself here. */
import { AthenaClient } from '@aws-sdk/client-athena';
import type { SqlEngine, StagedRows } from '../../src/rules/rule.ts';
import { createAthenaSql } from '../../src/sql/athena.ts';
import { LONGEST_QUERY_BYTES, violationQueries } from '../../src/sql/athena-query.ts';
import { type AthenaServer, startAthenaServer } from './athena-server.ts';

const STAGED: StagedRows = { namespace: ['shop'], name: 'orders', snapshotId: 9_007_199_254_740_993n };
const FILES = ["s3://lake/shop/orders/data/it's.parquet", 's3://lake/shop/orders/data/b.parquet'];

let server: AthenaServer;
let client: AthenaClient;
let slept: number[];
beforeEach(async () => {
  server = await startAthenaServer();
  slept = [];
  client = new AthenaClient({
    endpoint: server.endpoint,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'x', secretAccessKey: 'y' },
    maxAttempts: 1,
  });
});
afterEach(async () => {
  client.destroy();
  await server.close();
});

function engine(timeoutMs = 60_000): SqlEngine {
  let clock = 0;
  return createAthenaSql({
    client,
    workgroup: 'lakegate-dev',
    timeoutMs,
    now: () => clock,
    sleep: async (ms) => {
      slept.push(ms);
      clock += ms;
    },
  });
}

const violations = (query = 'SELECT id FROM delivery WHERE total < 0', timeoutMs?: number) =>
  engine(timeoutMs).violations(query, FILES, 2, STAGED);

test('no violation costs one query over just the delivery, as staged', async () => {
  server.script.push({ polls: 3, columns: ['_col0'], rows: [['0']] });
  expect(await violations()).toEqual({ count: 0, sample: [] });
  expect(server.started).toEqual([
    expect.objectContaining({
      QueryString: [
        `WITH delivery AS (SELECT * FROM "shop"."orders" FOR VERSION AS OF 9007199254740993 WHERE "$path" IN ('s3://lake/shop/orders/data/it''s.parquet', 's3://lake/shop/orders/data/b.parquet')),`,
        'violations AS (',
        'SELECT id FROM delivery WHERE total < 0',
        ')',
        'SELECT count(*) FROM violations',
      ].join('\n'),
      QueryExecutionContext: { Catalog: 'AwsDataCatalog', Database: 'shop' },
      WorkGroup: 'lakegate-dev',
    }),
  ]);
  expect(slept).toEqual([200, 300, 450]);
  expect(server.stopped).toEqual([]);
});

test('violations are counted, and a few are shown', async () => {
  server.script.push({ columns: ['_col0'], rows: [['12']] });
  const long = 'x'.repeat(500);
  server.script.push({
    columns: ['id', 'name'],
    rows: [
      ['1', null],
      ['2', long],
      ['3', 'c'],
    ],
  });
  const { count, sample } = await violations();
  expect(count).toBe(12);
  expect(sample).toHaveLength(2);
  expect(sample[0]).toBe('id=1, name=null');
  expect(sample[1]).toHaveLength(200);
  expect(server.started[1]!.QueryString).toMatch(/\nSELECT \* FROM violations LIMIT 2$/);
});

test.each([
  [{ state: 'FAILED' as const, reason: "SYNTAX_ERROR: line 3:8: Column 'nope' cannot be resolved" }, 'invalid'],
  [{ state: 'FAILED' as const, reason: 'DIVISION_BY_ZERO: / by zero' }, 'invalid'],
  [
    {
      state: 'FAILED' as const,
      reason: 'INVALID_CAST_ARGUMENT: Cannot cast',
      error: { ErrorCategory: 2, ErrorMessage: 'Cannot cast' },
    },
    'invalid',
  ],
  [
    { refuse: { type: 'InvalidRequestException', message: "line 1:5: mismatched input 'x'", code: 'MALFORMED_QUERY' } },
    'invalid',
  ],
  [{ state: 'FAILED' as const, reason: 'HIVE_S3_ERROR: Access Denied' }, 'unavailable'],
  [{ state: 'FAILED' as const, reason: 'TABLE_NOT_FOUND: line 1:1: Table does not exist' }, 'unavailable'],
  [
    {
      state: 'FAILED' as const,
      error: { ErrorCategory: 1, Retryable: true, ErrorMessage: 'Query exhausted resources' },
    },
    'unavailable',
  ],
  [{ refuse: { type: 'TooManyRequestsException', message: 'Rate exceeded' } }, 'unavailable'],
  [{ refuse: { type: 'InternalServerException', message: 'oops', status: 500 } }, 'unavailable'],
])('the fault is the query’s, or not: %p is %s', async (scripted, kind) => {
  server.script.push(scripted);
  await expect(violations()).rejects.toMatchObject({ kind });
});

test('what a person has to mend is not tried again', async () => {
  server.script.push({ refuse: { type: 'InvalidRequestException', message: 'WorkGroup is not found.' } });
  await expect(violations()).rejects.toMatchObject({
    kind: 'unavailable',
    retryable: false,
    message: expect.stringMatching(/WorkGroup is not found\. Check the workgroup/),
  });
  server.script.push({ state: 'CANCELLED', reason: 'Bytes scanned limit was exceeded' });
  await expect(violations()).rejects.toMatchObject({ kind: 'unavailable', retryable: false });
});

test('a query that does not end in time is stopped', async () => {
  server.script.push({ polls: 1000 });
  await expect(violations(undefined, 10_000)).rejects.toMatchObject({
    kind: 'unavailable',
    message: expect.stringContaining('stopped after 10 s'),
  });
  expect(server.stopped).toEqual(['0']);
  expect(Math.max(...slept)).toBe(2000);
});

test('a file that is in no table is not for Athena', async () => {
  await expect(engine().violations('SELECT 1', FILES, 2)).rejects.toMatchObject({ kind: 'unsupported' });
  expect(server.started).toEqual([]);
});

const made = (query: string, files: readonly string[] = FILES) => violationQueries(query, files, 5, STAGED);

test.each([
  'SELECT 1;',
  'SELECT 1; -- the end',
  'SELECT \')\' AS ";" -- )',
  'WITH a AS (SELECT * FROM delivery) SELECT * FROM a',
  '(SELECT 1)',
  '/* why; */ SELECT 1',
  "SELECT 'it''s;'",
  'VALUES (1)',
])('takes a query as people write it: %s', (query) => {
  const { count } = made(query);
  expect(count).toMatch(/\n\)\nSELECT count\(\*\) FROM violations$/);
  // A line comment must not take the parenthesis with it, nor a semicolon end the statement.
  expect(count.replace(/'[^']*'|"[^"]*"|--[^\n]*|\/\*.*?\*\//g, '')).not.toContain(';');
});

test.each([
  '',
  '-- nothing',
  'DROP TABLE orders',
  'INSERT INTO orders SELECT 1',
  'SELECT 1; SELECT 2',
  'SELECT 1) SELECT 1 FROM (SELECT 1',
  'SELECT (1',
  "SELECT 'open",
  'SELECT "open',
  'SELECT 1 /* open',
  'SELECT 1;;',
])('refuses what is no single SELECT: %s', (query) => {
  expect(() => made(query)).toThrow(expect.objectContaining({ kind: 'invalid' }));
});

test('names with quotes in them stay names', () => {
  const staged = { namespace: ['sh"op'], name: 'or"ders', snapshotId: 1n };
  expect(violationQueries('SELECT 1', FILES, 5, staged).count).toContain(
    'FROM "sh""op"."or""ders" FOR VERSION AS OF 1 ',
  );
});

test('very many files are named by what tells them apart; too many are refused', () => {
  const files = (n: number) =>
    Array.from({ length: n }, (_, i) => `s3://lake/warehouse/shop/orders/data/${'p'.repeat(80)}/é-${i}.parquet`);
  const { count } = made('SELECT 1', files(3000));
  expect(Buffer.byteLength(count)).toBeLessThan(LONGEST_QUERY_BYTES);
  const shared = `s3://lake/warehouse/shop/orders/data/${'p'.repeat(80)}/é-`;
  expect(count).toContain(
    `starts_with("$path", '${shared}') AND substr("$path", ${shared.length + 1}) IN ('0.parquet', '1.parquet'`,
  );
  expect(() => made('SELECT 1', files(30_000))).toThrow(expect.objectContaining({ kind: 'unsupported' }));
});
