import { placeDrop } from '../../src/gate/place.ts';
import { createMemoryStore } from '../../src/storage/memory.ts';
import { collect } from '../contract/collect.ts';

const FOLDER = 'memory:/raw/orders/';

async function storeWith(files: Record<string, string>) {
  const store = createMemoryStore();
  for (const [url, text] of Object.entries(files)) await store.create(url, Buffer.from(text));
  const placed = async (file: string) => (await placeDrop(store, file, FOLDER)).url;
  const raw = async () => (await collect(store.list(FOLDER))).map(({ url }) => url.slice(FOLDER.length));
  return { store, placed, raw };
}

test('a file goes where a team would drop it, and lies there once', async () => {
  const { placed, raw } = await storeWith({ 'memory:/home/a.parquet': 'one' });
  expect(await placed('memory:/home/a.parquet')).toBe(`${FOLDER}a.parquet`);
  expect(await placed('memory:/home/a.parquet')).toBe(`${FOLDER}a.parquet`);
  expect(await placed(`${FOLDER}a.parquet`)).toBe(`${FOLDER}a.parquet`);
  expect(await raw()).toEqual(['a.parquet']);
});

test('whether a drop was put there now is told: S3 tells nobody of one that was there', async () => {
  const { store } = await storeWith({ 'memory:/home/a.parquet': 'one' });
  const places = [];
  for (const file of ['memory:/home/a.parquet', 'memory:/home/a.parquet', `${FOLDER}a.parquet`])
    places.push((await placeDrop(store, file, FOLDER)).isNew);
  expect(places).toEqual([true, false, false]);
});

test('another file of the name is kept beside it, its format still to be told', async () => {
  const { placed, store, raw } = await storeWith({
    'memory:/1/rows.csv.gz': 'one',
    'memory:/2/rows.csv.gz': 'two',
    'memory:/3/rows.csv.gz': 'three',
    'memory:/4/rows.csv.gz': 'two',
    'memory:/1/.hidden': 'a',
    'memory:/2/.hidden': 'b',
    'memory:/1/plain': 'a',
    'memory:/2/plain': 'b',
  });
  const names = [];
  for (const file of [
    '1/rows.csv.gz',
    '2/rows.csv.gz',
    '3/rows.csv.gz',
    '4/rows.csv.gz',
    '1/.hidden',
    '2/.hidden',
    '1/plain',
    '2/plain',
  ])
    names.push((await placed(`memory:/${file}`)).slice(FOLDER.length));
  expect(names).toEqual([
    'rows.csv.gz',
    'rows-2.csv.gz',
    'rows-3.csv.gz',
    'rows-2.csv.gz',
    '.hidden',
    '.hidden-2',
    'plain',
    'plain-2',
  ]);
  expect(Buffer.from((await store.read(`${FOLDER}rows.csv.gz`)).bytes).toString()).toBe('one');
  expect(await raw()).toHaveLength(7);
});

test('files of several pieces are told apart by their last byte', async () => {
  const { store, placed } = await storeWith({});
  const bytes = new Uint8Array(9 * 1024 * 1024);
  await store.create('memory:/1/big', bytes);
  bytes[bytes.length - 1] = 1;
  await store.create('memory:/2/big', bytes);
  expect([await placed('memory:/1/big'), await placed('memory:/2/big'), await placed('memory:/1/big')]).toEqual([
    `${FOLDER}big`,
    `${FOLDER}big-2`,
    `${FOLDER}big`,
  ]);
});

test('a file that is not there is named', async () => {
  const { placed } = await storeWith({});
  await expect(placed('memory:/home/no.csv')).rejects.toMatchObject({
    kind: 'not_found',
    message: expect.stringContaining('memory:/home/no.csv'),
  });
});
