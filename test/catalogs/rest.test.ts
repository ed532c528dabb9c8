import type { LoadedTable } from '../../src/catalogs/catalog.ts';
import type { RestCatalogOptions } from '../../src/catalogs/rest.ts';
import { newTableMetadata } from '../../src/iceberg/create.ts';
import { serializeMetadata } from '../../src/iceberg/metadata.ts';
import type { TableMetadata, TableUpdate } from '../../src/iceberg/model.ts';
import { applyUpdates } from '../../src/iceberg/updates.ts';
import { absent, DEFINITION, firstSnapshot, pointTo, setProperty, TABLE } from '../contract/catalog.contract.ts';
import {
  type Received,
  type Reply,
  refusal,
  restClient,
  startTestServer,
  type TestServer,
} from './rest-test-server.ts';

/** What lakegate asks of an Iceberg REST server, and what it makes of every kind of answer. */

const ID = 9_007_199_254_740_993n;
const LOCATION = 's3://lake/shop/orders';
const METADATA = newTableMetadata({
  ...DEFINITION,
  location: LOCATION,
  uuid: 'b2c1f5d0-0000-4000-8000-000000000001',
  nowMs: 1000,
});
const TABLE_PATH = '/v1/namespaces/shop/tables/orders';

let server: TestServer | undefined;
afterEach(async () => {
  await server?.stop();
  server = undefined;
});

async function serve(
  reply: (request: Received) => Reply | undefined,
  changes: Partial<RestCatalogOptions['config']> = {},
  options: Partial<RestCatalogOptions> = {},
) {
  server = await startTestServer(reply);
  return { server, ...restClient(server.uri, changes, options) };
}

/** A table as servers answer it. */
function answered(metadata: TableMetadata, headers: Record<string, string> = {}): Reply {
  const text = Buffer.from(serializeMetadata(metadata)).toString();
  return { status: 200, body: `{"metadata-location":"${LOCATION}/metadata/1.json","metadata":${text}}`, headers };
}

const BASE: LoadedTable = { identifier: TABLE, metadataLocation: `${LOCATION}/metadata/0.json`, metadata: METADATA };

const onCommit = (reply: Reply) => (request: Received) =>
  request.method === 'POST' && request.path === TABLE_PATH ? reply : undefined;

describe('requests', () => {
  test('a load is one, a commit one more: settings are asked for once, what is answered is used', async () => {
    const updates = pointTo(firstSnapshot(BASE, ID), 'wap-1');
    const after = applyUpdates(METADATA, updates, 2000);
    const heard: string[] = [];
    const { server, catalog } = await serve(
      ({ method, path }) => (path.startsWith(TABLE_PATH) ? answered(method === 'POST' ? after : METADATA) : undefined),
      {},
      { onRequest: (method, url) => heard.push(`${method} ${new URL(url).pathname}`) },
    );
    const [first] = await Promise.all([catalog.loadTable(TABLE), catalog.loadTable(TABLE)]);
    const next = await catalog.commit(first, [absent('wap-1')], updates);
    expect(next.metadata.refs).toEqual({ 'wap-1': { snapshotId: ID, type: 'branch' } });
    expect(heard).toEqual(['GET /v1/config', `GET ${TABLE_PATH}`, `GET ${TABLE_PATH}`, `POST ${TABLE_PATH}`]);
    expect(server.received.at(-1)!.headers['content-type']).toBe('application/json');
  });

  test('requirements and updates go under their wire names, ids with every digit', async () => {
    const { server, catalog } = await serve(onCommit(refusal(409, 'CommitFailedException', 'no')));
    const updates: TableUpdate[] = [
      { action: 'add-schema', schema: { ...DEFINITION.schema, schemaId: 1 }, lastColumnId: 2 },
      { action: 'set-current-schema', schemaId: -1 },
      { action: 'add-spec', spec: DEFINITION.spec },
      { action: 'set-default-spec', specId: -1 },
      { action: 'add-snapshot', snapshot: firstSnapshot(BASE, ID) },
      { action: 'set-snapshot-ref', ref: 'b', value: { snapshotId: ID, type: 'branch', maxRefAgeMs: 5 } },
      { action: 'remove-snapshot-ref', ref: 'c' },
      { action: 'remove-snapshots', snapshotIds: [ID + 2n] },
      { action: 'set-properties', updates: { a: '1' } },
      { action: 'remove-properties', removals: ['b'] },
      { action: 'set-location', location: LOCATION },
    ];
    const commit = catalog.commit(
      BASE,
      [
        { type: 'assert-create' },
        { type: 'assert-table-uuid', uuid: 'u' },
        { type: 'assert-ref-snapshot-id', ref: 'main', snapshotId: ID },
        absent('wap'),
        { type: 'assert-last-assigned-field-id', lastAssignedFieldId: 1 },
        { type: 'assert-current-schema-id', currentSchemaId: 2 },
        { type: 'assert-last-assigned-partition-id', lastAssignedPartitionId: 3 },
        { type: 'assert-default-spec-id', defaultSpecId: 4 },
        { type: 'assert-default-sort-order-id', defaultSortOrderId: 5 },
      ],
      updates,
    );
    await expect(commit).rejects.toMatchObject({ kind: 'conflict', message: expect.stringContaining('(no)') });
    const { body } = server.received.at(-1)!;
    expect(body).toContain('"snapshot-id":9007199254740993');
    expect(body).toContain('"snapshot-ids":[9007199254740995]');
    const sent = JSON.parse(body);
    expect(sent.requirements).toEqual([
      { type: 'assert-create' },
      { type: 'assert-table-uuid', uuid: 'u' },
      { type: 'assert-ref-snapshot-id', ref: 'main', 'snapshot-id': expect.anything() },
      { type: 'assert-ref-snapshot-id', ref: 'wap', 'snapshot-id': null },
      { type: 'assert-last-assigned-field-id', 'last-assigned-field-id': 1 },
      { type: 'assert-current-schema-id', 'current-schema-id': 2 },
      { type: 'assert-last-assigned-partition-id', 'last-assigned-partition-id': 3 },
      { type: 'assert-default-spec-id', 'default-spec-id': 4 },
      { type: 'assert-default-sort-order-id', 'default-sort-order-id': 5 },
    ]);
    expect(sent.updates).toMatchObject([
      { action: 'add-schema', schema: { type: 'struct', fields: [{ id: 1 }, { id: 2 }] }, 'last-column-id': 2 },
      { action: 'set-current-schema', 'schema-id': -1 },
      { action: 'add-spec', spec: { fields: [{ 'source-id': 2, 'field-id': 1000, transform: 'identity' }] } },
      { action: 'set-default-spec', 'spec-id': -1 },
      { action: 'add-snapshot', snapshot: { 'sequence-number': 1, 'manifest-list': expect.any(String) } },
      { action: 'set-snapshot-ref', 'ref-name': 'b', type: 'branch', 'max-ref-age-ms': 5 },
      { action: 'remove-snapshot-ref', 'ref-name': 'c' },
      { action: 'remove-snapshots' },
      { action: 'set-properties', updates: { a: '1' } },
      { action: 'remove-properties', removals: ['b'] },
      { action: 'set-location', location: LOCATION },
    ]);
  });

  test("paths have the server's prefix and separator; names are encoded, so that none leads elsewhere", async () => {
    const overrides = { prefix: 'arn%3Aaws%3Ax%2Flake', 'namespace-separator': '%2E' };
    const { server, catalog } = await serve(
      ({ path }) =>
        path.startsWith('/v1/config') ? { status: 200, body: { defaults: { prefix: 'no' }, overrides } } : undefined,
      { serverWarehouse: 'a b&c' },
    );
    await catalog.findTable({ namespace: ['a b', 'ü'], name: '../x?y#(1)' });
    expect(server.received.map(({ path }) => path)).toEqual([
      '/v1/config?warehouse=a%20b%26c',
      '/v1/arn%3Aaws%3Ax%2Flake/namespaces/a%20b%2E%C3%BC/tables/..%2Fx%3Fy%23%281%29?snapshots=all',
    ]);
  });

  test.each(['../admin', 'a?b', 'a b', './x'])('a prefix %j is refused', async (prefix) => {
    const { catalog } = await serve(() => ({ status: 200, body: { defaults: {}, overrides: { prefix } } }));
    await expect(catalog.findTable(TABLE)).rejects.toMatchObject({ kind: 'config' });
  });

  test.each(['.', '..', ''])('a table named %j is not there, and is not asked for', async (name) => {
    const { server, catalog } = await serve(() => undefined);
    expect(await catalog.findTable({ namespace: ['shop'], name })).toBeUndefined();
    expect(await catalog.findTable({ namespace: [name], name: 'orders' })).toBeUndefined();
    expect(server.received).toEqual([]);
  });

  test('a version that is known is asked for by its ETag, and not sent again', async () => {
    const { server, catalog } = await serve(({ headers, path }) => {
      if (!path.startsWith(TABLE_PATH)) return undefined;
      return headers['if-none-match'] === '"v1"' ? { status: 304 } : answered(METADATA, { etag: '"v1"' });
    });
    const first = await catalog.loadTable(TABLE);
    expect(await catalog.loadTable(TABLE)).toBe(first);
    expect(server.asked()).toHaveLength(2);
  });

  test("a commit's answer is the version that is known from then on", async () => {
    const updates = [setProperty('a', '1')];
    const { server, catalog } = await serve(({ method, path }) => {
      if (!path.startsWith(TABLE_PATH)) return undefined;
      return method === 'POST' ? answered(applyUpdates(METADATA, updates, 2000), { etag: '"v2"' }) : { status: 304 };
    });
    const next = await catalog.commit(BASE, [], updates);
    expect(await catalog.loadTable(TABLE)).toBe(next);
    expect(server.received.at(-1)!.headers['if-none-match']).toBe('"v2"');
  });
});

describe('creating', () => {
  const creation = (location?: string) => ({
    name: 'orders',
    ...(location === undefined ? {} : { location }),
    'stage-create': false,
    properties: { owner: 'data', 'format-version': '2' },
  });

  test('the namespace is made only where it is missing, and those above it only where the server wants them', async () => {
    const made = new Set<string>();
    const { server, catalog } = await serve(({ method, path, body }) => {
      if (method !== 'POST') return undefined;
      if (path === '/v1/namespaces') {
        const levels: string[] = JSON.parse(body).namespace;
        if (levels.length > 1 && !made.has(levels.slice(0, -1).join('.'))) return undefined;
        made.add(levels.join('.'));
        return { status: 200, body: { namespace: levels } };
      }
      return made.has('a.b') ? answered(METADATA) : refusal(404, 'NoSuchNamespaceException', 'no namespace');
    });
    await catalog.createTable({ namespace: ['a', 'b'], name: 'orders' }, DEFINITION);
    const tables = 'POST /v1/namespaces/a%1Fb/tables';
    const namespaces = 'POST /v1/namespaces';
    expect(server.asked()).toEqual([tables, namespaces, namespaces, namespaces, tables]);
    expect(JSON.parse(server.received.at(-1)!.body)).toMatchObject(creation());
  });

  test("the location is the definition's, else the warehouse's, else the server's", async () => {
    const { server, catalog } = await serve(({ path }) => (path.endsWith('/tables') ? answered(METADATA) : undefined), {
      warehouse: 's3://lake/w/',
    });
    await catalog.createTable(TABLE, DEFINITION);
    await catalog.createTable(TABLE, { ...DEFINITION, location: 's3://own/place/' });
    const sent = server.received.filter(({ method }) => method === 'POST').map(({ body }) => JSON.parse(body));
    expect(sent).toMatchObject([creation('s3://lake/w/shop/orders'), creation('s3://own/place')]);
  });

  test('properties that the server leaves out are set by a commit', async () => {
    const bare = { ...METADATA, properties: {} };
    const { server, catalog } = await serve(({ path }) => {
      if (path === TABLE_PATH) return answered(METADATA);
      return path.endsWith('/tables') ? answered(bare) : undefined;
    });
    expect((await catalog.createTable(TABLE, DEFINITION)).metadata.properties).toEqual({ owner: 'data' });
    expect(JSON.parse(server.received.at(-1)!.body)).toEqual({
      requirements: [{ type: 'assert-table-uuid', uuid: METADATA.tableUuid }],
      updates: [{ action: 'set-properties', updates: { owner: 'data' } }],
    });
  });

  test('a name that is taken', async () => {
    const { catalog } = await serve(({ path }) =>
      path.endsWith('/tables') ? refusal(409, 'AlreadyExistsException', 'there') : undefined,
    );
    await expect(catalog.createTable(TABLE, DEFINITION)).rejects.toMatchObject({ kind: 'exists' });
  });

  test.each([
    [{ namespace: ['a', 'b'], name: 't' }, 'one level'],
    [{ namespace: ['a'], name: 'Upper' }, 'lower case'],
    [{ namespace: ['a-b'], name: 't' }, 'lower case'],
  ])('S3 Tables: %j is refused before it is asked for, and is not there', async (table, says) => {
    const { server, catalog } = await serve(() => undefined, {
      auth: { kind: 'sigv4', service: 's3tables', region: 'eu-west-1' },
    });
    await expect(catalog.createTable(table, DEFINITION)).rejects.toMatchObject({
      kind: 'invalid',
      message: expect.stringContaining(says),
    });
    expect(await catalog.findTable(table)).toBeUndefined();
    await expect(catalog.loadTable(table)).rejects.toMatchObject({ kind: 'not_found' });
    expect(server.received).toEqual([]);
  });
});

describe('listing', () => {
  test('follows pages and levels; what went away meanwhile is left out', async () => {
    const { server, catalog } = await serve(({ path }) => {
      const url = new URL(path, 'http://x');
      const token = url.searchParams.get('pageToken');
      const parent = url.searchParams.get('parent');
      if (url.pathname === '/v1/namespaces') {
        if (parent === 'a') return { status: 200, body: { namespaces: [['a', 'c']] } };
        if (parent !== null) return refusal(404, 'NoSuchNamespaceException', 'gone');
        return token === null
          ? { status: 200, body: { namespaces: [['b']], 'next-page-token': 'p 2' } }
          : { status: 200, body: { namespaces: [['a']], 'next-page-token': null } };
      }
      const [, namespace] = /namespaces\/(.*)\/tables/.exec(url.pathname) ?? [];
      if (namespace === 'b') return refusal(404, 'NoSuchNamespaceException', 'gone');
      if (namespace === 'a%1Fc') return { status: 200, body: { identifiers: [{ namespace: ['a', 'c'], name: 'x' }] } };
      return token === null
        ? { status: 200, body: { identifiers: [{ namespace: ['a'], name: 'z' }], 'next-page-token': 'more' } }
        : { status: 200, body: { identifiers: [{ namespace: ['a'], name: 'y' }] } };
    });
    expect(await catalog.listTables()).toEqual([
      { namespace: ['a', 'c'], name: 'x' },
      { namespace: ['a'], name: 'y' },
      { namespace: ['a'], name: 'z' },
    ]);
    expect(server.asked()).toContain('GET /v1/namespaces?pageToken=p%202');
    expect(server.asked()).toContain('GET /v1/namespaces?parent=a%1Fc');
  });

  test('a server that takes no notice of the parent is no endless tree, one that repeats a page is refused', async () => {
    const flat = await serve(({ path }) =>
      path.startsWith('/v1/namespaces?') || path === '/v1/namespaces'
        ? { status: 200, body: { namespaces: [['a'], ['b']] } }
        : path.includes('/tables')
          ? { status: 200, body: { identifiers: [] } }
          : undefined,
    );
    expect(await flat.catalog.listTables()).toEqual([]);
    await flat.server.stop();
    const again = await serve(({ path }) =>
      path.includes('/namespaces') ? { status: 200, body: { namespaces: [], 'next-page-token': 'same' } } : undefined,
    );
    await expect(again.catalog.listTables()).rejects.toMatchObject({ kind: 'corrupt' });
  });
});

describe('dropping', () => {
  test('asks for the files to stay', async () => {
    const { server, catalog } = await serve(({ method }) => (method === 'DELETE' ? { status: 204 } : undefined));
    await catalog.dropTable(TABLE);
    expect(server.asked()).toEqual([`DELETE ${TABLE_PATH}?purgeRequested=false`]);
  });

  test('what is not there is not_found', async () => {
    const { catalog } = await serve(() => undefined);
    await expect(catalog.dropTable(TABLE)).rejects.toMatchObject({ kind: 'not_found' });
  });
});

describe('commits that a server mistook', () => {
  const stage = pointTo(firstSnapshot(BASE, ID), 'wap-1');
  const staged = applyUpdates(METADATA, stage, 2000);
  const onMain = applyUpdates(METADATA, pointTo(firstSnapshot(BASE, ID), 'main'), 2000);

  test.each<[string, TableUpdate[], TableMetadata]>([
    ['the branch is not there', stage, { ...staged, refs: {} }],
    ['nothing is there', stage, METADATA],
    ['main moved', stage, { ...onMain, refs: { ...onMain.refs, ...staged.refs } }],
    ['the branch is still there', [{ action: 'remove-snapshot-ref', ref: 'wap-1' }], staged],
    ['the snapshot is still there', [{ action: 'remove-snapshots', snapshotIds: [ID] }], staged],
  ])('%s: not called done, not tried again, and nothing of it may be deleted', async (_, updates, answer) => {
    const { catalog } = await serve(onCommit(answered(answer)));
    await expect(catalog.commit(BASE, [], updates)).rejects.toMatchObject({ kind: 'internal', retryable: false });
  });

  test('what a commit itself takes back is not missed', async () => {
    const updates: TableUpdate[] = [
      ...stage,
      { action: 'remove-snapshot-ref', ref: 'wap-1' },
      { action: 'remove-snapshots', snapshotIds: [ID] },
    ];
    const { catalog } = await serve(onCommit(answered(METADATA)));
    expect((await catalog.commit(BASE, [], updates)).metadata.snapshots).toEqual([]);
  });
});

describe('refused commits', () => {
  const later = { ...firstSnapshot(BASE, ID), sequenceNumber: 1, parentSnapshotId: 7n };

  test('a table that is gone is a conflict', async () => {
    const { catalog } = await serve(() => undefined);
    await expect(catalog.commit(BASE, [], [setProperty('a', '1')])).rejects.toMatchObject({ kind: 'conflict' });
  });

  test('400 for a snapshot whose number another took is a conflict, shown by the table as it is now', async () => {
    const now = applyUpdates(METADATA, pointTo(firstSnapshot(BASE, ID + 2n), 'main'), 2000);
    const { server, catalog } = await serve(({ method, path }) => {
      if (!path.startsWith(TABLE_PATH)) return undefined;
      return method === 'POST' ? refusal(400, 'ValidationException', 'sequence number') : answered(now);
    });
    await expect(catalog.commit(BASE, [], pointTo(later, 'wap-1'))).rejects.toMatchObject({ kind: 'conflict' });
    expect(server.asked()).toEqual([`POST ${TABLE_PATH}`, `GET ${TABLE_PATH}?snapshots=all`]);
  });

  test('400 for anything else is what the server says it is', async () => {
    const { catalog } = await serve(({ method, path }) => {
      if (!path.startsWith(TABLE_PATH)) return undefined;
      return method === 'POST' ? refusal(400, 'BadRequestException', 'unknown update') : answered(METADATA);
    });
    const invalid = { kind: 'invalid', message: expect.stringContaining('unknown update') };
    await expect(catalog.commit(BASE, [], pointTo(later, 'wap-1'))).rejects.toMatchObject(invalid);
    await expect(catalog.commit(BASE, [], [setProperty('a', '1')])).rejects.toMatchObject(invalid);
  });
});
