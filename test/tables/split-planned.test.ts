/** A plan as a document, and done in pieces by machines that know nothing of each other: repeated, at once, killed. */
import { parquetReadObjects } from 'hyparquet';
import { createMemoryStore } from '../../src/storage/memory.ts';
import type { ObjectStore } from '../../src/storage/store.ts';
import type { SourceFile, SplitPlan, SplitTable } from '../../src/tables/model.ts';
import { planSplit } from '../../src/tables/plan.ts';
import { readPlan, writePlan } from '../../src/tables/plan-document.ts';
import { commitAllPlanned, commitPlanned, copyPlannedPart, planItems } from '../../src/tables/planned.ts';
import { prepareSplit } from '../../src/tables/prepare-split.ts';
import { fieldsOf, keyOf, REAL_TABLES, SOURCE_KEY, splitMapCsv, writeSource } from './generator.ts';

const URL = 'memory:/plans/one.json';
const TABLES = { A: 4, B: 3, C: 2 };

async function world(targetBytes = 1200): Promise<{ store: ObjectStore; plan: SplitPlan }> {
  const store = createMemoryStore();
  await writeSource(store, 'memory:/in/snapshot_dt=2026-01-31/', {
    tables: TABLES,
    files: 3,
    rows: 40,
    rowGroupRows: 10,
  });
  const { plan } = await prepareSplit(store, {
    source: 'memory:/in/',
    target: 'memory:/out/',
    map: { text: splitMapCsv(TABLES), name: 'map' },
    key: 'customer_user_id',
    aliases: {},
    only: [],
    strict: false,
    targetBytes,
  });
  return { store, plan };
}

async function keys(store: ObjectStore, table: string): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const { url } of store.list(`memory:/out/${table}/`)) {
    const { bytes } = await store.read(url);
    const rows = await parquetReadObjects({ file: Uint8Array.from(bytes).buffer, columns: ['customer_user_id'] });
    found.push(...rows.map((row) => row.customer_user_id));
  }
  return found;
}
const EXPECTED = Array.from({ length: 120 }, (_, row) => keyOf(row));

async function staged(store: ObjectStore): Promise<string[]> {
  const found: string[] = [];
  for await (const { url } of store.list('memory:/out/_staging/')) found.push(url);
  return found;
}

/** What a plan does, without its tables again in each part. */
const partsOf = ({ parts }: SplitPlan) =>
  parts.map(({ slice, outputs }) =>
    [
      slice.map(({ file, groups }) => `${file.url} ${file.etag} ${file.version} ${groups}`),
      outputs.map(({ table, output }) => `${table.staging}${output.name} ${output.bytes}`),
    ].join('\n'),
  );

test('a plan is read as it was written', async () => {
  const { store, plan } = await world();
  await writePlan(store, URL, plan);
  expect(await readPlan(store, URL)).toEqual(plan);
  const { etag } = (await store.head(URL))!;
  await writePlan(store, URL, plan);
  expect((await store.head(URL))!.etag).toBe(etag);
  const other = (await world(1e9)).plan;
  await writePlan(store, URL, other);
  expect(await readPlan(store, URL)).toEqual(other);
});

test('the real size: 27 tables of 17 to 34 GB out of 500 files are a document of less than 300 KB', async () => {
  const store = createMemoryStore();
  const columns = [SOURCE_KEY, ...fieldsOf().map(({ column }) => column)];
  const files = Array.from(
    { length: 500 },
    (_, number): SourceFile => ({
      url: `s3://a-bucket-of-consumers/infobase/snapshot_dt=2026-01-31/part-${String(number).padStart(5, '0')}-7a0d4f1e-39a5-4b5e-9f67-1a1f4d5e6b7c-c000.snappy.parquet`,
      size: 1.4e9,
      etag: 'd41d8cd98f00b204e9800998ecf8427e-167',
      version: 'wuPVgsc0Lz8mUdC1Z2QXqNlXhFZ0aX2b',
      kind: 'k',
      columns: columns.map((name) => ({ name, type: 'x' })),
      rowGroups: Array.from({ length: 10 }, () => ({
        rows: 100_000,
        columnBytes: Float64Array.from(columns, () => 8e4),
      })),
    }),
  );
  const tables = Object.keys(REAL_TABLES).map(
    (name): SplitTable => ({
      name,
      columns: [SOURCE_KEY, ...fieldsOf().flatMap((field) => (field.table === name ? [field.column] : []))].map(
        (source) => ({ source, name: source.toLowerCase() }),
      ),
    }),
  );
  const plan = planSplit(files, [], tables, {
    snapshot: '2026-01-31',
    target: 's3://a-bucket-of-tables/',
    layout: 'partitioned',
    targetBytes: 512 * 1024 ** 2,
    tablesAtOnce: 8,
    partBytes: 2 * 1024 ** 3,
  });
  const outputs = plan.tables.reduce((sum, table) => sum + table.outputs.length, 0);
  expect(outputs).toBeGreaterThan(1000);
  expect((await writePlan(store, URL, plan)).size).toBeLessThan(300_000);
  expect(partsOf(await readPlan(store, URL))).toEqual(partsOf(plan));
  // What a Map of Step Functions is handed is small, too: 256 KB are its limit.
  const items = planItems(plan);
  expect(JSON.stringify(items).length).toBeLessThan(10_000);
  expect(items.flat()).toEqual(plan.parts.map(({ number }) => number));
  for (const item of items) {
    const bytes = item
      .flatMap((number) => plan.parts[number]!.outputs)
      .reduce((sum, each) => sum + each.output.bytes, 0);
    expect(bytes).toBeLessThanOrEqual(2 * 1024 ** 3);
  }
});

test.each([
  ['no JSON', 'PAR1'],
  ['another format', '{"format":2}'],
  [
    'a table that leads out of the target',
    '{"format":1,"snapshot":"2026-01-31","target":"memory:/out/","layout":"plain","cut":{"tablesAtOnce":1,"partBytes":1},"source":"","files":[],"slices":[],"left":[],"tables":[{"name":"../x","id":"0123456789abcdef","columns":[],"outputs":[]}]}',
  ],
  [
    'a slice that is not there',
    '{"format":1,"snapshot":"2026-01-31","target":"memory:/out/","layout":"plain","cut":{"tablesAtOnce":1,"partBytes":1},"source":"","files":[],"slices":[],"left":[],"tables":[{"name":"x","id":"0123456789abcdef","columns":[],"outputs":[[0,1,1]]}]}',
  ],
])('what is no plan is refused: %s', async (_, text) => {
  const store = createMemoryStore();
  await store.create(URL, new TextEncoder().encode(text));
  await expect(readPlan(store, URL)).rejects.toMatchObject({ kind: 'corrupt', message: expect.stringContaining(URL) });
});

test('every part three times, all at once, then every table three times at once', async () => {
  const { store, plan } = await world();
  await writePlan(store, URL, plan);
  const machine = async (number: number) => copyPlannedPart(store, await readPlan(store, URL), number);
  const numbers = planItems(plan, 0).flat();
  expect(numbers.length).toBeGreaterThan(4);
  await Promise.all([...numbers, ...numbers, ...numbers].map(machine));
  expect(await machine(0)).toMatchObject({ made: 0, bytes: 0 });
  const committed = await Promise.allSettled(
    [1, 2, 3].flatMap(() => Object.keys(TABLES).map((table) => commitPlanned(store, plan, table))),
  );
  expect(committed.map((each) => (each.status === 'fulfilled' ? each.value.outcome : each.reason))).toEqual(
    committed.map(() => expect.stringMatching(/^(written|already)$/)),
  );
  for (const table of Object.keys(TABLES)) expect(await keys(store, table)).toEqual(EXPECTED);
  expect(await staged(store)).toEqual([]);
  // Even now a late machine does nothing.
  expect(await machine(0)).toMatchObject({ made: 0 });
  expect((await commitAllPlanned(store, plan)).map(({ outcome }) => outcome)).toEqual([
    'already',
    'already',
    'already',
  ]);
});

test('a table with parts missing keeps its old data, and says what to do', async () => {
  const { store, plan } = await world();
  await store.create('memory:/out/A/snapshot_dt=2026-01-31/old.parquet', new Uint8Array(1));
  const [first, ...others] = plan.parts;
  for (const { number } of others) await copyPlannedPart(store, plan, number);
  const outcomes = await commitAllPlanned(store, plan);
  expect(outcomes[0]).toMatchObject({
    outcome: 'failed',
    reason: expect.stringMatching(/^1 of \d files are not made/),
  });
  expect((await store.head('memory:/out/A/snapshot_dt=2026-01-31/old.parquet'))?.size).toBe(1);
  await copyPlannedPart(store, plan, first!.number);
  expect((await commitAllPlanned(store, plan)).every(({ outcome }) => outcome !== 'failed')).toBe(true);
  expect(await keys(store, 'A')).toEqual(EXPECTED);
});

test('parts and tables that the plan does not have, and a source that was replaced', async () => {
  const { store, plan } = await world();
  await expect(copyPlannedPart(store, plan, 99)).rejects.toMatchObject({ kind: 'invalid' });
  await expect(commitPlanned(store, plan, 'Z')).rejects.toMatchObject({ kind: 'invalid' });
  const { url } = plan.parts[0]!.slice[0]!.file;
  const { bytes, etag } = await store.read(url);
  await store.replace(url, bytes, etag);
  await expect(copyPlannedPart(store, plan, 0)).rejects.toMatchObject({ kind: 'not_found' });
  expect(await staged(store)).toEqual([]);
});
