import { createServer } from 'node:net';
import type { LoadedTable } from '../../src/catalogs/catalog.ts';
import { newTableMetadata } from '../../src/iceberg/create.ts';
import { serializeMetadata } from '../../src/iceberg/metadata.ts';
import { DEFINITION, setProperty, TABLE } from '../contract/catalog.contract.ts';
import {
  type Received,
  type Reply,
  refusal,
  restClient,
  startTestServer,
  type TestServer,
} from './rest-test-server.ts';

/** Every way in which a catalogue server can fail to answer as asked: what may have happened decides what the error is called. */

const METADATA = newTableMetadata({
  ...DEFINITION,
  location: 's3://lake/t',
  uuid: 'b2c1f5d0-0000-4000-8000-000000000001',
  nowMs: 1,
});
const BASE: LoadedTable = { identifier: TABLE, metadataLocation: 's3://lake/t/0.json', metadata: METADATA };
const LOADED: Reply = {
  status: 200,
  body: `{"metadata-location":"s3://lake/t/0.json","metadata":${Buffer.from(serializeMetadata(METADATA)).toString()}}`,
};
const PROPERTY = [setProperty('a', '1')];

let server: TestServer | undefined;
afterEach(async () => {
  await server?.stop();
  server = undefined;
});

/** Answers everything but the settings by the function, or by one reply after the other, the last of them for ever. */
async function serve(...replies: Reply[]) {
  let nth = 0;
  const reply = ({ path }: Received) =>
    path.startsWith('/v1/config') ? undefined : replies[Math.min(nth++, replies.length - 1)];
  server = await startTestServer(reply);
  return { server, ...restClient(server.uri) };
}

const refused = (status: number) => refusal(status, 'SomeException', 'as it is');

describe('a commit that is answered', () => {
  test.each([
    [400, 'invalid', false],
    [401, 'config', false],
    [403, 'config', false],
    [406, 'unsupported', false],
    [418, 'invalid', false],
    [419, 'config', false],
    [409, 'conflict', true],
    [429, 'unavailable', true],
    [500, 'unknown_outcome', true],
    [501, 'unsupported', false],
    [502, 'unknown_outcome', true],
    [503, 'unavailable', true],
    [504, 'unknown_outcome', true],
    [507, 'unknown_outcome', true],
  ])('%i is %s; it is sent once', async (status, kind, retryable) => {
    const { server, catalog } = await serve(refused(status));
    await expect(catalog.commit(BASE, [], PROPERTY)).rejects.toMatchObject({
      kind,
      retryable,
      message: expect.stringContaining('as it is'),
    });
    expect(server.asked()).toEqual(['POST /v1/namespaces/shop/tables/orders']);
  });

  test.each<[string, Reply]>([
    ['no JSON', { status: 200, body: '<html>' }],
    ['nothing', { status: 200, body: '' }],
    ['no metadata', { status: 200, body: { 'metadata-location': 'x' } }],
    ['a table of version 3', { status: 200, body: { 'metadata-location': 'x', metadata: { 'format-version': 3 } } }],
  ])('with %s: what became of it is unknown', async (_, reply) => {
    const { catalog } = await serve(reply);
    await expect(catalog.commit(BASE, [], PROPERTY)).rejects.toMatchObject({ kind: 'unknown_outcome' });
    await expect(catalog.createTable(TABLE, DEFINITION)).rejects.toMatchObject({ kind: 'unknown_outcome' });
  });

  test('a redirect is not followed: it would carry the credentials elsewhere', async () => {
    const { server, catalog } = await serve({ status: 307, headers: { location: 'http://127.0.0.1:1/' } });
    await expect(catalog.commit(BASE, [], PROPERTY)).rejects.toMatchObject({ kind: 'config' });
    expect(server.asked()).toHaveLength(1);
  });
});

describe('no answer', () => {
  test('a change that was sent may have been made: its outcome is unknown, and it is not sent again', async () => {
    const { server, catalog } = await serve('drop');
    await expect(catalog.commit(BASE, [], PROPERTY)).rejects.toMatchObject({ kind: 'unknown_outcome' });
    await expect(catalog.createTable(TABLE, DEFINITION)).rejects.toMatchObject({ kind: 'unknown_outcome' });
    await expect(catalog.dropTable(TABLE)).rejects.toMatchObject({ kind: 'unknown_outcome' });
    expect(server.asked()).toHaveLength(3);
  });

  test('a change that could not be sent was not made', async () => {
    // A connection that was kept would be cut instead, and then it is not known what was sent.
    server = await startTestServer(() => ({ status: 200, headers: { connection: 'close' } }));
    const { catalog } = restClient(server.uri);
    await catalog.listTables();
    await server.stop();
    await expect(catalog.commit(BASE, [], PROPERTY)).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });

  test('a host that there is not is unavailable, and named', async () => {
    const { catalog } = restClient('http://catalogue.invalid');
    await expect(catalog.listTables()).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringContaining('http://catalogue.invalid'),
    });
  });

  test('an answer that breaks off is none', async () => {
    const broken = createServer((socket) => {
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"meta'));
    });
    await new Promise<void>((done) => broken.listen(0, '127.0.0.1', done));
    const { port } = broken.address() as { port: number };
    const { catalog } = restClient(`http://127.0.0.1:${port}`);
    await expect(catalog.loadTable(TABLE)).rejects.toMatchObject({ kind: 'unavailable' });
    await new Promise((done) => broken.close(done));
  });

  test('a read is asked for again', async () => {
    const { server, catalog } = await serve('drop', refused(503), LOADED);
    expect((await catalog.loadTable(TABLE)).metadata.tableUuid).toBe(METADATA.tableUuid);
    expect(server.asked()).toHaveLength(3);
  });

  test('but not for ever, and not when it was refused', async () => {
    const busy = await serve(refused(502));
    await expect(busy.catalog.loadTable(TABLE)).rejects.toMatchObject({ kind: 'unavailable' });
    expect(busy.server.asked()).toHaveLength(3);
    await busy.server.stop();
    const denied = await serve(refused(403));
    await expect(denied.catalog.loadTable(TABLE)).rejects.toMatchObject({ kind: 'config' });
    expect(denied.server.asked()).toHaveLength(1);
  });

  test('settings that could not be read are asked for again by the next request', async () => {
    let down = true;
    server = await startTestServer(({ path }) => {
      if (path.startsWith('/v1/config')) return down ? refused(500) : undefined;
      return LOADED;
    });
    const { catalog } = restClient(server.uri);
    await expect(catalog.loadTable(TABLE)).rejects.toMatchObject({ kind: 'unavailable' });
    down = false;
    expect((await catalog.loadTable(TABLE)).metadataLocation).toBe('s3://lake/t/0.json');
  });
});

describe('Retry-After', () => {
  test.each<[string, string, number]>([
    ['seconds', '7', 7000],
    ['a date', 'Sun, 01 Mar 2026 00:00:09 GMT', 9000],
  ])('in %s: the server is left alone for so long, by reads and changes', async (_, header, ms) => {
    const busy = refusal(429, 'Throttled', 'slow down', { 'retry-after': header });
    const read = await serve(busy, LOADED);
    await read.catalog.loadTable(TABLE);
    expect(read.slept.reduce((sum, one) => sum + one, 0)).toBe(ms);
    await read.server.stop();
    const change = await serve(busy, LOADED);
    await expect(change.catalog.commit(BASE, [], PROPERTY)).rejects.toMatchObject({
      kind: 'unavailable',
      context: { retryAfterMs: ms },
    });
    expect(change.slept).toEqual([]);
    await change.catalog.commit(BASE, [], PROPERTY);
    expect(change.slept).toEqual([ms]);
  });

  test('of an hour is not waited for', async () => {
    const { server, catalog, slept } = await serve(refusal(503, 'Down', 'back soon', { 'retry-after': '3600' }));
    await expect(catalog.loadTable(TABLE)).rejects.toMatchObject({ kind: 'unavailable' });
    expect(server.asked()).toHaveLength(1);
    expect(slept).toEqual([]);
  });
});

describe("a server's words", () => {
  test.each<[string, unknown, string]>([
    ["Iceberg's", { error: { message: 'no such column', type: 'X', code: 400 } }, '(no such column)'],
    ["AWS's", { __type: 'ValidationException', message: 'bad ARN' }, '(bad ARN)'],
    ['text', 'plain words', '(plain words)'],
    ['control characters', 'a\u001b[31mred\nline\u202e', '(a [31mred line)'],
    ["a proxy's page", '<html><body>Bad Gateway</body></html>', 'answered 400. '],
    ['nothing', '', 'answered 400. '],
    ['null', 'null', 'answered 400. '],
  ])('%s are shown', async (_, body, shown) => {
    const { catalog } = await serve({ status: 400, body });
    await expect(catalog.loadTable(TABLE)).rejects.toMatchObject({ message: expect.stringContaining(shown) });
  });

  test('are cut short', async () => {
    const { catalog } = await serve(refusal(400, 'X', 'x'.repeat(100_000)));
    const error: Error = await catalog.loadTable(TABLE).then(
      () => new Error('loaded'),
      (thrown) => thrown,
    );
    expect(error.message.length).toBeLessThan(800);
  });
});

test('a table of format version 3, or one that is damaged, is told apart from one that is not there', async () => {
  const v3 = await serve({ status: 200, body: { 'metadata-location': 'x', metadata: { 'format-version': 3 } } });
  await expect(v3.catalog.findTable(TABLE)).rejects.toMatchObject({ kind: 'unsupported' });
  await v3.server.stop();
  const damaged = await serve({ status: 200, body: { 'metadata-location': 'x', metadata: {} } });
  await expect(damaged.catalog.findTable(TABLE)).rejects.toMatchObject({ kind: 'corrupt' });
});
