import { copyBack } from './snappy.ts';

/**
 * The first `wanted` bytes of an LZ4 block (spec: lz4_Block_format.md; Parquet's LZ4_RAW), or fewer where `input` ends before them.
 * @param input a block, or its beginning
 * @throws Error when the bytes are no LZ4 block
 */
export function lz4Prefix(input: Uint8Array, wanted: number): Uint8Array {
  const output = new Uint8Array(wanted);
  let length = 0;
  let at = 0;
  const extended = (size: number): number => {
    if (size !== 15) return size;
    let total = size;
    for (let byte = 255; byte === 255 && at < input.length; total += byte) byte = input[at++]!;
    return total;
  };
  while (length < wanted && at < input.length) {
    const token = input[at++]!;
    const literals = extended(token >> 4);
    const end = Math.min(at + literals, at + wanted - length, input.length);
    output.set(input.subarray(at, end), length);
    length += Math.max(0, end - at);
    at += literals;
    if (at + 2 > input.length) break;
    const offset = input[at]! | (input[at + 1]! << 8);
    at += 2;
    const size = extended(token & 15) + 4;
    if (length === wanted) break;
    if (offset === 0 || offset > length) throw new Error(`LZ4 match reaches ${offset} back after ${length} bytes`);
    length = copyBack(output, length, offset, Math.min(size, wanted - length));
  }
  return output.subarray(0, length);
}

/**
 * As `lz4Prefix`, for Parquet's older LZ4 codec: blocks framed as Hadoop frames them (two big-endian lengths), or one bare block.
 * @param compressedSize bytes of the whole page body, of which `input` may be the beginning
 * @param uncompressedSize bytes it decodes to
 */
export function lz4HadoopPrefix(
  input: Uint8Array,
  wanted: number,
  compressedSize: number,
  uncompressedSize: number,
): Uint8Array {
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  const output = new Uint8Array(wanted);
  let length = 0;
  for (let at = 0; length < wanted && at + 8 <= input.length; ) {
    const plain = view.getUint32(at);
    const packed = view.getUint32(at + 4);
    if (plain > uncompressedSize - length || packed > compressedSize - at - 8) return lz4Prefix(input, wanted);
    const part = lz4Prefix(input.subarray(at + 8, at + 8 + packed), Math.min(plain, wanted - length));
    output.set(part, length);
    length += part.length;
    at += 8 + packed;
  }
  return output.subarray(0, length);
}
