import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DeliveryRecord } from '../../src/gate/delivery.ts';
import { type LakeFolder, lakeFolder, parquetBytes, removeFolders } from './lake-folder.ts';

afterAll(removeFolders);

interface Outcome {
  file: string;
  outcome: string;
  delivery: DeliveryRecord;
}

const dropped = (folder: LakeFolder, words: string) => folder.json<Outcome[]>(words);

test('a clean file is published, and said so', async () => {
  const folder = lakeFolder();
  folder.parquet('orders.parquet', 3);
  const { code, out, err } = await folder.run('drop orders.parquet');
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toMatch(
    /^published {2}orders\.parquet → lake\.orders \(3 rows, \d+ B\)\n {4}new table: id: int, name: string\n$/,
  );
});

test('a bad file is stopped: why, where it is kept, what to type next', async () => {
  const folder = lakeFolder();
  folder.parquet('orders.parquet', 3, 1);
  const { code, out } = await folder.run('drop orders.parquet');
  expect(code).toBe(3);
  expect(out).toContain('not_null on name: 1 null, expected no nulls (row 2, counted from 0)');
  expect(out).toMatch(
    /kept on branch wap-([0-9a-f]{20})\n {4}lakegate delivery show \1\n {4}lakegate delivery publish \1 --reason/,
  );
});

test('the outcome for programs', async () => {
  const folder = lakeFolder();
  folder.parquet('orders.parquet', 3, 1);
  const { code, value } = await dropped(folder, 'drop orders.parquet');
  expect(code).toBe(3);
  expect(value).toHaveLength(1);
  expect(Object.keys(value[0]!)).toEqual(['file', 'outcome', 'delivery']);
  expect(value[0]).toMatchObject({ outcome: 'ended', delivery: { state: 'rejected', rows: 3, table: 'lake.orders' } });
});

test('a repeated drop is the same delivery and ends as it did', async () => {
  const folder = lakeFolder();
  folder.parquet('orders.parquet', 3);
  folder.parquet('bad.parquet', 3, 1);
  await folder.run('drop orders.parquet bad.parquet --table orders');
  const { code, out } = await folder.run('drop orders.parquet --table orders');
  expect({ code, out }).toMatchObject({ code: 0, out: expect.stringContaining('(before: the same file again)') });
  expect(await dropped(folder, 'drop bad.parquet --table orders')).toMatchObject({
    code: 3,
    value: [{ outcome: 'already' }],
  });
});

test('a corrupt file is errored: failed, not stopped by the audit', async () => {
  const folder = lakeFolder();
  folder.write('orders.parquet', 'PAR1 this is none PAR1');
  const { code, out } = await folder.run('drop orders.parquet');
  expect(code).toBe(1);
  expect(out).toMatch(/^errored {2}orders\.parquet/);
  expect(out).toMatch(/lakegate delivery retry [0-9a-f]{20}/);
});

test('several files of one table are one batch: the good ones are published in one snapshot whatever the others are', async () => {
  const folder = lakeFolder();
  folder.parquet('a.parquet', 3);
  folder.parquet('b.parquet', 4, 1);
  folder.parquet('c.parquet', 5);
  folder.write('d.parquet', 'no Parquet at all, far from it');
  const { code, value } = await dropped(folder, 'drop a.parquet b.parquet c.parquet d.parquet --table orders');
  expect(code).toBe(1);
  const states = value.map(({ delivery }) => delivery.state);
  expect(states).toEqual(['published', 'rejected', 'published', 'errored']);
  expect(value[0]!.delivery.publishedSnapshotId).toBe(value[2]!.delivery.publishedSnapshotId);
  expect(await folder.json<unknown[]>('table history orders')).toMatchObject({ value: [{ addedRows: 8 }] });
  const { out } = await folder.run('drop a.parquet c.parquet --table orders');
  expect(out).toContain('2 of 2 deliveries published');
});

test('a file under the raw folder is delivered where it lies', async () => {
  const folder = lakeFolder();
  const raw = join(folder.path, '.lakegate', 'raw', 'orders');
  mkdirSync(raw, { recursive: true });
  writeFileSync(join(raw, 'x.parquet'), parquetBytes(2, 0));
  expect(await dropped(folder, ['drop', join(raw, 'x.parquet')].join(' ').replace(folder.path, '.'))).toMatchObject({
    code: 0,
    value: [{ file: `file://${raw}/x.parquet`, delivery: { table: 'lake.orders' } }],
  });
  expect(readdirSync(raw)).toEqual(['x.parquet']);
});

test('nothing is put anywhere when one of the files has no table', async () => {
  const folder = lakeFolder();
  folder.write('lake.yaml', 'version: 1\ntables:\n  s.a: { from: a/ }\n  s.b: { from: b/ }\n');
  folder.parquet('x.parquet', 2);
  mkdirSync(join(folder.path, 'raw', 'a'), { recursive: true });
  folder.parquet('raw/a/y.parquet', 2);
  const { code, err } = await folder.run('drop raw/a/y.parquet x.parquet');
  expect(code).toBe(2);
  expect(err).toMatch(/which table is .*x\.parquet for\? Say --table NAME, one of: s\.a, s\.b/);
  expect((await folder.json('delivery list')).value).toEqual([]);
  expect(await folder.run('drop x.parquet --table s.c')).toMatchObject({ code: 2 });
});

test('the columns inferred from text are shown', async () => {
  const folder = lakeFolder();
  folder.write('orders.csv', 'id,at,note\n1,2024-05-06T07:08:09,x\n2,2024-05-06T07:08:10,y\n');
  const { code, out } = await folder.run('drop orders.csv');
  expect(code).toBe(0);
  expect(out).toContain('new table: id: long, at: timestamp, note: string');
  folder.write('more.csv', 'id,at,note\n3,2024-05-06T07:08:09,x\n');
  expect((await folder.run('drop more.csv --table orders')).out).not.toContain('new table');
});

test('suggested commands are about the same lake, fit to be pasted', async () => {
  const folder = lakeFolder();
  folder.write('my lake.yaml', 'version: 1\ntables: { s.orders: { from: o/ } }\n');
  folder.parquet('bad.parquet', 2, 1);
  const { out } = await folder.run(['drop', 'bad.parquet', '--config', 'my lake.yaml']);
  expect(out).toMatch(/lakegate delivery discard [0-9a-f]{20} --config 'my lake\.yaml'/);
  const { out: byNpx } = await folder.run(['drop', 'bad.parquet', '--config', 'my lake.yaml'], {
    env: { npm_command: 'exec' },
  });
  expect(byNpx).toMatch(/npx lakegate delivery show/);
});

test('progress is drawn on a terminal only, and colours are', async () => {
  const folder = lakeFolder();
  folder.parquet('bad.parquet', 2, 1);
  const shown = await folder.run('drop bad.parquet', { tty: true, width: 100 });
  expect(shown.out).toContain('\u{1b}[31mrejected\u{1b}[39m');
  const plain = await folder.run('drop bad.parquet', { tty: true, width: 100, env: { NO_COLOR: '1' } });
  expect(plain.out).not.toContain('\u{1b}');
  const verbose = await folder.run('drop bad.parquet --table other --verbose');
  expect(verbose.err).toMatch(/ ms {2}claimed .*\n.*inspected(.*\n)+.* ms {2}notified/);
});

test('load drops a generated file; with --no-null it passes', async () => {
  const folder = lakeFolder();
  expect(await dropped(folder, 'load -n 50')).toMatchObject({
    code: 3,
    value: [{ delivery: { rows: 50, table: 'lake.customer_data_log', results: expect.any(Array) } }],
  });
  const clean = await folder.run('load -n 1_000 --no-null --verbose --table mine');
  expect(clean.code).toBe(0);
  expect(clean.out).toMatch(/^my_col_0 {2}my_col_1 +my_col_2\n501992 {4}tidy-neat-prairie/);
  expect(clean.out).toContain('1,000 rows, no nulls');
  expect(clean.out).toContain('→ lake.mine (1,000 rows');
});

test('load asks for a table where lake.yaml has none of the usual name', async () => {
  const folder = lakeFolder();
  folder.write('lake.yaml', 'version: 1\ntables: { s.customer_data: { from: c/ } }\n');
  expect(await folder.run('load')).toMatchObject({
    code: 2,
    err: expect.stringContaining('has no table "customer_data_log"; it has: s.customer_data'),
  });
  expect(existsSync(join(folder.path, 'raw'))).toBe(false);
});
