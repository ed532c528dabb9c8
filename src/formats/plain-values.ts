import type { BytesChunk, FixedChunk } from './chunk-values.ts';

/** The rows of one data page, and which of the chunk's values, nulls left out, are theirs. */
export interface PagePiece {
  fromRow: number;
  toRow: number;
  from: number;
  to: number;
}

/** Cuts a chunk's rows into pages of about so many bytes of values. @param size of a value, or of each */
export function pagePieces(
  rows: number,
  { present, count }: { present?: Uint8Array; count: number },
  size: number | ((value: number) => number),
  pageBytes: number,
): PagePiece[] {
  if (typeof size === 'number' && count * size <= pageBytes) return [{ fromRow: 0, toRow: rows, from: 0, to: count }];
  const sizeOf = typeof size === 'number' ? () => size : size;
  const pieces: PagePiece[] = [];
  let piece: PagePiece = { fromRow: 0, toRow: 0, from: 0, to: 0 };
  let held = 0;
  let value = 0;
  for (let row = 0; row < rows; row++) {
    const has = present === undefined || present[row] !== 0;
    const bytes = has ? sizeOf(value) : 0;
    if (held + bytes > pageBytes && row > piece.fromRow) {
      pieces.push({ ...piece, toRow: row, to: value });
      piece = { fromRow: row, toRow: row, from: value, to: value };
      held = 0;
    }
    held += bytes;
    if (has) value++;
  }
  pieces.push({ ...piece, toRow: rows, to: value });
  return pieces;
}

/** Numbers in the PLAIN encoding: as they are, booleans as bits. */
export function plainFixed({ bytes, width }: FixedChunk, from: number, to: number): Uint8Array {
  if (width !== 1) return bytes.subarray(from * width, to * width);
  const bits = new Uint8Array((to - from + 7) >> 3);
  for (let i = from; i < to; i++) bits[(i - from) >> 3]! |= bytes[i]! << ((i - from) & 7);
  return bits;
}

/** Entries in the PLAIN encoding. @param prefix 4 where a length stands before each, 0 where all have the same */
export function plainBytes({ data, offsets }: BytesChunk, entries: Uint32Array, prefix: 0 | 4): Uint8Array {
  let size = prefix * entries.length;
  for (let i = 0; i < entries.length; i++) size += offsets[entries[i]! + 1]! - offsets[entries[i]!]!;
  const bytes = new Uint8Array(size);
  let at = 0;
  for (let i = 0; i < entries.length; i++) {
    const start = offsets[entries[i]!]!;
    const length = offsets[entries[i]! + 1]! - start;
    if (prefix === 4) {
      bytes[at++] = length;
      bytes[at++] = length >> 8;
      bytes[at++] = length >> 16;
      bytes[at++] = length >> 24;
    }
    if (length > 48) bytes.set(data.subarray(start, start + length), at);
    else for (let k = 0; k < length; k++) bytes[at + k] = data[start + k]!;
    at += length;
  }
  return bytes;
}
