import type { RangeReader } from '../storage/store.ts';
import type { ColumnChunk } from './model.ts';
import { type Cursor, readStruct } from './thrift.ts';

/** Longer than any BloomFilterHeader: a number and three choices of one member each. */
const HEADER_AT_MOST = 64;
/** BloomFilterHeader.numBytes (parquet.thrift). */
const NUM_BYTES = 1;

/**
 * The chunks with the length of each bloom filter known: writers before format 2.10 say only where they begin, and their headers say the rest.
 * A filter whose header cannot be read is as good as none.
 */
export async function withBloomFilterLengths(
  reader: RangeReader,
  chunks: ReadonlyMap<number, ColumnChunk>,
): Promise<ReadonlyMap<number, ColumnChunk>> {
  const found = new Map(chunks);
  for (const [leaf, chunk] of chunks) {
    const { bloomFilterOffset: start, bloomFilterLength: known } = chunk;
    if (start === undefined || known !== undefined) continue;
    const length = filterLength(await reader.read(start, Math.min(start + HEADER_AT_MOST, reader.byteLength)));
    if (length !== undefined) found.set(leaf, { ...chunk, bloomFilterLength: length });
  }
  return found;
}

function filterLength(head: Uint8Array): number | undefined {
  const cursor: Cursor = { bytes: head, offset: 0 };
  try {
    const bytes = readStruct(cursor)[NUM_BYTES];
    return typeof bytes === 'number' && bytes >= 0 ? cursor.offset + bytes : undefined;
  } catch {
    return undefined;
  }
}
