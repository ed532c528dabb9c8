/** Where a split's tables go: folders of snapshots or plain ones, never both; and a source without a map as one table. */
import { parquetReadObjects } from 'hyparquet';
import { createMemoryStore } from '../../src/storage/memory.ts';
import type { ObjectStore } from '../../src/storage/store.ts';
import { prepareSplit, type SplitRequest } from '../../src/tables/prepare-split.ts';
import { runSplit } from '../../src/tables/split.ts';
import { keyOf, splitMapCsv, writeSource } from './generator.ts';

const TABLES = { A: 3, B: 2 };
const REQUEST: SplitRequest = {
  source: 'memory:/in/',
  target: 'memory:/out/',
  map: { text: splitMapCsv(TABLES), name: 'map' },
  key: 'customer_user_id',
  aliases: {},
  only: [],
  strict: false,
  targetBytes: 1e9,
};

async function run(store: ObjectStore, request: Partial<SplitRequest>) {
  const { plan } = await prepareSplit(store, { ...REQUEST, ...request });
  return runSplit(store, plan);
}

async function names(store: ObjectStore, folder = 'memory:/out/'): Promise<string[]> {
  const found: string[] = [];
  for await (const { url } of store.list(folder)) found.push(url.slice('memory:/out/'.length));
  return found;
}

let store: ObjectStore;
beforeEach(async () => {
  store = createMemoryStore();
  await writeSource(store, 'memory:/in/snapshot_dt=2026-01-31/', { tables: TABLES });
});

test('plain: files straight in the table, the next snapshot replaces them and nothing below or beside', async () => {
  await store.create('memory:/out/A/_SUCCESS', new Uint8Array());
  await store.create('memory:/out/A/below/kept.parquet', new Uint8Array(1));
  expect((await run(store, { layout: 'plain' })).map(({ outcome }) => outcome)).toEqual(['written', 'written']);
  expect((await run(store, { layout: 'plain' })).map(({ outcome }) => outcome)).toEqual(['already', 'already']);
  const first = await names(store);
  expect(first).toEqual([
    expect.stringMatching(/^A\/_SUCCESS$/),
    'A/below/kept.parquet',
    expect.stringMatching(/^A\/part-00000-[0-9a-f]{16}\.parquet$/),
    expect.stringMatching(/^B\/part-00000-[0-9a-f]{16}\.parquet$/),
  ]);
  await writeSource(store, 'memory:/in/snapshot_dt=2026-02-28/', { tables: TABLES, rows: 4 });
  await run(store, { layout: 'plain' });
  const second = await names(store);
  expect(second).toHaveLength(4);
  expect(second.filter((name) => first.includes(name))).toEqual(['A/_SUCCESS', 'A/below/kept.parquet']);
});

test('a folder of the other layout fails its table, naming the folder, and keeps none of the others back', async () => {
  await store.create('memory:/out/B/snapshot_dt=2025-12-31/old.parquet', new Uint8Array(1));
  await store.create('memory:/out/A/_SUCCESS', new Uint8Array());
  const outcomes = await run(store, { layout: 'plain' });
  expect(outcomes.map(({ outcome, reason }) => [outcome, reason])).toEqual([
    ['written', undefined],
    ['failed', expect.stringContaining('memory:/out/B/ has folders of snapshots')],
  ]);
  const back = await run(store, {});
  expect(back.map(({ outcome, reason }) => [outcome, reason])).toEqual([
    ['failed', expect.stringMatching(/memory:\/out\/A\/ has files beside folders of snapshots \(part-/)],
    ['written', undefined],
  ]);
  expect(await names(store, 'memory:/out/_staging/')).toEqual([]);
});

test('without a map all columns are one table, the key first under its name', async () => {
  const { map: _, ...rest } = REQUEST;
  const { plan, findings } = await prepareSplit(store, { ...rest, layout: 'plain', strict: true });
  expect(findings).toEqual([]);
  expect(plan.tables.map(({ folder }) => folder)).toEqual(['memory:/out/addressable_ids/']);
  expect(plan.tables[0]!.table.columns[0]).toEqual({ source: 'Customer_User_id', name: 'customer_user_id' });
  await runSplit(store, plan);
  const [url] = await names(store);
  const { bytes } = await store.read(`memory:/out/${url}`);
  const rows = await parquetReadObjects({ file: Uint8Array.from(bytes).buffer });
  expect(rows.map((row) => row.customer_user_id)).toEqual(Array.from({ length: 10 }, (_, row) => keyOf(row)));
  expect(Object.keys(rows[0]!)).toHaveLength(4);
  const named = await prepareSplit(store, { ...rest, table: 'ids' });
  expect(named.plan.tables.map(({ folder }) => folder)).toEqual(['memory:/out/ids/snapshot_dt=2026-01-31/']);
});
