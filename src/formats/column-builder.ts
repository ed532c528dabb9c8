import { LakegateError } from '../errors.ts';
import type { PrimitiveType, Value } from '../iceberg/model.ts';
import type { FlatColumn } from '../parquet/flat-column.ts';
import { storageOf, storedBytes } from './column-storage.ts';

/** Puts single values into a FlatColumn. Every row has to be set, in order. */
export interface ColumnBuilder {
  /** @throws LakegateError `internal` when the value is not one of the column's type */
  set(row: number, value: Value): void;
  /** A boolean (1 or 0), a whole number up to 2^53 or a fraction, without boxing it; only for types of a fixed width. */
  setNumber(row: number, value: number): void;
  setNull(row: number): void;
  finish(): FlatColumn;
}

const FIRST_BYTES_PER_ROW = 16;

/** A builder for `rows` values of the type. */
export function columnBuilder(type: PrimitiveType, rows: number): ColumnBuilder {
  const storage = storageOf(type);
  let present: Uint8Array | undefined;
  const setNull = (row: number): void => {
    present ??= new Uint8Array(rows).fill(1);
    present[row] = 0;
  };
  const presence = () => (present === undefined ? {} : { present });
  const wrong = (value: unknown) =>
    new LakegateError('internal', `A ${typeof value} was handed over as a value of type ${type}.`, {
      context: { type, found: typeof value },
    });

  if (storage.kind === 'bytes') {
    const starts = new Uint32Array(rows);
    const ends = new Uint32Array(rows);
    let data = new Uint8Array(rows * FIRST_BYTES_PER_ROW);
    let end = 0;
    const stored = storedBytes(type);
    const kind = storage.form === 'text' ? 'string' : storage.form === 'decimal' ? 'bigint' : 'object';
    return {
      set(row, value) {
        if (typeof value !== kind) throw wrong(value);
        const bytes = stored(value);
        starts[row] = end;
        if (end + bytes.length > data.length) {
          const larger = new Uint8Array(Math.max(2 * data.length, end + bytes.length));
          larger.set(data);
          data = larger;
        }
        data.set(bytes, end);
        end += bytes.length;
        ends[row] = end;
      },
      setNumber(_, value) {
        throw wrong(value);
      },
      setNull,
      finish: () => ({ kind: 'bytes', rows, entries: { data: data.subarray(0, end), starts, ends }, ...presence() }),
    };
  }

  const { width, number } = storage;
  const bytes = new Uint8Array(rows * width);
  const finish = (): FlatColumn => ({ kind: 'fixed', rows, width, bytes, ...presence() });
  if (width === 8 && number === 'integer') {
    const wide = new BigInt64Array(bytes.buffer);
    const words = new Int32Array(bytes.buffer);
    return {
      set(row, value) {
        if (typeof value !== 'bigint') throw wrong(value);
        wide[row] = value;
      },
      setNumber(row, value) {
        words[2 * row] = value;
        words[2 * row + 1] = Math.floor(value / 4294967296);
      },
      setNull,
      finish,
    };
  }
  const values =
    width === 1
      ? bytes
      : width === 8
        ? new Float64Array(bytes.buffer)
        : number === 'fraction'
          ? new Float32Array(bytes.buffer)
          : new Int32Array(bytes.buffer);
  const kind = number === 'boolean' ? 'boolean' : type.startsWith('decimal') ? 'bigint' : 'number';
  return {
    set(row, value) {
      if (typeof value !== kind) throw wrong(value);
      values[row] = Number(value);
    },
    setNumber(row, value) {
      values[row] = value;
    },
    setNull,
    finish,
  };
}

/** Values of a type, one each, as a FlatColumn; null is undefined. */
export function flatColumn(type: PrimitiveType, values: readonly (Value | undefined)[]): FlatColumn {
  const builder = columnBuilder(type, values.length);
  for (const [row, value] of values.entries()) {
    if (value === undefined) builder.setNull(row);
    else builder.set(row, value);
  }
  return builder.finish();
}

/** A column of the type that is null in all rows. */
export function nullColumn(type: PrimitiveType, rows: number): FlatColumn {
  return flatColumn(type, new Array<undefined>(rows).fill(undefined));
}
