import { randomUUID } from 'node:crypto';
import { AwsClient } from 'aws4fetch';
import type { Catalog } from '../../src/catalogs/catalog.ts';
import { openRestCatalog } from '../../src/catalogs/rest.ts';
import { catalogContract } from '../contract/catalog.contract.ts';
import { type Emulator, type Seaweed, startMiniStack, startSeaweed } from './emulators/index.ts';
import { type Engine, startEngines } from './engine.ts';
import { difference } from './readers.ts';
import { makeRestLake, type RestLake } from './rest-lake.ts';
import { useEmulator } from './s3.ts';

/** Amazon S3 Tables by its Iceberg REST endpoint, as two emulators speak it. SeaweedFS checks signatures. */

const REGION = 'us-east-1';
const before = { ...process.env };
let ministack: Emulator;
let seaweed: Seaweed;
let engines: Engine;
let lake: RestLake | undefined;

beforeAll(async () => {
  [ministack, seaweed] = await Promise.all([startMiniStack(), startSeaweed()]);
  // Files are on SeaweedFS, which is an S3 server; both take the same keys.
  useEmulator(seaweed);
  engines = startEngines();
});
afterAll(async () => {
  await engines?.close();
  await lake?.remove();
  process.env = before;
  await Promise.all([ministack?.stop(), seaweed?.stop()]);
});

/** A signed request to the S3 Tables API itself. */
async function s3tables(method: string, url: string, body?: object): Promise<string> {
  const { AWS_ACCESS_KEY_ID = '', AWS_SECRET_ACCESS_KEY = '' } = seaweed.env;
  const client = new AwsClient({
    accessKeyId: AWS_ACCESS_KEY_ID,
    secretAccessKey: AWS_SECRET_ACCESS_KEY,
    service: 's3tables',
    region: REGION,
    retries: 0,
  });
  const headers = { 'content-type': 'application/json' };
  const response = await client.fetch(url, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${text}`);
  return text;
}

/** A new table bucket. @returns its ARN */
async function createBucket(endpoint: string): Promise<string> {
  const name = `lake-${randomUUID()}`;
  return JSON.parse(await s3tables('PUT', `${endpoint}/buckets`, { name })).arn;
}

function client(uri: string, arn: string): Catalog {
  return openRestCatalog({
    name: 's3tables',
    config: { uri, serverWarehouse: arn, auth: { kind: 'sigv4', service: 's3tables', region: REGION } },
    secret: () => Promise.reject(new Error('no secret is needed')),
    clock: Date.now,
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  });
}

/** Has the server make a table of format version 3: it takes no metadata file from outside. */
async function createV3(uri: string, prefix: string, namespace: string, name: string): Promise<void> {
  await s3tables('POST', `${uri}/v1/${prefix}/namespaces`, { namespace: [namespace] });
  await s3tables('POST', `${uri}/v1/${prefix}/namespaces/${namespace}/tables`, {
    name,
    schema: { type: 'struct', 'schema-id': 0, fields: [{ id: 1, name: 'id', required: true, type: 'long' }] },
    properties: { 'format-version': '3' },
  });
}

catalogContract(
  'S3 Tables, SeaweedFS',
  async () => {
    const arn = await createBucket(seaweed.endpoint);
    return {
      catalog: client(seaweed.restEndpoint, arn),
      other: client(seaweed.restEndpoint, arn),
      register: (table) => createV3(seaweed.restEndpoint, arn.split('/').at(-1)!, table.namespace[0]!, table.name),
    };
  },
  // A name that is taken is answered with the table that has it.
  { nestedNamespaces: false, swapsFromBase: false, bornWithProperties: true, createsOnce: false },
);

catalogContract(
  'S3 Tables, MiniStack',
  async () => {
    const uri = `${ministack.endpoint}/iceberg`;
    const arn = await createBucket(ministack.endpoint);
    return {
      catalog: client(uri, arn),
      other: client(uri, arn),
      register: (table) => createV3(uri, encodeURIComponent(arn), table.namespace[0]!, table.name),
    };
  },
  // It sets the table's current snapshot to any that is added, takes no notice of refs that are to be removed, and drops nothing.
  { nestedNamespaces: false, swapsFromBase: false, branches: false, drops: false },
);

test('the gate on S3 Tables: clean files are published on S3, bad ones kept aside, PyIceberg reads main and adds to it', async () => {
  const arn = await createBucket(seaweed.endpoint);
  const columns = ['id', 'region', 'ts', 'day', 'qty', 'price', 'amount', 'note'];
  lake = await makeRestLake(
    `{ type: s3tables, arn: "${arn.replace(':test:', ':000000000000:')}", uri: "${seaweed.restEndpoint}", region: ${REGION} }`,
    '  s.t: { from: t/, partition_by: [region], rules: [{ not_null: [id] }, { range: { column: id, min: 0 } }] }\n',
  );
  const paths = ['1', '2', '3', '4'].map((name) => lake!.inRaw(`t/${name}.parquet`));
  for (const [index, path] of paths.entries()) {
    const start = index === 2 ? -5 : index * 100;
    await engines.ask('drop', { path, shape: 'flat', writer: 'pyarrow', columns, start, rows: 10 });
  }
  const [first, second, bad, added] = paths as [string, string, string, string];
  const runner = await lake.runner();
  expect(await runner.deliver(first)).toMatchObject([{ state: 'published' }]);
  expect(runner.requests()).toEqual([
    'GET config',
    'GET t',
    'POST tables',
    'POST namespaces',
    'POST tables',
    'POST t',
    'POST t',
  ]);
  expect(await runner.deliver(second, bad)).toMatchObject([{ state: 'published' }, { state: 'rejected' }]);
  expect(runner.requests()).toEqual(['GET t', 'POST t', 'POST t']);
  expect((await runner.table('s.t')).metadata.location).toMatch(/^s3:\/\/lake-/);

  const properties = {
    type: 'rest',
    uri: seaweed.restEndpoint,
    warehouse: arn,
    'rest.sigv4-enabled': 'true',
    'rest.signing-name': 's3tables',
    'rest.signing-region': REGION,
    's3.endpoint': seaweed.endpoint,
    's3.access-key-id': seaweed.env.AWS_ACCESS_KEY_ID,
    's3.secret-access-key': seaweed.env.AWS_SECRET_ACCESS_KEY,
    's3.region': REGION,
    's3.force-virtual-addressing': 'false',
  };
  const address = { catalog: 's3tables', properties };
  const rows = async (files: string[]) => {
    const expected = await engines.ask<string[]>('parquet_rows', { paths: files });
    const found = await engines.ask<string[]>('pyiceberg_rows', { lake: address, table: 's.t' });
    expect(difference(found, expected)).toEqual({ rows: expected.length, missing: [], surplus: [] });
  };
  await rows([first, second]);
  await engines.ask('append', { lake: address, table: 's.t', paths: [added] });
  await rows([first, second, added]);
  const third = lake.inRaw('t/5.parquet');
  await engines.ask('drop', { path: third, shape: 'flat', writer: 'pyarrow', columns, start: 500, rows: 10 });
  expect(await runner.deliver(third)).toMatchObject([{ state: 'published' }]);
  await rows([first, second, added, third]);
});
