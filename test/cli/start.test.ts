import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DeliveryRecord } from '../../src/gate/delivery.ts';
import { lakeFolder, removeFolders } from './lake-folder.ts';

afterAll(removeFolders);

const PYICEBERG = (folder: string) => `catalog:
  elsewhere:
    type: sql
    uri: sqlite:///${folder.replaceAll(' ', '%20')}/elsewhere.db
    warehouse: file://${folder}/elsewhere
  cloud:
    type: hive
`;

test('init writes a lake.yaml that works at once, and replaces one only when told to', async () => {
  const folder = lakeFolder();
  const { code, out } = await folder.run('init');
  expect({ code, out }).toMatchObject({ code: 0, out: expect.stringContaining(`wrote ${folder.path}/lake.yaml\n`) });
  expect(out).toContain('lakegate drop FILE');
  expect(existsSync(join(folder.path, 'raw'))).toBe(true);
  folder.parquet('orders.parquet', 3);
  expect((await folder.run('drop orders.parquet')).out).toMatch(/^published {2}orders\.parquet → sales\.orders/);
  expect(await folder.run('init')).toMatchObject({ code: 2, err: expect.stringContaining('--force replaces it') });
  folder.write('lake.yaml', 'broken: [');
  expect((await folder.run('init --force')).code).toBe(0);
  expect(await folder.json('table list')).toMatchObject({ value: [{ name: 'sales.orders', rows: 3 }] });
});

test('init puts the file where --config says, and the next commands name it', async () => {
  const folder = lakeFolder();
  const { out } = await folder.run('init --config deep/er.yaml');
  expect(out).toContain('lakegate drop FILE --config deep/er.yaml');
  expect(existsSync(join(folder.path, 'deep', 'raw'))).toBe(true);
  expect(await folder.run('table list --config deep/er.yaml')).toMatchObject({ code: 0 });
  expect(existsSync(join(folder.path, 'lake.yaml'))).toBe(false);
});

test('demo tells the main job and ends with 0, again and again', async () => {
  const folder = lakeFolder();
  for (const run of [1, 2]) {
    const { code, out, err } = await folder.run('demo');
    expect({ run, code, err }).toEqual({ run, code: 0, err: '' });
    expect(out).toContain('published: rows on main 0 → 1,000, snapshot ');
    expect(out).toContain('rejected: rows on main 1,000 → 1,000\n');
    expect(out).toMatch(/my_col_2 {2}1 +999 +not_null/);
    expect(out).toContain('known already: nothing done');
    expect(out).toContain('✗ demo.customer_data_log: 1 delivery rejected');
    const next = /lakegate (delivery publish [0-9a-f]{20}) --reason "known gap" (--config \S+)/.exec(out);
    const words = [...next![1]!.split(' '), '--reason', 'known gap', ...next![2]!.split(' ')];
    expect((await folder.run(words)).code).toBe(0);
  }
});

test('demo leaves alone what it did not make', async () => {
  const folder = lakeFolder();
  mkdirSync(join(folder.path, 'mine'));
  writeFileSync(join(folder.path, 'mine', 'precious'), 'x');
  expect(await folder.run('demo --dir mine')).toMatchObject({ code: 2, err: expect.stringContaining('--dir') });
  expect(readFileSync(join(folder.path, 'mine', 'precious'), 'utf8')).toBe('x');
});

test('demo is about its own lake, whatever the environment says of others', async () => {
  const folder = lakeFolder();
  const env = { LAKE_BUCKET: './lake', SOURCE_BUCKET: './source', SLACK_TOKEN: 'x', SLACK_CHANNEL: '#x' };
  expect(await folder.run('demo', { env })).toMatchObject({ code: 0, err: '' });
  expect(readdirSync(folder.path)).toEqual(['.lakegate']);
});

test('demo ends with 1 when a delivery does not end as it says', async () => {
  const folder = lakeFolder();
  folder.write('.pyiceberg.yaml', PYICEBERG(folder.path));
  folder.write('lake.yaml', 'version: 1\ntables: { demo.customer_data_log: { from: x/ } }\n');
  folder.parquet('other-columns.parquet', 2);
  await folder.run('drop other-columns.parquet --catalog elsewhere');
  const { code, err } = await folder.run('demo --catalog elsewhere');
  expect(code).toBe(1);
  expect(err).toContain('lakegate: the demo is not as it should be: the clean file is published; ');
});

test('schema prints what editors check lake.yaml by', async () => {
  const folder = lakeFolder();
  const [plain, json] = [await folder.run('schema'), await folder.run('schema --json')];
  expect(plain).toEqual(json);
  expect(JSON.parse(plain.out)).toMatchObject({ title: 'lake.yaml', properties: { tables: { type: 'object' } } });
  await folder.run('init');
  expect(readFileSync(join(folder.path, 'lake.yaml'), 'utf8')).toContain('lakegate schema > lake.schema.json');
});

describe('catalogues', () => {
  test('--catalog takes one of .pyiceberg.yaml by its name', async () => {
    const folder = lakeFolder();
    folder.write('.pyiceberg.yaml', PYICEBERG(folder.path));
    folder.parquet('orders.parquet', 3);
    const { code, out, err } = await folder.run('drop orders.parquet --catalog elsewhere');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^published/);
    expect(await folder.json<unknown[]>('table list --catalog elsewhere')).toMatchObject({
      value: [{ name: 'lake.orders', catalog: 'elsewhere', rows: 3 }],
    });
    expect((await folder.json('table list')).value).toEqual([]);
    expect(existsSync(join(folder.path, 'elsewhere.db'))).toBe(true);
    expect(await folder.run('table list --catalog cloud')).toMatchObject({
      code: 1,
      err: expect.stringContaining('hive'),
    });
    folder.parquet('bad.parquet', 3, 1);
    expect((await folder.run('drop bad.parquet --table orders --catalog elsewhere')).out).toContain(
      ' --catalog elsewhere\n',
    );
  });

  test('tables of all the catalogues of lake.yaml are listed', async () => {
    const folder = lakeFolder();
    folder.write(
      'lake.yaml',
      `version: 1
catalog: one
catalogs:
  one: { type: sql, uri: sqlite:///one.db }
  two: { type: sql, uri: sqlite:///two.db }
tables:
  s.a: { from: a/ }
  s.b: { from: b/, catalog: two }
`,
    );
    folder.parquet('x.parquet', 2);
    await folder.json<DeliveryRecord[]>('drop x.parquet --table s.a');
    await folder.run('drop x.parquet --table s.b');
    expect(await folder.json('table list')).toMatchObject({
      value: [
        { name: 's.a', catalog: 'one', rows: 2 },
        { name: 's.b', catalog: 'two', rows: 2 },
      ],
    });
    expect((await folder.run('table list')).out).toMatch(/catalogue\ns\.a .* one\ns\.b .* two\n$/);
  });
});
