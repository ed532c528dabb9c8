import type { FixedColumn } from '../parquet/flat-column.ts';
import type { FixedChunk, Scratch } from './chunk-values.ts';
import { grown } from './growing.ts';
import { Presence } from './presence.ts';

/** The waiting rows of a column of a fixed width. */
export class FixedBlock {
  readonly kind = 'fixed';
  readonly width: 1 | 4 | 8;
  readonly presence = new Presence();
  rows = 0;
  private bytes = new Uint8Array(0);
  private words = new Int32Array(0);

  constructor(width: 1 | 4 | 8) {
    this.width = width;
  }

  /** Bytes that the rows take. */
  get size(): number {
    return this.rows * (this.width + 1);
  }

  /** A word of a row's value: the first, or of 8 bytes the second as well. */
  word(row: number, index: 0 | 1): number {
    return this.width === 1 ? this.bytes[row]! : this.words[(row * this.width) / 4 + index]!;
  }

  view(): DataView {
    return new DataView(this.bytes.buffer);
  }

  append(column: FixedColumn): void {
    const from = this.rows * this.width;
    const bytes = grown(this.bytes, from + column.rows * this.width, Uint8Array);
    if (bytes !== this.bytes) {
      this.bytes = bytes;
      this.words = new Int32Array(bytes.buffer, 0, bytes.length >> 2);
    }
    bytes.set(column.bytes, from);
    this.presence.append(this.rows, column.rows, column.present);
    this.rows += column.rows;
  }

  /** The values at the given rows, ascending. */
  gather(rows: Uint32Array, scratch: Scratch): FixedChunk {
    const { width } = this;
    const present = this.presence.gather(rows);
    const bytes = scratch.bytes(rows.length * width);
    const count = this.copy(rows, bytes, present);
    const chunk = { kind: 'fixed', width, bytes: bytes.subarray(0, count * width), count } as const;
    return present === undefined ? chunk : { ...chunk, present };
  }

  /** Lets go of all rows but the given ones, ascending. */
  keep(rows: Uint32Array): void {
    // Each row moves towards the beginning, over one that has moved already or goes.
    this.copy(rows, this.bytes, undefined);
    this.presence.keep(rows);
    this.rows = rows.length;
  }

  private copy(rows: Uint32Array, target: Uint8Array<ArrayBuffer>, present: Uint8Array | undefined): number {
    let to = 0;
    if (this.width === 1) {
      for (let i = 0; i < rows.length; i++) if (present?.[i] !== 0) target[to++] = this.bytes[rows[i]!]!;
      return to;
    }
    // Whole numbers, two to a double: no bit of a NaN is lost on the way.
    const from = this.words;
    const words = new Int32Array(target.buffer, target.byteOffset, target.byteLength >> 2);
    if (this.width === 4) {
      for (let i = 0; i < rows.length; i++) if (present?.[i] !== 0) words[to++] = from[rows[i]!]!;
      return to;
    }
    for (let i = 0; i < rows.length; i++) {
      if (present?.[i] === 0) continue;
      const at = 2 * rows[i]!;
      words[2 * to] = from[at]!;
      words[2 * to + 1] = from[at + 1]!;
      to++;
    }
    return to;
  }
}
