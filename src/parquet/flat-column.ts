/** Values of a primitive, unrepeated column without an object for each: as bytes, one slot per row, nulls apart. */
export type FlatColumn = FixedColumn | BytesColumn;

/** Values of 1 (boolean), 4 or 8 bytes, little-endian, as Parquet's PLAIN encoding has them (a boolean takes a byte). */
export interface FixedColumn {
  kind: 'fixed';
  rows: number;
  width: 1 | 4 | 8;
  /** `rows * width` bytes, anywhere in their buffer; those of a null mean nothing. */
  bytes: Uint8Array;
  /** 1 where a row has a value, 0 where it is null; undefined when none is. */
  present?: Uint8Array;
}

/** Values of any length. */
export interface BytesColumn {
  kind: 'bytes';
  rows: number;
  entries: ByteEntries;
  /** Entry of each row; undefined where row i has entry i. An entry that many rows have stands there once. */
  indexes?: Uint32Array;
  present?: Uint8Array;
}

/** Pieces of `data`: entry i is the bytes from `starts[i]` to `ends[i]`. */
export interface ByteEntries {
  data: Uint8Array;
  starts: Uint32Array;
  ends: Uint32Array;
}

/** Whether a column's values are flat rather than one JavaScript value per row. */
export function isFlat<T>(column: FlatColumn | readonly T[]): column is FlatColumn {
  return !Array.isArray(column);
}

/** The entry that a row has. */
export function entryOf({ indexes }: BytesColumn, row: number): number {
  return indexes === undefined ? row : indexes[row]!;
}

/** The bytes of a row's value. */
export function bytesAt(column: BytesColumn, row: number): Uint8Array {
  const entry = entryOf(column, row);
  return column.entries.data.subarray(column.entries.starts[entry], column.entries.ends[entry]);
}

/** Rows `from` to `to`, as views of the same bytes. */
export function sliceColumn(column: FlatColumn, from: number, to: number): FlatColumn {
  if (from === 0 && to === column.rows) return column;
  const rows = to - from;
  const present = column.present === undefined ? {} : { present: column.present.subarray(from, to) };
  if (column.kind === 'fixed') {
    const { width, bytes } = column;
    return { kind: 'fixed', rows, width, bytes: bytes.subarray(from * width, to * width), ...present };
  }
  const { entries, indexes } = column;
  if (indexes !== undefined) return { kind: 'bytes', rows, entries, indexes: indexes.subarray(from, to), ...present };
  const { data, starts, ends } = entries;
  return {
    kind: 'bytes',
    rows,
    entries: { data, starts: starts.subarray(from, to), ends: ends.subarray(from, to) },
    ...present,
  };
}

/** The column with values of its own instead of views of a page. Those of a dictionary stay in it: no page takes its place. */
export function ownColumn(column: FlatColumn, dictionary: FlatColumn | undefined): FlatColumn {
  if (column.kind === 'fixed') return { ...column, bytes: new Uint8Array(column.bytes) };
  if (dictionary?.kind === 'bytes' && dictionary.entries === column.entries) return column;
  const { data, starts, ends } = column.entries;
  let first = data.length;
  let last = 0;
  for (const [i, start] of starts.entries()) {
    if (start < first) first = start;
    if (ends[i]! > last) last = ends[i]!;
  }
  if (last <= first)
    return {
      ...column,
      entries: {
        data: new Uint8Array(0),
        starts: new Uint32Array(starts.length),
        ends: new Uint32Array(starts.length),
      },
    };
  const moved = (places: Uint32Array) => places.map((place) => Math.max(0, place - first));
  return {
    ...column,
    entries: { data: new Uint8Array(data.subarray(first, last)), starts: moved(starts), ends: moved(ends) },
  };
}

/** The rows of all parts, one after the other. Parts with the same entries share them; others are copied. */
export function joinColumns(parts: readonly FlatColumn[]): FlatColumn {
  const [first] = parts;
  if (first === undefined) throw new Error('there are no columns to join');
  if (parts.length === 1) return first;
  const rows = parts.reduce((sum, part) => sum + part.rows, 0);
  const nulls = parts.some((part) => part.present !== undefined);
  const present = nulls ? { present: joinedPresence(parts, rows) } : {};
  if (first.kind === 'fixed') {
    const { width } = first;
    const bytes = new Uint8Array(rows * width);
    let at = 0;
    for (const part of parts as FixedColumn[]) {
      bytes.set(part.bytes, at);
      at += part.bytes.length;
    }
    return { kind: 'fixed', rows, width, bytes, ...present };
  }
  return { kind: 'bytes', rows, ...joinedEntries(parts as BytesColumn[], first, rows), ...present };
}

function joinedPresence(parts: readonly FlatColumn[], rows: number): Uint8Array {
  const present = new Uint8Array(rows).fill(1);
  let at = 0;
  for (const part of parts) {
    if (part.present !== undefined) present.set(part.present, at);
    at += part.rows;
  }
  return present;
}

function joinedEntries(
  parts: readonly BytesColumn[],
  first: BytesColumn,
  rows: number,
): { entries: ByteEntries; indexes?: Uint32Array } {
  let at = 0;
  if (parts.every((part) => part.entries === first.entries && part.indexes !== undefined)) {
    const indexes = new Uint32Array(rows);
    for (const part of parts) {
      indexes.set(part.indexes!, at);
      at += part.rows;
    }
    return { entries: first.entries, indexes };
  }
  const starts = new Uint32Array(rows);
  const ends = new Uint32Array(rows);
  let bytes = 0;
  for (const part of parts) {
    for (let row = 0; row < part.rows; row++) {
      if (part.present?.[row] === 0) continue;
      const entry = entryOf(part, row);
      bytes += part.entries.ends[entry]! - part.entries.starts[entry]!;
    }
  }
  const data = new Uint8Array(bytes);
  let end = 0;
  for (const part of parts) {
    for (let row = 0; row < part.rows; row++, at++) {
      starts[at] = end;
      if (part.present?.[row] !== 0) {
        const value = bytesAt(part, row);
        data.set(value, end);
        end += value.length;
      }
      ends[at] = end;
    }
  }
  return { entries: { data, starts, ends } };
}
