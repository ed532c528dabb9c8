import { readFileSync } from 'node:fs';
import path from 'node:path';
import { arrowObstacles } from '../../src/iceberg/arrow-schema.ts';
import { dataFileFromFooter, parseMetricsMode } from '../../src/iceberg/data-file.ts';
import { columnBounds } from '../../src/iceberg/file-bounds.ts';
import { toIcebergSchema } from '../../src/iceberg/parquet-schema.ts';
import { matchSchema } from '../../src/iceberg/schema-match.ts';
import { readFooter } from '../../src/parquet/footer.ts';
import type { ColumnChunk, ParquetFooter } from '../../src/parquet/model.ts';
import { footerOf, type Stored } from './footers.ts';

const FIXTURES = path.join(process.cwd(), 'test/fixtures/data-file');
const expected = JSON.parse(readFileSync(path.join(FIXTURES, 'expected.json'), 'utf8')) as Record<string, unknown>;

async function fixture(name: string): Promise<ParquetFooter> {
  const url = path.join(FIXTURES, `${name}.parquet`);
  const bytes = new Uint8Array(readFileSync(url));
  const read = async (start: number, end: number) => bytes.subarray(start, end);
  return readFooter({ url, byteLength: bytes.length, cheapSeeks: true, read, close: async () => undefined }, url);
}

function dataFile(footer: ParquetFooter, properties: Record<string, string> = {}) {
  const { schema } = toIcebergSchema(footer);
  const { fieldOfLeaf } = matchSchema(schema, footer);
  const file = dataFileFromFooter({
    footer,
    filePath: footer.url,
    schema,
    fieldOfLeaf,
    partition: [],
    metricsProperties: properties,
  });
  const hex = (bounds = new Map<number, Uint8Array>()) =>
    Object.fromEntries([...bounds].map(([id, b]) => [id, Buffer.from(b).toString('hex')]));
  return {
    recordCount: file.recordCount,
    fileSizeInBytes: file.fileSizeInBytes,
    columnSizes: Object.fromEntries(file.columnSizes!),
    valueCounts: Object.fromEntries(file.valueCounts!),
    nullValueCounts: Object.fromEntries(file.nullValueCounts!),
    lowerBounds: hex(file.lowerBounds),
    upperBounds: hex(file.upperBounds),
    splitOffsets: file.splitOffsets,
  };
}

/** Ids of a hand-made footer are the column positions from 1. */
const boundsOf = (stored: Stored, keyValueMetadata = {}) => {
  const footer = footerOf([stored], keyValueMetadata);
  const { schema } = toIcebergSchema(footer);
  return columnBounds(footer, schema, matchSchema(schema, footer).fieldOfLeaf).get(1);
};
const text = (min: string | Uint8Array, max: string | Uint8Array, rest: Partial<ColumnChunk> = {}) => ({
  nullCount: 0,
  minValue: Buffer.from(min as string),
  maxValue: Buffer.from(max as string),
  ...rest,
});
const double = (min: number, max: number) => ({
  nullCount: 0,
  minValue: new Uint8Array(Float64Array.of(min).buffer),
  maxValue: new Uint8Array(Float64Array.of(max).buffer),
});
const string = (...chunks: Partial<ColumnChunk>[]): Stored => ({
  name: 's',
  physicalType: 'BYTE_ARRAY',
  annotation: { kind: 'string' },
  chunks,
});

describe('against PyIceberg’s add_files', () => {
  test.each(['pyarrow-flat', 'polars-flat', 'duckdb-flat'])('%s has the same metrics', async (name) => {
    const theirs = expected[name] as { lowerBounds: Record<string, string>; upperBounds: Record<string, string> };
    // The unsigned column must be rewritten, so that its bounds are not for use.
    const { 2: _lower, ...lowerBounds } = theirs.lowerBounds;
    const { 2: _upper, ...upperBounds } = theirs.upperBounds;
    expect(dataFile(await fixture(name))).toEqual({ ...theirs, lowerBounds, upperBounds });
  });

  test('columns without statistics differ only where a histogram counts their nulls', async () => {
    const ours = dataFile(await fixture('pyarrow-some-statistics'));
    const { nullValueCounts, ...theirs } = expected['pyarrow-some-statistics'] as Record<string, object>;
    expect(ours).toMatchObject(theirs!);
    expect(ours.nullValueCounts).toMatchObject(nullValueCounts!);
    expect(Object.keys(nullValueCounts!)).toEqual(['3', '10']);
  });

  test('null elements are counted without absent and empty lists', async () => {
    const ours = dataFile(await fixture('pyarrow-nested'));
    const theirs = expected['pyarrow-nested'] as { nullValueCounts: Record<string, number> };
    expect(theirs.nullValueCounts['6']).toBe(24);
    expect(ours).toEqual({ ...theirs, nullValueCounts: { ...theirs.nullValueCounts, 6: 16 } });
  });

  test('a row group of NaN leaves its column without bounds', async () => {
    const ours = dataFile(await fixture('pyarrow-nan'));
    expect(Object.keys(ours.lowerBounds)).toEqual(['1']);
    expect(ours.nullValueCounts).toEqual({ 1: 0, 2: 0 });
  });
});

describe('metrics modes', () => {
  test('are taken per column, then by default', async () => {
    const footer = await fixture('pyarrow-flat');
    const file = dataFile(footer, {
      'write.metadata.metrics.default': 'counts',
      'write.metadata.metrics.column.i': 'none',
      'write.metadata.metrics.column.s': 'truncate(2)',
      'write.metadata.metrics.column.bin': 'full',
    });
    expect(file.columnSizes[3]).toBeGreaterThan(0);
    expect(file.valueCounts[3]).toBeUndefined();
    expect(Object.keys(file.lowerBounds)).toEqual(['10', '11']);
    expect([file.lowerBounds[10], file.upperBounds[10]]).toEqual(['736f', '7370']);
    expect(file.upperBounds[11]).toHaveLength(40);
  });

  test.each(['truncate(0)', 'truncate', 'all'])('%s is none', (mode) => {
    expect(parseMetricsMode(mode)).toBeUndefined();
  });
});

test('uuids that Iceberg Java orders otherwise have no bounds', () => {
  const uuid = (first: string, variant = '8') =>
    Buffer.from(`${first}${'0'.repeat(14)}${variant}${'0'.repeat(15)}`, 'hex');
  const boundsOfUuids = (minValue: Buffer, maxValue: Buffer) => {
    const chunks = [{ nullCount: 0, minValue, maxValue }];
    const type = { physicalType: 'FIXED_LEN_BYTE_ARRAY', typeLength: 16, annotation: { kind: 'uuid' } } as const;
    return dataFile(footerOf([{ name: 'u', ...type, chunks }])).lowerBounds;
  };
  expect(boundsOfUuids(uuid('10'), uuid('7f'))).toEqual({ 1: uuid('10').toString('hex') });
  expect(boundsOfUuids(uuid('80'), uuid('ff'))).toEqual({ 1: uuid('80').toString('hex') });
  expect(boundsOfUuids(uuid('7f'), uuid('80'))).toEqual({});
  expect(boundsOfUuids(uuid('10', '7'), uuid('10', '8'))).toEqual({});
});

describe('bounds are given only where statistics prove them', () => {
  test('a row group with values but without statistics takes them away, one of nulls does not', () => {
    expect(boundsOf(string(text('a', 'b'), {}))).toBeUndefined();
    expect(boundsOf(string(text('a', 'b'), { nullCount: 10 }))).toEqual({ lower: 'a', upper: 'b', exact: true });
    expect(boundsOf(string(text('b', 'c'), text('a', 'b')))).toEqual({ lower: 'a', upper: 'c', exact: true });
  });

  test('shortened text encloses but is not exact', () => {
    expect(boundsOf(string(text('a', 'b', { maxExact: false })))?.exact).toBe(false);
    expect(boundsOf(string(text('a', 'x'.repeat(16))))?.exact).toBe(false);
    expect(boundsOf(string(text('a', 'x'.repeat(16), { minExact: true, maxExact: true })))?.exact).toBe(true);
  });

  test('text cut within a character is repaired outwards', () => {
    const cut = Buffer.from('aé').subarray(0, 2);
    expect(boundsOf(string(text(cut, cut)))).toEqual({ lower: 'a', upper: 'b', exact: false });
    expect(boundsOf(string(text(Buffer.from([0xff]), Buffer.from([0xff]))))).toBeUndefined();
  });

  test('NaN, exchanged ends and wrong lengths are no bounds; zeros enclose both signs', () => {
    const column = (chunk: Partial<ColumnChunk>): Stored => ({ name: 'd', physicalType: 'DOUBLE', chunks: [chunk] });
    expect(boundsOf(column(double(Number.NaN, 1)))).toBeUndefined();
    expect(boundsOf(column(double(2, 1)))).toBeUndefined();
    expect(boundsOf(column({ nullCount: 0, minValue: Uint8Array.of(1), maxValue: Uint8Array.of(1) }))).toBeUndefined();
    expect(boundsOf(column(double(0, -0)))).toEqual({ lower: -0, upper: 0, exact: true });
  });

  test('columns to rewrite and geometries have none', () => {
    const eight = { nullCount: 0, minValue: new Uint8Array(8), maxValue: new Uint8Array(8) };
    const nanos: Stored = {
      name: 't',
      physicalType: 'INT64',
      annotation: { kind: 'timestamp', unit: 'nanos', utc: true },
      chunks: [eight],
    };
    expect(boundsOf(nanos)).toBeUndefined();
    const wkb: Stored = { name: 'geom', physicalType: 'BYTE_ARRAY', chunks: [text('a', 'b')] };
    expect(boundsOf(wkb)).toBeDefined();
    expect(boundsOf(wkb, { geo: '{"columns": {"geom": {"encoding": "WKB"}}}' })).toBeUndefined();
  });

  test('milliseconds become microseconds', () => {
    const one = new Uint8Array(BigInt64Array.of(1n).buffer);
    const millis: Stored = {
      name: 't',
      physicalType: 'INT64',
      annotation: { kind: 'timestamp', unit: 'millis', utc: true },
      chunks: [{ nullCount: 0, minValue: one, maxValue: one }],
    };
    expect(boundsOf(millis)).toEqual({ lower: 1000n, upper: 1000n, exact: true });
  });
});

describe('the Arrow schema in a footer', () => {
  test('names time zones and extension types that PyIceberg cannot read', async () => {
    const footer = await fixture('pyarrow-zone');
    expect(matchSchema(toIcebergSchema(footer).schema, footer).rewrite).toEqual([
      { column: 'at', why: 'not all readers of the table can read it: Arrow time zone Europe/Berlin' },
      { column: 'j', why: 'not all readers of the table can read it: Arrow extension type arrow.json' },
    ]);
  });

  test('that is broken is left alone', async () => {
    const whole = (await fixture('pyarrow-zone')).keyValueMetadata['ARROW:schema']!;
    const bytes = Buffer.from(whole, 'base64');
    for (let end = 0; end < bytes.length; end += 7)
      expect(arrowObstacles(bytes.subarray(0, end).toString('base64')).size).toBeLessThanOrEqual(2);
    expect(arrowObstacles(Buffer.alloc(64, 0xff).toString('base64')).size).toBe(0);
    expect(arrowObstacles(undefined).size).toBe(0);
  });
});
