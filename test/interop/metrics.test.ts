import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { allFields } from '../../src/iceberg/schema.ts';
import { type Engine, startEngines, startSpark } from './engine.ts';
import { makeLake, type TestLake } from './lake.ts';

/** What lakegate's manifests say of a file, held against what PyIceberg's add_files says of the very same file. */

let engines: Engine;
let spark: Engine;
let scratch: string;
let lake: TestLake;

interface Entry {
  partition: unknown[];
  record_count: number;
  file_size_in_bytes: number;
  split_offsets: number[];
  column_sizes: Record<string, number>;
  value_counts: Record<string, number>;
  null_value_counts: Record<string, number>;
  nan_value_counts: Record<string, number>;
  lower_bounds: Record<string, string>;
  upper_bounds: Record<string, string>;
}

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'lakegate-interop-metrics-'));
  engines = startEngines();
  spark = startSpark(scratch);
});

afterAll(async () => {
  await Promise.all([engines.close(), spark.close()]);
  await lake?.remove();
  await rm(scratch, { recursive: true, force: true });
});

/** A writer's way of writing, and the shapes whose types it can write. */
interface Case {
  name: string;
  writer: 'pyarrow' | 'polars' | 'duckdb' | 'spark';
  options?: Record<string, unknown>;
  shapes: readonly string[];
  /** Shapes with a type (INT96, nanoseconds, unsigned) that lakegate must decode and write anew. */
  decoded?: readonly string[];
}

/** Timestamps as nobody should write them any more; Spark does unless told otherwise. */
const INT96 = { use_deprecated_int96_timestamps: true };
const MICROS = { 'spark.sql.parquet.outputTimestampType': 'TIMESTAMP_MICROS' };

const ALL = ['flat', 'nested', 'odd'];
const CASES: readonly Case[] = [
  { name: 'plain', writer: 'pyarrow', shapes: [...ALL, 'all_null', 'empty'] },
  { name: 'nostats', writer: 'pyarrow', options: { write_statistics: false }, shapes: ALL },
  { name: 'somestats', writer: 'pyarrow', options: { write_statistics: ['id', 'region'] }, shapes: ['flat'] },
  { name: 'pages2', writer: 'pyarrow', options: { data_page_version: '2.0', data_page_size: 512 }, shapes: ALL },
  { name: 'groups', writer: 'pyarrow', options: { row_group_size: 17 }, shapes: ALL },
  { name: 'nodict', writer: 'pyarrow', options: { use_dictionary: false, compression: 'zstd' }, shapes: ALL },
  { name: 'index', writer: 'pyarrow', options: { write_page_index: true, compression: 'none' }, shapes: ALL },
  { name: 'unsigned', writer: 'pyarrow', shapes: ['unsigned'], decoded: ['unsigned'] },
  { name: 'polars', writer: 'polars', shapes: ['flat', 'odd', 'empty'], decoded: ['odd'] },
  { name: 'polarsnostats', writer: 'polars', options: { statistics: false, row_group_size: 20 }, shapes: ['flat'] },
  { name: 'duckdb', writer: 'duckdb', shapes: ['flat', 'nested', 'empty'] },
  { name: 'duckdb2', writer: 'duckdb', options: { parquet_version: 'v2', row_group_size: 2048 }, shapes: ['flat'] },
  { name: 'int96', writer: 'pyarrow', options: INT96, shapes: ['flat'], decoded: ['flat'] },
  { name: 'sparkmicros', writer: 'spark', options: MICROS, shapes: ['flat', 'all_null'] },
  { name: 'spark', writer: 'spark', shapes: ['flat', 'nested', 'all_null'], decoded: ['flat', 'all_null'] },
  {
    name: 'spark2',
    writer: 'spark',
    options: { 'parquet.writer.version': 'v2' },
    shapes: ['flat', 'nested'],
    decoded: ['flat'],
  },
];

const FILES = CASES.flatMap(({ shapes, ...rest }) =>
  shapes.map((shape) => ({ ...rest, shape, table: `s.${rest.name}_${shape}` })),
);

const PARTITIONED = [
  { table: 's.by_region', by: 'region' },
  { table: 's.by_day', by: 'day(ts)' },
  { table: 's.by_month', by: 'month(day)' },
  { table: 's.by_truncate', by: 'truncate(3, region)' },
  { table: 's.by_many', by: 'year(ts), region, truncate(1000, id)' },
];

beforeAll(async () => {
  const tables = [
    ...FILES.map(({ table }) => `  ${table}: { from: ${table.slice(2)}/, rules: [] }\n`),
    ...PARTITIONED.map(
      ({ table, by }) => `  ${table}: { from: ${table.slice(2)}/, partition_by: [${by}], rules: [] }\n`,
    ),
    '  s.javascript: { from: javascript/, rules: [] }\n',
  ];
  lake = await makeLake('metrics', tables.join(''));
});

async function write(path: string, { writer, shape, options }: Omit<(typeof FILES)[number], 'table' | 'name'>) {
  const about = { shape, rows: 60, ...(shape === 'odd' ? { start: 1 } : {}) };
  if (writer !== 'spark') {
    await engines.ask('drop', { path, ...about, writer, options });
    return;
  }
  const source = `${scratch}/source.parquet`;
  await engines.ask('drop', { path: source, ...about, writer: 'pyarrow' });
  await spark.ask('write_parquet', { source, target: path, options: options ?? {} });
}

/** Both entries of a dropped file: lakegate's, and PyIceberg's for lakegate's own copy of it. */
async function entriesOf(table: string, path: string): Promise<{ ours: Entry; theirs: Entry; file: string }> {
  const [record] = await lake.deliver(path);
  expect(record!.reason ?? record!.state).toBe('published');
  const found = Object.entries(await engines.ask<Record<string, Entry>>('entries', { lake: lake.address, table }));
  const [file, ours] = found[0]!;
  expect(found).toHaveLength(1);
  const theirs = await engines.ask<Entry>('add_files', {
    lake: lake.address,
    like: table,
    table: `${table}_by_pyiceberg`,
    path: file,
  });
  return { ours, theirs, file: file.replace('file://', '') };
}

/** Where lakegate's entry is to differ from PyIceberg's, and how exactly. Everything else is equal. */
async function withDifferences(theirs: Entry, table: string, path: string, writer: string): Promise<Entry> {
  const { metadata } = await lake.table(table);
  const schema = metadata.schemas.find(({ schemaId }) => schemaId === metadata.currentSchemaId)!;
  const expected = structuredClone(theirs);
  const counted = await engines.ask<{ rows: number; entries: Record<string, number> }>('null_counts', { path });
  for (const { name, field } of allFields(schema)) {
    const id = String(field.id);
    if (typeof field.type !== 'string') continue;
    if (counted.rows === 0 && writer !== 'pyarrow') {
      // A file without row groups: PyIceberg says nothing of its columns, lakegate that there is nothing in them.
      expected.column_sizes[id] = 0;
      expected.value_counts[id] = 0;
      expected.null_value_counts[id] = 0;
      continue;
    }
    const counts = expected.null_value_counts;
    const inList = /\.(element|key|value)\b/.test(name);
    // Level histograms tell nulls where statistics do not; pyarrow alone writes them.
    if (counted.rows > 0 && writer === 'pyarrow' && !name.endsWith('.key')) counts[id] = counted.entries[name]!;
    // PyIceberg counts absent and empty lists as null elements; without histograms the number is not known.
    else if (inList && counts[id] !== 0) delete counts[id];

    const { lower_bounds: lower, upper_bounds: upper } = expected;
    // A zero in statistics may stand for the other zero: bounds enclose both.
    if (field.type === 'float' || field.type === 'double') {
      if (/^0+$/.test(lower[id] ?? '')) lower[id] = lower[id]!.replace(/00$/, '80');
      if (/^0+80$/.test(upper[id] ?? '')) upper[id] = upper[id]!.replace(/80$/, '00');
    }
    // Text is cut after the character that was raised, as Iceberg Java cuts it; PyIceberg keeps what stood behind.
    if (field.type === 'string' && upper[id] !== undefined) upper[id] = upper[id].replace(/(f48fbfbf)+$/, '');
  }
  return expected;
}

test.each(FILES)('$writer, $name, $shape', async ({ table, decoded = [], ...about }) => {
  const path = lake.inRaw(`${table.slice(2)}/file.parquet`);
  await write(path, about);
  const { ours, theirs, file } = await entriesOf(table, path);
  // What had to be decoded is lakegate's own file, by hyparquet-writer, which keeps no histograms.
  const writer = (await readFile(file)).equals(await readFile(path)) ? about.writer : 'hyparquet-writer';
  expect({ writer, entry: ours }).toEqual({
    writer: decoded.includes(about.shape) ? 'hyparquet-writer' : about.writer,
    entry: await withDifferences(theirs, table, path, writer),
  });
});

test('hyparquet-writer', async () => {
  const rows = Array.from({ length: 50 }, (_, row) => row);
  const bytes = parquetWriteBuffer({
    columnData: [
      { name: 'i', data: rows.map((row) => (row % 5 === 0 ? null : row - 20)), type: 'INT32', nullable: true },
      { name: 'l', data: rows.map((row) => BigInt(row) * 10n ** 15n), type: 'INT64', nullable: false },
      { name: 'd', data: rows.map((row) => (row - 10) / 3), type: 'DOUBLE', nullable: true },
      { name: 's', data: rows.map((row) => `text ${row} ${'é'.repeat(row)}`), type: 'STRING', nullable: true },
      { name: 'b', data: rows.map((row) => row % 2 === 0), type: 'BOOLEAN', nullable: true },
      { name: 't', data: rows.map((row) => new Date(1.7e12 + row)), type: 'TIMESTAMP', nullable: true },
    ],
    rowGroupSize: 20,
  });
  const path = lake.inRaw('javascript/file.parquet');
  await writeFile(path, new Uint8Array(bytes));
  const { ours, theirs } = await entriesOf('s.javascript', path);
  expect(ours).toEqual(await withDifferences(theirs, 's.javascript', path, 'hyparquet-writer'));
});

test.each(PARTITIONED)('partitioned by $by: split files, their partitions included', async ({ table }) => {
  const path = lake.inRaw(`${table.slice(2)}/file.parquet`);
  await engines.ask('drop', { path, shape: 'flat', writer: 'pyarrow', rows: 60 });
  expect((await lake.deliver(path))[0]!.state).toBe('published');
  const found = Object.entries(await engines.ask<Record<string, Entry>>('entries', { lake: lake.address, table }));
  expect(found.length).toBeGreaterThan(1);
  for (const [index, [file, ours]] of found.entries()) {
    const theirs = await engines.ask<Entry>('add_files', {
      lake: lake.address,
      like: table,
      table: `${table}_${index}_by_pyiceberg`,
      path: file,
    });
    expect(ours).toEqual(await withDifferences(theirs, table, file.replace('file://', ''), 'hyparquet-writer'));
  }
});
