import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { gzipSync } from 'node:zlib';
import type { Catalog } from '../../src/catalogs/catalog.ts';
import { openSqliteCatalog } from '../../src/catalogs/sqlite.ts';
import { createFileStore } from '../../src/storage/file.ts';
import { createMemoryStore } from '../../src/storage/memory.ts';
import type { ObjectStore } from '../../src/storage/store.ts';
import { catalogContract, DEFINITION, setProperty, TABLE } from '../contract/catalog.contract.ts';
import { collect } from '../contract/collect.ts';

let folder: string;
let store: ObjectStore;
let reads: string[];
const opened: Catalog[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakegate-sqlite-'));
  const memory = createMemoryStore();
  reads = [];
  store = {
    ...memory,
    read: (url) => {
      reads.push(url);
      return memory.read(url);
    },
  };
});
afterEach(async () => {
  for (const catalog of opened.splice(0)) catalog.close();
  await rm(folder, { recursive: true, force: true });
});

function open(changes: Partial<Parameters<typeof openSqliteCatalog>[0]> = {}): Catalog {
  const catalog = openSqliteCatalog({
    name: 'sql',
    uri: `sqlite:///${folder}/catalog.db`,
    catalogName: 'lake',
    warehouse: 'memory:/warehouse/',
    store,
    clock: Date.now,
    uuid: randomUUID,
    ...changes,
  });
  opened.push(catalog);
  return catalog;
}

function database<T>(run: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(`${folder}/catalog.db`);
  try {
    return run(db);
  } finally {
    db.close();
  }
}

async function register(namespace: string, name: string, location: string | null, bytes?: Uint8Array): Promise<void> {
  if (bytes !== undefined && location !== null) await store.create(location, bytes);
  database((db) =>
    db
      .prepare(
        'INSERT INTO iceberg_tables (catalog_name, table_namespace, table_name, metadata_location) VALUES (?, ?, ?, ?)',
      )
      .run('lake', namespace, name, location),
  );
}

const metadataFiles = async () => (await collect(store.list('memory:/'))).map((info) => info.url);

catalogContract('SQLite', async () => ({
  catalog: open(),
  other: open(),
  register: (table, text) =>
    register(
      table.namespace.join('.'),
      table.name,
      'memory:/elsewhere/x.metadata.json',
      new TextEncoder().encode(text),
    ),
}));

describe('SQLite catalogue', () => {
  test("rows are those PyIceberg's SqlCatalog writes", async () => {
    const catalog = open();
    const created = await catalog.createTable({ namespace: ['a', 'b'], name: 't' }, DEFINITION);
    expect(created.metadata.location).toBe('memory:/warehouse/a.b/t');
    expect(created.metadataLocation).toMatch(
      /^memory:\/warehouse\/a\.b\/t\/metadata\/00000-[0-9a-f-]{36}\.metadata\.json$/,
    );
    const next = await catalog.commit(created, [], [setProperty('a', '1')]);
    expect(next.metadataLocation).toMatch(/\/00001-[0-9a-f-]{36}\.metadata\.json$/);
    expect(next.metadata.metadataLog).toEqual([
      { timestampMs: created.metadata.lastUpdatedMs, metadataFile: created.metadataLocation },
    ]);
    expect(
      database((db) =>
        db
          .prepare('SELECT * FROM iceberg_tables')
          .all()
          .map((row) => ({ ...row })),
      ),
    ).toEqual([
      {
        catalog_name: 'lake',
        table_namespace: 'a.b',
        table_name: 't',
        metadata_location: next.metadataLocation,
        previous_metadata_location: created.metadataLocation,
        iceberg_type: 'TABLE',
      },
    ]);
    expect(
      database((db) =>
        db
          .prepare('SELECT * FROM iceberg_namespace_properties')
          .all()
          .map((row) => Object.values(row)),
      ),
    ).toEqual([['lake', 'a.b', 'exists', 'true']]);
  });

  test('rows of other catalogue names are not seen and not touched', async () => {
    const mine = open();
    const theirs = open({ catalogName: 'theirs' });
    const table = await theirs.createTable(TABLE, DEFINITION);
    expect(await mine.findTable(TABLE)).toBeUndefined();
    const own = await mine.createTable(TABLE, { ...DEFINITION, location: 'memory:/own/' });
    expect(own.metadata.location).toBe('memory:/own');
    await mine.commit(own, [], [setProperty('a', '1')]);
    await mine.dropTable(TABLE);
    expect(await theirs.loadTable(TABLE)).toEqual(table);
  });

  test('a view of the name is no table, and is not overwritten', async () => {
    const catalog = open();
    await register('shop', 'orders', 'memory:/view.json');
    database((db) => db.exec("UPDATE iceberg_tables SET iceberg_type = 'VIEW'"));
    expect(await catalog.findTable(TABLE)).toBeUndefined();
    expect(await catalog.listTables()).toEqual([]);
    await expect(catalog.dropTable(TABLE)).rejects.toMatchObject({ kind: 'not_found' });
    await expect(catalog.createTable(TABLE, DEFINITION)).rejects.toMatchObject({ kind: 'exists' });
    expect(await metadataFiles()).toEqual([]);
  });

  test('a catalogue without iceberg_type (PyIceberg before 0.12) is used as it is', async () => {
    database((db) =>
      db.exec(`CREATE TABLE iceberg_tables (catalog_name VARCHAR(255) NOT NULL, table_namespace VARCHAR(255) NOT NULL,
        table_name VARCHAR(255) NOT NULL, metadata_location VARCHAR(1000), previous_metadata_location VARCHAR(1000),
        PRIMARY KEY (catalog_name, table_namespace, table_name))`),
    );
    const catalog = open();
    const base = await catalog.createTable(TABLE, DEFINITION);
    const next = await catalog.commit(base, [], [setProperty('a', '1')]);
    expect(await open().loadTable(TABLE)).toEqual(next);
    expect(await catalog.listTables()).toEqual([TABLE]);
    await catalog.dropTable(TABLE);
  });

  test("a namespace's own location comes before the warehouse", async () => {
    const catalog = open();
    database((db) =>
      db.exec("INSERT INTO iceberg_namespace_properties VALUES ('lake', 'shop', 'location', 'memory:/shops/')"),
    );
    expect((await catalog.createTable(TABLE, DEFINITION)).metadata.location).toBe('memory:/shops/orders');
    expect(database((db) => db.prepare('SELECT property_key FROM iceberg_namespace_properties').all())).toHaveLength(1);
  });

  test('without a warehouse a table needs a location', async () => {
    const catalog = open({ warehouse: '' });
    await expect(catalog.createTable(TABLE, DEFINITION)).rejects.toMatchObject({ kind: 'config' });
    await catalog.createTable(TABLE, { ...DEFINITION, location: 'memory:/here' });
  });

  test('metadata is read once, and own commits not at all', async () => {
    const catalog = open();
    const base = await catalog.createTable(TABLE, DEFINITION);
    const next = await catalog.commit(base, [], [setProperty('a', '1')]);
    expect(await catalog.loadTable(TABLE)).toEqual(next);
    expect(reads).toEqual([]);
    const other = open();
    await other.loadTable(TABLE);
    await other.loadTable(TABLE);
    expect(reads).toEqual([next.metadataLocation]);
  });

  test('a lost race leaves no metadata file, whether seen before the swap or at it', async () => {
    const catalog = open();
    const other = open();
    const base = await catalog.createTable(TABLE, DEFINITION);
    const settled = await Promise.allSettled([
      catalog.commit(base, [], [setProperty('a', '1')]),
      other.commit(base, [], [setProperty('a', '2')]),
    ]);
    const won = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value.metadataLocation] : []));
    await expect(catalog.commit(base, [], [setProperty('a', '3')])).rejects.toMatchObject({ kind: 'conflict' });
    expect((await metadataFiles()).sort()).toEqual([base.metadataLocation, ...won].sort());
  });

  test('a commit of nothing writes nothing', async () => {
    const catalog = open();
    const base = await catalog.createTable(TABLE, DEFINITION);
    expect(await catalog.commit(base, [], [])).toBe(base);
    expect(await metadataFiles()).toEqual([base.metadataLocation]);
  });

  test('files that fall off the metadata log are deleted where the table asks for it', async () => {
    const catalog = open();
    let table = await catalog.createTable(TABLE, {
      ...DEFINITION,
      properties: { 'write.metadata.previous-versions-max': '2', 'write.metadata.delete-after-commit.enabled': 'true' },
    });
    const locations = [table.metadataLocation];
    for (let i = 0; i < 5; i += 1) {
      table = await catalog.commit(table, [], [setProperty('i', `${i}`)]);
      locations.push(table.metadataLocation);
    }
    expect((await metadataFiles()).sort()).toEqual(locations.slice(-3).sort());
  });

  test('a lock that is not let go is unavailable, and leaves no file', async () => {
    const catalog = open({ uri: `sqlite:///${folder}/catalog.db?timeout=0.05` });
    const base = await catalog.createTable(TABLE, DEFINITION);
    const holder = new DatabaseSync(`${folder}/catalog.db`);
    holder.exec('BEGIN IMMEDIATE');
    await expect(catalog.commit(base, [], [setProperty('a', '1')])).rejects.toMatchObject({
      kind: 'unavailable',
      retryable: true,
    });
    await expect(catalog.createTable({ ...TABLE, name: 'x' }, DEFINITION)).rejects.toMatchObject({
      kind: 'unavailable',
    });
    holder.exec('ROLLBACK');
    holder.close();
    expect(await metadataFiles()).toEqual([base.metadataLocation]);
    await catalog.commit(base, [], [setProperty('a', '1')]);
  });

  test('a file that is no database is corrupt; one that cannot be opened, unavailable', async () => {
    await writeFile(join(folder, 'catalog.db'), 'this is not a database, whatever its name says'.repeat(30));
    expect(() => open()).toThrow(expect.objectContaining({ kind: 'corrupt' }));
    expect(() => open({ uri: `sqlite:///${folder}` })).toThrow(expect.objectContaining({ kind: 'unavailable' }));
    expect(() => open({ uri: 'x.db' })).toThrow(expect.objectContaining({ kind: 'config' }));
  });

  test('a table whose metadata file is gone, or not metadata, is corrupt', async () => {
    const catalog = open();
    await register('shop', 'gone', 'memory:/gone.metadata.json');
    await register('shop', 'nowhere', null);
    await register('shop', 'noise', 'memory:/noise.metadata.json', Uint8Array.of(0xff, 0xfe, 0));
    await register('shop', 'packed', 'memory:/packed.gz.metadata.json', Uint8Array.of(0x1f, 0x8b, 1, 2, 3));
    for (const name of ['gone', 'nowhere', 'noise', 'packed']) {
      await expect(catalog.findTable({ namespace: ['shop'], name })).rejects.toMatchObject({ kind: 'corrupt' });
    }
  });

  test('gzipped metadata is read', async () => {
    const catalog = open();
    const { metadata, metadataLocation } = await catalog.createTable(TABLE, DEFINITION);
    const { bytes } = await store.read(metadataLocation);
    await register('shop', 'packed', 'memory:/packed.gz.metadata.json', gzipSync(bytes));
    expect((await catalog.loadTable({ namespace: ['shop'], name: 'packed' })).metadata).toEqual(metadata);
  });

  test('names from callers are values, never SQL', async () => {
    const catalog = open();
    const table = { namespace: ["x'; DROP TABLE iceberg_tables; --"], name: "t' OR '1'='1" };
    await catalog.createTable(TABLE, DEFINITION);
    expect(await catalog.findTable(table)).toBeUndefined();
    await catalog.createTable(table, DEFINITION);
    await catalog.dropTable(table);
    expect(await catalog.listTables()).toEqual([TABLE]);
  });

  test('in memory, and on a disk whose folders are yet to be made', async () => {
    const memory = open({ uri: 'sqlite:///:memory:' });
    await memory.createTable(TABLE, DEFINITION);
    expect(await memory.listTables()).toEqual([TABLE]);
    const disk = open({ uri: `sqlite:///${folder}/new/c.db`, warehouse: `${folder}/w h`, store: createFileStore() });
    const { metadataLocation } = await disk.createTable(TABLE, DEFINITION);
    expect(metadataLocation.startsWith(`${folder}/w h/shop/orders/metadata/00000-`)).toBe(true);
    expect(await readdir(join(folder, 'w h/shop/orders/metadata'))).toHaveLength(1);
  });

  test('processes that commit at once lose no commit and leave no file', async () => {
    const disk = open({ warehouse: folder, store: createFileStore() });
    await disk.createTable(TABLE, DEFINITION);
    const run = (prefix: string) =>
      new Promise((resolve) => {
        const worker = join(__dirname, 'commit-worker.ts');
        spawn(process.execPath, [worker, folder, prefix, '8'], { stdio: 'inherit' }).once('close', resolve);
      });
    const prefixes = ['a', 'b', 'c', 'd'];
    expect(await Promise.all(prefixes.map(run))).toEqual([0, 0, 0, 0]);
    const { metadata } = await disk.loadTable(TABLE);
    const keys = prefixes.flatMap((prefix) => Array.from({ length: 8 }, (_, i) => `${prefix}-${i}`));
    expect(Object.keys(metadata.properties).sort()).toEqual([...keys, 'owner'].sort());
    expect(metadata.metadataLog).toHaveLength(32);
    expect(await readdir(join(folder, 'shop/orders/metadata'))).toHaveLength(33);
  }, 60_000);
});
