import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Engine, startEngines, startSpark } from './engine.ts';
import { makeLake, type TestLake } from './lake.ts';

/** Null counts of `lakegate audit FILE --json`, held against pyarrow's over the decoded columns. */

let engines: Engine;
let spark: Engine;
let scratch: string;
let lake: TestLake;

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'lakegate-interop-nulls-'));
  engines = startEngines();
  spark = startSpark(scratch);
  lake = await makeLake('nulls', '  s.any: { from: any/, rules: [] }\n');
});

afterAll(async () => {
  await Promise.all([engines.close(), spark.close()]);
  await lake?.remove();
  await rm(scratch, { recursive: true, force: true });
});

interface Audit {
  file: string;
  rows?: number;
  outcome: string;
  error?: string;
  columns?: { name: string; nulls: number; from: 'statistics' | 'levels' | 'values' }[];
}

function audit(path: string, exit = 0): Promise<Audit> {
  return lake.cli<Audit>(['audit', path, '--table', 's.any'], exit);
}

/** Nulls by column. */
function counts({ rows, columns }: Audit) {
  return { rows, nulls: Object.fromEntries(columns!.map(({ name, nulls }) => [name, nulls])) };
}

async function pyarrowCounts(path: string) {
  const { rows, nulls } = await engines.ask<{ rows: number; nulls: Record<string, number> }>('null_counts', { path });
  return { rows, nulls };
}

const SHAPES = ['flat', 'nested', 'nested_more', 'widened', 'all_null', 'empty', 'odd', 'unsigned'];
const CODECS = ['none', 'snappy', 'gzip', 'brotli', 'zstd', 'lz4'];
const FLAT_AND_NESTED = ['flat', 'nested', 'all_null', 'empty'];

interface Writing {
  writer: string;
  shapes: readonly string[];
  options: Record<string, unknown>;
  rows?: number;
}

const WRITINGS: readonly Writing[] = [
  ...CODECS.flatMap((compression): Writing[] => [
    { writer: 'pyarrow', shapes: SHAPES, options: { compression } },
    {
      writer: 'pyarrow',
      shapes: SHAPES,
      options: { compression, write_statistics: false, data_page_version: '2.0', data_page_size: 300 },
    },
  ]),
  { writer: 'pyarrow', shapes: SHAPES, options: { write_statistics: false, row_group_size: 7 } },
  { writer: 'pyarrow', shapes: SHAPES, options: { use_dictionary: false, data_page_size: 200 } },
  {
    writer: 'pyarrow',
    shapes: ['flat', 'nested'],
    options: { write_statistics: false, row_group_size: 500 },
    rows: 5000,
  },
  { writer: 'pyarrow', shapes: ['flat'], options: { use_deprecated_int96_timestamps: true } },
  ...['uncompressed', 'snappy', 'gzip', 'brotli', 'zstd', 'lz4'].map(
    (compression): Writing => ({
      writer: 'polars',
      shapes: ['flat', 'odd', 'empty'],
      options: { compression, statistics: false },
    }),
  ),
  ...['uncompressed', 'snappy', 'gzip', 'brotli', 'zstd', 'lz4_raw'].flatMap((codec): Writing[] => [
    { writer: 'duckdb', shapes: FLAT_AND_NESTED, options: { codec } },
    {
      writer: 'duckdb',
      shapes: FLAT_AND_NESTED,
      options: { codec, parquet_version: 'v2', row_group_size: 2048 },
      rows: 5000,
    },
  ]),
  ...['none', 'snappy', 'gzip', 'zstd', 'lz4_raw'].map(
    (compression): Writing => ({ writer: 'spark', shapes: ['flat', 'nested', 'all_null'], options: { compression } }),
  ),
  {
    writer: 'spark',
    shapes: ['flat', 'nested'],
    options: { 'parquet.writer.version': 'v2', 'parquet.page.size': '1000' },
    rows: 3000,
  },
];

test.each(WRITINGS.map((each, number) => ({ ...each, number, how: JSON.stringify(each.options) })))(
  '$writer $how: every column of $shapes',
  async ({ writer, options, shapes, rows = 150, number }) => {
    const found: Record<string, unknown> = {};
    const expected: Record<string, unknown> = {};
    for (const shape of shapes) {
      const path = join(scratch, `${number}-${shape}.parquet`);
      if (writer === 'spark') {
        const source = join(scratch, 'source.parquet');
        await engines.ask('drop', { path: source, shape, rows, writer: 'pyarrow' });
        await spark.ask('write_parquet', { source, target: path, options });
      } else {
        await engines.ask('drop', { path, shape, rows, writer, options });
      }
      found[shape] = counts(await audit(path));
      expected[shape] = await pyarrowCounts(path);
    }
    expect(found).toEqual(expected);
  },
);

test('every way to know a count is taken: statistics, levels, values', async () => {
  const about = { rows: 100, shape: 'nested' };
  const seen = new Set<string>();
  for (const [writer, options] of [
    ['pyarrow', {}],
    ['duckdb', {}],
  ] as const) {
    const path = join(scratch, `ways-${writer}.parquet`);
    await engines.ask('drop', { path, ...about, writer, options });
    for (const { from } of (await audit(path)).columns!) seen.add(from);
  }
  expect([...seen].sort()).toEqual(['levels', 'statistics']);
});

test('damaged files are errored with a message that names them', async () => {
  const whole = join(scratch, 'whole.parquet');
  await engines.ask('drop', { path: whole, shape: 'nested', rows: 200, writer: 'duckdb' });
  const bytes = await readFile(whole);
  const footerLength = bytes.readUInt32LE(bytes.length - 8);
  const damaged: Record<string, Uint8Array> = {
    nothing: bytes.subarray(0, 0),
    'magic-only': bytes.subarray(0, 4),
    'half-gone': bytes.subarray(0, bytes.length / 2),
    'byte-short': bytes.subarray(0, bytes.length - 1),
    'footer-noise': Buffer.from(bytes).fill(0xa5, bytes.length - 8 - footerLength, bytes.length - 8),
    'footer-length': Buffer.from(bytes).fill(0xff, bytes.length - 8, bytes.length - 4),
    'page-noise': Buffer.from(bytes).fill(0xa5, 4, bytes.length - 8 - footerLength),
  };
  for (const [name, content] of Object.entries(damaged)) {
    const path = join(scratch, `damaged-${name}.parquet`);
    await writeFile(path, content);
    const { outcome, error } = await audit(path, 1);
    expect({ name, outcome, error }).toEqual({ name, outcome: 'errored', error: expect.stringContaining(path) });
  }
});

/** LAKEGATE_EXTRA_PARQUET: a folder of any Parquet files, held against pyarrow like the generated ones. */
const EXTRA = process.env.LAKEGATE_EXTRA_PARQUET;
if (EXTRA !== undefined) {
  test(`every file of ${EXTRA} is counted as pyarrow counts it, or errored with a message that names it`, async () => {
    const names = (await readdir(EXTRA)).filter((name) => name.endsWith('.parquet'));
    expect(names.length).toBeGreaterThan(0);
    const found: Record<string, unknown> = {};
    const expected: Record<string, unknown> = {};
    for (const name of names) {
      const path = resolve(EXTRA, name);
      const readable = await pyarrowCounts(path).catch(() => undefined);
      if (readable !== undefined) {
        expected[name] = readable;
        found[name] = await audit(path).then(counts, String);
        continue;
      }
      expected[name] = { outcome: 'errored', error: expect.stringContaining(name) };
      const { outcome, error } = await audit(path, 1);
      found[name] = { outcome, error };
    }
    expect(found).toEqual(expected);
  });
}
