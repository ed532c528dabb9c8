import { constants, zstdCompressSync } from 'node:zlib';
import type { ColumnChunk, Encoding, SchemaElement, Statistics } from 'hyparquet';
import { ByteWriter } from 'hyparquet-writer';
import { writePageHeader } from 'hyparquet-writer/src/datapage.js';
import type { PageIndexes } from 'hyparquet-writer/src/types.js';
import { LakegateError } from '../errors.ts';
import type { NestedField, PrimitiveType } from '../iceberg/model.ts';
import { encodeRun, encodeRuns } from '../parquet/run-encoder.ts';
import { bytesDictionary, type ChunkDictionary, fixedDictionary, indexWidth } from './chunk-dictionary.ts';
import { bytesBounds, fixedBounds } from './chunk-statistics.ts';
import type { BytesChunk, FixedChunk } from './chunk-values.ts';
import { storageOf } from './column-storage.ts';
import { pagePieces, plainBytes, plainFixed } from './plain-values.ts';

/** A column chunk as it goes into the file, and what the footer says of it. */
export interface EncodedChunk {
  /** Its bytes, in order. */
  pieces: Uint8Array[];
  indexes: PageIndexes;
}

const PAGE_BYTES = 1 << 20;
const ZSTD_LEVEL = 3;
/** Copying fewer bytes than this is cheaper than a write of their own. */
const WORTH_A_WRITE = 1 << 16;

/** Compresses a page's values. */
export function zstd(bytes: Uint8Array): Uint8Array {
  return zstdCompressSync(bytes, {
    params: { [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL },
    // The result in one piece: it is never longer than this, short of what Zstandard adds to each block that does not compress.
    chunkSize: bytes.length + 1024,
  });
}

/**
 * Encodes a flat column's values as a column chunk of format 2 data pages: dictionary-encoded where that saves at least half, else PLAIN, which for
 * numbers is the memory they are in (spec: parquet-format, Encodings.md). Statistics are always written.
 * @param rows of the row group
 * @param offset of the chunk in the file
 */
export function encodeChunk(
  field: NestedField & { type: PrimitiveType },
  element: SchemaElement,
  chunk: FixedChunk | BytesChunk,
  rows: number,
  offset: number,
): EncodedChunk {
  if (field.required && chunk.present !== undefined) {
    throw new LakegateError('internal', `Column "${field.name}" is required, and a null was handed over for it.`, {
      context: { column: field.name },
    });
  }
  const prefix = element.type === 'BYTE_ARRAY' ? 4 : 0;
  const dictionary = chunk.kind === 'fixed' ? fixedDictionary(chunk) : bytesDictionary(chunk, prefix);
  const sink = new PageSink(offset);
  const dataPages: { offset: number; size: number; firstRow: number }[] = [];
  if (dictionary !== undefined) sink.dictionary(dictionary.entries, dictionaryValues(chunk, dictionary, prefix));
  const encoding: Encoding = dictionary === undefined ? 'PLAIN' : 'RLE_DICTIONARY';
  const dataOffset = sink.offset;
  for (const page of pagePieces(rows, chunk, valueSize(chunk, dictionary, prefix), PAGE_BYTES)) {
    const start = sink.offset;
    const levels = field.required ? new Uint8Array(0) : definitionLevels(chunk.present, page.fromRow, page.toRow);
    const values =
      dictionary !== undefined
        ? dictionaryIndexes(dictionary, page.from, page.to)
        : chunk.kind === 'fixed'
          ? plainFixed(chunk, page.from, page.to)
          : plainBytes(chunk, chunk.indexes.subarray(page.from, page.to), prefix);
    sink.data(page.toRow - page.fromRow, page.to - page.from, encoding, levels, values);
    dataPages.push({ offset: start, size: sink.offset - start, firstRow: page.fromRow });
  }
  const pieces = sink.finish();
  const meta: ColumnChunk = {
    file_offset: BigInt(offset),
    meta_data: {
      type: element.type!,
      encodings: dictionary === undefined ? [encoding] : ['PLAIN', encoding],
      path_in_schema: [field.name],
      codec: 'ZSTD',
      num_values: BigInt(rows),
      total_compressed_size: BigInt(sink.offset - offset),
      total_uncompressed_size: BigInt(sink.uncompressed),
      data_page_offset: BigInt(dataOffset),
      ...(dictionary === undefined ? {} : { dictionary_page_offset: BigInt(offset) }),
      statistics: statisticsOf(field.type, chunk, rows),
      encoding_stats: [
        ...(dictionary === undefined
          ? []
          : [{ page_type: 'DICTIONARY_PAGE' as const, encoding: 'PLAIN' as const, count: 1 }]),
        { page_type: 'DATA_PAGE_V2', encoding, count: dataPages.length },
      ],
    },
  };
  // One page needs no index to be found.
  if (dataPages.length < 2) return { pieces, indexes: { chunk: meta } };
  const page_locations = dataPages.map((page) => ({
    offset: BigInt(page.offset),
    compressed_page_size: page.size,
    first_row_index: BigInt(page.firstRow),
  }));
  return { pieces, indexes: { chunk: meta, offsetIndex: { page_locations } } };
}

function valueSize(
  chunk: FixedChunk | BytesChunk,
  dictionary: ChunkDictionary | undefined,
  prefix: 0 | 4,
): number | ((value: number) => number) {
  if (dictionary !== undefined) return 4;
  if (chunk.kind === 'fixed') return chunk.width;
  const { offsets, indexes } = chunk;
  return (value) => offsets[indexes[value]! + 1]! - offsets[indexes[value]!]! + prefix;
}

function dictionaryValues(chunk: FixedChunk | BytesChunk, { values }: ChunkDictionary, prefix: 0 | 4): Uint8Array {
  if (chunk.kind === 'bytes') return plainBytes(chunk, values as Uint32Array, prefix);
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function dictionaryIndexes({ indexes, entries }: ChunkDictionary, from: number, to: number): Uint8Array {
  const width = indexWidth(entries);
  const runs = encodeRuns(indexes.subarray(from, to), width);
  const bytes = new Uint8Array(runs.length + 1);
  bytes[0] = width;
  bytes.set(runs, 1);
  return bytes;
}

function definitionLevels(present: Uint8Array | undefined, fromRow: number, toRow: number): Uint8Array {
  return present === undefined ? encodeRun(1, toRow - fromRow) : encodeRuns(present.subarray(fromRow, toRow), 1);
}

function statisticsOf(type: PrimitiveType, chunk: FixedChunk | BytesChunk, rows: number): Statistics {
  const storage = storageOf(type);
  const decimal = type.startsWith('decimal');
  const bounds =
    chunk.kind === 'bytes'
      ? bytesBounds(chunk, decimal)
      : storage.kind === 'fixed'
        ? fixedBounds(chunk, storage, decimal)
        : {};
  const asStored = (value: typeof bounds.min) =>
    decimal && value instanceof Uint8Array
      ? BigInt.asIntN(8 * value.length, BigInt(`0x${Buffer.from(value).toString('hex')}`))
      : value;
  return {
    min_value: asStored(bounds.min),
    max_value: asStored(bounds.max),
    null_count: BigInt(rows - chunk.count),
    ...(bounds.nans === undefined ? {} : { nan_count: BigInt(bounds.nans) }),
  };
}

/** Puts pages one after the other. */
class PageSink {
  uncompressed = 0;
  private readonly start: number;
  private readonly pieces: Uint8Array[] = [];
  private length = 0;

  constructor(start: number) {
    this.start = start;
  }

  get offset(): number {
    return this.start + this.length;
  }

  dictionary(entries: number, values: Uint8Array): void {
    const compressed = zstd(values);
    this.add(
      {
        type: 'DICTIONARY_PAGE',
        uncompressed_page_size: values.length,
        compressed_page_size: compressed.length,
        dictionary_page_header: { num_values: entries, encoding: 'PLAIN' },
      },
      compressed,
      values.length,
    );
  }

  /** @param values of them that are not null @param levels are never compressed */
  data(rows: number, values: number, encoding: Encoding, levels: Uint8Array, stored: Uint8Array): void {
    const compressed = stored.length === 0 ? stored : zstd(stored);
    this.add(
      {
        type: 'DATA_PAGE_V2',
        uncompressed_page_size: levels.length + stored.length,
        compressed_page_size: levels.length + compressed.length,
        data_page_header_v2: {
          num_values: rows,
          num_nulls: rows - values,
          num_rows: rows,
          encoding,
          definition_levels_byte_length: levels.length,
          repetition_levels_byte_length: 0,
          is_compressed: stored.length > 0,
        },
      },
      levels,
      levels.length,
    );
    this.push(compressed, stored.length);
  }

  /** Large pieces as they are, small ones put together. */
  finish(): Uint8Array[] {
    const finished: Uint8Array[] = [];
    let small: Uint8Array[] = [];
    for (const piece of this.pieces) {
      small.push(piece);
      if (piece.length < WORTH_A_WRITE) continue;
      small.pop();
      if (small.length > 0) finished.push(Buffer.concat(small));
      small = [];
      finished.push(piece);
    }
    if (small.length > 0) finished.push(Buffer.concat(small));
    return finished;
  }

  private add(header: Parameters<typeof writePageHeader>[1], body: Uint8Array, uncompressed: number): void {
    const writer = new ByteWriter(64);
    writePageHeader(writer, header);
    this.push(writer.getBytes(), writer.offset);
    this.push(body, uncompressed);
  }

  private push(bytes: Uint8Array, uncompressed: number): void {
    this.pieces.push(bytes);
    this.length += bytes.length;
    this.uncompressed += uncompressed;
  }
}
