/**
 * The pipelines on a deployed stage: CDK puts them onto the emulator, a snapshot and its marker are put into the raw bucket, and everything else happens
 * by itself: S3, EventBridge, the state machines, the function, Glue, the bus, notify, Slack. The emulator runs neither Glue's jobs nor Athena's
 * statements from a state machine: the tables that are copied are made, and the others are what one that fails looks like.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateDatabaseCommand, GetPartitionsCommand, GetTablesCommand, GlueClient } from '@aws-sdk/client-glue';
import { GetObjectCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3';
import {
  DescribeExecutionCommand,
  type DescribeExecutionOutput,
  ListExecutionsCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { parquetReadObjects } from 'hyparquet';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { createS3Client } from '../../src/storage/s3-client.ts';
import { type Deployment, LAKE_YAML_ENDS, startDeployment } from './deployed/deployment.ts';

const MAP = `OMC_FLYWHEEL_TABLE,OMC_FLYWHEEL_COLUMN,Description
HOME,size,"Adults, and children"
HOME,owner,Owner
TASTE,travel,Travels
`;

const folder = mkdtempSync(join(tmpdir(), 'lakegate-map-'));
writeFileSync(join(folder, 'map.csv'), MAP);

const LAKE_YAML = `
name: wide
pipelines:
  sources:
    consumer: { path: consumer/, map: ${join(folder, 'map.csv')}, marker: _SUCCESS }
  partitioned: { database: consumer }
  bucketed: { database: consumer, bucketing: ctas }
  start: { on_marker: true }
${LAKE_YAML_ENDS}`;

let deployment: Deployment;
let glue: GlueClient;
let machines: SFNClient;
let s3: S3Client;

beforeAll(async () => {
  deployment = await startDeployment({ lakeYaml: LAKE_YAML });
  glue = new GlueClient({});
  machines = new SFNClient({});
  s3 = createS3Client();
  await glue.send(new CreateDatabaseCommand({ DatabaseInput: { Name: 'consumer' } }));
});

afterAll(async () => {
  for (const client of [glue, machines, s3]) client?.destroy();
  await deployment?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const arnOf = (machine: string) => `arn:aws:states:us-east-1:000000000000:stateMachine:wide-dev-tables-${machine}`;

/** Puts a snapshot of rows with these keys, and then its marker, which is all that a producer does. */
async function arrive(date: string, keys: readonly string[]): Promise<void> {
  const column = (name: string) => ({ name, data: keys.map((key) => `${name} ${key}`), type: 'STRING' as const });
  const columnData = [
    { name: 'Customer_User_id', data: [...keys], type: 'STRING' as const },
    ...['Size', 'Owner', 'Travel'].map(column),
  ];
  const bytes = new Uint8Array(parquetWriteBuffer({ columnData }));
  await deployment.drop(`consumer/snapshot_dt=${date}/part-0.parquet`, bytes);
  await deployment.drop(`consumer/snapshot_dt=${date}/_SUCCESS`, new Uint8Array());
}

/** Waits until what is asked for is there. */
async function eventually<T>(what: string, look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (const deadline = Date.now() + 120_000; ; await new Promise((done) => setTimeout(done, 300))) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > deadline)
      throw new Error(`no ${what}. The emulator's log:\n${deployment.emulator.log().slice(-6000)}`);
  }
}

const ended = (executionArn: string): Promise<DescribeExecutionOutput> =>
  eventually(`end of ${executionArn}`, async () => {
    const found = await machines.send(new DescribeExecutionCommand({ executionArn }));
    return found.status === 'RUNNING' ? undefined : found;
  });

/** The end of the execution that a snapshot's marker started. */
async function startedBy(date: string, machine: string): Promise<DescribeExecutionOutput> {
  const arn = await eventually(`execution of ${machine} for ${date}`, async () => {
    const { executions = [] } = await machines.send(new ListExecutionsCommand({ stateMachineArn: arnOf(machine) }));
    for (const { executionArn } of executions) {
      const { input } = await machines.send(new DescribeExecutionCommand({ executionArn: executionArn! }));
      if (input?.includes(`snapshot_dt=${date}/_SUCCESS`)) return executionArn!;
    }
    return undefined;
  });
  return ended(arn);
}

/** Rows of a table's snapshot, as its files in the lake bucket have them. */
async function rowsOf(table: string, date: string): Promise<object[]> {
  const Bucket = deployment.stage.buckets.lake.name;
  const Prefix = `tables/partitioned/consumer/${table}/snapshot_dt=${date}/`;
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix }));
  const files = await Promise.all(
    Contents.map(async ({ Key }) => {
      const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: Key! }));
      const { buffer } = Uint8Array.from(await Body!.transformToByteArray());
      return parquetReadObjects({ file: buffer });
    }),
  );
  return files.flat();
}

async function partitionsOf(TableName: string): Promise<string[]> {
  const { Partitions = [] } = await glue.send(new GetPartitionsCommand({ DatabaseName: 'consumer', TableName }));
  return Partitions.flatMap(({ Values = [] }) => Values);
}

const told = (text: string) =>
  eventually(`message of ${text}`, () =>
    deployment.slack.messages.map((message) => JSON.stringify(message)).find((message) => message.includes(text)),
  );

test('the marker of a snapshot starts both pipelines; one that fails holds the other back by nothing, and people hear of it', async () => {
  await arrive('2026-11-01', ['a', 'b', 'c']);
  const [partitioned, bucketed, both] = await Promise.all(
    ['partitioned', 'bucketed', 'run-all'].map((machine) => startedBy('2026-11-01', machine)),
  );
  expect(JSON.parse(partitioned!.output!)).toEqual({
    summary: { pipeline: 'partitioned', tables: 2, skipped: 0, failed: [], reports: [] },
  });
  expect(await rowsOf('HOME', '2026-11-01')).toEqual(
    ['a', 'b', 'c'].map((key) => ({ customer_user_id: key, size: `Size ${key}`, owner: `Owner ${key}` })),
  );
  const { TableList = [] } = await glue.send(new GetTablesCommand({ DatabaseName: 'consumer' }));
  const registered = TableList.map(({ Name, StorageDescriptor }) => [
    Name,
    ...(StorageDescriptor?.Columns ?? []).map((column) => column.Name),
  ]);
  expect(registered).toEqual(
    expect.arrayContaining([
      ['part_home', 'customer_user_id', 'size', 'owner'],
      ['part_taste', 'customer_user_id', 'travel'],
    ]),
  );
  expect(await partitionsOf('part_home')).toEqual(['2026-11-01']);

  expect([bucketed!.status, bucketed!.error]).toEqual(['FAILED', 'TablesFailed']);
  expect(bucketed!.cause).toMatch(/^2 failed, .*"job":"bucket","source":"consumer","table":"(HOME|TASTE)","reason":"/);
  expect([both!.status, both!.error, both!.cause]).toEqual([
    'FAILED',
    'PipelinesFailed',
    'Failed: bucketed. Their own executions say why',
  ]);
  const message = await told('Pipeline bucketed: 2 tables failed');
  expect(message).toContain('bucket consumer/HOME');
  expect(message).toContain('bucket consumer/TASTE');
});

test('a snapshot that was taken is not taken again', async () => {
  const stateMachineArn = arnOf('partitioned');
  const { executionArn } = await machines.send(new StartExecutionCommand({ stateMachineArn, input: '{}' }));
  const { output } = await ended(executionArn!);
  expect(JSON.parse(output!)).toMatchObject({ summary: { tables: 0, skipped: 1, failed: [] } });
});

test('a snapshot whose keys come twice is split into nothing, and readers have the one before', async () => {
  await arrive('2026-12-01', ['a', 'b', 'b']);
  const { status, cause } = await startedBy('2026-12-01', 'partitioned');
  expect(status).toBe('FAILED');
  expect(cause).toMatch(/"job":"audit","source":"consumer"/);
  expect(await partitionsOf('part_home')).toEqual(['2026-11-01']);
  expect(await rowsOf('HOME', '2026-12-01')).toEqual([]);
  await told('audit consumer');
  await startedBy('2026-12-01', 'run-all');
});

test('a bad input is refused before anything is begun', async () => {
  const input = JSON.stringify({ snapshot: 'lately', tabels: ['HOME'] });
  const { executionArn } = await machines.send(
    new StartExecutionCommand({ stateMachineArn: arnOf('partitioned'), input }),
  );
  const { status, error, cause } = await ended(executionArn!);
  expect([status, error]).toEqual(['FAILED', 'RunInvalid']);
  expect(cause).toContain('tabels: there is no such input');
  expect(cause).toContain('snapshot: expected YYYY-MM-DD');
  await told('Pipeline partitioned: validate failed');
});
