import { randomUUID } from 'node:crypto';
import { AwsClient } from 'aws4fetch';
import type { Catalog } from '../../src/catalogs/catalog.ts';
import { openRestCatalog } from '../../src/catalogs/rest.ts';
import { catalogContract } from '../contract/catalog.contract.ts';
import { type Emulator, type Seaweed, startMiniStack, startSeaweed } from './emulators/index.ts';

/** Amazon S3 Tables by its Iceberg REST endpoint, as two emulators speak it. SeaweedFS checks signatures. */

const REGION = 'us-east-1';
const before = { ...process.env };
let ministack: Emulator;
let seaweed: Seaweed;

beforeAll(async () => {
  [ministack, seaweed] = await Promise.all([startMiniStack(), startSeaweed()]);
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = seaweed.env;
  Object.assign(process.env, { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY });
});
afterAll(async () => {
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
