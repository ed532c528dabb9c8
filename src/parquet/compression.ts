import { brotliDecompressSync, constants, gunzipSync, zstdDecompressSync } from 'node:zlib';
import { lz4HadoopPrefix, lz4Prefix } from './lz4.ts';
import type { ColumnChunk } from './model.ts';
import { snappyPrefix } from './snappy.ts';

/** A page's bytes come in one piece where they may, but a size that is only claimed is not taken for true. */
const SMALLEST_PIECE = 16 * 1024;
const LARGEST_PIECE = 4 * 1024 * 1024;

/** Compressed bytes and the sizes that the page header gives for them. */
export interface Compressed {
  codec: ColumnChunk['codec'];
  /** The bytes, or the beginning of them. */
  input: Uint8Array;
  /** Size of all of them. */
  compressedSize: number;
  uncompressedSize: number;
}

/**
 * The beginning of what compressed bytes decode to: at least `wanted` bytes where `input` holds enough for that, otherwise what there is.
 * Decoding stops early where the codec allows it.
 * @param room for the result, which the codecs that can use it then lies in
 * @throws Error when the bytes are not of that codec, or the codec is LZO
 */
export function decompressedPrefix(
  { codec, input, compressedSize, uncompressedSize }: Compressed,
  wanted: number,
  room?: Uint8Array,
): Uint8Array {
  if (compressedSize === 0) return input.subarray(0, 0);
  // A stream is decoded as far as its input goes; more than the page is said to hold is refused before it fills the memory.
  const maxOutputLength = Math.max(1, uncompressedSize);
  const chunkSize = Math.min(Math.max(SMALLEST_PIECE, Math.min(wanted, uncompressedSize)), LARGEST_PIECE);
  switch (codec) {
    case 'UNCOMPRESSED':
      return input;
    case 'SNAPPY':
      return snappyPrefix(input, Math.min(wanted, uncompressedSize), room);
    case 'LZ4_RAW':
      return lz4Prefix(input, Math.min(wanted, uncompressedSize));
    case 'LZ4':
      return lz4HadoopPrefix(input, Math.min(wanted, uncompressedSize), compressedSize, uncompressedSize);
    case 'GZIP':
      return gunzipSync(input, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength, chunkSize });
    case 'BROTLI':
      return brotliDecompressSync(input, { finishFlush: constants.BROTLI_OPERATION_FLUSH, maxOutputLength, chunkSize });
    case 'ZSTD':
      return zstdDecompressSync(input, { finishFlush: constants.ZSTD_e_flush, maxOutputLength, chunkSize });
    case 'LZO':
      throw new Error('it is compressed with LZO, which Parquet has deprecated and lakegate does not read');
  }
}

/** How many compressed bytes probably hold the first `wanted` decoded ones: more may be needed, never more than `compressedSize`. */
export function likelyInput(codec: ColumnChunk['codec'], wanted: number, compressedSize: number): number {
  switch (codec) {
    case 'UNCOMPRESSED':
      return Math.min(wanted, compressedSize);
    case 'SNAPPY':
    case 'LZ4':
    case 'LZ4_RAW':
      return Math.min(wanted + 32 + (wanted >> 4), compressedSize);
    case 'ZSTD':
      // Zstandard decodes whole blocks of up to 128 KB only.
      return Math.min(wanted + 16 * 1024, compressedSize);
    default:
      return Math.min(wanted + 512, compressedSize);
  }
}

/**
 * All that compressed bytes decode to.
 * @param room as for `decompressedPrefix`
 * @throws Error when that is not `uncompressedSize` bytes
 */
export function decompressed(compressed: Compressed, room?: Uint8Array): Uint8Array {
  const output = decompressedPrefix(compressed, compressed.uncompressedSize, room);
  if (output.length !== compressed.uncompressedSize) {
    throw new Error(`decodes to ${output.length} bytes instead of ${compressed.uncompressedSize}`);
  }
  return output;
}
