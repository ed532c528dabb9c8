/**
 * Partition management on a deployed stage: CDK puts it onto the emulator; objects are put into the raw bucket and their partitions appear in Glue,
 * by the event within seconds, and by the state machine for what no event told of.
 */
import {
  CreateDatabaseCommand,
  CreateTableCommand,
  DeletePartitionCommand,
  GetPartitionsCommand,
  GlueClient,
} from '@aws-sdk/client-glue';
import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { type Deployment, LAKE_YAML_ENDS, startDeployment } from './deployed/deployment.ts';

const LAKE_YAML = `
name: parts
partitions:
  exclude: "*_old_raw"
  tables:
    "*.daily": { layout: "{year}/{month}/{day}" }
    "web_raw.misread": { layout: "{dt}/{nothing}" }
${LAKE_YAML_ENDS}`;

let deployment: Deployment;
let glue: GlueClient;

beforeAll(async () => {
  deployment = await startDeployment({ lakeYaml: LAKE_YAML });
  glue = new GlueClient({});
  for (const Name of ['web_raw', 'app_raw', 'web_old_raw', 'curated'])
    await glue.send(new CreateDatabaseCommand({ DatabaseInput: { Name } }));
});

afterAll(async () => {
  glue?.destroy();
  await deployment?.stop();
});

afterEach(() => deployment?.proxy.heal());

/** @param keys `dt:date` */
async function createTable(database: string, name: string, keys: readonly string[]): Promise<void> {
  const TableInput = {
    Name: name,
    TableType: 'EXTERNAL_TABLE',
    Parameters: { classification: 'parquet' },
    PartitionKeys: keys.map((key) => ({ Name: key.split(':')[0]!, Type: key.split(':')[1] ?? 'string' })),
    StorageDescriptor: {
      Columns: [{ Name: 'id', Type: 'bigint' }],
      Location: `s3://${deployment.stage.buckets.raw.name}/${database}/${name}/`,
      InputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
      OutputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat',
      SerdeInfo: {
        SerializationLibrary: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe',
        Parameters: { 'serialization.format': '1' },
      },
    },
  };
  await glue.send(new CreateTableCommand({ DatabaseName: database, TableInput }));
}

/** Values and places of a table's partitions, sorted. */
async function partitionsOf(database: string, table: string): Promise<string[]> {
  const { Partitions = [] } = await glue.send(new GetPartitionsCommand({ DatabaseName: database, TableName: table }));
  const bucket = `s3://${deployment.stage.buckets.raw.name}/${database}/${table}/`;
  return Partitions.map(
    ({ Values = [], StorageDescriptor }) => `${Values.join(',')} ${StorageDescriptor?.Location?.replace(bucket, '')}`,
  ).sort();
}

async function put(key: string): Promise<void> {
  await deployment.drop(key, new TextEncoder().encode('PAR1'));
}

/** Waits until what is asked for is there; what is there instead is said when it takes too long. */
async function eventually<T>(look: () => Promise<T> | T, isThere: (found: T) => boolean): Promise<T> {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const found = await look();
    if (isThere(found)) return found;
    if (Date.now() > deadline) {
      const log = deployment.emulator.log().slice(-6000);
      throw new Error(`not there after a minute, but: ${JSON.stringify(found)}\nThe emulator's log:\n${log}`);
    }
    await new Promise((done) => setTimeout(done, 200));
  }
}

/** Starts a run as a schedule does, and waits for its end. */
async function run(input: object): Promise<{ status: string | undefined; output: string | undefined }> {
  const sfn = new SFNClient({});
  const stateMachineArn = 'arn:aws:states:us-east-1:000000000000:stateMachine:parts-dev-partition-runs';
  const { executionArn } = await sfn.send(new StartExecutionCommand({ stateMachineArn, input: JSON.stringify(input) }));
  const { status, output } = await eventually(
    () => sfn.send(new DescribeExecutionCommand({ executionArn })),
    (execution) => execution.status !== 'RUNNING',
  );
  return { status, output };
}

function toldOf(text: string): number {
  return deployment.slack.messages.filter((message) => JSON.stringify(message).includes(text)).length;
}

test('an object that is put becomes a partition seconds later, whatever its layout', async () => {
  await createTable('web_raw', 'clicks', ['dt:date', 'country']);
  await createTable('web_raw', 'daily', ['year:int', 'month:int', 'day:int']);
  await createTable('web_old_raw', 'clicks', ['dt:date']);
  await put('web_old_raw/clicks/dt=2026-11-20/a.parquet');
  await put('web_raw/clicks/dt=2026-11-20/country=de/a.parquet');
  await put('web_raw/clicks/dt=2026-11-20/country=de/b.parquet');
  await put('web_raw/clicks/dt=2026-11-21/country=a%2Fb/_temporary/0/part.parquet');
  await put('web_raw/clicks/dt=2026-11-21/country=a%2Fb/a b+c.parquet');
  await put('web_raw/daily/2026/11/21/a.parquet');
  const found = await eventually(
    async () => [...(await partitionsOf('web_raw', 'clicks')), ...(await partitionsOf('web_raw', 'daily'))],
    (partitions) => partitions.length === 3,
  );
  expect(found).toEqual([
    '2026-11-20,de dt=2026-11-20/country=de/',
    '2026-11-21,a/b dt=2026-11-21/country=a%2Fb/',
    '2026,11,21 2026/11/21/',
  ]);
  // What is excluded, and what lies under no table, is said in the metrics, and holds nothing up.
  await put('nobody/here/a.parquet');
  await eventually(
    () => deployment.metric('partition-events', 'ObjectsUnmatched'),
    (unmatched) => unmatched >= 2,
  );
  expect(await partitionsOf('web_old_raw', 'clicks')).toEqual([]);
  expect(await deployment.waiting('partition-events-dead')).toBe(0);
  await eventually(
    () => deployment.metric('partition-events', 'PartitionsCreated'),
    (created) => created === 3,
  );
});

test('a run registers what no event told of, in all databases; one table that fails stops no other, and people hear why', async () => {
  for (const day of [18, 19, 20]) {
    await put(`app_raw/late/dt=2026-11-${day}/a.parquet`);
    await put(`web_raw/misread/dt=2026-11-${day}/a.parquet`);
  }
  // Their tables are made only now.
  await createTable('app_raw', 'late', ['dt:date']);
  await createTable('web_raw', 'misread', ['dt:date']);
  const { status, output } = await run({ sync: 'full' });
  expect(status).toBe('SUCCEEDED');
  expect(JSON.parse(output!)).toEqual({
    summary: expect.objectContaining({
      sync: 'full',
      databases: 2,
      failed: [],
      created: 3,
      failedTables: 1,
      tables: 4,
    }),
  });
  expect(await partitionsOf('app_raw', 'late')).toEqual([18, 19, 20].map((day) => `2026-11-${day} dt=2026-11-${day}/`));
  expect(await partitionsOf('web_raw', 'misread')).toEqual([]);
  await eventually(
    () => toldOf('web_raw.misread'),
    (told) => told > 0,
  );
  expect(toldOf('nothing')).toBeGreaterThan(0);
});

test('a second run has nothing to do; a reconciling one finds what somebody took out of the catalogue', async () => {
  const PartitionValues = ['2026-11-19'];
  await glue.send(new DeletePartitionCommand({ DatabaseName: 'app_raw', TableName: 'late', PartitionValues }));
  const again = await run({});
  expect(JSON.parse(again.output!).summary).toMatchObject({ sync: 'incremental', created: 0 });
  const reconciled = await run({ sync: 'reconcile', databases: ['app_raw'] });
  expect(JSON.parse(reconciled.output!).summary).toMatchObject({ databases: 1, created: 1 });
  expect(await partitionsOf('app_raw', 'late')).toHaveLength(3);
});

test('a database that cannot be looked at fails the run at its end, is named, and people hear of it', async () => {
  await createTable('app_raw', 'more', ['dt:date']);
  await put('app_raw/more/dt=2026-11-20/a.parquet');
  deployment.proxy.inject({
    match: ({ operation, target }) => operation === 's3:GetObject' && target.includes('/partitions/state/web_raw'),
    fault: { kind: 'refuse', status: 403, code: 'AccessDenied' },
  });
  const { status } = await run({ sync: 'full' });
  expect(status).toBe('FAILED');
  expect(await partitionsOf('app_raw', 'more')).toEqual(['2026-11-20 dt=2026-11-20/']);
  await eventually(
    () => toldOf('web_raw: partitions could not be brought up to date'),
    (told) => told > 0,
  );
});
