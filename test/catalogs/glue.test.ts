/** The Glue catalogue when Glue fails, through the real client. What it does when all is well is held against an emulator (test/interop). */
import { randomUUID } from 'node:crypto';
import { GlueClient } from '@aws-sdk/client-glue';
import type { Catalog, LoadedTable } from '../../src/catalogs/catalog.ts';
import { createGlueCatalog } from '../../src/catalogs/glue.ts';
import { checkGlueIdentifier, hiveType } from '../../src/catalogs/glue-table.ts';
import type { MetadataSizeReport } from '../../src/catalogs/metadata-size.ts';
import { createMemoryStore } from '../../src/storage/memory.ts';
import type { ObjectStore } from '../../src/storage/store.ts';
import { catalogContract, DEFINITION, setProperty, TABLE } from '../contract/catalog.contract.ts';
import { collect } from '../contract/collect.ts';
import { type GlueServer, startGlueServer } from './glue-server.ts';

let server: GlueServer;
let store: ObjectStore;
const clients: GlueClient[] = [];

beforeEach(async () => {
  server = await startGlueServer();
  store = createMemoryStore();
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await server.close();
});

function open(changes: Partial<Parameters<typeof createGlueCatalog>[0]> = {}, maxAttempts = 1): Catalog {
  const client = new GlueClient({
    endpoint: server.endpoint,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'AKIATEST', secretAccessKey: 'secret-key' },
    maxAttempts,
  });
  clients.push(client);
  const ports = { store, clock: Date.now, uuid: randomUUID, client };
  return createGlueCatalog({ name: 'glue', warehouse: 'memory:/warehouse/', ...ports, ...changes });
}

catalogContract(
  'Glue on a stand-in',
  async () => ({
    catalog: open(),
    other: open(),
    register: async ({ namespace, name }, text) => {
      await store.create('memory:/x.metadata.json', new TextEncoder().encode(text));
      const Parameters = { table_type: 'ICEBERG', metadata_location: 'memory:/x.metadata.json' };
      server.tables.set(namespace[0]!, new Map([[name, { Name: name, VersionId: '0', Parameters }]]));
    },
  }),
  { nestedNamespaces: false },
);

const operations = () => server.asked.splice(0).map(({ operation }) => operation);
const metadataFiles = async () => (await collect(store.list('memory:/'))).map(({ url }) => url);

/** A table past the versions that are looked up again. */
async function settled(catalog: Catalog): Promise<LoadedTable> {
  let table = await catalog.createTable(TABLE, DEFINITION);
  for (const key of ['a', 'b', 'c']) table = await catalog.commit(table, [], [setProperty(key, '1')]);
  server.asked.length = 0;
  return table;
}

describe('a commit', () => {
  test('whose answer is lost is found to have happened, and the next builds on it', async () => {
    const catalog = open();
    const base = await settled(catalog);
    server.fail('UpdateTable', 'lost-after');
    const next = await catalog.commit(base, [], [setProperty('x', '1')]);
    expect(operations()).toEqual(['UpdateTable', 'GetTable']);
    expect(await open().loadTable(TABLE)).toEqual(next);
    await catalog.commit(next, [], [setProperty('y', '1')]);
  });

  test('that the client sends again after it happened is not taken for a lost race', async () => {
    const catalog = open({}, 3);
    const base = await settled(catalog);
    server.fail('UpdateTable', 'lost-after');
    const next = await catalog.commit(base, [], [setProperty('x', '1')]);
    expect(operations()).toEqual(['UpdateTable', 'UpdateTable', 'GetTable']);
    expect(await open().loadTable(TABLE)).toEqual(next);
  });

  test.each([
    'lost-before' as const,
    { type: 'InternalServiceException', status: 500 },
    { type: 'OperationTimeoutException' },
  ])('of which nobody can say whether it will happen is unknown, and its file stays: %p', async (fault) => {
    const catalog = open();
    const base = await settled(catalog);
    const before = await metadataFiles();
    server.fail('UpdateTable', fault);
    await expect(catalog.commit(base, [], [setProperty('x', '1')])).rejects.toMatchObject({
      kind: 'unknown_outcome',
      retryable: true,
    });
    expect(await metadataFiles()).toHaveLength(before.length + 1);
    expect(await catalog.loadTable(TABLE)).toEqual(base);
  });

  test('that happened stays, whatever the client hears when it sends it again', async () => {
    const catalog = open({}, 3);
    const base = await settled(catalog);
    server.fail('UpdateTable', 'lost-after', { type: 'ExpiredTokenException' });
    const next = await catalog.commit(base, [], [setProperty('x', '1')]);
    expect(await open().loadTable(TABLE)).toEqual(next);
  });

  test('that cannot be looked up either is unknown', async () => {
    const catalog = open();
    const base = await settled(catalog);
    server.fail('UpdateTable', 'lost-after');
    server.fail('GetTable', { type: 'InternalServiceException', status: 500 });
    await expect(catalog.commit(base, [], [setProperty('x', '1')])).rejects.toMatchObject({ kind: 'unknown_outcome' });
    expect((await catalog.loadTable(TABLE)).metadata.properties.x).toBe('1');
  });

  test('that is throttled changed nothing and leaves nothing', async () => {
    const catalog = open();
    const base = await settled(catalog);
    const before = await metadataFiles();
    server.fail('UpdateTable', { type: 'ThrottlingException', message: 'Rate exceeded' });
    await expect(catalog.commit(base, [], [setProperty('x', '1')])).rejects.toMatchObject({
      kind: 'unavailable',
      retryable: true,
      message: expect.stringContaining('Rate exceeded'),
    });
    expect(await metadataFiles()).toEqual(before);
  });

  test('that is denied says what to grant, and is not tried again', async () => {
    const catalog = open();
    const base = await settled(catalog);
    const message = 'Insufficient Lake Formation permission(s) on orders';
    server.fail('UpdateTable', { type: 'AccessDeniedException', message });
    const denied = catalog.commit(base, [], [setProperty('x', '1')]);
    await expect(denied).rejects.toMatchObject({
      kind: 'unavailable',
      retryable: false,
      message: expect.stringMatching(/commit to shop\.orders.*Insufficient Lake Formation.*its grants/),
    });
    await expect(denied).rejects.not.toMatchObject({ message: expect.stringMatching(/secret-key|AKIATEST/) });
  });
});

test('a creation whose answer is lost is found to have happened', async () => {
  const catalog = open({}, 3);
  server.fail('CreateTable', 'lost-after');
  const created = await catalog.createTable(TABLE, DEFINITION);
  expect(await open().loadTable(TABLE)).toEqual(created);
});

test('every page of databases and tables is listed, of the account that was asked for', async () => {
  const catalog = open({ catalogId: '123456789012' });
  const tables = ['a.x', 'a.y', 'a.z', 'b.x', 'c.x'].map((text) => {
    const [namespace, name] = text.split('.') as [string, string];
    return { namespace: [namespace], name };
  });
  for (const table of tables) await catalog.createTable(table, DEFINITION);
  await catalog.commit(await catalog.loadTable(tables[0]!), [], [setProperty('x', '1')]);
  expect(await catalog.listTables()).toEqual(tables);
  await catalog.dropTable(tables[0]!);
  expect(new Set(server.asked.map(({ body }) => body.CatalogId))).toEqual(new Set(['123456789012']));
  expect(server.asked.filter(({ operation }) => operation === 'UpdateTable')).toMatchObject([
    { body: { SkipArchive: true, VersionId: '0' } },
  ]);
});

test('a listing that fails is a fault, not an empty catalogue', async () => {
  await open().createTable(TABLE, DEFINITION);
  server.fail('GetTables', { type: 'AccessDeniedException' });
  await expect(open().listTables()).rejects.toMatchObject({ kind: 'unavailable', retryable: false });
});

test('a link to a table of another account is not followed', async () => {
  const link = { Name: 'orders', VersionId: '0', TargetTable: { CatalogId: '1', DatabaseName: 'theirs', Name: 't' } };
  server.tables.set('shop', new Map([['orders', link]]));
  expect(await open().listTables()).toEqual([]);
  await expect(open().loadTable(TABLE)).rejects.toMatchObject({
    kind: 'unsupported',
    message: expect.stringContaining('a link to theirs.t of the catalogue 1'),
  });
});

test('metadata near the limit: the commit that passes the threshold makes room by itself and tells of it', async () => {
  const reports: MetadataSizeReport[] = [];
  let now = Date.now();
  const limits = { warnBytes: 6000, urgentBytes: 8000, maxBytes: 9000 };
  const catalog = open({ limits, clock: () => now, onMetadataSize: (report) => reports.push(report) });
  let table = await catalog.createTable(TABLE, DEFINITION);
  for (let i = 1; i <= 60; i += 1) {
    now += 6 * 3_600_000;
    const snapshotId = BigInt(i);
    table = await catalog.commit(
      table,
      [],
      [
        { action: 'set-properties', updates: { 'write.metadata.previous-versions-max': '1' } },
        {
          action: 'add-snapshot',
          snapshot: {
            snapshotId,
            ...(i > 1 ? { parentSnapshotId: snapshotId - 1n } : {}),
            sequenceNumber: i,
            timestampMs: now,
            manifestList: `memory:/m/${i}.avro`,
            summary: { operation: 'append' },
            schemaId: 0,
          },
        },
        { action: 'set-snapshot-ref', ref: 'main', value: { snapshotId, type: 'branch' } },
      ],
    );
  }
  expect(table.metadata.currentSnapshotId).toBe(60n);
  expect(table.metadata.snapshots.length).toBeGreaterThan(1);
  expect(table.metadata.snapshots.length).toBeLessThan(40);
  expect(reports[0]).toMatchObject({ table: 'shop.orders', limits });
  expect(reports.some(({ expiredSnapshots }) => expiredSnapshots > 0)).toBe(true);
  expect(await open().loadTable(TABLE)).toEqual(table);
});

test('metadata that is too large whatever expires is refused with what to do, and nothing is written', async () => {
  const catalog = open({ limits: { warnBytes: 100, urgentBytes: 4000, maxBytes: 4000 } });
  const base = await catalog.createTable(TABLE, DEFINITION);
  const before = await metadataFiles();
  await expect(catalog.commit(base, [], [setProperty('long', 'x'.repeat(5000))])).rejects.toMatchObject({
    kind: 'invalid',
    message: expect.stringMatching(/shop\.orders.*at most 0\.0 MB.*lakegate table expire shop\.orders --older-than 1h/),
  });
  expect(await metadataFiles()).toEqual(before);
});

test("names by Glue's rules, with the right one", () => {
  const refusal = (namespace: string[], name: string) => {
    try {
      checkGlueIdentifier({ namespace, name });
      return '';
    } catch (error) {
      return String(error);
    }
  };
  expect(refusal(['shop'], 'orders_2')).toBe('');
  expect(refusal(['a', 'b'], 't')).toContain('has one level, found 2. Write for example "a_b.t"');
  expect(refusal(['Shop'], 'orders')).toContain('Write for example "shop"');
  expect(refusal(['shop'], 'daily-orders')).toContain('Write for example "daily_orders"');
});

test("types as Iceberg's own catalogue writes them", () => {
  expect(
    hiveType({
      type: 'struct',
      fields: [
        { id: 1, name: 'at', required: false, type: 'timestamptz' },
        { id: 2, name: 'price', required: false, type: 'decimal(10, 2)' },
        { id: 3, name: 'hash', required: false, type: 'fixed[16]' },
        {
          id: 4,
          name: 'by',
          required: false,
          type: { type: 'map', keyId: 5, key: 'uuid', valueId: 6, value: 'long', valueRequired: false },
        },
      ],
    }),
  ).toBe('struct<at:timestamp,price:decimal(10,2),hash:binary,by:map<string,bigint>>');
});
