/** What a commit's record may have done, and what it may not. */
import { createMemoryStore } from '../../src/storage/memory.ts';
import { commitTable, tableState } from '../../src/tables/commit-table.ts';
import { tablePlan } from '../../src/tables/place-outputs.ts';

const ID = '0123456789abcdef';
const output = { slice: [], rows: 1, bytes: 1 };
const plan = tablePlan(
  { name: 'T', columns: [{ source: 'id', name: 'id' }] },
  { target: 'memory:/out/', layout: 'partitioned', snapshot: '2026-01-31' },
  ID,
  [output, output],
);
const [first, second] = plan.outputs.map(({ name }) => name) as [string, string];
const OLD = 'part-00000-fedcba9876543210.parquet';
const RECORD = `${plan.staging}commit.json`;

const put = async (store: ReturnType<typeof createMemoryStore>, url: string, text = 'x') =>
  store.create(url, new TextEncoder().encode(text));

async function names(store: ReturnType<typeof createMemoryStore>, folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { url } of store.list(folder)) found.push(url.slice(folder.length));
  return found;
}

async function lakeWith(staged: readonly string[], placed: readonly string[]) {
  const store = createMemoryStore();
  for (const name of staged) await put(store, plan.staging + name);
  for (const name of placed) await put(store, plan.folder + name);
  return store;
}

test('staged files take the place of the old ones, and nothing is left beside', async () => {
  const store = await lakeWith([first, second, 'part-00000-given-up.parquet'], [OLD]);
  await commitTable(store, plan);
  expect(await names(store, 'memory:/out/')).toEqual([first, second].map((name) => `T/snapshot_dt=2026-01-31/${name}`));
  expect(await tableState(store, plan)).toEqual({ committed: true, missing: [] });
});

test('a commit that was broken off is finished, from wherever it was', async () => {
  for (const [staged, placed] of [
    [[first, second], [OLD]],
    [[first, second], []],
    [[second], [first]],
    [
      [first, second],
      [first, second],
    ],
    [[], [first, second]],
  ] as const) {
    const store = await lakeWith(staged, placed);
    await put(store, RECORD, JSON.stringify({ files: [first, second], replaces: [OLD] }));
    expect(await tableState(store, plan)).toEqual({ committed: true, missing: [] });
    expect(await names(store, plan.staging)).toEqual([]);
  }
});

test('nothing that readers have is deleted for a file that is not there', async () => {
  const store = await lakeWith([first], [OLD]);
  await put(store, RECORD, JSON.stringify({ files: [first, second], replaces: [OLD] }));
  await expect(tableState(store, plan)).rejects.toMatchObject({
    kind: 'not_found',
    message: expect.stringMatching(
      /part-00001.* is gone, .* Remove memory:.*commit\.json, and run this again/,
    ) as string,
  });
  expect(await names(store, plan.folder)).toEqual([OLD]);
  // As the message says.
  await store.delete([RECORD]);
  expect((await tableState(store, plan)).missing.map(({ name }) => name)).toEqual([second]);
});

test.each([
  ['no JSON', '{'],
  ['no files', '{"replaces":[]}'],
  ['a file that no split makes', '{"files":["x.parquet"],"replaces":[]}'],
  ['what it replaces is elsewhere', '{"files":[],"replaces":["../../other/x.parquet"]}'],
])('a record that is damaged is told, and nothing is done by it: %s', async (_, text) => {
  const store = await lakeWith([first, second], [OLD]);
  await put(store, 'memory:/out/other/x.parquet');
  await put(store, RECORD, text);
  await expect(tableState(store, plan)).rejects.toMatchObject({ kind: 'corrupt' });
  expect(await names(store, plan.folder)).toEqual([OLD]);
  expect(await names(store, 'memory:/out/other/')).toEqual(['x.parquet']);
});
