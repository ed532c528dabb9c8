import { isStruct } from './annotation.ts';
import { corrupt, encrypted, readingOf, unsupported } from './fault.ts';
import { depthFirst, logicalFields } from './logical.ts';
import type { ColumnChunk, Leaf, ParquetFooter, RowGroup } from './model.ts';
import { schemaTree } from './schema.ts';
import { readStruct, skipValue, type ThriftStruct, type ThriftValue } from './thrift.ts';
import { eachField } from './thrift-sink.ts';

const CODECS = ['UNCOMPRESSED', 'SNAPPY', 'GZIP', 'LZO', 'BROTLI', 'LZ4', 'ZSTD', 'LZ4_RAW'] as const;
export const ENCODINGS = [
  'PLAIN',
  'GROUP_VAR_INT',
  'PLAIN_DICTIONARY',
  'RLE',
  'BIT_PACKED',
  'DELTA_BINARY_PACKED',
  'DELTA_LENGTH_BYTE_ARRAY',
  'DELTA_BYTE_ARRAY',
  'RLE_DICTIONARY',
  'BYTE_STREAM_SPLIT',
] as const;
/** ColumnMetaData's path, codec, counts, sizes and offsets. */
const PLACING: ReadonlySet<number> = new Set([3, 4, 5, 6, 7, 9, 11, 14, 15]);
const text = new TextDecoder();

/** Where the metadata was found. */
export interface FooterPlace {
  url: string;
  /** How error messages call the file. */
  name: string;
  fileSize: number;
  footerStart: number;
}

/**
 * A footer from its thrift bytes (parquet.thrift: FileMetaData), checked against the file's size and itself.
 * @throws LakegateError `corrupt` naming the fault, `unsupported` for encrypted columns and chunks in other files
 */
export function parseMetadata(bytes: Uint8Array, place: FooterPlace): ParquetFooter {
  const { name } = place;
  const metadata = readingOf(name, 'its footer', () => readStruct({ bytes, offset: 0 }));
  if (metadata[8] !== undefined) throw encryptedFile(name);
  const { columns, leaves } = readingOf(name, 'its schema', () => schemaTree(list(metadata[2], 'schema')));
  const fields = logicalFields(columns);
  requireUniquePaths(name, fields);
  const numRows = readingOf(name, 'its footer', () => size(metadata[3], 'num_rows'));
  const rowGroups: RowGroup[] = [];
  let rows = 0;
  for (const group of readingOf(name, 'its footer', () => list(metadata[4], 'row_groups'))) {
    const where = `row group ${rowGroups.length}`;
    const parsed = readingOf(name, where, () => rowGroupOf(group, rows, leaves, place));
    rowGroups.push(parsed);
    rows += parsed.numRows;
  }
  // Some writers leave the file's own number at 0; engines go by the row groups then, and so do we.
  if (rows !== numRows && numRows !== 0) {
    throw corrupt(name, `its footer says ${numRows} rows, but its row groups have ${rows}`);
  }
  const footer: ParquetFooter = {
    url: place.url,
    fileSize: place.fileSize,
    footerStart: place.footerStart,
    numRows: rows,
    fields,
    leaves,
    rowGroups,
    keyValueMetadata: keyValues(metadata[5]),
  };
  if (metadata[6] instanceof Uint8Array) footer.createdBy = text.decode(metadata[6]);
  return footer;
}

/** A column chunk from its thrift bytes, as `parseMetadata` gives it. @param numRows of its row group @throws as `parseChunk` */
export function parseWholeChunk(bytes: Uint8Array, leaf: Leaf, numRows: number, place: FooterPlace): ColumnChunk {
  return chunkOf(readStruct({ bytes, offset: 0 }), leaf, numRows, place);
}

/**
 * A column chunk from its thrift bytes, checked as `parseMetadata` does; without statistics, encodings and histograms, which are most of its bytes and
 * nothing to whoever wants to know where it lies.
 * @param numRows of its row group
 * @throws Error, LakegateError `unsupported`
 */
export function parseChunk(bytes: Uint8Array, leaf: Leaf, numRows: number, place: FooterPlace): ColumnChunk {
  const chunk: ThriftStruct = {};
  eachField({ bytes, offset: 0 }, ({ id, type, start }) => {
    const cursor = { bytes, offset: start };
    if (id !== 3 || type !== 12) {
      chunk[id] = skipValue(cursor, type);
      return;
    }
    const meta: ThriftStruct = {};
    eachField(cursor, (field) => {
      if (PLACING.has(field.id)) meta[field.id] = skipValue({ bytes, offset: field.start }, field.type);
    });
    chunk[3] = meta;
  });
  return chunkOf(chunk, leaf, numRows, place);
}

function rowGroupOf(value: ThriftValue, firstRow: number, leaves: readonly Leaf[], place: FooterPlace): RowGroup {
  if (!isStruct(value)) throw new Error('is not a struct');
  const numRows = size(value[3], 'num_rows');
  const chunks = list(value[1], 'columns');
  if (chunks.length !== leaves.length) {
    throw new Error(`has ${chunks.length} column chunks where the schema has ${leaves.length} columns`);
  }
  return {
    numRows,
    firstRow,
    columns: leaves.map((leaf, i) => {
      const chunk = chunks[i];
      if (!isStruct(chunk)) throw new Error(`column \`${leaf.path.join('.')}\` is not a struct`);
      return chunkOf(chunk, leaf, numRows, place);
    }),
  };
}

function chunkOf(chunk: ThriftStruct, leaf: Leaf, numRows: number, place: FooterPlace): ColumnChunk {
  const where = `column \`${leaf.path.join('.')}\``;
  if (chunk[8] !== undefined || chunk[9] !== undefined) throw encryptedFile(place.name);
  if (chunk[1] instanceof Uint8Array && chunk[1].length > 0) {
    const next = 'Combine the files into one that holds its own data.';
    throw unsupported(place.name, `${where} lies in another file (\`${text.decode(chunk[1]).slice(0, 200)}\`)`, next);
  }
  const meta = chunk[3];
  if (!isStruct(meta)) throw new Error(`${where} has no metadata`);
  requireSamePath(meta[3], leaf, where);
  const codec = CODECS[Number(meta[4])];
  if (codec === undefined) throw new Error(`${where} has unknown compression codec ${meta[4]}`);
  const parsed: ColumnChunk = {
    codec,
    numValues: size(meta[5], `${where} num_values`),
    totalUncompressedSize: size(meta[6], `${where} total_uncompressed_size`),
    totalCompressedSize: size(meta[7], `${where} total_compressed_size`),
    dataPageOffset: size(meta[9], `${where} data_page_offset`),
    encodings: (Array.isArray(meta[2]) ? meta[2] : []).map((id) => ENCODINGS[Number(id)] ?? `UNKNOWN_${id}`),
    hasStatistics: false,
  };
  const dictionary = optionalSize(meta[11], `${where} dictionary_page_offset`);
  // Some writers put 0, or a place behind the data, where there is no dictionary page.
  if (dictionary !== undefined && dictionary >= 4 && dictionary < parsed.dataPageOffset) {
    parsed.dictionaryPageOffset = dictionary;
  }
  requireInside(parsed, numRows, leaf, where, place);
  addStatistics(parsed, meta);
  addIndexes(parsed, chunk, where);
  addBloomFilter(parsed, meta);
  return parsed;
}

function requireInside(chunk: ColumnChunk, numRows: number, leaf: Leaf, where: string, place: FooterPlace): void {
  const fits = leaf.maxRepetitionLevel === 0 ? chunk.numValues === numRows : chunk.numValues >= numRows;
  if (!fits) throw new Error(`${where} has ${chunk.numValues} values for ${numRows} rows`);
  if (chunk.numValues === 0) return;
  const start = chunk.dictionaryPageOffset ?? chunk.dataPageOffset;
  const end = start + chunk.totalCompressedSize;
  if (start < 4 || end > place.footerStart || chunk.dataPageOffset >= place.footerStart) {
    throw new Error(`${where} lies at bytes ${start} to ${end}, outside the data (4 to ${place.footerStart})`);
  }
}

function addStatistics(chunk: ColumnChunk, meta: ThriftStruct): void {
  const statistics = meta[12];
  if (isStruct(statistics)) {
    chunk.hasStatistics = Object.keys(statistics).length > 0;
    const nulls = statistics[3];
    // A count that cannot be is as good as none written.
    if (typeof nulls === 'number' && nulls >= 0 && nulls <= chunk.numValues) chunk.nullCount = nulls;
    if (typeof statistics[4] === 'number' && statistics[4] >= 0) chunk.distinctCount = statistics[4];
    if (statistics[5] instanceof Uint8Array) chunk.maxValue = statistics[5];
    if (statistics[6] instanceof Uint8Array) chunk.minValue = statistics[6];
    if (typeof statistics[7] === 'boolean') chunk.maxExact = statistics[7];
    if (typeof statistics[8] === 'boolean') chunk.minExact = statistics[8];
  }
  const allDictionary = onlyDictionaryPages(meta[13], chunk.encodings);
  if (allDictionary !== undefined) chunk.allDictionary = allDictionary;
  const histogram = isStruct(meta[16]) ? meta[16][3] : undefined;
  if (Array.isArray(histogram) && histogram.every((n) => typeof n === 'number' && n >= 0)) {
    chunk.definitionLevelHistogram = histogram as number[];
  }
}

/**
 * By encoding_stats where written. Without them only format-1 encodings prove it: there PLAIN_DICTIONARY names the data pages and PLAIN would
 * name a fallback, while in format 2 PLAIN also names the dictionary page itself.
 */
function onlyDictionaryPages(stats: ThriftValue | undefined, encodings: readonly string[]): boolean | undefined {
  const isDictionary = (encoding: unknown): boolean => encoding === 'PLAIN_DICTIONARY' || encoding === 'RLE_DICTIONARY';
  if (Array.isArray(stats) && stats.length > 0) {
    const data = stats.filter(isStruct).filter((stat) => stat[1] === 0 || stat[1] === 3);
    return data.length > 0 && data.every((stat) => Number(stat[3]) === 0 || isDictionary(ENCODINGS[Number(stat[2])]));
  }
  if (!encodings.some(isDictionary)) return false;
  const levelsOnly = (encoding: string): boolean => encoding === 'RLE' || encoding === 'BIT_PACKED';
  const proven = encodings.every((encoding) => encoding === 'PLAIN_DICTIONARY' || levelsOnly(encoding));
  return proven ? true : undefined;
}

function addIndexes(chunk: ColumnChunk, found: ThriftStruct, where: string): void {
  const offsetIndex = optionalSize(found[4], `${where} offset_index_offset`);
  const offsetLength = optionalSize(found[5], `${where} offset_index_length`);
  const columnIndex = optionalSize(found[6], `${where} column_index_offset`);
  const columnLength = optionalSize(found[7], `${where} column_index_length`);
  if (offsetIndex !== undefined) chunk.offsetIndexOffset = offsetIndex;
  if (offsetLength !== undefined) chunk.offsetIndexLength = offsetLength;
  if (columnIndex !== undefined) chunk.columnIndexOffset = columnIndex;
  if (columnLength !== undefined) chunk.columnIndexLength = columnLength;
}

/** A hint for readers: one that cannot be is as good as none. Early drafts of the format had other fields by these ids. */
function addBloomFilter(chunk: ColumnChunk, { 14: offset, 15: length }: ThriftStruct): void {
  if (typeof offset === 'number' && offset >= 4) chunk.bloomFilterOffset = offset;
  if (typeof length === 'number' && length > 0) chunk.bloomFilterLength = length;
}

function requireSamePath(value: ThriftValue | undefined, leaf: Leaf, where: string): void {
  if (!Array.isArray(value) || value.length === 0) return;
  const path = value.map((part) => (part instanceof Uint8Array ? text.decode(part) : ''));
  if (path.length !== leaf.path.length || path.some((part, i) => part !== leaf.path[i])) {
    throw new Error(`has a chunk of \`${path.join('.')}\` where the schema has ${where}`);
  }
}

function requireUniquePaths(name: string, fields: ParquetFooter['fields']): void {
  const seen = new Set<string>();
  for (const { path } of depthFirst(fields)) {
    if (seen.has(path)) throw unsupported(name, `two of its columns are called \`${path}\``, 'Rename one of them.');
    seen.add(path);
  }
}

function keyValues(value: ThriftValue | undefined): Record<string, string> {
  const pairs = (Array.isArray(value) ? value : []).filter(isStruct);
  return Object.fromEntries(
    pairs
      .filter((pair) => pair[1] instanceof Uint8Array)
      .map((pair) => [text.decode(pair[1] as Uint8Array), pair[2] instanceof Uint8Array ? text.decode(pair[2]) : '']),
  );
}

function list(value: ThriftValue | undefined, what: string): ThriftValue[] {
  if (!Array.isArray(value)) throw new Error(`has no ${what}`);
  return value;
}

function size(value: ThriftValue | undefined, what: string): number {
  if (typeof value !== 'number' || value < 0) throw new Error(`${what} should be a size, but is ${printable(value)}`);
  return value;
}

function optionalSize(value: ThriftValue | undefined, what: string): number | undefined {
  return value === undefined ? undefined : size(value, what);
}

function printable(value: ThriftValue | undefined): string {
  return value === undefined || typeof value === 'number' || typeof value === 'bigint' ? String(value) : 'no number';
}

function encryptedFile(name: string) {
  return encrypted(name, 'it is encrypted (Parquet modular encryption)');
}
