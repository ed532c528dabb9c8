/**
 * The whole way on a deployed stage: the plain `npx cdk bootstrap` and `npx cdk deploy --all` put it onto the emulator, files are put into the raw
 * bucket, and everything else happens by itself: S3, EventBridge, SQS, the gate, Glue, the bus, notify, Slack. PyIceberg reads the tables.
 */
import { GetQueueUrlCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { parquetWriteBuffer } from 'hyparquet-writer';
import type { DeliveryRecord } from '../../src/gate/delivery.ts';
import { type Deployment, LAKE_YAML_ENDS, startDeployment } from './deployed/deployment.ts';
import { type Engine, startEngines } from './engine.ts';
import type { AwsRequest } from './servers/operation.ts';

const TABLES = ['orders', 'keys', 'many', 'repeated', 'throttled', 'lost', 'waiting', 'told'];

const LAKE_YAML = `
name: e2e
tables:
${TABLES.map(
  (name) => `  sales.${name}:
    from: ${name}/
    columns: { id: long, amount: double }
    rules: [{ not_null: [id] }]
`,
).join('')}${LAKE_YAML_ENDS}`;

/** What is added to lake.yaml where the buckets of an earlier deployment are to be used. */
const EXISTING_BUCKETS = `buckets:
${['raw', 'lake', 'results']
  .map((purpose) => `      ${purpose}: { name: e2e-dev-${purpose}-000000000000-us-east-1, existing: true }`)
  .join('\n')}`;

let deployment: Deployment;
let engines: Engine;

beforeAll(async () => {
  engines = startEngines();
  deployment = await startDeployment({ lakeYaml: LAKE_YAML });
  // The patience of a queue is right for a stage, but not for a test: what failed comes again soon, and its last attempt after a lease is over.
  await deployment.retryAfter('gate', 8);
  await deployment.retryAfter('notify', 8);
});

afterAll(async () => {
  await engines?.close();
  await deployment?.stop();
});

afterEach(() => deployment?.proxy.heal());

function parquet(ids: readonly (number | null)[]): Uint8Array {
  const data = ids.map((id) => (id === null ? null : BigInt(id)));
  const columnData = [
    { name: 'id', data, type: 'INT64' as const, nullable: true },
    { name: 'amount', data: ids.map((id) => (id ?? 0) / 2), type: 'DOUBLE' as const, nullable: true },
  ];
  return new Uint8Array(parquetWriteBuffer({ columnData }));
}

const CORRUPT = new TextEncoder().encode('PAR1 this is no Parquet file PAR1');

/** Waits until what is asked for is there; what is there instead is said when it takes too long. */
async function eventually<T>(
  look: () => Promise<T> | T,
  isThere: (found: T) => boolean,
  withinMs = 120_000,
): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const found = await look();
    if (isThere(found)) return found;
    if (Date.now() > deadline) {
      const log = deployment.emulator.log().slice(-6000);
      throw new Error(`not there after ${withinMs} ms, but: ${JSON.stringify(found)}\nThe emulator's log:\n${log}`);
    }
    await new Promise((done) => setTimeout(done, 250));
  }
}

const ENDED = new Set(['published', 'rejected', 'errored']);

/** The deliveries under a prefix, once so many have ended. */
async function ended(prefix: string, count: number): Promise<DeliveryRecord[]> {
  const areThere = (records: DeliveryRecord[]) => records.filter(({ state }) => ENDED.has(state)).length >= count;
  return eventually(() => underPrefix(prefix), areThere);
}

async function underPrefix(prefix: string): Promise<DeliveryRecord[]> {
  const under = `s3://${deployment.stage.buckets.raw.name}/${prefix}/`;
  return (await deployment.records()).filter(({ drop }) => drop.url.startsWith(under));
}

function statesOf(records: readonly DeliveryRecord[]): Record<string, string> {
  return Object.fromEntries(records.map(({ drop, state }) => [drop.url.split('/').at(-1)!, state]));
}

/** The ids on a table's main, as PyIceberg reads them from Glue. */
async function idsOf(table: string): Promise<number[]> {
  const { endpoint, env } = deployment.emulator;
  const at = {
    region: env.AWS_REGION,
    'access-key-id': env.AWS_ACCESS_KEY_ID,
    'secret-access-key': env.AWS_SECRET_ACCESS_KEY,
  };
  const properties = {
    type: 'glue',
    'glue.endpoint': endpoint,
    's3.endpoint': endpoint,
    ...Object.fromEntries(
      ['glue', 's3'].flatMap((service) => Object.entries(at).map(([key, value]) => [`${service}.${key}`, value])),
    ),
  };
  const lines = await engines.ask<string[]>('pyiceberg_rows', {
    lake: { catalog: 'glue', properties },
    table: `sales.${table}`,
  });
  return lines.map((line) => Number(/"id":\D*(\d+)/.exec(line)?.[1])).sort((a, b) => a - b);
}

function toldOf(text: string): number {
  return deployment.slack.messages.filter((message) => JSON.stringify(message).includes(text)).length;
}

test('a clean file is published, one with nulls and a corrupt one are not, and Slack hears of both', async () => {
  await deployment.drop('orders/nulls.parquet', parquet([4, null]));
  await deployment.drop('orders/corrupt.parquet', CORRUPT);
  await deployment.drop('orders/clean.parquet', parquet([1, 2, 3]));
  const records = await ended('orders', 3);
  expect(statesOf(records)).toEqual({
    'clean.parquet': 'published',
    'nulls.parquet': 'rejected',
    'corrupt.parquet': 'errored',
  });
  expect(await idsOf('orders')).toEqual([1, 2, 3]);
  await eventually(
    () => Math.min(toldOf('nulls.parquet'), toldOf('corrupt.parquet')),
    (told) => told === 1,
  );
  expect(toldOf('clean.parquet')).toBe(0);
  // What people are told to type works from any machine.
  expect(toldOf('--stage dev')).toBe(2);
  expect(deployment.slack.messages.every(({ channel }) => channel === '#lake')).toBe(true);
  const metrics = ['DeliveriesPublished', 'DeliveriesRejected', 'DeliveriesErrored'];
  await eventually(
    () => Promise.all(metrics.map((name) => deployment.metric('wap-audit', name))),
    (counts) => counts.every((count) => count === 1),
  );
});

test('keys are taken as they are', async () => {
  const keys = [
    'a b.parquet',
    'a+b.parquet',
    'a%20b.parquet',
    '100%.parquet',
    'größe-表-🚀.parquet',
    "q'u&o=t?e#.parquet",
  ];
  await Promise.all(keys.map((key, index) => deployment.drop(`keys/${key}`, parquet([index]))));
  const records = await ended('keys', keys.length);
  expect(records.map(({ state }) => state)).toEqual(keys.map(() => 'published'));
  expect(await idsOf('keys')).toEqual(keys.map((_, index) => index));
});

test('200 files at once are published, each once', async () => {
  const numbers = Array.from({ length: 200 }, (_, index) => index);
  await Promise.all(numbers.map((index) => deployment.drop(`many/${index}.parquet`, parquet([index]))));
  const records = await ended('many', numbers.length);
  expect(records.filter(({ state }) => state !== 'published')).toEqual([]);
  expect(await idsOf('many')).toEqual(numbers);
});

/** Tells the gate of an object once more, as EventBridge does when it is not sure. The emulator's events name no versions, so this does not. */
async function sendEvent(url: string): Promise<void> {
  const { size, etag } = (await deployment.lake.ports.store.head(url))!;
  const { name } = deployment.stage.buckets.raw;
  const detail = {
    bucket: { name },
    object: { key: new URL(url).pathname.slice(1), size, etag },
  };
  const event = { source: 'aws.s3', 'detail-type': 'Object Created', time: new Date(0).toISOString(), detail };
  const sqs = new SQSClient({});
  const { QueueUrl } = await sqs.send(new GetQueueUrlCommand({ QueueName: 'e2e-dev-gate' }));
  await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: JSON.stringify(event) }));
}

test('a drop that no table claims is said to be one', async () => {
  await deployment.drop('nobody/one.parquet', parquet([1]));
  // The rule lets nothing of it through; a lake with automatic tables, or with many prefixes, hears of it as here.
  await sendEvent(`s3://${deployment.stage.buckets.raw.name}/nobody/one.parquet`);
  await eventually(
    async () => [await deployment.metric('wap-audit', 'DropsUnrouted'), toldOf('nobody/one.parquet')],
    (found) => found.join() === '1,1',
  );
  expect(await underPrefix('nobody')).toEqual([]);
  expect(await deployment.waiting('gate-dead')).toBe(0);
});

test('an event that comes again, late and out of order, publishes nothing again', async () => {
  await deployment.drop('repeated/one.parquet', parquet([1]));
  await deployment.drop('repeated/two.parquet', parquet([2]));
  const records = await ended('repeated', 2);
  const repeated = () => deployment.metric('wap-audit', 'DeliveriesRepeated');
  const before = await repeated();
  for (const round of [1, 2]) {
    for (const { drop } of [...records].reverse()) await sendEvent(drop.url);
    await eventually(repeated, (count) => count - before === 2 * round);
  }
  expect(await idsOf('repeated')).toEqual([1, 2]);
});

test('S3 and Glue that throttle, fail and drop connections lose nothing and publish nothing twice', async () => {
  const { proxy } = deployment;
  const some = (operations: RegExp) => ({ match: ({ operation }: AwsRequest) => operations.test(operation) });
  const slowDown = { kind: 'refuse', status: 503, code: 'SlowDown' } as const;
  const throttled = { kind: 'refuse', status: 400, code: 'ThrottlingException' } as const;
  const rules = [
    proxy.inject({ ...some(/^s3:(Put|Copy|Get)Object$/), fault: slowDown, times: 30 }),
    proxy.inject({ ...some(/^glue:/), fault: throttled, times: 10 }),
    proxy.inject({ ...some(/^s3:/), fault: { kind: 'drop' }, after: 20, times: 10 }),
    proxy.inject({ ...some(/^s3:|^glue:/), fault: { kind: 'delay', ms: 700 }, times: 10 }),
    proxy.inject({
      ...some(/^events:PutEvents$/),
      fault: { kind: 'refuse', status: 500, code: 'InternalFailure' },
      times: 3,
    }),
  ];
  const numbers = Array.from({ length: 20 }, (_, index) => index);
  await Promise.all(numbers.map((index) => deployment.drop(`throttled/${index}.parquet`, parquet([index]))));
  const records = await ended('throttled', numbers.length);
  expect(records.map(({ state }) => state)).toEqual(numbers.map(() => 'published'));
  expect(await idsOf('throttled')).toEqual(numbers);
  expect(rules.map(({ befallen }) => befallen > 0)).toEqual(rules.map(() => true));
});

test('answers that are lost after the work was done publish nothing twice', async () => {
  const { proxy } = deployment;
  const is = (wanted: string) => ({ match: ({ operation }: AwsRequest) => operation === wanted });
  const lost = { kind: 'lose-answer' } as const;
  const denied = { kind: 'deny-answer', status: 500, code: 'InternalError' } as const;
  const rules = [
    proxy.inject({ ...is('glue:CreateTable'), fault: lost, times: 1 }),
    proxy.inject({ ...is('glue:UpdateTable'), fault: lost, times: 3 }),
    proxy.inject({ ...is('glue:UpdateTable'), fault: denied, after: 1, times: 2 }),
    proxy.inject({ ...is('s3:PutObject'), fault: lost, times: 6 }),
    proxy.inject({ ...is('s3:CopyObject'), fault: denied, times: 3 }),
  ];
  const numbers = Array.from({ length: 20 }, (_, index) => index);
  await Promise.all(numbers.map((index) => deployment.drop(`lost/${index}.parquet`, parquet([index]))));
  const records = await ended('lost', numbers.length);
  expect(records.map(({ state }) => state)).toEqual(numbers.map(() => 'published'));
  expect(await idsOf('lost')).toEqual(numbers);
  expect(rules.map(({ befallen }) => befallen > 0)).toEqual(rules.map(() => true));
});

test('what cannot be checked is neither published nor called bad: it waits in the dead-letter queue, and comes back from there', async () => {
  const before = await deployment.metric('wap-audit', 'DeliveriesInterrupted');
  await deployment.retryAfter('gate', 4);
  deployment.proxy.inject({
    match: ({ service }) => service === 'glue',
    fault: { kind: 'refuse', status: 500, code: 'InternalServiceException' },
  });
  await deployment.drop('waiting/one.parquet', parquet([1]));
  const dead = await eventually(
    () => deployment.waiting('gate-dead'),
    (messages) => messages === 1,
  );
  expect(dead).toBe(1);
  expect((await underPrefix('waiting')).filter(({ state }) => ENDED.has(state))).toEqual([]);
  expect(await deployment.metric('wap-audit', 'DeliveriesInterrupted')).toBeGreaterThan(before);
  deployment.proxy.heal();
  await deployment.redrive('gate');
  expect((await ended('waiting', 1)).map(({ state }) => state)).toEqual(['published']);
  expect(await idsOf('waiting')).toEqual([1]);
});

test('a Slack that refuses is told later, once, and the delivery is not held up by it', async () => {
  deployment.slack.answer('failing', 4);
  await deployment.drop('told/nulls.parquet', parquet([null]));
  expect((await ended('told', 1)).map(({ state }) => state)).toEqual(['rejected']);
  await eventually(
    () => toldOf('told/nulls.parquet'),
    (told) => told > 0,
  );
  expect(toldOf('told/nulls.parquet')).toBe(1);
  expect(await deployment.metric('notify', 'MessagesFailed')).toBeGreaterThan(0);
});

test('a stage that is destroyed leaves its data, and one that is deployed over them goes on with them', async () => {
  await deployment.destroy();
  await deployment.drop('orders/meanwhile.parquet', parquet([7]));
  expect(await idsOf('orders')).toEqual([1, 2, 3]);
  await deployment.deploy(LAKE_YAML.replace('gate: {', `${EXISTING_BUCKETS}\n    gate: {`));
  await deployment.drop('orders/after.parquet', parquet([8]));
  await ended('orders', 4);
  expect(await idsOf('orders')).toEqual([1, 2, 3, 8]);
});
