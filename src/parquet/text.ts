import { isUtf8 } from 'node:buffer';
import type { ByteEntries } from './flat-column.ts';

/** The first entry that is not UTF-8; undefined when all are. */
export function firstNotUtf8({ data, starts, ends }: ByteEntries): number | undefined {
  if (looksUtf8(data, starts, ends)) return undefined;
  for (let i = 0; i < starts.length; i++) if (!isUtf8(data.subarray(starts[i], ends[i]))) return i;
  return undefined;
}

/**
 * Proves in one go that all entries are UTF-8: what they lie in is, and neither a first byte nor one behind an end is the inside of a character, so
 * that none reaches over an entry's edge. False proves nothing.
 */
function looksUtf8(data: Uint8Array, starts: Uint32Array, ends: Uint32Array): boolean {
  let first = data.length;
  let last = 0;
  for (let i = 0; i < starts.length; i++) {
    const start = starts[i]!;
    const end = ends[i]!;
    if (start === end) continue;
    if ((data[start]! & 0xc0) === 0x80 || (end < data.length && (data[end]! & 0xc0) === 0x80)) return false;
    if (start < first) first = start;
    if (end > last) last = end;
  }
  return last <= first || isUtf8(data.subarray(first, last));
}
