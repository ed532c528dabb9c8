import type { Leaf } from '../parquet/model.ts';
import type { PrimitiveType } from './model.ts';
import { decimalOf, fixedLength, isPromotion } from './types.ts';

/** What a Parquet column is to Iceberg (spec: Appendix A, "Parquet"). */
export interface LeafType {
  /** Undefined: Iceberg v2 has no type for it. */
  type?: PrimitiveType;
  /** The file's own words: `INT64 timestamp(nanos)`. */
  found: string;
  /** Why the column cannot be used as it is stored. With a type: decoding and rewriting it makes it one. */
  why?: string;
}

/** The Iceberg type of a stored column, and whether Iceberg's readers take it as it is. */
export function leafType(leaf: Leaf): LeafType {
  const found = describeLeaf(leaf);
  const a = leaf.annotation;
  switch (a?.kind) {
    case undefined:
      return { found, ...unannotated(leaf) };
    case 'string':
    case 'enum':
    case 'json':
      return { found, type: 'string' };
    case 'bson':
    case 'geometry':
    case 'geography':
      return { found, type: 'binary' };
    case 'uuid':
      return { found, type: 'uuid' };
    case 'date':
      return { found, type: 'date' };
    case 'decimal':
      if (a.precision < 1 || a.precision > 38 || a.scale < 0 || a.scale > a.precision)
        return { found, why: 'Iceberg decimals have a precision of 1 to 38 and a scale of 0 to the precision' };
      return { found, type: `decimal(${a.precision}, ${a.scale})` };
    case 'time':
      // Tried: PyIceberg 0.12 refuses to read a table with such a file.
      if (a.unit !== 'micros') return { found, type: 'time', why: `Iceberg times are in microseconds, not ${a.unit}` };
      return { found, type: 'time' };
    case 'timestamp': {
      const type = a.utc ? 'timestamptz' : 'timestamp';
      // Milliseconds are read by all of them (PyIceberg, Spark, DuckDB tried). Nanoseconds PyIceberg refuses unless told to cut them.
      if (a.unit !== 'nanos') return { found, type };
      return { found, type, why: 'Iceberg v2 timestamps are in microseconds: nanoseconds are cut off' };
    }
    case 'integer':
      if (a.signed) return { found, type: leaf.physicalType === 'INT64' ? 'long' : 'int' };
      // Their values fit an int, but Iceberg Java 1.7 knows no reader for them (tried: Spark cannot read such a table).
      if (a.bits < 32) return { found, type: 'int', why: 'Iceberg has no unsigned types and Spark cannot read them' };
      // Iceberg Java widens with a sign: 4294967295 would read as -1.
      if (a.bits === 32) return { found, type: 'long', why: 'Iceberg has no unsigned types and Spark reads it signed' };
      return { found, type: 'long', why: 'Iceberg has no unsigned types; values up to 9223372036854775807 fit a long' };
    case 'float16':
      return { found, type: 'float', why: 'Iceberg has no half-precision floats' };
    case 'interval':
      return { found, why: 'Iceberg has no interval type' };
    case 'null':
      return {
        found,
        why: 'it holds only nulls and the file does not say of what type: declare the column in the table',
      };
    case 'variant':
      return { found, why: 'Iceberg v2 has no variant type' };
  }
}

function unannotated(leaf: Leaf): { type: PrimitiveType; why?: string } {
  switch (leaf.physicalType) {
    case 'BOOLEAN':
      return { type: 'boolean' };
    case 'INT32':
      return { type: 'int' };
    case 'INT64':
      return { type: 'long' };
    case 'INT96':
      // As Iceberg Java: Spark and Impala, who write them, store instants.
      return { type: 'timestamptz', why: 'INT96 timestamps are deprecated and have no statistics' };
    case 'FLOAT':
      return { type: 'float' };
    case 'DOUBLE':
      return { type: 'double' };
    case 'BYTE_ARRAY':
      return { type: 'binary' };
    case 'FIXED_LEN_BYTE_ARRAY':
      return { type: `fixed[${leaf.typeLength ?? 0}]` };
  }
}

function describeLeaf(leaf: Leaf): string {
  const a = leaf.annotation;
  const physical =
    leaf.physicalType === 'FIXED_LEN_BYTE_ARRAY' ? `FIXED_LEN_BYTE_ARRAY(${leaf.typeLength})` : leaf.physicalType;
  switch (a?.kind) {
    case undefined:
      return physical;
    case 'decimal':
      return `${physical} decimal(${a.precision}, ${a.scale})`;
    case 'time':
      return `${physical} time(${a.unit})`;
    case 'timestamp':
      return `${physical} timestamp(${a.unit}${a.utc ? ', UTC' : ''})`;
    case 'integer':
      return `${physical} ${a.signed ? 'int' : 'uint'}${a.bits}`;
    default:
      return `${physical} ${a?.kind}`;
  }
}

/** How a stored column stands to a table's column. */
export type Fit =
  /** Readers take it as it is. */
  | { kind: 'as_is' }
  /** The values fit once decoded and written anew. */
  | { kind: 'rewrite'; why: string }
  /** It fits when the table's column is first promoted; what `leafType` says of rewriting holds too. */
  | { kind: 'promote'; to: PrimitiveType }
  | { kind: 'no'; why?: string };

/** Whether and how a stored column can become part of a table's column of type `wanted`. */
export function fitLeaf(leaf: Leaf, wanted: PrimitiveType): Fit {
  const { type, why } = leafType(leaf);
  if (leaf.annotation?.kind === 'null') return { kind: 'rewrite', why: why ?? 'it holds only nulls' };
  if (type === undefined) return { kind: 'no', why };
  if (type === wanted || isPromotion(type, wanted))
    return why === undefined ? { kind: 'as_is' } : { kind: 'rewrite', why };
  if (isPromotion(wanted, type)) return { kind: 'promote', to: type };
  if (leaf.physicalType === 'INT96' && wanted === 'timestamp') return { kind: 'rewrite', why: why ?? 'it is INT96' };
  if (sameBytes(type, wanted)) return { kind: 'rewrite', why: `the file does not mark it as ${wanted}` };
  return { kind: 'no' };
}

/** Types whose values are the same bytes under another mark. Iceberg Java goes by the mark, so it must be put right. */
function sameBytes(stored: PrimitiveType, wanted: PrimitiveType): boolean {
  const pairs = [`${stored}>${wanted}`, `${wanted}>${stored}`];
  if (pairs.includes('string>binary') || pairs.includes('uuid>fixed[16]')) return true;
  return wanted === 'binary' && fixedLength(stored) !== undefined && decimalOf(stored) === undefined;
}
