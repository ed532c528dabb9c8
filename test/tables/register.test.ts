import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { remarks } from '../../src/cli/tables-register.ts';
import { createMemoryStore } from '../../src/storage/memory.ts';
import type { ObjectStore } from '../../src/storage/store.ts';
import { createStores } from '../../src/storage/stores.ts';
import { findTables } from '../../src/tables/find-tables.ts';
import { type RegisterRequest, registerTables } from '../../src/tables/register.ts';
import { writeSource } from './generator.ts';
import { type FakeCatalog, fakeCatalog } from './pipeline-fakes.ts';

const ROOT = 'memory:/lake/';
const REQUEST: RegisterRequest = {
  database: 'db',
  root: ROOT,
  prefix: 'ext_',
  only: [],
  maxColumns: 100,
  tooWide: 'fail',
};

let store: ObjectStore;
let catalog: FakeCatalog;

beforeEach(async () => {
  store = createMemoryStore();
  catalog = fakeCatalog();
  await writeSource(store, `${ROOT}IBE_01/`, { tables: { A: 4 } });
  await writeSource(store, `${ROOT}addressable_ids/addressable_ids/`, { tables: { A: 2 } });
  await writeSource(store, `${ROOT}metadata/`, { tables: { A: 2 } });
  await writeSource(store, `${ROOT}_staging/IBE_09/`, { tables: { A: 2 } });
  await store.create(`${ROOT}metadata/snapshot_dt.txt`, new TextEncoder().encode('2026-01-31\n'));
});

const register = (more: Partial<RegisterRequest> = {}) => registerTables({ store, catalog }, { ...REQUEST, ...more });

test('tables with the columns of their files, and the snapshot in the comment; metadata is none', async () => {
  const { snapshot, tables } = await register();
  expect(snapshot).toBe('2026-01-31');
  expect(tables.map(({ table, outcome, columns }) => [table, outcome, columns])).toEqual([
    ['ext_addressable_ids', 'created', 2],
    ['ext_ibe_01', 'created', 4],
  ]);
  expect(catalog.tables.get('db.ext_ibe_01')).toMatchObject({
    type: 'EXTERNAL_TABLE',
    location: `${ROOT}IBE_01/`,
    comment: 'Bucketed table created from snapshot_dt=2026-01-31',
    columns: [
      { name: 'customer_user_id', type: 'string' },
      { name: 'a_field_000', type: 'string' },
      { name: 'a_field_001', type: 'string' },
      { name: 'a_field_002', type: 'int' },
    ],
    partitionKeys: [],
    bucketColumns: [],
  });
});

test('again: nothing is changed; a new snapshot and its columns are, and shown', async () => {
  await register();
  expect((await register()).tables.map(({ outcome }) => outcome)).toEqual(['unchanged', 'unchanged']);
  catalog.tables.set('db.ext_ibe_01', {
    ...catalog.tables.get('db.ext_ibe_01')!,
    columns: [
      { name: 'customer_user_id', type: 'string' },
      { name: 'a_field_000', type: 'int' },
      { name: 'old', type: 'string' },
    ],
    parameters: { owner_team: 'data' },
  });
  const { tables } = await register({ snapshot: '2026-02-28' });
  expect(tables[1]).toMatchObject({
    outcome: 'updated',
    changes: {
      added: [
        { name: 'a_field_001', type: 'string' },
        { name: 'a_field_002', type: 'int' },
      ],
      removed: ['old'],
      changed: [{ name: 'a_field_000', from: 'int', to: 'string' }],
    },
  });
  const after = catalog.tables.get('db.ext_ibe_01')!;
  expect(after.comment).toBe('Bucketed table created from snapshot_dt=2026-02-28');
  expect(after.parameters).toMatchObject({ owner_team: 'data', classification: 'parquet' });
});

test('partitioned: the key is counted, the newest snapshot tells the columns', async () => {
  const root = 'memory:/part/';
  await writeSource(store, `${root}T/snapshot_dt=2025-12-31/`, { tables: { A: 2 } });
  await writeSource(store, `${root}T/snapshot_dt=2026-01-31/`, { tables: { A: 3 } });
  const { tables } = await register({ root, prefix: 'part_', maxColumns: 4 });
  expect(tables).toMatchObject([{ table: 'part_t', outcome: 'created', columns: 3 }]);
  expect(catalog.tables.get('db.part_t')).toMatchObject({
    comment: 'Partitioned table created from snapshot_dt=2026-01-31',
    partitionKeys: [{ name: 'snapshot_dt', type: 'string' }],
  });
  const [narrow] = (await register({ root, prefix: 'part_', maxColumns: 3 })).tables;
  expect(narrow).toMatchObject({ outcome: 'failed' });
  expect(narrow!.reason).toContain('it has 4 columns, partition keys counted: expected at most 3');
  const [cut] = (await register({ root, prefix: 'part_', maxColumns: 3, tooWide: 'cut' })).tables;
  expect(cut).toMatchObject({ outcome: 'updated', cut: ['a_field_001'] });
});

test("files that are Hive's buckets", async () => {
  await register({ prefix: 'bucketed_', buckets: { column: 'customer_user_id', count: 16 } });
  expect(catalog.tables.get('db.bucketed_ibe_01')).toMatchObject({
    bucketColumns: ['customer_user_id'],
    buckets: 16,
    parameters: { bucketing_format: 'hive' },
  });
});

test("one table's failure stops no other, and what is somebody else's stays", async () => {
  await store.create(`${ROOT}BROKEN/part-0.parquet`, new TextEncoder().encode('no parquet at all'));
  catalog.tables.set('db.ext_ibe_01', {
    name: 'ext_ibe_01',
    type: 'VIRTUAL_VIEW',
    columns: [],
    partitionKeys: [],
    bucketColumns: [],
    buckets: -1,
    parameters: {},
  });
  const { tables } = await register();
  expect(tables.map(({ table, outcome }) => [table, outcome])).toEqual([
    ['ext_addressable_ids', 'created'],
    ['ext_broken', 'failed'],
    ['ext_ibe_01', 'failed'],
  ]);
  expect(tables[2]!.reason).toContain('db.ext_ibe_01 is VIRTUAL_VIEW');
  expect(catalog.done).toEqual(['create ext_addressable_ids']);
});

test('a dry run, a table that is not there, no table at all, two folders of one name', async () => {
  expect((await register({ dryRun: true })).tables.map(({ outcome }) => outcome)).toEqual(['created', 'created']);
  expect(catalog.done).toEqual([]);
  await expect(register({ only: ['IBE_02'] })).rejects.toThrow('there is no table IBE_02 under memory:/lake/');
  await expect(register({ root: 'memory:/nothing/' })).rejects.toThrow('there is no table under memory:/nothing/');
  await writeSource(store, `${ROOT}other/ibe_01/`, { tables: { A: 2 } });
  await expect(findTables(store, ROOT)).rejects.toThrow('expected one folder for each table');
});

test('files beside folders of snapshots are no table', async () => {
  await writeSource(store, `${ROOT}IBE_01/snapshot_dt=2026-01-31/`, { tables: { A: 2 } });
  await expect(register()).rejects.toThrow('has files beside its snapshot_dt= folders');
});

test('tables of this machine are registered, with the remark that Athena cannot read them', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lakegate-register-'));
  try {
    const root = `file://${folder}/`;
    const local = createStores();
    await writeSource(local, `${root}T/`, { tables: { A: 2 } });
    const { tables } = await registerTables({ store: local, catalog }, { ...REQUEST, root });
    expect(tables).toMatchObject([
      { table: 'ext_t', outcome: 'created', remark: 'Athena cannot read it: its files lie on this machine' },
    ]);
    expect(remarks(tables[0]!)).toBe('Athena cannot read it: its files lie on this machine');
  } finally {
    await rm(folder, { recursive: true });
  }
  expect((await register()).tables.map(({ remark }) => remark)).toEqual([undefined, undefined]);
});
