/** The Glue catalogue on an emulator that keeps Glue's optimistic lock: the contract, how many requests it costs, and PyIceberg beside it. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  CreateDatabaseCommand,
  CreateTableCommand,
  DeleteDatabaseCommand,
  GetDatabasesCommand,
  GetTableCommand,
  type GlueClient,
  type TableInput,
  UpdateTableCommand,
} from '@aws-sdk/client-glue';
import type { Catalog, LoadedTable, TableIdentifier } from '../../src/catalogs/catalog.ts';
import { createGlueCatalog } from '../../src/catalogs/glue.ts';
import { composeLake } from '../../src/compose.ts';
import { tableDefaults } from '../../src/config/defaults.ts';
import type { LakeConfig } from '../../src/config/model.ts';
import { deliver } from '../../src/gate/deliver.ts';
import { createFileStore } from '../../src/storage/file.ts';
import { createS3Store } from '../../src/storage/s3.ts';
import type { ObjectStore } from '../../src/storage/store.ts';
import { catalogContract, DEFINITION, setProperty, TABLE } from '../contract/catalog.contract.ts';
import { orders, parquet } from '../faults/lake.ts';
import { type Emulator, startMiniStack } from './emulators/index.ts';
import { type Engine, startEngines } from './engine.ts';
import { clientOf } from './glue-client.ts';
import { newBucket, useEmulator } from './s3.ts';

let emulator: Emulator;
let client: GlueClient;
let folder: string;
/** Names of the requests to Glue, and of reads and writes of the store. */
let requests: string[];

beforeAll(async () => {
  emulator = await startMiniStack();
  client = clientOf(emulator);
});
afterAll(async () => {
  client?.destroy();
  await emulator?.stop();
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakegate-glue-'));
  requests = [];
});
afterEach(async () => {
  // The emulator drops a database's tables with it, as Glue does.
  const { DatabaseList = [] } = await client.send(new GetDatabasesCommand({}));
  for (const { Name } of DatabaseList) await client.send(new DeleteDatabaseCommand({ Name }));
  await rm(folder, { recursive: true, force: true });
});

const warehouse = () => `${pathToFileURL(folder).href}/warehouse/`;

function open(changes: Partial<Parameters<typeof createGlueCatalog>[0]> = {}): Catalog {
  return createGlueCatalog({
    name: 'glue',
    warehouse: warehouse(),
    store: counted(createFileStore()),
    clock: Date.now,
    uuid: randomUUID,
    client: clientOf(emulator, requests),
    ...changes,
  });
}

function counted(store: ObjectStore): ObjectStore {
  const count = (what: string) => requests.push(what);
  return {
    ...store,
    read: (url) => {
      count('GET');
      return store.read(url);
    },
    create: (url, bytes) => {
      count('PUT');
      return store.create(url, bytes);
    },
    delete: (urls) => {
      count('DELETE');
      return store.delete(urls);
    },
  };
}

const stored = async ({ namespace, name }: TableIdentifier) =>
  (await client.send(new GetTableCommand({ DatabaseName: namespace[0], Name: name }))).Table!;

async function put(input: TableInput, database = 'shop'): Promise<void> {
  await client.send(new CreateDatabaseCommand({ DatabaseInput: { Name: database } })).catch(() => undefined);
  await client.send(new CreateTableCommand({ DatabaseName: database, TableInput: input }));
}

catalogContract(
  'Glue on MiniStack',
  async () => ({
    catalog: open(),
    other: open(),
    register: async ({ namespace, name }, text) => {
      const location = `${pathToFileURL(folder).href}/elsewhere/x.metadata.json`;
      await createFileStore().create(location, new TextEncoder().encode(text));
      const Parameters = { table_type: 'iceberg', metadata_location: location };
      await put({ Name: name, TableType: 'EXTERNAL_TABLE', Parameters }, namespace[0]);
    },
  }),
  { nestedNamespaces: false },
);

describe('on S3', () => {
  let bucket: string;
  beforeAll(() => useEmulator(emulator));
  beforeEach(async () => {
    bucket = await newBucket();
  });
  const onS3 = () => open({ store: createS3Store(), warehouse: `${bucket}warehouse/` });

  catalogContract(
    'Glue and S3 on MiniStack',
    async () => ({
      catalog: onS3(),
      other: onS3(),
      register: async ({ namespace, name }, text) => {
        const location = `${bucket}elsewhere/x.metadata.json`;
        await createS3Store().create(location, new TextEncoder().encode(text));
        const Parameters = { table_type: 'ICEBERG', metadata_location: location };
        await put({ Name: name, TableType: 'EXTERNAL_TABLE', Parameters }, namespace[0]);
      },
    }),
    { nestedNamespaces: false },
  );
});

/** A table at a version from which a remembered one is trusted. */
async function settled(catalog: Catalog): Promise<LoadedTable> {
  let table = await catalog.createTable(TABLE, DEFINITION);
  for (const key of ['one', 'two']) table = await catalog.commit(table, [], [setProperty(key, '1')]);
  return table;
}

test('requests: a load is one of Glue and one of the store, a commit two, and the next builds on it', async () => {
  await settled(open());
  requests.length = 0;
  const catalog = open();
  const loaded = await catalog.loadTable(TABLE);
  expect(requests.splice(0)).toEqual(['GetTable', 'GET']);
  const staged = await catalog.commit(loaded, [], [setProperty('staged', '1')]);
  expect(requests.splice(0)).toEqual(['PUT', 'UpdateTable']);
  const published = await catalog.commit(staged, [], [setProperty('published', '1')]);
  expect(requests.splice(0)).toEqual(['PUT', 'UpdateTable']);
  expect(await catalog.loadTable(TABLE)).toEqual(published);
  expect(requests.splice(0)).toEqual(['GetTable']);
});

test('a version that somebody took meanwhile is a conflict, whoever has it, and nothing of ours stays', async () => {
  const catalog = open();
  const base = await settled(catalog);
  const theirs = await open().commit(base, [], [setProperty('winner', 'other')]);
  requests.length = 0;
  await expect(catalog.commit(base, [], [setProperty('winner', 'me')])).rejects.toMatchObject({ kind: 'conflict' });
  expect(requests).toEqual(['PUT', 'UpdateTable', 'DELETE']);
  expect(await catalog.loadTable(TABLE)).toEqual(theirs);
});

test('a table that was dropped and made again is not taken for the one it was', async () => {
  const catalog = open();
  const base = await catalog.createTable(TABLE, DEFINITION);
  await catalog.loadTable(TABLE);
  const other = open();
  await other.dropTable(TABLE);
  const second = await other.createTable(TABLE, DEFINITION);
  await expect(catalog.commit(base, [], [setProperty('a', '1')])).rejects.toMatchObject({ kind: 'conflict' });
  expect(await other.loadTable(TABLE)).toEqual(second);
});

test('what others set in the entry stays: parameters, comments, serde; the columns follow the schema', async () => {
  const catalog = open();
  const base = await settled(catalog);
  const { DatabaseName: _, VersionId: version, CreateTime: _c, UpdateTime: _u, ...entry } = await stored(TABLE);
  await client.send(
    new UpdateTableCommand({
      DatabaseName: 'shop',
      VersionId: version,
      TableInput: {
        Name: 'orders',
        TableType: 'EXTERNAL_TABLE',
        Description: 'orders of the shop',
        Owner: 'sales',
        Parameters: { ...entry.Parameters, classification: 'pii' },
        StorageDescriptor: {
          ...entry.StorageDescriptor,
          SerdeInfo: { Parameters: { by: 'crawler' } },
          Columns: entry.StorageDescriptor!.Columns!.map((column) => ({ ...column, Comment: `about ${column.Name}` })),
        },
      },
    }),
  );
  const loaded = await catalog.loadTable(TABLE);
  expect(loaded.metadataLocation).toBe(base.metadataLocation);
  const schema = structuredClone(DEFINITION.schema);
  schema.schemaId = 1;
  schema.fields.push({
    id: 3,
    name: 'tags',
    required: false,
    type: { type: 'list', elementId: 4, element: 'string', elementRequired: false },
  });
  const after = await catalog.commit(
    loaded,
    [],
    [
      { action: 'add-schema', schema, lastColumnId: 4 },
      { action: 'set-current-schema', schemaId: -1 },
    ],
  );
  const parameters = (id: string, optional: boolean) => ({
    'iceberg.field.id': id,
    'iceberg.field.optional': String(optional),
    'iceberg.field.current': 'true',
  });
  expect(await stored(TABLE)).toMatchObject({
    Description: 'orders of the shop',
    Owner: 'sales',
    TableType: 'EXTERNAL_TABLE',
    Parameters: {
      classification: 'pii',
      table_type: 'ICEBERG',
      metadata_location: after.metadataLocation,
      previous_metadata_location: base.metadataLocation,
    },
    StorageDescriptor: {
      Location: base.metadata.location,
      SerdeInfo: { Parameters: { by: 'crawler' } },
      Columns: [
        { Name: 'id', Type: 'bigint', Comment: 'about id', Parameters: parameters('1', false) },
        { Name: 'day', Type: 'date', Comment: 'about day', Parameters: parameters('2', true) },
        { Name: 'tags', Type: 'array<string>', Parameters: parameters('3', true) },
      ],
    },
  });
});

test("a Hive table, a view and a link are not lakegate's: neither listed, nor loaded, nor replaced, nor dropped", async () => {
  const catalog = open();
  await catalog.createTable(TABLE, DEFINITION);
  await put({ Name: 'hive', TableType: 'EXTERNAL_TABLE', StorageDescriptor: { Location: 's3://b/hive' } });
  await put({ Name: 'seen', TableType: 'VIRTUAL_VIEW', Parameters: { presto_view: 'true' } });
  expect(await catalog.listTables()).toEqual([TABLE]);
  for (const name of ['hive', 'seen']) {
    const table = { namespace: ['shop'], name };
    await expect(catalog.findTable(table)).rejects.toMatchObject({
      kind: 'unsupported',
      message: expect.stringMatching(/a Hive table|a view/),
    });
    await expect(catalog.loadTable(table)).rejects.toMatchObject({ kind: 'unsupported' });
    await expect(catalog.createTable(table, DEFINITION)).rejects.toMatchObject({ kind: 'exists' });
    await expect(catalog.dropTable(table)).rejects.toMatchObject({ kind: 'unsupported' });
    expect(await stored(table)).toMatchObject({ Name: name });
  }
});

test('a database of its own place gives its tables theirs; one that is missing is made', async () => {
  const LocationUri = `${pathToFileURL(folder).href}/place/`;
  await client.send(new CreateDatabaseCommand({ DatabaseInput: { Name: 'shop', LocationUri } }));
  const catalog = open();
  const created = await catalog.createTable(TABLE, DEFINITION);
  expect(created.metadata.location).toBe(`${LocationUri}orders`);
  const second = await catalog.createTable({ namespace: ['made_up'], name: 't' }, DEFINITION);
  expect(second.metadata.location).toBe(`${warehouse()}made_up/t`);
});

describe('PyIceberg', () => {
  let engines: Engine;
  beforeAll(() => {
    engines = startEngines();
  });
  afterAll(() => engines.close());

  const address = (place = warehouse()) => ({
    catalog: 'glue',
    properties: {
      type: 'glue',
      's3.endpoint': emulator.endpoint,
      's3.region': emulator.env.AWS_REGION,
      's3.access-key-id': emulator.env.AWS_ACCESS_KEY_ID,
      's3.secret-access-key': emulator.env.AWS_SECRET_ACCESS_KEY,
      'glue.endpoint': emulator.endpoint,
      'glue.region': emulator.env.AWS_REGION,
      'glue.access-key-id': emulator.env.AWS_ACCESS_KEY_ID,
      'glue.secret-access-key': emulator.env.AWS_SECRET_ACCESS_KEY,
      warehouse: place,
    },
  });

  test('sees exactly what the gate published on S3, and its own rows beside', async () => {
    useEmulator(emulator);
    const bucket = await newBucket();
    const place = `${bucket}warehouse/`;
    const config: LakeConfig = {
      name: 'lakegate',
      raw: `${bucket}raw/`,
      warehouse: place,
      records: `${bucket}records/`,
      defaultCatalog: 'glue',
      catalogs: { glue: { type: 'glue', warehouse: place } },
      tables: [
        { ...tableDefaults(), name: 'shop.orders', prefix: 'orders/', rules: [{ rule: 'row_count', max: 100 }] },
      ],
      notify: { suppressMs: 0 },
      stages: [],
    };
    const lake = await composeLake(config, {
      env: process.env,
      cwd: folder,
      notifier: { notify: async () => undefined },
    });
    try {
      const states = async (name: string, from: number, count: number) => {
        const url = `${config.raw}orders/${name}`;
        await lake.ports.store.create(url, parquet(orders(from, count)));
        return (await deliver(lake.ports, config, [url])).map((one) => ('record' in one ? one.record.state : one));
      };
      const seen = async () =>
        (await engines.ask<string[]>('pyiceberg_rows', { lake: address(place), table: 'shop.orders' })).length;
      expect(await states('clean 1+%é.parquet', 0, 30)).toEqual(['published']);
      expect(await states('too-many.parquet', 100, 200)).toEqual(['rejected']);
      expect(await seen()).toBe(30);
      const theirs = join(folder, 'theirs.parquet');
      await writeFile(theirs, parquet(orders(500, 7)));
      await engines.ask('append', { lake: address(place), table: 'shop.orders', paths: [theirs] });
      expect(await states('clean-2.parquet', 1000, 5)).toEqual(['published']);
      expect(await seen()).toBe(42);
    } finally {
      lake.close();
    }
  });

  test('reads what we commit, gzipped too, and what it commits beside us stays', async () => {
    const catalog = open();
    const base = await settled(catalog);
    const branch = await engines.ask<unknown>('pyiceberg_rows', { lake: address(), table: 'shop.orders' });
    expect(branch).toEqual([]);
    const packed = await catalog.commit(base, [], [setProperty('write.metadata.compression-codec', 'gzip')]);
    expect(packed.metadataLocation).toMatch(/\.gz\.metadata\.json$/);
    expect(await engines.ask('pyiceberg_rows', { lake: address(), table: 'shop.orders' })).toEqual([]);
    await engines.ask('evolve', { lake: address(), table: 'shop.orders', add: ['note'] });
    await expect(catalog.commit(packed, [], [setProperty('late', '1')])).rejects.toMatchObject({ kind: 'conflict' });
    const loaded = await catalog.loadTable(TABLE);
    const current = loaded.metadata.schemas.find(({ schemaId }) => schemaId === loaded.metadata.currentSchemaId)!;
    expect(current.fields.map(({ name }) => name)).toEqual(['id', 'day', 'note']);
    await catalog.commit(loaded, [], [setProperty('ours', '1')]);
    await engines.ask('evolve', { lake: address(), table: 'shop.orders', drop: ['note'] });
    const last = await open().loadTable(TABLE);
    expect(last.metadata.properties).toMatchObject({ one: '1', two: '1', ours: '1' });
  });
});

test('eight committers at once: all get through, one at a time', async () => {
  await settled(open());
  const racers = Array.from({ length: 8 }, (_, i) => ({ catalog: open(), key: `racer-${i}` }));
  await Promise.all(
    racers.map(async ({ catalog, key }) => {
      let table = await catalog.loadTable(TABLE);
      for (let done = 0; done < 3; ) {
        try {
          table = await catalog.commit(table, [], [setProperty(`${key}-${done}`, 'done')]);
          done += 1;
        } catch (error) {
          expect(error).toMatchObject({ kind: 'conflict' });
          table = await catalog.loadTable(TABLE);
        }
      }
    }),
  );
  const { metadata } = await open().loadTable(TABLE);
  expect(Object.keys(metadata.properties).filter((key) => key.startsWith('racer-'))).toHaveLength(24);
  expect(metadata.metadataLog).toHaveLength(26);
});
