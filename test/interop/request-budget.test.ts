/** The request budget (docs/adr/0006-request-budget.md) as it goes over the wire: HTTP requests to S3 and Glue, counted between lakegate and an emulator. */
import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { composeLake, type Lake } from '../../src/compose.ts';
import { tableDefaults } from '../../src/config/defaults.ts';
import type { LakeConfig, TableConfig } from '../../src/config/model.ts';
import { deliverObjects, type SeenObject } from '../../src/gate/deliver.ts';
import { createS3Client } from '../../src/storage/s3-client.ts';
import { orders, parquet } from '../faults/lake.ts';
import { type Emulator, startMiniStack } from './emulators/index.ts';
import { newBucket, useEmulator } from './s3.ts';
import { type FaultProxy, startFaultProxy } from './servers/fault-proxy.ts';

let emulator: Emulator;
let proxy: FaultProxy;
let client: S3Client;
const lakes: Lake[] = [];

beforeAll(async () => {
  emulator = await startMiniStack();
  proxy = await startFaultProxy(emulator.endpoint);
  const env = { ...emulator.env, AWS_ENDPOINT_URL: proxy.endpoint, AWS_ENDPOINT_URL_S3: proxy.endpoint };
  useEmulator({ ...emulator, env });
  client = createS3Client();
});
afterEach(() => {
  for (const lake of lakes.splice(0)) lake.close();
});
afterAll(async () => {
  client?.destroy();
  await proxy?.close();
  await emulator?.stop();
});

async function lakeConfig(namespace: string, table: Partial<TableConfig>): Promise<LakeConfig> {
  const bucket = await newBucket();
  const warehouse = `${bucket}warehouse/`;
  return {
    name: 'lakegate',
    raw: `${bucket}raw/`,
    warehouse,
    records: `${bucket}records/`,
    defaultCatalog: 'glue',
    catalogs: { glue: { type: 'glue', warehouse } },
    tables: [{ ...tableDefaults(), name: `${namespace}.orders`, prefix: 'orders/', ...table }],
    notify: { suppressMs: 0 },
    stages: [],
  };
}

/** What a bucket's events tell of new objects. */
async function drop({ raw }: LakeConfig, from: number, count: number): Promise<SeenObject[]> {
  const seen: SeenObject[] = [];
  for (let id = from; id < from + count; id += 1) {
    const url = `${raw}orders/${id}.parquet`;
    const { hostname, pathname } = new URL(url);
    const Body = parquet(orders(id, 1));
    const { ETag } = await client.send(new PutObjectCommand({ Bucket: hostname, Key: pathname.slice(1), Body }));
    seen.push({ url, size: Body.length, etag: ETag!.replaceAll('"', '') });
  }
  return seen;
}

/** A process that has just started. */
async function open(config: LakeConfig): Promise<Lake> {
  const lake = await composeLake(config, { env: process.env, cwd: '/', notifier: { notify: async () => undefined } });
  lakes.push(lake);
  return lake;
}

async function requestsOf(lake: Lake, seen: SeenObject[]): Promise<Record<string, number>> {
  proxy.forget();
  const outcomes = await deliverObjects(lake.ports, lake.config, seen);
  for (const outcome of outcomes) expect(outcome).toMatchObject({ kind: 'ended', record: { state: 'published' } });
  return proxy.counts();
}

const N = 20;

test('one delivery and a batch ask of S3 and Glue what the budget says, and nothing else', async () => {
  const config = await lakeConfig('copied', {});
  await requestsOf(await open(config), await drop(config, 1000, 1));
  const lake = await open(config);
  expect(await requestsOf(lake, await drop(config, 0, 1))).toEqual({
    'glue:GetTable': 1,
    'glue:UpdateTable': 2,
    's3:CopyObject': 1,
    // The table's metadata, the footer, the parent's manifest list.
    's3:GetObject': 3,
    // The claim and the ending, a manifest and its list, the metadata twice.
    's3:PutObject': 6,
  });
  expect(await requestsOf(lake, await drop(config, 100, N))).toEqual({
    'glue:GetTable': 1,
    'glue:UpdateTable': 2,
    's3:CopyObject': N,
    's3:GetObject': N,
    's3:PutObject': N + 5,
  });
});

test('where files are registered, nothing is copied', async () => {
  const config = await lakeConfig('registered', { ingest: 'register' });
  await requestsOf(await open(config), await drop(config, 1000, 1));
  expect(await requestsOf(await open(config), await drop(config, 0, 1))).toEqual({
    'glue:GetTable': 1,
    'glue:UpdateTable': 2,
    's3:GetObject': 3,
    's3:PutObject': 6,
  });
});
