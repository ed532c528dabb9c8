/**
 * The functions as they are deployed, bundled, each in a process of its own, against S3, Glue, EventBridge and SQS of an emulator: what the
 * bundles leave out is not missed, and an event finds its way to Slack.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import {
  CreateEventBusCommand,
  EventBridgeClient,
  PutRuleCommand,
  PutTargetsCommand,
} from '@aws-sdk/client-eventbridge';
import { CreateDatabaseCommand, GetTableCommand, GlueClient } from '@aws-sdk/client-glue';
import {
  CreateBucketCommand,
  ListObjectsV2Command,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { bundleLambda, type LambdaName } from '../../scripts/build-lambdas.ts';
import { batch, created } from '../events/samples.ts';
import { orders, parquet } from '../faults/lake.ts';
import { type Chat, chatServer } from '../lambdas/slack-server.ts';
import { stageConfig } from '../lambdas/stage.ts';
import { type Emulator, startMiniStack } from './emulators/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'lakegate-functions-'));
const node = resolve(__dirname, '..', '..', 'node_modules', '.bin', 'node');
const warehouse = 's3://lake-bucket/warehouse/';
let aws: Emulator;
let slack: Chat;
let queue: string;

beforeAll(async () => {
  [aws, slack] = await Promise.all([startMiniStack(), chatServer()]);
  const options = clientOptions(aws);
  const s3 = new S3Client({ ...options, forcePathStyle: true });
  for (const Bucket of ['raw-bucket', 'lake-bucket']) await s3.send(new CreateBucketCommand({ Bucket }));
  await s3.send(
    new PutBucketVersioningCommand({ Bucket: 'raw-bucket', VersioningConfiguration: { Status: 'Enabled' } }),
  );
  await new GlueClient(options).send(new CreateDatabaseCommand({ DatabaseInput: { Name: 'shop' } }));
  const { QueueUrl } = await new SQSClient(options).send(new CreateQueueCommand({ QueueName: 'lake-dev-notify' }));
  queue = QueueUrl!;
  const events = new EventBridgeClient(options);
  await events.send(new CreateEventBusCommand({ Name: 'lake-dev' }));
  const rule = { Name: 'notify', EventBusName: 'lake-dev' };
  await events.send(new PutRuleCommand({ ...rule, EventPattern: JSON.stringify({ source: ['lakegate'] }) }));
  const target = { Id: 'queue', Arn: 'arn:aws:sqs:us-east-1:000000000000:lake-dev-notify' };
  await events.send(new PutTargetsCommand({ Rule: 'notify', EventBusName: 'lake-dev', Targets: [target] }));
  const config = {
    ...stageConfig(folder),
    defaultCatalog: 'glue',
    catalogs: { glue: { type: 'glue', warehouse, region: 'us-east-1' } as const },
    notify: { slack: { channel: '#data', tokenEnv: 'SLACK_TOKEN' }, suppressMs: 0 },
  };
  config.stage.region = 'us-east-1';
  for (const name of ['wap-audit', 'notify', 'maintenance'] as const)
    await bundleLambda(name, join(folder, name), config);
});

afterAll(async () => {
  await Promise.all([aws?.stop(), slack?.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

function clientOptions({ endpoint }: Emulator) {
  return { endpoint, region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };
}

/** Runs a function in a process of its own, as Lambda does: credentials in the environment, nothing else. */
async function invoke(name: LambdaName, event: unknown): Promise<{ answer: unknown; log: string }> {
  const script = join(folder, name, 'invoke.mjs');
  writeFileSync(
    script,
    `const { handler } = await import('./handler.mjs');
     const context = { awsRequestId: 'r', functionName: ${JSON.stringify(name)}, getRemainingTimeInMillis: () => 120000 };
     const answer = await handler(${JSON.stringify(event)}, context);
     console.log('\\nANSWER ' + JSON.stringify(answer));
     process.exit();`,
  );
  const env = {
    PATH: process.env.PATH,
    ...aws.env,
    AWS_REGION: 'us-east-1',
    POWERTOOLS_SERVICE_NAME: name,
    SLACK_TOKEN: 'xoxb-token',
    SLACK_API_URL: `${slack.url}/api/`,
  };
  const { stdout } = await promisify(execFile)(node, [script], { env, maxBuffer: 16 * 1024 * 1024 });
  return { answer: JSON.parse(/^ANSWER (.*)$/m.exec(stdout)![1]!), log: stdout };
}

/** Puts a drop. @returns EventBridge's event of it, with its version as AWS has it */
async function put(key: string, body: Uint8Array) {
  const s3 = new S3Client({ ...clientOptions(aws), forcePathStyle: true });
  const { ETag, VersionId } = await s3.send(new PutObjectCommand({ Bucket: 'raw-bucket', Key: key, Body: body }));
  return created({ key, size: body.length, etag: ETag!.replaceAll('"', ''), ...(VersionId && { version: VersionId }) });
}

async function fromQueue(count: number): Promise<string[]> {
  const sqs = new SQSClient(clientOptions(aws));
  const bodies: string[] = [];
  for (let tries = 0; bodies.length < count && tries < 10; tries += 1) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl: queue, MaxNumberOfMessages: 10, WaitTimeSeconds: 1 }),
    );
    bodies.push(...Messages.map(({ Body }) => Body!));
  }
  return bodies;
}

test('drops are published or kept aside in Glue, the bus hears of both, and Slack of the bad one', async () => {
  const events = [
    await put('orders/clean ä+%20.parquet', parquet(orders(0, 3))),
    await put('orders/nulls.parquet', parquet(orders(10, 3, [1]))),
    await put('elsewhere/x.csv', new TextEncoder().encode('a\n1\n')),
  ];
  const { answer, log } = await invoke('wap-audit', batch([...events, events[0]!]));
  expect(answer).toEqual({ batchItemFailures: [] });
  expect(log).toContain('"DeliveriesPublished":1');
  const glue = new GlueClient(clientOptions(aws));
  const { Table } = await glue.send(new GetTableCommand({ DatabaseName: 'shop', Name: 'orders' }));
  expect(Table?.Parameters?.metadata_location).toMatch(/^s3:\/\/lake-bucket\/warehouse\//);

  const bodies = await fromQueue(3);
  const names = bodies.map((body) => (JSON.parse(body) as { 'detail-type': string })['detail-type']);
  expect(names.sort()).toEqual(['delivery.published', 'delivery.rejected', 'drop.unrouted']);
  expect((await invoke('notify', batch(bodies))).answer).toEqual({ batchItemFailures: [] });
  expect(slack.messages.map(({ text }) => /1 delivery rejected|no table claims/.exec(text)?.[0]).sort()).toEqual([
    '1 delivery rejected',
    'no table claims',
  ]);
  expect((await invoke('notify', batch(bodies))).answer).toEqual({ batchItemFailures: [] });
  expect(slack.messages).toHaveLength(2);
});

test('maintenance finds nothing amiss, and plans for Athena', async () => {
  const { answer } = await invoke('maintenance', { mode: 'all' });
  expect(answer).toMatchObject({
    resumed: {},
    reconciled: { listed: 3, complete: true },
    expired: { tables: 1, failed: [] },
  });
  const { answer: plan } = await invoke('maintenance', { mode: 'plan-optimize' });
  expect(plan).toMatchObject({ tables: [{ database: 'shop', table: 'orders', vacuum: 'VACUUM shop.orders' }] });
  const s3 = new S3Client({ ...clientOptions(aws), forcePathStyle: true });
  const { Contents = [] } = await s3.send(
    new ListObjectsV2Command({ Bucket: 'lake-bucket', Prefix: 'lakegate/maintenance/' }),
  );
  expect(Contents.map(({ Key }) => Key)).toEqual([
    'lakegate/maintenance/expired.json',
    'lakegate/maintenance/reconciled.json',
    'lakegate/maintenance/resumed.json',
  ]);
});
