/** The engines of `tables split`, side by side: each makes the same tables, row for row, for every reader; killed at any moment, none leaves half a table. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { PassThrough } from 'node:stream';
import { CreateDatabaseCommand, GetPartitionCommand, GetTableCommand } from '@aws-sdk/client-glue';
import { parquetReadObjects } from 'hyparquet';
import { runCli } from '../../src/cli/program.ts';
import { createStores } from '../../src/storage/stores.ts';
import { checkBuckets } from '../../src/tables/check-buckets.ts';
import { REAL_TABLES, splitMapCsv, writeSource } from '../tables/generator.ts';
import { startMoto } from './emulators/index.ts';
import { type Engine, startEngines, startSplitJob } from './engine.ts';
import { clientOf } from './glue-client.ts';
import { useEmulator } from './s3.ts';

const ROOT = resolve(__dirname, '../..');
const PYTHON = join(ROOT, '.interop/venv/bin/python');
const KEY = 'customer_user_id';
const SNAPSHOT = '2026-01-31';
const store = createStores();

let scratch: string;
let job: Engine;
let engines: Engine;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'lakegate-interop-engines-'));
  job = startSplitJob(scratch);
  engines = startEngines();
});

afterAll(async () => {
  await Promise.all([job.close(), engines.close()]);
  await rm(scratch, { recursive: true, force: true });
});

interface Answer {
  snapshot: string;
  tables: {
    table: string;
    outcome: string;
    files?: number;
    rows?: number;
    folder?: string;
    reason?: string;
    engine?: string;
  }[];
}

/** `lakegate tables split`, in this process. */
async function split(...words: string[]) {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const env = { ...process.env, HOME: scratch };
  const code = await runCli(['tables', 'split', ...words, '--json'], { out, err, cwd: scratch, env });
  const text = String(out.read() ?? '');
  return { code, err: String(err.read() ?? ''), ...(text === '' ? { tables: [] } : (JSON.parse(text) as Answer)) };
}

const outcomes = ({ tables }: Pick<Answer, 'tables'>) =>
  tables.map(({ table, outcome, rows, engine }) => [table, outcome, rows, ...(engine === undefined ? [] : [engine])]);

async function runJob(values: Record<string, string>): Promise<Answer> {
  const words = Object.entries({ JOB_NAME: 'split', ...values }).flatMap(([name, value]) => [`--${name}`, value]);
  return job.ask<Answer>('run', { arguments: words });
}

async function sql<T>(statement: string): Promise<T[]> {
  const rows = await engines.ask<string[]>('duckdb_sql', { statements: [statement] });
  return rows.map((row) => JSON.parse(row) as T);
}

async function filesIn(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.parquet') && !name.startsWith('.'));
  return names.sort().map((name) => join(folder, name));
}

type Reader = (folder: string) => Promise<string[]>;

const READERS: Readonly<Record<string, Reader>> = {
  pyarrow: async (folder) => engines.ask<string[]>('parquet_rows', { paths: await filesIn(folder) }),
  duckdb: (folder) =>
    engines.ask<string[]>('duckdb_sql', {
      statements: [`select * from read_parquet('${folder}/*.parquet', hive_partitioning = false)`],
    }),
  hyparquet: async (folder) => {
    const rows: string[] = [];
    for (const path of await filesIn(folder)) {
      const found = await parquetReadObjects({ file: Uint8Array.from(await readFile(path)).buffer });
      rows.push(
        ...found.map((row) =>
          JSON.stringify(row, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value)),
        ),
      );
    }
    return rows;
  },
  spark: (folder) => job.ask<string[]>('rows', { path: folder }),
};

/** Every reader reads the same rows in each of the folders. */
async function expectSame(folders: Readonly<Record<string, string>>, readers: readonly string[], rows: number) {
  for (const reader of readers) {
    const found: Record<string, string[]> = {};
    for (const [engine, folder] of Object.entries(folders)) found[engine] = (await READERS[reader]!(folder)).sort();
    const [expected] = Object.values(found);
    expect([reader, expected!.length]).toEqual([reader, rows]);
    for (const [engine, lines] of Object.entries(found)) {
      expect({ reader, engine, lines }).toEqual({ reader, engine, lines: expected });
    }
  }
}

test('copy, DuckDB and Spark make the same 27 tables; a second run of each', async () => {
  const [source, map] = [join(scratch, 'wide'), join(scratch, 'wide.csv')];
  await writeSource(store, `file://${source}/snapshot_dt=${SNAPSHOT}/`, { files: 2, rows: 40 });
  await writeFile(map, splitMapCsv());
  const words = (target: string) => ['--source', source, '--map', map, '--target', target];
  const expected = (outcome: string) => Object.keys(REAL_TABLES).map((table) => [table, outcome, 80]);
  for (const engine of ['copy', 'duckdb']) {
    const first = await split(...words(engine), '--engine', engine);
    expect([first.err, first.code, outcomes(first)]).toEqual(['', 0, expected('written')]);
    expect(outcomes(await split(...words(engine), '--engine', engine))).toEqual(expected('already'));
  }
  const sparkWords = { MODE: 'partitioned', SOURCE_PATH: source, TARGET_PATH: join(scratch, 'spark'), CSV_FILE: map };
  expect(outcomes(await runJob(sparkWords))).toEqual(expected('written'));
  for (const [index, table] of Object.keys(REAL_TABLES).entries()) {
    const folders = Object.fromEntries(
      ['copy', 'duckdb', 'spark'].map((engine) => [engine, join(scratch, engine, table, `snapshot_dt=${SNAPSHOT}`)]),
    );
    // Spark takes a second for each: it reads some of them.
    await expectSame(folders, index % 9 === 7 ? Object.keys(READERS) : ['pyarrow', 'duckdb', 'hyparquet'], 80);
  }
  for (const engine of ['copy', 'duckdb', 'spark']) {
    expect(await readFile(join(scratch, engine, 'metadata/snapshot_dt.txt'), 'utf8')).toBe(`${SNAPSHOT}\n`);
  }
});

test('what cannot be copied is cast by DuckDB and by Spark alike; what cannot be cast fails, and keeps its data', async () => {
  const [source, map] = [join(scratch, 'mixed'), join(scratch, 'mixed.csv')];
  const place = join(source, `snapshot_dt=${SNAPSHOT}`);
  await mkdir(place, { recursive: true });
  const of = {
    a: "i::int as n, i::tinyint as f, i as x, 'p' || i as plain, i % 2 = 0 as b, date '2024-02-29' + i::int as d, i::decimal(9,2) / 4 as m",
    b: "i + 5000000000 as n, (i / 8)::float as f, 'text' as x, 'p' || i as plain, i % 2 = 0 as b, date '2024-02-29' + i::int as d, i::decimal(9,2) / 4 as m, timestamp '2024-01-01 10:00:00.123456' as t",
  };
  for (const [name, list] of Object.entries(of)) {
    await sql(
      `copy (select '${name}' || i as Customer_User_id, ${list} from range(50) t(i)) to '${place}/${name}.parquet' (format parquet)`,
    );
  }
  await writeFile(
    map,
    'table,column,description\nCAST,n,\nCAST,f,\nCAST,t,\nCOPY,plain,\nCOPY,b,\nCOPY,d,\nCOPY,m,\nBAD,x,\n',
  );
  const words = (target: string) => ['--source', source, '--map', map, '--target', target];
  const left = await split(...words('mixed-copy'), '--tables', 'CAST,COPY');
  expect(outcomes(left)).toEqual([
    ['COPY', 'written', 100],
    ['CAST', 'left', undefined],
  ]);
  expect([left.code, left.tables[1]!.reason]).toEqual([1, expect.stringContaining('needs a cast')]);
  const before = join(scratch, 'mixed-duckdb/BAD', `snapshot_dt=${SNAPSHOT}`);
  await mkdir(before, { recursive: true });
  await writeFile(join(before, 'old.parquet'), 'old');
  const byDuckDb = await split(...words('mixed-duckdb'), '--otherwise', 'duckdb');
  expect([byDuckDb.code, outcomes(byDuckDb)]).toEqual([
    1,
    [
      ['COPY', 'written', 100],
      ['CAST', 'written', 100, 'duckdb'],
      ['BAD', 'failed', undefined, 'duckdb'],
    ],
  ]);
  expect(await readdir(before)).toEqual(['old.parquet']);
  // The whole of the command: its own Python, its own Spark.
  const bySpark = await split(
    ...words('mixed-spark'),
    '--otherwise',
    'spark',
    '--python',
    PYTHON,
    '--tables',
    'CAST,COPY',
  );
  expect([bySpark.err, bySpark.code, outcomes(bySpark)]).toEqual([
    '',
    0,
    [
      ['COPY', 'written', 100],
      ['CAST', 'written', 100, 'spark'],
    ],
  ]);
  await split(...words('mixed-decoded'), '--engine', 'duckdb', '--tables', 'COPY');
  const at = (target: string, table: string) => join(scratch, target, table, `snapshot_dt=${SNAPSHOT}`);
  await expectSame(
    { duckdb: at('mixed-duckdb', 'CAST'), spark: at('mixed-spark', 'CAST') },
    ['pyarrow', 'duckdb', 'spark'],
    100,
  );
  await expectSame({ copy: at('mixed-copy', 'COPY'), duckdb: at('mixed-decoded', 'COPY') }, Object.keys(READERS), 100);
  const types = `select column_name as name, column_type as type from (describe select * from read_parquet('${at('mixed-duckdb', 'CAST')}/*.parquet', hive_partitioning = false))`;
  expect(await sql(types)).toEqual([
    { name: KEY, type: 'VARCHAR' },
    { name: 'f', type: 'DOUBLE' },
    { name: 'n', type: 'BIGINT' },
    { name: 't', type: 'TIMESTAMP' },
  ]);
});

test('DuckDB and Spark lay the same rows into the same buckets', async () => {
  const [source, count] = [join(scratch, 'ids'), 8];
  const place = join(source, `snapshot_dt=${SNAPSHOT}`);
  await mkdir(place, { recursive: true });
  const key = "case when i % 10 = 0 then null when i % 10 = 1 then '€é' || i || '😀' else 'k-' || i end";
  await sql(
    `copy (select ${key} as Customer_User_id, i as v from range(400) t(i)) to '${place}/0.parquet' (format parquet)`,
  );
  const words = ['--source', source, '--target', 'ids-duckdb', '--table', 'addressable_ids', '--layout', 'plain'];
  const direct = ['--bucketing', 'direct', '--bucket-count', String(count)];
  expect(await split(...words, ...direct)).toMatchObject({
    code: 2,
    err: expect.stringContaining('moves rows') as string,
  });
  expect(outcomes(await split(...words, '--engine', 'duckdb', ...direct))).toEqual([
    ['addressable_ids', 'written', 400],
  ]);
  await runJob({
    MODE: 'bucketed',
    BUCKETING: 'direct',
    BUCKET_COUNT: String(count),
    SOURCE_PATH: source,
    TARGET_PATH: join(scratch, 'ids-spark'),
  });
  const folders = ['duckdb', 'spark'].map((engine) => join(scratch, `ids-${engine}`, 'addressable_ids'));
  const buckets = await Promise.all(
    folders.map(async (folder) => {
      const check = await checkBuckets(store, `file://${folder}/`, { column: KEY, count });
      expect(check).toEqual({ files: count, rows: 400, missing: [], faults: [] });
      const files = await filesIn(folder);
      return Promise.all(
        files.map(async (path) => (await engines.ask<string[]>('parquet_rows', { paths: [path] })).sort()),
      );
    }),
  );
  expect(buckets[0]).toEqual(buckets[1]);
});

/** Processes whose command line names a path. */
async function processesOf(path: string): Promise<string[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(ids.map((id) => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')));
  return lines.filter((line) => line.includes(path));
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((done) => setTimeout(done, 20));
}

test.each([
  ['duckdb', '_staging', []],
  ['spark', '_staging_spark', ['--python', PYTHON]],
])(
  '%s killed while it writes: the old data or the new, never half; the next run ends it',
  async (engine, staging, more) => {
    const TABLES = { A: 12, B: 8, C: 4 };
    const [source, map, target] = [`killed-${engine}`, `killed-${engine}.csv`, `killed-${engine}-out`].map((name) =>
      join(scratch, name),
    ) as [string, string, string];
    await writeSource(store, `file://${source}/snapshot_dt=${SNAPSHOT}/`, { tables: TABLES, files: 3, rows: 2000 });
    await writeFile(map, splitMapCsv(TABLES));
    const words = [
      '--source',
      source,
      '--map',
      map,
      '--target',
      target,
      '--engine',
      engine,
      '--target-mb',
      '0.05',
      ...more,
    ];
    const node = join(ROOT, 'node_modules/.bin/node');
    const temporary = await mkdtemp(join(scratch, 'tmp-'));
    const child: ChildProcess = spawn(node, [join(ROOT, 'bin/cli.ts'), 'tables', 'split', ...words], {
      cwd: scratch,
      stdio: 'ignore',
      env: { ...process.env, TMPDIR: temporary },
    });
    const ended = new Promise((done) => child.once('exit', done));
    const staged = async () => (await readdir(join(target, staging)).catch(() => [])).length > 0;
    await until(async () => child.exitCode !== null || (await staged()));
    child.kill('SIGKILL');
    await ended;
    // What it had started ends with it.
    await until(async () => (await processesOf(target)).length === 0);
    expect((await readdir(temporary)).filter((name) => name.startsWith('lakegate-'))).toEqual([]);
    const rowsOf = async (table: string) => {
      const folder = join(target, table, `snapshot_dt=${SNAPSHOT}`);
      if ((await filesIn(folder).catch(() => [])).length === 0) return 0;
      const [found] = await sql<{ n: string }>(`select count(*) as n from read_parquet('${folder}/*.parquet')`);
      return Number(found!.n);
    };
    for (const table of Object.keys(TABLES)) {
      // A commit that was cut off may have moved some files: whole ones, which the next run completes.
      expect(await rowsOf(table)).toBeLessThanOrEqual(6000);
    }
    const again = await split(...words);
    expect([again.err, again.code, again.tables.map(({ table, rows }) => [table, rows])]).toEqual([
      '',
      0,
      Object.keys(TABLES).map((table) => [table, 6000]),
    ]);
    for (const table of Object.keys(TABLES)) expect(await rowsOf(table)).toBe(6000);
    const written = await readdir(target, { recursive: true });
    expect(written.filter((name) => name.endsWith('.crc'))).toEqual([]);
  },
);

test('virtual tables: no byte is written, and Spark reads in them what the copy has', async () => {
  const TABLES = { A: 6, B: 4 };
  const [source, map] = [join(scratch, 'virtual'), join(scratch, 'virtual.csv')];
  await writeSource(store, `file://${source}/snapshot_dt=${SNAPSHOT}/`, { tables: TABLES, files: 2, rows: 50 });
  await writeFile(map, splitMapCsv(TABLES));
  const moto = await startMoto();
  const before = { ...process.env };
  useEmulator(moto);
  const client = clientOf(moto);
  try {
    await client.send(new CreateDatabaseCommand({ DatabaseInput: { Name: 'db' } }));
    const words = ['--source', source, '--map', map];
    const virtual = [...words, '--engine', 'virtual', '--database', 'db'];
    const registered = (outcome: string, partition: string) =>
      ['part_a', 'part_b'].map((table) => expect.objectContaining({ table, outcome, partition }) as unknown);
    expect((await split(...virtual, '--dry-run')).tables).toEqual(registered('created', 'created'));
    const made = await split(...virtual);
    expect([made.err, made.code, made.tables]).toEqual(['', 0, registered('created', 'created')]);
    expect((await split(...virtual)).tables).toEqual(registered('unchanged', 'unchanged'));
    expect(await readdir(join(source, `snapshot_dt=${SNAPSHOT}`))).toHaveLength(2);

    await split(...words, '--target', 'virtual-copy');
    for (const table of ['A', 'B']) {
      const of = { DatabaseName: 'db' };
      const name = `part_${table.toLowerCase()}`;
      const { Table: found } = await client.send(new GetTableCommand({ ...of, Name: name }));
      const { Partition: partition } = await client.send(
        new GetPartitionCommand({ ...of, TableName: name, PartitionValues: [SNAPSHOT] }),
      );
      expect(found).toMatchObject({
        PartitionKeys: [{ Name: 'snapshot_dt', Type: 'string' }],
        TableType: 'EXTERNAL_TABLE',
      });
      const columns = (found!.StorageDescriptor!.Columns ?? []).map(({ Name, Type }) => `${Name} ${Type}`);
      expect(columns[0]).toBe(`${KEY} string`);
      const rows = await job.ask<string[]>('external_rows', {
        columns,
        location: found!.StorageDescriptor!.Location,
        date: SNAPSHOT,
        folder: partition!.StorageDescriptor!.Location,
      });
      const copied = await job.ask<string[]>('rows', {
        path: join(scratch, 'virtual-copy', table, `snapshot_dt=${SNAPSHOT}`),
      });
      expect(rows).toHaveLength(100);
      expect(rows.sort()).toEqual(copied.sort());
    }

    // A newer snapshot is one more partition; a column that is called otherwise cannot be virtual.
    await writeSource(store, `file://${source}/snapshot_dt=2026-02-28/`, { tables: TABLES, rows: 5 });
    expect((await split(...virtual)).tables).toEqual(registered('updated', 'created'));
    const renamed = await split(...virtual, '--alias', 'A_Field_000=other');
    expect([renamed.code, renamed.tables.map(({ outcome, reason }) => [outcome, reason])]).toEqual([
      1,
      [
        ['left', expect.stringContaining('readers find columns by their names')],
        ['unchanged', undefined],
      ],
    ]);
  } finally {
    client.destroy();
    process.env = before;
    await moto.stop();
  }
});
