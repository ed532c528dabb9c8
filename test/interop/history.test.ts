import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Engine, startEngines, startSpark } from './engine.ts';
import { makeLake, type TestLake } from './lake.ts';
import { createDrops, createHistory, expectRows, introduce, type Readers, sqlName, together } from './readers.ts';

/** What lakegate does to a table over time, read by PyIceberg, Spark and DuckDB after every step and across all of history. */

let readers: Readers;
let scratch: string;
const lakes: TestLake[] = [];

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'lakegate-interop-spark-'));
  readers = { engines: startEngines(), spark: startSpark(scratch) };
});

afterAll(async () => {
  await Promise.all([readers.engines.close(), readers.spark.close()]);
  await Promise.all(lakes.map((lake) => lake.remove()));
  await rm(scratch, { recursive: true, force: true });
});

async function begin(name: string, settings: string) {
  const lake = await makeLake(name, `  s.t: { from: t/, ${settings} }\n`);
  lakes.push(lake);
  await introduce(readers, lake);
  return { lake, drops: createDrops(readers.engines, lake), history: createHistory(readers, lake, 's.t') };
}

const RULES = 'rules: [{ not_null: [id] }, { range: { column: id, min: 0 } }]';

const WIDE = ['id', 'region', 'ts', 'day', 'ts_utc', 'qty', 'price', 'share', 'ok', 'amount', 'big', 'note', 'raw'];

test('add_columns: widened types and new columns, old files beside new ones', async () => {
  const { lake, drops, history } = await begin(
    'evolve',
    `schema: add_columns, partition_by: [truncate(50, qty)], ${RULES}`,
  );
  const narrow = [
    await drops.make('t/1.parquet', { shape: 'flat', writer: 'pyarrow', rows: 20 }),
    await drops.make('t/2.parquet', { shape: 'flat', writer: 'duckdb', start: 20, rows: 20 }),
  ];
  await lake.deliver(...narrow);
  await history.now(await drops.rows(narrow));

  // Stopped by the audit: its columns are on its branch, and main knows nothing of them.
  const bad = await drops.make('t/bad.parquet', { shape: 'widened', writer: 'pyarrow', start: -5, rows: 20 });
  const [rejected] = await lake.deliver(bad);
  expect(rejected!.state).toBe('rejected');
  await expectRows(readers, lake, 's.t', await drops.rows(narrow));
  const widened = [...WIDE, 'level', 'more'];
  await expectRows(readers, lake, 's.t', await drops.rows([...narrow, bad], widened), {
    snapshot: rejected!.stagedSnapshotId!,
  });

  const wide = await drops.make('t/3.parquet', { shape: 'widened', writer: 'pyarrow', start: 40, rows: 20 });
  const [published] = await lake.deliver(wide);
  expect(published!.state).toBe('published');
  const all = [...narrow, wide];
  await history.now(await drops.rows(all, widened));

  // A narrow file again, after the table was widened.
  const late = await drops.make('t/4.parquet', { shape: 'flat', writer: 'polars', start: 60, rows: 20 });
  expect((await lake.deliver(late))[0]!.reason).toBeUndefined();
  all.push(late);
  await history.now(await drops.rows(all, widened));
  for (const where of ['qty = -45', 'level is null', 'qty > 0 and amount < 0.20', 'share > 5']) {
    await expectRows(readers, lake, 's.t', await drops.rows(all, widened, where), { where });
  }
  await lake.cli(['delivery', 'publish', rejected!.id, '--reason', 'wanted after all']);
  await history.now(await drops.rows([...all, bad], widened));
  expect(await history.check()).toBe(4);
});

test('add_columns inside structs and lists of structs', async () => {
  const { lake, drops, history } = await begin('deeper', `schema: add_columns, ${RULES}`);
  const old = await drops.make('t/1.parquet', { shape: 'nested', writer: 'pyarrow', rows: 40 });
  await lake.deliver(old);
  await history.now(await drops.rows([old]), await drops.rowsByPyiceberg([old], ['items']));
  const more = await drops.make('t/2.parquet', { shape: 'nested_more', writer: 'pyarrow', start: 40, rows: 40 });
  const [record] = await lake.deliver(more);
  expect(record!.addedColumns).toEqual(['who.address.land: string', 'items.element.unit: string']);
  // What the older file would be with the new fields, all null.
  const grown = await drops.make('old-grown.parquet', {
    shape: 'nested_grown',
    writer: 'pyarrow',
    rows: 40,
  });
  await history.now(await drops.rows([grown, more]), await drops.rowsByPyiceberg([grown, more], ['items']));
  expect(await history.check()).toBe(2);
});

test('overwrite and overwrite_partitions', async () => {
  const whole = await begin('whole', `mode: overwrite, partition_by: [region], ${RULES}`);
  for (const start of [0, 40, 80]) {
    const file = await whole.drops.make(`t/${start}.parquet`, { shape: 'flat', writer: 'pyarrow', start, rows: 40 });
    expect((await whole.lake.deliver(file))[0]!.state).toBe('published');
    await whole.history.now(await whole.drops.rows([file]));
  }
  expect(await whole.history.check()).toBe(3);

  const { lake, drops, history } = await begin('parts', `mode: overwrite_partitions, partition_by: [region], ${RULES}`);
  const about = { shape: 'flat', writer: 'pyarrow', rows: 20 };
  const base = await drops.make('t/base.parquet', { ...about, rows: 40 });
  await lake.deliver(base);
  await history.now(await drops.rows([base]));
  const north = await drops.make('t/north.parquet', { ...about, start: 100, region: 'north' });
  await lake.deliver(north);
  const others = await drops.rows([base], undefined, "region <> 'north'");
  await history.now(together(others, await drops.rows([north])));
  const fresh = await drops.make('t/new.parquet', { ...about, start: 200, region: 'new' });
  await lake.deliver(fresh);
  await history.now(together(others, await drops.rows([north, fresh])));
  expect(await history.check()).toBe(3);
});

interface Snapshots {
  spark: Engine;
  lake: TestLake;
}

/** The counters of Spark's metadata tables over main, which all count the same files. */
async function countsInSpark({ spark, lake }: Snapshots) {
  const table = sqlName(lake, 's.t');
  const one = async (sql: string) => Object.values((await spark.ask<Record<string, string>[]>('records', { sql }))[0]!);
  return {
    files: await one(`select count(*), sum(record_count), sum(file_size_in_bytes) from ${table}.files`),
    entries: await one(
      `select count(*), sum(data_file.record_count), sum(data_file.file_size_in_bytes) from ${table}.entries where status < 2`,
    ),
    manifests: await one(`select sum(added_data_files_count + existing_data_files_count) from ${table}.manifests`),
    partitions: await one(`select sum(file_count), sum(record_count) from ${table}.partitions`),
    rows: await one(`select count(*) from ${table}`),
  };
}

test('many deliveries, merged manifests, tags, rollbacks and expiry: rows and metadata tables in every engine', async () => {
  const { lake, drops, history } = await begin(
    'life',
    `partition_by: [region], properties: { commit.manifest.min-count-to-merge: 3 }, ${RULES}`,
  );
  const { engines, spark } = readers;
  const files: string[] = [];
  const ids: string[] = [];
  const rowsOf = (chosen: readonly number[]) => drops.rows(chosen.map((index) => files[index]!));
  for (let index = 0; index < 7; index += 1) {
    const about = { shape: 'flat', writer: 'pyarrow', start: index * 10, rows: 10 };
    files.push(await drops.make(`t/${index}.parquet`, { ...about, ...(index % 2 === 0 ? { region: 'north' } : {}) }));
    const [record] = await lake.deliver(files.at(-1)!);
    ids.push(record!.id);
    await history.now(await drops.rows(files));
  }
  const inspected = await engines.ask<{ manifests: Record<string, string>[] }>('inspect', {
    lake: lake.address,
    table: 's.t',
  });
  // Seven deliveries would be seven manifests.
  expect(inspected.manifests.length).toBeLessThan(4);
  const counted = await countsInSpark({ spark, lake });
  const { metadata } = await lake.table('s.t');
  const summary = metadata.snapshots.find(({ snapshotId }) => snapshotId === metadata.currentSnapshotId)!.summary;
  const totals = [summary['total-data-files'], summary['total-records'], summary['total-files-size']];
  expect(counted).toEqual({
    files: totals,
    entries: totals,
    manifests: [totals[0]],
    partitions: [totals[0], totals[1]],
    rows: [totals[1]],
  });

  const tagged = await lake.head('s.t');
  await lake.cli(['table', 'tag', 's.t', 'seven']);
  await lake.cli(['table', 'rollback', 's.t', '--delivery', ids[2]!, '--reason', 'wrong month']);
  await history.now(await rowsOf([0, 1, 3, 4, 5, 6]));
  const back = metadata.snapshotLog.at(-3)!.snapshotId;
  await lake.cli(['table', 'rollback', 's.t', '--to', String(back)]);
  await history.now(await rowsOf([0, 1, 2, 3, 4]));
  files.push(await drops.make('t/7.parquet', { shape: 'flat', writer: 'pyarrow', start: 70, rows: 10 }));
  await lake.deliver(files[7]!);
  await history.now(await rowsOf([0, 1, 2, 3, 4, 7]));
  expect(await history.check()).toBe(9);

  const bad = await drops.make('t/bad.parquet', { shape: 'flat', writer: 'pyarrow', start: -5, rows: 10 });
  const [rejected] = await lake.deliver(bad);
  await expectHistoryAgrees(lake);
  await lake.cli(['table', 'expire', 's.t', '--older-than', '0s', '--sweep-older-than', '0s']);
  const after = (await lake.table('s.t')).metadata;
  // Main, the tag and the kept branch: what refs name, and nothing else.
  expect(after.snapshots.map(({ snapshotId }) => String(snapshotId)).sort()).toEqual(
    [await lake.head('s.t'), tagged, rejected!.stagedSnapshotId!].sort(),
  );
  await expectRows(readers, lake, 's.t', await rowsOf([0, 1, 2, 3, 4, 7]));
  await expectRows(readers, lake, 's.t', await rowsOf([0, 1, 2, 3, 4, 5, 6]), { snapshot: tagged });
  const kept = together(await rowsOf([0, 1, 2, 3, 4, 7]), await drops.rows([bad]));
  await expectRows(readers, lake, 's.t', kept, { snapshot: rejected!.stagedSnapshotId! });
  await expectHistoryAgrees(lake);
});

/** Expects that Spark, PyIceberg and lakegate tell the same snapshots, history and refs. */
async function expectHistoryAgrees(lake: TestLake): Promise<void> {
  const { engines, spark } = readers;
  const table = sqlName(lake, 's.t');
  const sql = (text: string) => spark.ask<Record<string, unknown>[]>('records', { sql: text });
  const inPyiceberg = await engines.ask<Record<string, Record<string, unknown>[]>>('inspect', {
    lake: lake.address,
    table: 's.t',
  });
  const { metadata } = await lake.table('s.t');
  const mine = {
    snapshots: metadata.snapshots.map((snapshot) => ({
      snapshot_id: String(snapshot.snapshotId),
      parent_id: snapshot.parentSnapshotId === undefined ? null : String(snapshot.parentSnapshotId),
      operation: snapshot.summary.operation,
    })),
    refs: Object.entries(metadata.refs)
      .map(([name, ref]) => ({ name, type: ref.type.toUpperCase(), snapshot_id: String(ref.snapshotId) }))
      .sort((a, b) => a.name.localeCompare(b.name)),
  };
  const byName = (refs: Record<string, unknown>[]) =>
    refs.toSorted((a, b) => String(a.name).localeCompare(String(b.name)));
  expect(inPyiceberg.snapshots).toEqual(mine.snapshots);
  expect(byName(inPyiceberg.refs!)).toEqual(mine.refs);
  expect(
    await sql(`select snapshot_id, parent_id, operation from ${table}.snapshots order by committed_at, snapshot_id`),
  ).toEqual(expect.arrayContaining(mine.snapshots));
  expect(byName(await sql(`select name, type, snapshot_id from ${table}.refs`))).toEqual(mine.refs);
  const inSpark = await sql(`select snapshot_id, parent_id, is_current_ancestor from ${table}.history`);
  expect(inSpark).toEqual(inPyiceberg.history);
}
