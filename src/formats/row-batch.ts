import type { Value } from '../iceberg/model.ts';
import type { FlatColumn } from '../parquet/flat-column.ts';

/**
 * A column's value in a row: null is undefined; a primitive is a `Value`; a struct is an object without prototype, keyed by field name; a list is
 * an array; a map is an array of entries (its keys need not be strings, and their order is kept).
 */
export type RowValue = Value | undefined | RowValue[] | MapEntry[] | StructValue;
export interface StructValue {
  [field: string]: RowValue;
}
export interface MapEntry {
  key: RowValue;
  value: RowValue;
}

/** Values of a column: one each, or, for a column of a primitive type, unboxed and stored as `column-storage.ts` says. */
export type Column = readonly RowValue[] | FlatColumn;

/** Some rows of a file, column by column. */
export interface RowBatch {
  /** Position of the first row in its source, zero-based. */
  firstRow: number;
  rows: number;
  /** A column of `rows` values per field of the table's schema, in the order of `schema.fields`. */
  columns: Column[];
}
