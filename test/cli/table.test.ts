import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { DeliveryRecord } from '../../src/gate/delivery.ts';
import { type LakeFolder, lakeFolder, removeFolders } from './lake-folder.ts';

afterAll(removeFolders);

interface Entry {
  snapshotId: string;
  onMain: boolean;
  addedRows: number;
  totalRows: number;
}

const history = async (folder: LakeFolder) => (await folder.json<Entry[]>('table history orders')).value;
const rows = async (folder: LakeFolder) => (await folder.json<{ rows: number }>('table show orders')).value.rows;

/** Two published deliveries of 3 and 4 rows. @returns their ids */
async function delivered(folder: LakeFolder): Promise<string[]> {
  const ids: string[] = [];
  for (const count of [3, 4]) {
    folder.parquet(`f${count}.parquet`, count);
    const { value } = await folder.json<{ delivery: DeliveryRecord }[]>(`drop f${count}.parquet --table orders`);
    ids.push(value[0]!.delivery.id);
  }
  return ids;
}

test('list and show', async () => {
  const folder = lakeFolder();
  expect((await folder.run('table list')).out).toBe('no tables yet; the first delivery makes one\n');
  await delivered(folder);
  expect((await folder.run('table list')).out).toMatch(
    /^table +rows on main +files +size +kept branches +last change \(UTC\)\nlake\.orders +7 +2 +\d+ B +0 +2\d{3}-/,
  );
  expect(await folder.json('table list')).toEqual({
    code: 0,
    value: [
      {
        name: 'lake.orders',
        catalog: 'default',
        rows: 7,
        files: 2,
        bytes: expect.any(Number),
        branches: [],
        lastUpdatedMs: expect.any(Number),
      },
    ],
  });
  const { out } = await folder.run('table show orders');
  expect(out).toMatch(/^orders {2}7 rows on main, 2 files, /);
  expect(out).toMatch(/id {2}column {2}type\n1 {3}id {6}int\n2 {3}name {4}string\n\nnot partitioned\n/);
  expect(await folder.json('table show lake.orders')).toMatchObject({
    value: { rows: 7, schema: [{ id: 1, name: 'id', type: 'int', required: false }, {}], refs: [{ ref: 'main' }] },
  });
  expect(await folder.run('table show nothing')).toMatchObject({
    code: 1,
    err: expect.stringContaining('lake.nothing'),
  });
});

test('one table that cannot be read hides no other', async () => {
  const folder = lakeFolder();
  await delivered(folder);
  folder.parquet('other.parquet', 1);
  await folder.run('drop other.parquet');
  rmSync(join(folder.path, '.lakegate', 'warehouse', 'lake', 'other', 'metadata'), { recursive: true });
  const { code, out } = await folder.run('table list');
  expect(code).toBe(0);
  expect(out).toMatch(/lake\.orders +7 /);
  expect(out).toMatch(/unreadable {2}lake\.other: .*metadata/);
});

test('history, and back to a snapshot', async () => {
  const folder = lakeFolder();
  const [, second] = await delivered(folder);
  const [newest, first] = await history(folder);
  expect([newest, first]).toMatchObject([
    { addedRows: 4, totalRows: 7, onMain: true },
    { addedRows: 3, totalRows: 3, onMain: true },
  ]);
  const { code, out } = await folder.run(`table rollback orders --to ${first!.snapshotId} --reason wrong`);
  expect({ code, out }).toEqual({
    code: 0,
    out: `main of orders is at snapshot ${first!.snapshotId}: 3 rows\nno longer on main: ${second}\n`,
  });
  expect(await folder.json(`delivery show ${second}`)).toMatchObject({
    value: { state: 'rolled_back', decision: { reason: 'wrong' } },
  });
  expect((await folder.run('table history orders')).out).toMatch(/append .*rolled back/);
  expect(await folder.run('table rollback orders --to 12345')).toMatchObject({
    code: 2,
    err: expect.stringContaining(`the table has no snapshot or tag "12345"; main's latest: ${first!.snapshotId}`),
  });
});

test('one delivery out of main', async () => {
  const folder = lakeFolder();
  const [first] = await delivered(folder);
  const { code, value } = await folder.json<{ deliveries: string[] }>(
    `table rollback orders --delivery ${first!.slice(0, 8)}`,
  );
  expect({ code, value }).toMatchObject({ code: 0, value: { rows: 4, deliveries: [first] } });
  expect(await rows(folder)).toBe(4);
  expect(await folder.run(`table rollback orders --delivery ${first}`)).toMatchObject({ code: 2 });
});

test('tag, back to the tag, and its removal', async () => {
  const folder = lakeFolder();
  await delivered(folder);
  const [newest, first] = await history(folder);
  expect((await folder.run(`table tag orders audited --snapshot ${first!.snapshotId}`)).out).toBe(
    `tag audited of orders names snapshot ${first!.snapshotId}\n`,
  );
  expect((await folder.json('table tag orders latest')).value).toMatchObject({ snapshotId: newest!.snapshotId });
  await folder.run('table rollback orders --to audited');
  expect(await rows(folder)).toBe(3);
  expect((await folder.run('table tag orders audited --delete')).out).toBe('tag audited removed from orders\n');
  expect(await folder.run('table tag orders audited --delete')).toMatchObject({
    code: 2,
    err: expect.stringContaining('orders has no tag "audited"'),
  });
});

test('a tag that is there is not quietly moved', async () => {
  const folder = lakeFolder();
  await delivered(folder);
  const [newest, first] = await history(folder);
  await folder.run(`table tag orders closing --snapshot ${first!.snapshotId}`);
  const again = await folder.run('table tag orders closing');
  expect(again).toMatchObject({ code: 2, err: expect.stringContaining('has a tag "closing" already') });
  expect(await folder.json('table show orders')).toMatchObject({
    value: {
      refs: expect.arrayContaining([
        expect.objectContaining({ ref: 'closing', snapshotId: first!.snapshotId }),
        expect.objectContaining({ ref: 'main', snapshotId: newest!.snapshotId }),
      ]),
    },
  });
});

test('expire says what would go, then lets it go, and never what main needs', async () => {
  const folder = lakeFolder();
  await delivered(folder);
  folder.parquet('bad.parquet', 5, 1);
  await folder.run('drop bad.parquet --table orders');
  expect((await folder.run('table expire --dry-run')).out).toMatch(
    /^lake\.orders: would remove \d snapshots?, 0 branches, /,
  );
  expect(await history(folder)).toHaveLength(2);
  const { code, value } = await folder.json<unknown[]>('table expire orders --older-than 0s --sweep-older-than 0s');
  expect(code).toBe(0);
  expect(Object.keys(value[0] as object)).toEqual(['table', 'branches', 'snapshots', 'expiredFiles', 'orphans']);
  expect(await rows(folder)).toBe(7);
  expect(await folder.run('drop f3.parquet --table orders')).toMatchObject({ code: 0 });
});

test('sql prints what reads it from another engine, and refuses what cannot', async () => {
  const folder = lakeFolder();
  await delivered(folder);
  const { code, out } = await folder.run('table sql orders --for duckdb');
  expect(code).toBe(0);
  expect(out).toMatch(
    /^INSTALL iceberg;\nLOAD iceberg;\n--.*\nSELECT \* FROM iceberg_scan\('file:\/\/.*\.metadata\.json'\);\n$/,
  );
  expect((await folder.json('table sql orders --for duckdb')).value).toMatchObject({ table: 'orders', for: 'duckdb' });
  expect(await folder.run('table sql orders --for athena')).toMatchObject({
    code: 1,
    err: expect.stringContaining('Athena cannot read lake.orders where it is'),
  });
  expect(await folder.run('table sql orders')).toMatchObject({ code: 2, err: expect.stringContaining('--for') });
});
