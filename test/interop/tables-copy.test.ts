/** Columns copied without decoding, out of files of every writer: each engine reads in the copy what it reads in the source. */
import { spawnSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readFooter } from '../../src/parquet/footer.ts';
import type { ParquetFooter } from '../../src/parquet/model.ts';
import type { ObjectStore } from '../../src/storage/store.ts';
import { createStores } from '../../src/storage/stores.ts';
import { readPlan, writePlan } from '../../src/tables/plan-document.ts';
import { commitAllPlanned, copyPlannedPart, planItems } from '../../src/tables/planned.ts';
import { prepareSplit, type SplitRequest } from '../../src/tables/prepare-split.ts';
import { runSplit } from '../../src/tables/split.ts';
import { splitMapCsv, writeSource } from '../tables/generator.ts';
import { type Emulator, startSeaweed } from './emulators/index.ts';
import { type Engine, startEngines, startSpark } from './engine.ts';
import { newBucket, useEmulator } from './s3.ts';
import { countingClient } from './s3-traffic.ts';

const NODE = join(__dirname, '../../node_modules/.bin/node');
const FIXTURES = join(__dirname, '../fixtures/parquet');
const CODECS = ['none', 'snappy', 'gzip', 'zstd', 'brotli', 'lz4'].flatMap((codec) => [`${codec}-v1`, `${codec}-v2`]);

let scratch: string;
let engines: Engine;
let spark: Engine;
const store = createStores();

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'lakegate-interop-copy-'));
  engines = startEngines();
  spark = startSpark(scratch);
});

afterAll(async () => {
  await Promise.all([engines.close(), spark.close()]);
  await rm(scratch, { recursive: true, force: true });
});

const REQUEST: Omit<SplitRequest, 'source' | 'target' | 'map' | 'key'> = {
  aliases: {},
  only: [],
  strict: false,
  targetBytes: 1e9,
};

async function footerOf(file: string): Promise<ParquetFooter> {
  const reader = await store.open(file);
  return readFooter(reader, file).finally(() => reader.close());
}

/** A snapshot of these files, split into two tables: the first column is the key. */
async function split(name: string, files: readonly string[]) {
  const source = `${join(scratch, name, 'in')}/`;
  const target = `${join(scratch, name, 'out')}/`;
  await mkdir(`${source}snapshot_dt=2026-01-31`, { recursive: true });
  for (const [index, file] of files.entries()) {
    await copyFile(file, `${source}snapshot_dt=2026-01-31/${index}.parquet`);
  }
  const footer = await footerOf(files[0]!);
  const [key, ...others] = footer.fields.map((field) => field.name);
  const tables = Map.groupBy(others.toReversed(), (_, index) => (index % 2 === 0 ? 'EVEN' : 'ODD'));
  const lines = [...tables].flatMap(([table, columns]) => columns.map((column) => `${table},${column},`));
  const map = { text: `table,column,description\n${lines.join('\n')}\n`, name: 'map' };
  const { plan } = await prepareSplit(store, { ...REQUEST, source, target, map, key: key! });
  const outcomes = await runSplit(store, plan);
  expect(outcomes.map(({ outcome, reason }) => reason ?? outcome)).toEqual([...tables].map(() => 'written'));
  return plan.tables.map(({ folder, outputs, table }) => ({
    files: outputs.map((output) => `${folder}${output.name}`),
    columns: table.columns,
  }));
}

/** Asks each engine for the same columns of source and copy. */
async function expectSame(
  sources: readonly string[],
  copies: Awaited<ReturnType<typeof split>>,
  readers: readonly string[],
) {
  for (const { files, columns } of copies) {
    const names = columns.map(({ source }) => source);
    const ask = {
      pyarrow: (paths: readonly string[]) => engines.ask<string[]>('parquet_rows', { paths, columns: names }),
      duckdb: (paths: readonly string[]) =>
        engines.ask<string[]>('duckdb_sql', {
          statements: [`select ${quoted(names, '"')} from read_parquet([${paths.map((path) => `'${path}'`).join()}])`],
        }),
      spark: async (paths: readonly string[]) => {
        const rows = [];
        for (const path of paths) {
          const sql = `select ${quoted(names, '`')} from parquet.\`${path}\``;
          rows.push(...(await spark.ask<string[]>('rows', { sql })));
        }
        return rows;
      },
    };
    for (const [engine, rowsOf] of Object.entries(ask)) {
      if (!readers.includes(engine)) continue;
      const expected = await rowsOf(sources);
      expect({ engine, names, rows: (await rowsOf(files)).sort() }).toEqual({ engine, names, rows: expected.sort() });
      expect(expected.length).toBeGreaterThan(0);
    }
  }
}

const quoted = (names: readonly string[], mark: string) => names.map((name) => `${mark}${name}${mark}`).join();

/** Of the codecs' files Spark is asked for these alone: each costs it seconds, and it has no Brotli. */
const IN_SPARK = ['snappy-v1', 'zstd-v2', 'statistics'];

test.each([...CODECS, 'statistics', 'duckdb', 'polars'])('%s', async (name) => {
  const file = join(FIXTURES, `${name}.parquet`);
  await expectSame([file], await split(name, [file]), [
    'pyarrow',
    'duckdb',
    ...(IN_SPARK.includes(name) ? ['spark'] : []),
  ]);
});

// Spark reads neither times of milliseconds nor timestamps of nanoseconds; DuckDB no fixed bytes in BYTE_STREAM_SPLIT.
test.each([
  ['types', ['pyarrow', 'duckdb']],
  ['int96', ['pyarrow', 'duckdb']],
  ['encodings', ['pyarrow']],
])('%s', async (name, readers) => {
  const file = join(FIXTURES, `${name}.parquet`);
  await expectSame([file], await split(name, [file]), readers);
});

test('files of Spark with bloom filters and page indexes, two as one, rows found through both', async () => {
  const options = {
    'parquet.bloom.filter.enabled#s': 'true',
    'parquet.bloom.filter.enabled#i': 'true',
    'parquet.page.row.count.limit': '20',
    'spark.sql.parquet.compression.codec': 'zstd',
  };
  const files: string[] = [];
  for (const fixture of ['none-v1', 'statistics']) {
    const target = join(scratch, `spark-${fixture}.parquet`);
    await spark.ask('write_parquet', { source: join(FIXTURES, `${fixture}.parquet`), target, options });
    files.push(target);
  }
  const copies = await split('spark', files);
  expect(copies.map((copy) => copy.files.length)).toEqual([1, 1]);
  await expectSame(files, copies, ['pyarrow', 'duckdb', 'spark']);
  for (const {
    files: [copy],
    columns,
  } of copies) {
    const footer = await footerOf(copy!);
    expect(footer.rowGroups).toHaveLength(2);
    for (const { columns: chunks } of footer.rowGroups) {
      for (const chunk of chunks) expect(chunk.offsetIndexLength).toBeGreaterThan(0);
    }
    expect(footer.rowGroups.flatMap((group) => group.columns).filter((chunk) => chunk.bloomFilterOffset)).not.toEqual(
      [],
    );
    const names = quoted(
      columns.map(({ source }) => source),
      '`',
    );
    for (const where of [
      'i = 150',
      'i between 40 and 44',
      'i = -5',
      ...(columns.some(({ name }) => name === 's') ? ["s = 'v3'", "s = 'absent'"] : []),
    ]) {
      const ask = (path: string) =>
        spark.ask<string[]>('rows', { sql: `select ${names} from parquet.\`${path}\` where ${where}` });
      const expected = (await Promise.all(files.map(ask))).flat().sort();
      expect({ where, rows: (await ask(copy!)).sort() }).toEqual({ where, rows: expected });
      const inDuckDb = (paths: readonly string[]) =>
        engines.ask<string[]>('duckdb_sql', {
          statements: [
            `select ${names.replaceAll('`', '"')} from read_parquet([${paths.map((path) => `'${path}'`).join()}]) where ${where}`,
          ],
        });
      expect((await inDuckDb([copy!])).sort()).toEqual((await inDuckDb(files)).sort());
    }
  }
});

const KILLED_TABLES = { A: 30, B: 20, C: 5 };
const KILLED_ROWS = 600;

/** Every file that engines would read of a split, whole or an error. @returns rows of each table's partition */
async function rowsOfPartitions(target: string): Promise<Record<string, number>> {
  const rows: Record<string, number> = {};
  for await (const { url } of store.list(target)) {
    const table = url.slice(target.length).split('/')[0]!;
    if (table !== '_staging') rows[table] = (rows[table] ?? 0) + (await footerOf(url)).numRows;
  }
  return rows;
}

test('a process killed in the middle of any write leaves whole files alone, and is finished by the next', async () => {
  const source = `${join(scratch, 'killed', 'in')}/`;
  await writeSource(store, `${source}snapshot_dt=2026-01-31/`, {
    tables: KILLED_TABLES,
    files: 3,
    rows: KILLED_ROWS / 3,
    rowGroupRows: 100,
  });
  const kill = async (write: number) => {
    const target = `${join(scratch, 'killed', `out-${write}`)}/`;
    const { plan } = await prepareSplit(store, {
      ...REQUEST,
      source,
      target,
      key: 'customer_user_id',
      map: { text: splitMapCsv(KILLED_TABLES), name: 'map' },
      targetBytes: 20_000,
    });
    const url = join(scratch, 'killed', `plan-${write}.json`);
    await writePlan(store, url, plan);
    const run = (last: number) =>
      spawnSync(NODE, [join(__dirname, 'split-worker.ts'), url, String(last)], { encoding: 'utf8' });
    const { signal, stdout, stderr } = run(write);
    if (signal === null) {
      expect({ stdout, stderr }).toMatchObject({ stdout: '["written","written","written"]' });
      return false;
    }
    for (const rows of Object.values(await rowsOfPartitions(target))) expect(rows).toBeLessThanOrEqual(KILLED_ROWS);
    const again = run(0);
    expect(again.stdout + again.stderr).toMatch(/^\["(written|already)","(written|already)","(written|already)"\]$/);
    expect(await rowsOfPartitions(target)).toEqual({ A: KILLED_ROWS, B: KILLED_ROWS, C: KILLED_ROWS });
    const left: string[] = [];
    for await (const { url: staged } of store.list(`${target}_staging/`)) left.push(staged);
    expect(left).toEqual([]);
    return true;
  };
  // Each write is of one kind or another: every so many of them are enough to meet all kinds, the commits at the end among them.
  let killed = 0;
  for (let write = 1; await kill(write); write += 14) killed += 1;
  expect(killed).toBeGreaterThan(3);
});

describe('on S3', () => {
  let s3: Emulator;
  let buckets: string[];
  beforeAll(async () => {
    s3 = await startSeaweed();
    useEmulator(s3);
    buckets = [await newBucket(), await newBucket()];
  });
  afterAll(() => s3.stop());

  test('large chunks are copied inside S3: less than a twentieth of the bytes passes through the process', async () => {
    const file = join(scratch, 'large.parquet');
    const columns = [...'ABCDE'].map((name) => `random() ${name}`);
    await engines.ask('duckdb_sql', {
      statements: [
        `copy (select range id, ${columns} from range(2800000)) to '${file}' (format parquet, compression uncompressed, row_group_size 2800000)`,
      ],
    });
    const [bucket, elsewhere] = buckets.map((url) => `${url}large/`);
    await createStores().copy(file, `${bucket}in/snapshot_dt=2026-01-31/0.parquet`);
    const { client, traffic } = countingClient();
    const onS3 = createStores({ s3: { client } });
    const lines = [...'ABCDE'].map((name) => `LARGE,${name},`);
    const { plan } = await prepareSplit(onS3, {
      ...REQUEST,
      source: `${bucket}in/`,
      target: `${elsewhere}out/`,
      key: 'id',
      map: { text: `table,column,description\n${lines.join('\n')}\n`, name: 'map' },
    });
    for (const item of planItems(plan)) for (const part of item) await copyPlannedPart(onS3, plan, part);
    const bytes = plan.tables.flatMap(({ outputs }) => outputs).reduce((sum, output) => sum + output.bytes, 0);
    expect(bytes).toBeGreaterThan(120e6);
    expect({ sent: traffic.sent / bytes < 0.05, received: traffic.received / bytes < 0.05 }).toEqual({
      sent: true,
      received: true,
    });
    // An upload begun and ended, its copied parts (the key's chunk and its neighbours), and those that hold its beginning and its end.
    expect(traffic.requests.CreateMultipartUpload).toBe(1);
    expect(traffic.requests.UploadPart).toBe(2);
    expect(traffic.requests.UploadPartCopy).toBeLessThanOrEqual(2);
    expect((await commitAllPlanned(onS3, plan)).map(({ outcome }) => outcome)).toEqual(['written']);
    for (const { table, folder, outputs } of plan.tables) {
      const copy = join(scratch, `large-${table.name}.parquet`);
      await createStores().copy(`${folder}${outputs[0]!.name}`, copy);
      const sums = (path: string) =>
        engines.ask<string[]>('duckdb_sql', {
          statements: [
            `select count(*) n, bit_xor(hash(${table.columns.map(({ name }) => name)})) h from read_parquet('${path}')`,
          ],
        });
      expect(await sums(copy)).toEqual(await sums(file));
    }
  });

  test('every part by two machines at once, then every table', async () => {
    const bucket = `${buckets[0]}twice/`;
    const onS3 = createStores();
    await writeSource(onS3, `${bucket}in/snapshot_dt=2026-01-31/`, {
      tables: KILLED_TABLES,
      files: 3,
      rows: KILLED_ROWS / 3,
    });
    const { plan } = await prepareSplit(onS3, {
      ...REQUEST,
      source: `${bucket}in/`,
      target: `${bucket}out/`,
      key: 'customer_user_id',
      map: { text: splitMapCsv(KILLED_TABLES), name: 'map' },
      targetBytes: 20_000,
    });
    await writePlan(onS3, `${bucket}plan.json`, plan);
    const machines = [createStores(), createStores()];
    const parts = planItems(plan, 0).flat();
    await Promise.all(
      machines.flatMap((machine) =>
        parts.map(async (part) => copyPlannedPart(machine, await readPlan(machine, `${bucket}plan.json`), part)),
      ),
    );
    const outcomes = await Promise.all(machines.map((machine) => commitAllPlanned(machine, plan)));
    // Who comes second may be told to come again: a state machine does.
    const again = await commitAllPlanned(onS3, plan);
    expect(
      outcomes.flat().filter(({ outcome, reason }) => outcome === 'failed' && !/Run this again/.test(reason!)),
    ).toEqual([]);
    expect(again.map(({ outcome, rows }) => [outcome, rows])).toEqual(plan.tables.map(() => ['already', KILLED_ROWS]));
    for (const { folder, outputs } of plan.tables) {
      let rows = 0;
      for (const { name } of outputs) {
        const reader = await onS3.open(`${folder}${name}`);
        rows += (await readFooter(reader, name)).numRows;
      }
      expect(rows).toBe(KILLED_ROWS);
    }
  });

  test('from bucket to bucket, broken off and gone on with', async () => {
    const TABLES = { A: 30, B: 20, C: 5 };
    const bucket = `${buckets[0]}gone-on/`;
    const onS3 = createStores();
    await writeSource(onS3, `${bucket}in/snapshot_dt=2026-01-31/`, {
      tables: TABLES,
      files: 3,
      rows: 500,
      rowGroupRows: 200,
    });
    const request = {
      ...REQUEST,
      source: `${bucket}in/`,
      target: `${bucket}out/`,
      key: 'customer_user_id',
      map: { text: splitMapCsv(TABLES), name: 'map' },
      targetBytes: 20_000,
    };
    const { plan } = await prepareSplit(onS3, request);
    let copied = 0;
    const dying: ObjectStore = {
      ...onS3,
      writer: (url) => {
        copied += 1;
        return copied > 5 ? Promise.reject(new Error('killed')) : onS3.writer(url);
      },
    };
    await runSplit(dying, plan);
    const outcomes = await runSplit(onS3, plan);
    expect(outcomes.map(({ outcome, rows }) => [outcome === 'failed', rows])).toEqual([
      [false, 1500],
      [false, 1500],
      [false, 1500],
    ]);
    expect((await runSplit(onS3, plan)).map(({ outcome }) => outcome)).toEqual(['already', 'already', 'already']);
    const local = `${join(scratch, 's3')}/`;
    for (const { table, folder, outputs } of plan.tables) {
      const copies: string[] = [];
      for (const { name } of outputs) {
        copies.push(`${local}${table.name}-${name}`);
        await store.copy(`${folder}${name}`, copies.at(-1)!);
      }
      const ids = await engines.ask<string[]>('duckdb_sql', {
        statements: [
          `select count(*) c, count(distinct customer_user_id) d from read_parquet([${copies.map((path) => `'${path}'`).join()}])`,
        ],
      });
      expect(ids).toHaveLength(1);
      expect(JSON.parse(ids[0]!)).toEqual({ c: '1500', d: '1500' });
    }
    const left: string[] = [];
    for await (const { url } of onS3.list(`${bucket}out/_staging/`)) left.push(url);
    expect(left).toEqual([]);
  });
});
