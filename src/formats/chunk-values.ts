import type { RowValue } from './row-batch.ts';

/** Values of some rows of a column, about to be written as one column chunk. */
export type ChunkValues = FixedChunk | BytesChunk | { kind: 'values'; values: RowValue[] };

/** Values of a fixed width, nulls left out. Good until the next ones are gathered. */
export interface FixedChunk {
  kind: 'fixed';
  width: 1 | 4 | 8;
  /** `count * width` bytes, at a place where numbers of that width may begin. */
  bytes: Uint8Array<ArrayBuffer>;
  count: number;
  /** For each row whether it has a value; undefined where all have. */
  present?: Uint8Array;
}

/** Values of any length: entry e is `data` from `offsets[e]` to `offsets[e + 1]`. */
export interface BytesChunk {
  kind: 'bytes';
  data: Uint8Array;
  offsets: Uint32Array;
  /** Entry of each value, nulls left out. */
  indexes: Uint32Array;
  count: number;
  /** Whether equal values are one entry. */
  distinct: boolean;
  present?: Uint8Array;
}

/** Memory that one chunk after the other is gathered in. */
export class Scratch {
  private buffer = new ArrayBuffer(0);

  /** `length` bytes, with anything in them. */
  bytes(length: number): Uint8Array<ArrayBuffer> {
    if (this.buffer.byteLength < length) this.buffer = new ArrayBuffer(Math.ceil(length / 65_536) * 65_536);
    return new Uint8Array(this.buffer, 0, length);
  }
}
