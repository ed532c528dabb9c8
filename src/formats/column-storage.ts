import { decimalBytes } from '../iceberg/manifest-schema.ts';
import type { PrimitiveType, Value } from '../iceberg/model.ts';
import { decimalOf } from '../iceberg/types.ts';
import { bytesAt, type FlatColumn } from '../parquet/flat-column.ts';

/**
 * How values of a type are kept in a FlatColumn: exactly as Parquet stores them (spec: Appendix A). `fixed` ones are little-endian numbers of that
 * width; `bytes` are UTF-8, the bytes themselves or, for decimals of more than 18 digits, big-endian two's complement of one length.
 */
export type Storage =
  | { kind: 'fixed'; width: 1; number: 'boolean' }
  | { kind: 'fixed'; width: 4 | 8; number: 'integer' | 'fraction' }
  | { kind: 'bytes'; form: 'text' | 'bytes' | 'decimal'; length?: number };

/** The storage of a type. */
export function storageOf(type: PrimitiveType): Storage {
  switch (type) {
    case 'boolean':
      return { kind: 'fixed', width: 1, number: 'boolean' };
    case 'int':
    case 'date':
      return { kind: 'fixed', width: 4, number: 'integer' };
    case 'long':
    case 'time':
    case 'timestamp':
    case 'timestamptz':
      return { kind: 'fixed', width: 8, number: 'integer' };
    case 'float':
      return { kind: 'fixed', width: 4, number: 'fraction' };
    case 'double':
      return { kind: 'fixed', width: 8, number: 'fraction' };
    case 'string':
      return { kind: 'bytes', form: 'text' };
    case 'binary':
    case 'uuid':
      return { kind: 'bytes', form: 'bytes' };
    default: {
      const decimal = decimalOf(type);
      if (decimal === undefined) return { kind: 'bytes', form: 'bytes' };
      if (decimal.precision <= 9) return { kind: 'fixed', width: 4, number: 'integer' };
      if (decimal.precision <= 18) return { kind: 'fixed', width: 8, number: 'integer' };
      return { kind: 'bytes', form: 'decimal', length: decimalBytes(decimal.precision) };
    }
  }
}

/** Gives a number of a `fixed` storage as the type's value. */
export function fixedValue(type: PrimitiveType): (view: DataView, offset: number) => Value {
  const storage = storageOf(type);
  if (storage.kind !== 'fixed') throw new Error(`${type} is not of a fixed width`);
  if (storage.width === 1) return (view, offset) => view.getUint8(offset) !== 0;
  if (storage.number === 'fraction') {
    return storage.width === 4
      ? (view, offset) => view.getFloat32(offset, true)
      : (view, offset) => view.getFloat64(offset, true);
  }
  if (storage.width === 8) return (view, offset) => view.getBigInt64(offset, true);
  const decimal = decimalOf(type) !== undefined;
  return (view, offset) => (decimal ? BigInt(view.getInt32(offset, true)) : view.getInt32(offset, true));
}

/** Gives bytes of a `bytes` storage as the type's value; the bytes are copied. */
export function bytesValue(type: PrimitiveType): (bytes: Uint8Array) => Value {
  const storage = storageOf(type);
  if (storage.kind !== 'bytes') throw new Error(`${type} is of a fixed width`);
  if (storage.form === 'text') {
    return (bytes) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  }
  if (storage.form === 'bytes') return (bytes) => new Uint8Array(bytes);
  return (bytes) => BigInt.asIntN(8 * bytes.length, BigInt(`0x${Buffer.from(bytes).toString('hex')}`));
}

/** A value as the bytes of a `bytes` storage. */
export function storedBytes(type: PrimitiveType): (value: Value) => Uint8Array {
  const storage = storageOf(type);
  if (storage.kind === 'bytes' && storage.form === 'decimal') {
    const length = storage.length ?? 0;
    return (value) => {
      const hex = BigInt.asUintN(8 * length, value as bigint).toString(16);
      return Buffer.from(hex.padStart(2 * length, '0'), 'hex');
    };
  }
  return (value) => (typeof value === 'string' ? Buffer.from(value, 'utf8') : (value as Uint8Array));
}

/** All values of a column of the type, one each; undefined where null. */
export function valuesOf(column: FlatColumn, type: PrimitiveType): (Value | undefined)[] {
  const valueAt = columnReader(column, type);
  return Array.from({ length: column.rows }, (_, row) => (column.present?.[row] === 0 ? undefined : valueAt(row)));
}

/** Reads single values of a column of the type; only of rows that have one. */
export function columnReader(column: FlatColumn, type: PrimitiveType): (row: number) => Value {
  if (column.kind === 'bytes') {
    const read = bytesValue(type);
    return (row) => read(bytesAt(column, row));
  }
  const read = fixedValue(type);
  const { bytes, width } = column;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return (row) => read(view, row * width);
}
