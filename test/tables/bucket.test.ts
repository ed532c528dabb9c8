import { LakegateError } from '../../src/errors.ts';
import { createMemoryStore } from '../../src/storage/memory.ts';
import type { ObjectStore } from '../../src/storage/store.ts';
import { type BucketRequest, bucketTables, planBucketing } from '../../src/tables/bucket.ts';
import { refreshEr } from '../../src/tables/er.ts';
import { tableInput } from '../../src/tables/glue-table-input.ts';
import { partitionedTables, repairTables } from '../../src/tables/prepare.ts';
import { swapIn, versionAt } from '../../src/tables/table-version.ts';
import { type FakeCatalog, fakeAthena, fakeCatalog } from './pipeline-fakes.ts';

const DAY = 86_400_000;
const T0 = Date.UTC(2026, 0, 31, 6);
const BASE = 'memory:/bucketed/';
const KEY = 'customer_user_id';

const request = (now: number, more: Partial<BucketRequest> = {}): BucketRequest => ({
  stagedDatabase: 'staged',
  stagedPrefix: 'ext_',
  finalDatabase: 'final',
  finalPrefix: 'bucketed_',
  base: BASE,
  buckets: { column: KEY, count: 256 },
  only: [],
  version: versionAt(now),
  concurrency: 5,
  keepMs: 7 * DAY,
  maxColumns: 100,
  tooWide: 'fail',
  ...more,
});

let store: ObjectStore;
let catalog: FakeCatalog;

beforeEach(async () => {
  store = createMemoryStore();
  catalog = fakeCatalog();
  for (const name of ['ext_a', 'ext_b']) await stage(name, ['x', KEY, "o'k"]);
  catalog.done.length = 0;
});

async function stage(name: string, columns: readonly string[], partitionKeys: readonly string[] = []) {
  const typed = (names: readonly string[]) => names.map((column) => ({ name: column, type: 'string' }));
  await catalog.create(
    'staged',
    tableInput({
      name,
      location: `memory:/staged/${name}/`,
      columns: typed(columns),
      partitionKeys: typed(partitionKeys),
      comment: 'Bucketed table created from snapshot_dt=2026-01-31',
    }),
  );
}

/** Does what Athena does of a CTAS that tests can see: files, and a table over them. */
const athena = () =>
  fakeAthena(async (statement) => {
    const [, database, name] = /^CREATE TABLE "(\w+)"\."(\w+)"/.exec(statement)!;
    const location = /external_location = '([^']+)'/.exec(statement)![1]!;
    await store.create(`${location}000000_0`, new TextEncoder().encode(name!));
    await catalog.create(
      database!,
      tableInput({
        name: name!,
        location: location.replace(/\/$/, ''),
        columns: [{ name: KEY, type: 'string' }],
        partitionKeys: [],
        comment: '',
        ...(statement.includes('bucketed_by') && { buckets: { column: KEY, count: 256 } }),
      }),
    );
  });

const bucket = (now: number, run = athena(), more: Partial<BucketRequest> = {}) =>
  bucketTables({ store, catalog, athena: run, now: () => now }, request(now, more));

async function files(): Promise<string[]> {
  const found: string[] = [];
  for await (const { url } of store.list(BASE)) found.push(url.slice(BASE.length));
  return found;
}

test('the statement: the key first, quoted names, the version in the place', () => {
  const [planned] = planBucketing([catalog.tables.get('staged.ext_a')!], request(T0));
  expect(planned!.version).toMatchObject({
    table: 'bucketed_a',
    building: 'bucketed_a__20260131t060000z',
    location: `${BASE}a/v=20260131T060000Z/`,
    comment: 'Bucketed table created from snapshot_dt=2026-01-31',
  });
  expect(planned!.version!.statement).toBe(
    `CREATE TABLE "final"."bucketed_a__20260131t060000z"
WITH (format = 'PARQUET', write_compression = 'SNAPPY', external_location = '${BASE}a/v=20260131T060000Z/', bucketed_by = ARRAY['${KEY}'], bucket_count = 256)
AS SELECT "${KEY}", "x", "o'k"
FROM "staged"."ext_a"`,
  );
});

test('a table is swapped by one update, never dropped; old versions go after their time', async () => {
  await bucket(T0);
  expect(catalog.tables.get('final.bucketed_a')).toMatchObject({
    location: `${BASE}a/v=20260131T060000Z/`,
    bucketColumns: [KEY],
    buckets: 256,
  });
  catalog.done.length = 0;
  const second = await bucket(T0 + DAY);
  expect(second.map(({ outcome, cleaned }) => [outcome, cleaned])).toEqual([
    ['written', undefined],
    ['written', undefined],
  ]);
  expect(catalog.done.filter((done) => done.endsWith('_a'))).toEqual(['update bucketed_a']);
  expect(catalog.tables.get('final.bucketed_a')!.location).toBe(`${BASE}a/v=20260201T060000Z/`);
  const third = await bucket(T0 + 8 * DAY + 1000);
  // The one that was replaced just now is more than a week old, too, and queries may read it still.
  expect(third[0]!.cleaned).toEqual(['v=20260131T060000Z']);
  expect((await files()).filter((name) => name.startsWith('a/'))).toEqual([
    'a/v=20260201T060000Z/000000_0',
    'a/v=20260208T060001Z/000000_0',
  ]);
  expect((await bucket(T0 + 9 * DAY))[0]!.cleaned).toBeUndefined();
  expect((await bucket(T0 + 17 * DAY))[0]!.cleaned).toEqual(['v=20260201T060000Z', 'v=20260208T060001Z']);
  expect([...catalog.tables.keys()].filter((name) => name.startsWith('final.')).sort()).toEqual([
    'final.bucketed_a',
    'final.bucketed_b',
  ]);
});

test("one table's failure leaves its old version, removes what was begun, and stops no other", async () => {
  await bucket(T0);
  const failing = fakeAthena(async (statement, database) => {
    await athena().run(statement, database);
    if (statement.includes('"ext_b"')) throw new LakegateError('unavailable', 'Athena: out of resources');
  });
  const outcomes = await bucket(T0 + DAY, failing);
  expect(outcomes.map(({ table, outcome, reason }) => [table, outcome, reason])).toEqual([
    ['bucketed_a', 'written', undefined],
    ['bucketed_b', 'failed', 'Athena: out of resources'],
  ]);
  expect(catalog.tables.get('final.bucketed_b')!.location).toBe(`${BASE}b/v=20260131T060000Z/`);
  expect((await files()).filter((name) => name.startsWith('b/'))).toEqual(['b/v=20260131T060000Z/000000_0']);
  expect(catalog.tables.has('final.bucketed_b__20260201t060000z')).toBe(false);
});

test('a swap that was broken off is done by doing it again; one of a version that was not built is refused', async () => {
  await bucket(T0);
  const version = {
    database: 'final',
    table: 'bucketed_a',
    building: 'bucketed_a__20260131t060000z',
    location: `${BASE}a/v=20260131T060000Z/`,
    comment: '',
  };
  await swapIn({ catalog }, version);
  await expect(swapIn({ catalog }, { ...version, location: `${BASE}a/v=x/` })).rejects.toThrow(
    'its statement did not run to its end',
  );
});

test('without versions a table can be made once', async () => {
  const { version: _, ...once } = request(T0);
  const run = () => bucketTables({ store, catalog, athena: athena(), now: () => T0 }, once);
  expect((await run()).map(({ outcome, location }) => [outcome, location])).toEqual([
    ['written', `${BASE}a/`],
    ['written', `${BASE}b/`],
  ]);
  expect((await run())[0]!.reason).toContain(`expected nothing in ${BASE}a/`);
  expect(await files()).toHaveLength(2);
});

test('wide tables, tables without the key, tables by name', async () => {
  await stage('ext_c', ['x']);
  const narrow = await bucket(T0, athena(), { maxColumns: 2 });
  expect(narrow.map(({ outcome }) => outcome)).toEqual(['failed', 'failed', 'failed']);
  expect(narrow[0]!.reason).toContain('ext_a: it has 3 columns: expected at most 2');
  expect(narrow[2]!.reason).toBe(`ext_c has no column ${KEY} to bucket by`);
  const [cut] = await bucket(T0, athena(), { maxColumns: 2, tooWide: 'cut', only: ['A'] });
  expect(cut).toMatchObject({ table: 'bucketed_a', outcome: 'written', cut: ["o'k"] });
  await expect(bucket(T0, athena(), { only: ['ext_z'] })).rejects.toThrow('there is no table ext_z in staged');
});

test('the ER table, each run anew', async () => {
  await stage('part_addressable_ids', [KEY, 'email'], ['snapshot_dt']);
  const run = athena();
  const refresh = (now: number, snapshot: string) =>
    refreshEr(
      { store, catalog, athena: run, now: () => now },
      {
        database: 'staged',
        source: 'part_addressable_ids',
        table: 'part_addressable_ids_er',
        folder: `${BASE}er/`,
        key: KEY,
        snapshot,
        version: versionAt(now),
        keepMs: DAY,
      },
    );
  await refresh(T0, '2026-01-31');
  const again = await refresh(T0 + 2 * DAY, '2026-02-28');
  expect(again.cleaned).toEqual([]);
  expect(run.statements[1]).toContain(
    `AS SELECT "${KEY}" AS "row_id", "${KEY}"\nFROM "staged"."part_addressable_ids"\nWHERE "snapshot_dt" = '2026-02-28'`,
  );
  expect(catalog.tables.get('staged.part_addressable_ids_er')).toMatchObject({
    location: `${BASE}er/v=20260202T060000Z/`,
    comment: 'Entity Resolution table created from snapshot_dt=2026-02-28',
  });
  expect((await refresh(T0 + 4 * DAY, '2026-02-28')).cleaned).toEqual(['v=20260131T060000Z']);
});

test('MSCK, so many at a time', async () => {
  for (const name of ['part_a', 'part_b', 'part_c']) await stage(name, [KEY], ['snapshot_dt']);
  await stage('part_plain', [KEY]);
  const tables = await partitionedTables(catalog, { database: 'staged', prefix: 'part_' });
  let running = 0;
  let most = 0;
  const run = fakeAthena(async (statement) => {
    running += 1;
    most = Math.max(most, running);
    await new Promise((done) => setImmediate(done));
    running -= 1;
    if (statement.includes('part_b')) throw new LakegateError('unavailable', 'Athena: no');
  });
  const outcomes = await repairTables(run, tables, { database: 'staged', concurrency: 2 });
  expect(run.statements).toEqual(tables.map((name) => `MSCK REPAIR TABLE \`${name}\``));
  expect(outcomes.map(({ table, outcome }) => [table, outcome])).toEqual([
    ['part_a', 'repaired'],
    ['part_b', 'failed'],
    ['part_c', 'repaired'],
  ]);
  expect(most).toBe(2);
  await expect(partitionedTables(catalog, { database: 'staged', prefix: 'none_' })).rejects.toThrow(
    'no partitioned table',
  );
});
