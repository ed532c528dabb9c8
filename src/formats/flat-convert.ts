import type { PrimitiveType } from '../iceberg/model.ts';
import { fixedLength } from '../iceberg/types.ts';
import { rowForm } from '../parquet/convert.ts';
import { type BytesColumn, bytesAt, entryOf, type FixedColumn, type FlatColumn } from '../parquet/flat-column.ts';
import type { Leaf } from '../parquet/model.ts';
import { firstNotUtf8 } from '../parquet/text.ts';
import { columnBuilder } from './column-builder.ts';
import { parquetConverter } from './parquet-value.ts';

/** Gives a column as stored in a file as one of a table's type; told of each row whose value that type cannot hold exactly. */
export type FlatConverter = (stored: FlatColumn, misfit: (row: number, value: unknown) => void) => FlatColumn;

/** How columns of a leaf become columns of a type, or undefined where no value of the one is a value of the other: `parquetConverter` by columns. */
export function flatConverter(leaf: Leaf, type: PrimitiveType): FlatConverter | undefined {
  const convert = parquetConverter(leaf, type);
  if (convert === undefined) return undefined;
  const form = rowForm(leaf);
  const oneByOne: FlatConverter = (stored, misfit) => {
    const { rows } = stored;
    const valueAt = storedReader(stored, leaf);
    const builder = columnBuilder(type, rows);
    for (let row = 0; row < rows; row++) {
      const value = stored.present?.[row] === 0 ? undefined : form(valueAt(row));
      const converted = value === undefined ? undefined : convert(value);
      if (converted === undefined) builder.setNull(row);
      else builder.set(row, converted);
      if (converted === undefined && value !== undefined) misfit(row, value);
    }
    return builder.finish();
  };
  if (keepsBytes(leaf, type)) return (stored) => stored;
  if (type === 'string') {
    return (stored, misfit) =>
      stored.kind === 'bytes' && firstNotUtf8(stored.entries) === undefined ? stored : oneByOne(stored, misfit);
  }
  const { annotation, physicalType } = leaf;
  const signed = annotation === undefined || (annotation.kind === 'integer' && annotation.signed);
  if (type === 'long' && physicalType === 'INT32' && signed) return fixedOr(oneByOne, widened);
  if (type === 'double' && physicalType === 'FLOAT') return fixedOr(oneByOne, doubled);
  if (physicalType === 'INT64' && (annotation?.kind === 'timestamp' || annotation?.kind === 'time')) {
    if (annotation.unit === 'nanos') return fixedOr(oneByOne, microsOfNanos);
    if (annotation.unit === 'millis') return fixedOr(oneByOne, microsOfMillis);
  }
  return oneByOne;
}

/** Whether values of the leaf are stored as those of the type are, and every one of them is a value of it. */
function keepsBytes({ annotation, physicalType, typeLength }: Leaf, type: PrimitiveType): boolean {
  const kind = annotation?.kind;
  const signed = annotation === undefined || (annotation.kind === 'integer' && annotation.signed);
  switch (type) {
    case 'boolean':
      return physicalType === 'BOOLEAN';
    case 'int':
      return physicalType === 'INT32' && signed;
    case 'long':
      return physicalType === 'INT64' && signed;
    case 'float':
      return physicalType === 'FLOAT';
    case 'double':
      return physicalType === 'DOUBLE';
    case 'date':
      return kind === 'date';
    case 'time':
    case 'timestamp':
    case 'timestamptz':
      return (annotation?.kind === 'timestamp' || annotation?.kind === 'time') && annotation.unit === 'micros';
    case 'string':
      return kind === 'string' || kind === 'enum' || kind === 'json';
    case 'binary':
      return physicalType === 'BYTE_ARRAY' && (annotation === undefined || kind === 'bson');
    case 'uuid':
      return kind === 'uuid';
    default:
      return kind === undefined && physicalType === 'FIXED_LEN_BYTE_ARRAY' && typeLength === fixedLength(type);
  }
}

/** Gives single stored values as `rowForm` takes them. */
function storedReader(column: FlatColumn, { physicalType }: Leaf): (row: number) => unknown {
  if (column.kind === 'bytes') return repeating(column);
  const { bytes } = column;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (physicalType) {
    case 'BOOLEAN':
      return (row) => bytes[row] !== 0;
    case 'INT32':
      return (row) => view.getInt32(4 * row, true);
    case 'INT64':
      return (row) => view.getBigInt64(8 * row, true);
    case 'FLOAT':
      return (row) => view.getFloat32(4 * row, true);
    default:
      return (row) => view.getFloat64(8 * row, true);
  }
}

/** A dictionary's entry is given as the same object for all its rows. */
function repeating(column: BytesColumn): (row: number) => Uint8Array {
  const known = new Map<number, Uint8Array>();
  return (row) => {
    if (column.indexes === undefined) return bytesAt(column, row);
    const entry = entryOf(column, row);
    const found = known.get(entry) ?? bytesAt(column, row);
    known.set(entry, found);
    return found;
  };
}

/** Converts whole columns; undefined where some value needs to be looked at by itself. */
function fixedOr(oneByOne: FlatConverter, whole: (stored: FixedColumn) => Uint8Array | undefined): FlatConverter {
  return (stored, misfit) => {
    const bytes = stored.kind === 'fixed' ? whole(stored) : undefined;
    if (bytes === undefined) return oneByOne(stored, misfit);
    const present = stored.present === undefined ? {} : { present: stored.present };
    return { kind: 'fixed', rows: stored.rows, width: 8, bytes, ...present };
  };
}

function widened({ rows, bytes }: FixedColumn): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const words = new Int32Array(2 * rows);
  for (let row = 0; row < rows; row++) {
    const value = view.getInt32(4 * row, true);
    words[2 * row] = value;
    words[2 * row + 1] = value >> 31;
  }
  return new Uint8Array(words.buffer);
}

function doubled({ rows, bytes }: FixedColumn): Uint8Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const doubles = new Float64Array(rows);
  for (let row = 0; row < rows; row++) doubles[row] = view.getFloat32(4 * row, true);
  return new Uint8Array(doubles.buffer);
}

function microsOfNanos({ rows, bytes, present }: FixedColumn): Uint8Array | undefined {
  const nanos = new BigInt64Array(new Uint8Array(bytes).buffer);
  for (let row = 0; row < rows; row++) {
    if (present?.[row] === 0) continue;
    const value = nanos[row]!;
    const micros = value / 1000n;
    if (micros * 1000n !== value) return undefined;
    nanos[row] = micros;
  }
  return new Uint8Array(nanos.buffer);
}

const LARGEST_MILLIS = 2n ** 63n / 1000n - 1n;

function microsOfMillis({ rows, bytes, present }: FixedColumn): Uint8Array | undefined {
  const millis = new BigInt64Array(new Uint8Array(bytes).buffer);
  for (let row = 0; row < rows; row++) {
    if (present?.[row] === 0) continue;
    const value = millis[row]!;
    if (value > LARGEST_MILLIS || value < -LARGEST_MILLIS) return undefined;
    millis[row] = value * 1000n;
  }
  return new Uint8Array(millis.buffer);
}
