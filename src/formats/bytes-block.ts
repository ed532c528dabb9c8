import { type ByteEntries, type BytesColumn, entryOf } from '../parquet/flat-column.ts';
import type { BytesChunk } from './chunk-values.ts';
import { grown } from './growing.ts';
import { Presence } from './presence.ts';

/** Values are looked at for repeats until so many entries have shown that there are few. */
const TRIED_ENTRIES = 4096;
const NONE = 0xffffffff;

/**
 * The waiting rows of a column of text or bytes: each row has the number of an entry, and equal values are one entry, so that a word in a million
 * rows is stored once. A column whose values hardly repeat is no longer searched for repeats.
 */
export class BytesBlock {
  readonly kind = 'bytes';
  readonly presence = new Presence();
  rows = 0;
  /** Counts the times that entries got other numbers. */
  generation = 0;
  entries = 0;
  private indexes = new Uint32Array(0);
  private data = new Uint8Array(0);
  private offsets = new Uint32Array(1);
  /** Entry numbers by hash, open addressing; NONE where free. */
  private table = new Uint32Array(0);
  private distinct = true;
  /** Entries of the dictionary seen last, by their number there. */
  private source: ByteEntries | undefined;
  private sourceEntries = new Uint32Array(0);

  /** Bytes that the rows take. */
  get size(): number {
    return this.rows * 5 + this.entries * 12 + this.offsets[this.entries]!;
  }

  entry(row: number): number {
    return this.indexes[row]!;
  }

  bytes(entry: number): Uint8Array {
    return this.data.subarray(this.offsets[entry], this.offsets[entry + 1]);
  }

  append(column: BytesColumn): void {
    const { rows, entries, present } = column;
    const indexes = grown(this.indexes, this.rows + rows, Uint32Array);
    this.indexes = indexes;
    const { data, starts, ends } = entries;
    if (column.indexes !== undefined) this.useDictionary(entries);
    for (let row = 0, at = this.rows; row < rows; row++, at++) {
      if (present !== undefined && present[row] === 0) {
        indexes[at] = NONE;
        continue;
      }
      const from = entryOf(column, row);
      let entry = column.indexes === undefined ? NONE : this.sourceEntries[from]!;
      if (entry === NONE) {
        entry = this.take(data, starts[from]!, ends[from]!);
        if (column.indexes !== undefined) this.sourceEntries[from] = entry;
      }
      indexes[at] = entry;
    }
    this.presence.append(this.rows, rows, present);
    this.rows += rows;
    if (this.distinct && this.entries > TRIED_ENTRIES && this.entries > 0.7 * this.rows) this.distinct = false;
  }

  /** The values at the given rows, ascending. */
  gather(rows: Uint32Array): BytesChunk {
    const present = this.presence.gather(rows);
    const indexes = new Uint32Array(rows.length);
    let count = 0;
    for (let i = 0; i < rows.length; i++) if (present?.[i] !== 0) indexes[count++] = this.indexes[rows[i]!]!;
    const { data, offsets, distinct } = this;
    const chunk = { kind: 'bytes', data, offsets, indexes: indexes.subarray(0, count), count, distinct } as const;
    return present === undefined ? chunk : { ...chunk, present };
  }

  /** Lets go of all rows but the given ones, ascending, and of entries that none of these has. */
  keep(rows: Uint32Array): void {
    this.presence.keep(rows);
    const { data, offsets } = this;
    const used = new Uint8Array(this.entries);
    for (let i = 0; i < rows.length; i++) {
      const entry = this.indexes[rows[i]!]!;
      this.indexes[i] = entry;
      if (entry !== NONE) used[entry] = 1;
    }
    const numbers = new Uint32Array(this.entries);
    let kept = 0;
    let end = 0;
    for (let entry = 0; entry < used.length; entry++) {
      if (used[entry] === 0) continue;
      const start = offsets[entry]!;
      const next = offsets[entry + 1]!;
      data.copyWithin(end, start, next);
      offsets[kept] = end;
      end += next - start;
      numbers[entry] = kept++;
    }
    offsets[kept] = end;
    this.entries = kept;
    this.rows = rows.length;
    for (let row = 0; row < rows.length; row++) {
      const entry = this.indexes[row]!;
      if (entry !== NONE) this.indexes[row] = numbers[entry]!;
    }
    this.generation++;
    this.source = undefined;
    // With no rows left, what comes may repeat again.
    if (rows.length === 0) this.distinct = true;
    if (this.distinct) this.rehash(Math.max(1024, tableSize(kept)));
  }

  private useDictionary(entries: ByteEntries): void {
    if (this.source === entries) return;
    this.source = entries;
    this.sourceEntries = new Uint32Array(entries.starts.length).fill(NONE);
  }

  /** The number of the entry with these bytes, a new one where there is none. */
  private take(data: Uint8Array, start: number, end: number): number {
    if (!this.distinct) return this.add(data, start, end);
    if (2 * this.entries >= this.table.length) this.rehash(Math.max(1024, 2 * this.table.length));
    const mask = this.table.length - 1;
    let slot = hashed(data, start, end) & mask;
    for (let entry = this.table[slot]!; entry !== NONE; entry = this.table[slot]!) {
      if (this.equals(entry, data, start, end)) return entry;
      slot = (slot + 1) & mask;
    }
    this.table[slot] = this.entries;
    return this.add(data, start, end);
  }

  private add(data: Uint8Array, start: number, end: number): number {
    const from = this.offsets[this.entries]!;
    const length = end - start;
    this.data = grown(this.data, from + length, Uint8Array);
    if (length < 48) for (let i = 0; i < length; i++) this.data[from + i] = data[start + i]!;
    else this.data.set(data.subarray(start, end), from);
    this.offsets = grown(this.offsets, this.entries + 2, Uint32Array);
    this.offsets[++this.entries] = from + length;
    return this.entries - 1;
  }

  private equals(entry: number, data: Uint8Array, start: number, end: number): boolean {
    let at = this.offsets[entry]!;
    if (this.offsets[entry + 1]! - at !== end - start) return false;
    for (let i = start; i < end; i++) if (this.data[at++] !== data[i]) return false;
    return true;
  }

  private rehash(size: number): void {
    this.table = new Uint32Array(size).fill(NONE);
    for (let entry = 0; entry < this.entries; entry++) {
      let slot = hashed(this.data, this.offsets[entry]!, this.offsets[entry + 1]!) & (size - 1);
      while (this.table[slot] !== NONE) slot = (slot + 1) & (size - 1);
      this.table[slot] = entry;
    }
  }
}

function tableSize(entries: number): number {
  return 2 ** (33 - Math.clz32(entries * 2));
}

/** FNV-1a with its bits mixed once more, since the table uses the lowest ones. */
function hashed(data: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ data[i]!, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}
