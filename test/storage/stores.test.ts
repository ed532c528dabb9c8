import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createStores } from '../../src/storage/stores.ts';
import { collect } from '../contract/collect.ts';
import { objectStoreContract } from '../contract/object-store.contract.ts';
import { range, startStandIn, xml } from './s3-stand-in.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakegate-stores-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

objectStoreContract('by scheme, memory', async () => ({ store: createStores(), root: 'memory:///m/' }));
objectStoreContract('by scheme, bare path', async () => ({ store: createStores(), root: `${folder}/` }));

test('an unknown scheme is named, with those that are known', async () => {
  const store = createStores();
  for (const call of [
    () => store.head('gs://bucket/x'),
    () => store.copy('/a', 'gs://bucket/x'),
    () => store.delete(['gs://bucket/x']),
    () => collect(store.list('gs://bucket/')),
  ]) {
    await expect(call()).rejects.toMatchObject({
      kind: 'unsupported',
      message: expect.stringMatching(/"gs:".*file:, memory:, s3:/),
    });
  }
});

test('copies across schemes stream, and follow the rules of a copy', async () => {
  const store = createStores();
  const bytes = new Uint8Array(9 * 1024 * 1024).map((_, i) => i % 253);
  await store.create('memory:/big', bytes);
  await store.copy('memory:/big', `${folder}/big`);
  expect(Buffer.compare((await store.read(`file://${folder}/big`)).bytes, bytes)).toBe(0);
  await store.copy('memory:/big', `${folder}/big`);
  await store.create('memory:/small', Uint8Array.of(1));
  await expect(store.copy('memory:/small', `${folder}/big`)).rejects.toMatchObject({ kind: 'exists' });
  await store.delete(['memory:/small', `${folder}/big`]);
  expect(await store.head('memory:/small')).toBeUndefined();
  expect(await store.head(`${folder}/big`)).toBeUndefined();
});

test('S3 is reached by all spellings of its scheme, and takes copies from a folder', async () => {
  const server = await startStandIn();
  try {
    server.answer(({ method }) => (method === 'HEAD' ? { status: 404 } : xml('<R></R>')));
    const store = createStores({ s3: { client: server.client() } });
    await store.create(`${folder}/file`, Buffer.from('hello'));
    const expected = (await store.head(`${folder}/file`))!;
    for (const scheme of ['s3', 'S3A', 's3n']) await store.create(`${scheme}://lake/seen`, Buffer.from('x'));
    expect(server.seen.map(({ path }) => path)).toEqual(['/lake/seen', '/lake/seen', '/lake/seen']);
    server.answer(({ method, path }) => (method === 'HEAD' && path !== '/lake/' ? { status: 404 } : {}));
    await store.copy(`${folder}/file`, 's3a://lake/b', expected);
    expect(server.seen.find(({ method }) => method === 'PUT')).toMatchObject({
      path: '/lake/b',
      body: Buffer.from('hello'),
    });
    const stale = { ...expected, etag: 'other' };
    await expect(store.copy(`${folder}/file`, 's3://lake/c', stale)).rejects.toMatchObject({ kind: 'not_found' });
  } finally {
    await server.stop();
  }
});

test('who uses no S3 does not load the AWS SDK', async () => {
  const stores = join(__dirname, '../../src/storage/stores.ts');
  const loaded = async (url: string) => {
    const script = `
      import { registerHooks } from 'node:module';
      const seen = [];
      registerHooks({ load: (name, context, next) => { seen.push(name); return next(name, context); } });
      const { createStores } = await import(${JSON.stringify(stores)});
      await createStores().create(${JSON.stringify(url)}, new Uint8Array()).catch(() => undefined);
      console.log(JSON.stringify(seen.filter((name) => /aws-sdk|smithy/.test(name)).length));`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
    return Number(stdout);
  };
  expect(await loaded('memory:/a')).toBe(0);
  expect(await loaded('s3://not-a-key/')).toBeGreaterThan(0);
});

test('a bucket of S3 Tables is given bytes; it is asked for no copy, no delete and no list, which it does not know', async () => {
  const server = await startStandIn();
  try {
    const store = createStores({ s3: { client: server.client() } });
    const bytes = Buffer.from('hello');
    server.answer((request) => {
      if (request.path.startsWith('/raw/')) return range(bytes, request);
      return request.method === 'HEAD' ? { status: 404 } : { headers: { etag: '"e2"' } };
    });
    const to = 's3://0a1b2c--table-s3/data/f.parquet';
    await store.copy('s3://raw/f.parquet', to, { size: bytes.length, etag: '"e1"' });
    const puts = server.seen.filter(({ method }) => method === 'PUT');
    expect(puts.map(({ path }) => path)).toEqual(['/0a1b2c--table-s3/data/f.parquet']);
    expect(puts[0]!.headers['x-amz-copy-source']).toBeUndefined();
    expect(puts[0]!.body.toString()).toContain('hello');
    const asked = server.seen.length;
    await store.delete([to]);
    expect(await collect(store.list('s3://0a1b2c--table-s3/data/'))).toEqual([]);
    expect(await collect(store.unfinished!('s3://0a1b2c--table-s3/data/', 0))).toEqual([]);
    expect(server.seen).toHaveLength(asked);
  } finally {
    await server.stop();
  }
});
