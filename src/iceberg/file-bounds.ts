import type { ColumnChunk, Leaf, LogicalField, ParquetFooter } from '../parquet/model.ts';
import { compareValues, fromBigEndian, incrementString } from './bounds.ts';
import type { IcebergType, PrimitiveType, Schema, Value } from './model.ts';
import { leafType } from './parquet-type.ts';
import type { ColumnBounds } from './partition.ts';
import { allFields } from './schema.ts';
import { decimalOf, fixedLength } from './types.ts';

/** Text of fewer bytes than this is taken to be whole where the writer does not say: nobody shortens statistics below it. */
const SHORTEST_CUT = 16;

/**
 * Smallest and largest values of a file's columns, by field id, as far as its statistics prove them. A column is left out when any row
 * group that has values lacks them, when it is inside a list or map, when its values are not stored as the table's type, when a bound
 * is NaN, and for WKB geometries, whose bytes have no useful order.
 */
export function columnBounds(
  footer: ParquetFooter,
  schema: Schema,
  fieldOfLeaf: ReadonlyMap<number, number>,
): Map<number, ColumnBounds> {
  const typeOf = new Map<number, IcebergType>(allFields(schema).map(({ field }) => [field.id, field.type]));
  const geometries = wkbColumns(footer);
  const found = new Map<number, ColumnBounds>();
  for (const leaf of footer.leaves) {
    const id = fieldOfLeaf.get(leaf.index);
    const type = id === undefined ? undefined : typeOf.get(id);
    if (id === undefined || typeof type !== 'string' || leaf.maxRepetitionLevel > 0) continue;
    const shape = leaf.annotation?.kind;
    if (shape === 'geometry' || shape === 'geography' || geometries.has(leaf.path.join('.'))) continue;
    const bounds = leafBounds(footer, leaf, type);
    if (bounds !== undefined) found.set(id, bounds);
  }
  return found;
}

function leafBounds(footer: ParquetFooter, leaf: Leaf, type: PrimitiveType): ColumnBounds | undefined {
  // A column that must be rewritten (unsigned, nanoseconds, INT96) has its bounds in another order or unit.
  if (leafType(leaf).why !== undefined) return undefined;
  let merged: ColumnBounds | undefined;
  for (const group of footer.rowGroups) {
    const chunk = group.columns[leaf.index]!;
    if (chunk.numValues === 0 || nullsOfChunk(chunk, leaf) === chunk.numValues) continue;
    const bounds = chunkBounds(chunk, leaf, type);
    if (bounds === undefined) return undefined;
    merged = merged === undefined ? bounds : enclose(type, merged, bounds);
  }
  return merged;
}

function enclose(type: PrimitiveType, a: ColumnBounds, b: ColumnBounds): ColumnBounds {
  return {
    lower: compareValues(type, a.lower, b.lower) <= 0 ? a.lower : b.lower,
    upper: compareValues(type, a.upper, b.upper) >= 0 ? a.upper : b.upper,
    exact: a.exact && b.exact,
  };
}

function chunkBounds(chunk: ColumnChunk, leaf: Leaf, type: PrimitiveType): ColumnBounds | undefined {
  const { minValue, maxValue, minExact, maxExact } = chunk;
  if (minValue === undefined || maxValue === undefined) return undefined;
  const text = type === 'string' || type === 'binary';
  // Only text can be shortened and still enclose the values.
  if (!text && (minExact === false || maxExact === false)) return undefined;
  const lower = storedValue(minValue, leaf, type, 'lower');
  const upper = storedValue(maxValue, leaf, type, 'upper');
  if (lower === undefined || upper === undefined || compareValues(type, lower.value, upper.value) > 0) return undefined;
  const whole = (given: boolean | undefined, bytes: Uint8Array) => !text || (given ?? bytes.length < SHORTEST_CUT);
  return {
    lower: lower.value,
    upper: upper.value,
    exact: lower.intact && upper.intact && whole(minExact, minValue) && whole(maxExact, maxValue),
  };
}

/** A statistic's value as the table's type (parquet.thrift: Statistics, "plain encoded, without length prefix"); undefined when it is none. */
function storedValue(
  bytes: Uint8Array,
  leaf: Leaf,
  type: PrimitiveType,
  side: 'lower' | 'upper',
): { value: Value; intact: boolean } | undefined {
  const intact = (value: Value | undefined) => (value === undefined ? undefined : { value, intact: true });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { physicalType, annotation } = leaf;
  switch (physicalType) {
    case 'BOOLEAN':
      return intact(type === 'boolean' && bytes.length === 1 ? bytes[0] !== 0 : undefined);
    case 'INT32':
    case 'INT64': {
      if (bytes.length !== (physicalType === 'INT32' ? 4 : 8)) return undefined;
      const whole = physicalType === 'INT32' ? BigInt(view.getInt32(0, true)) : view.getBigInt64(0, true);
      if (type === 'int' || type === 'date') return intact(Number(whole));
      const millis = annotation?.kind === 'timestamp' && annotation.unit === 'millis';
      const scaled = millis ? whole * 1000n : whole;
      const known = type === 'long' || type === 'time' || type.startsWith('timestamp') || decimalOf(type);
      return intact(known && BigInt.asIntN(64, scaled) === scaled ? scaled : undefined);
    }
    case 'FLOAT':
    case 'DOUBLE': {
      if (bytes.length !== (physicalType === 'FLOAT' ? 4 : 8)) return undefined;
      const value = physicalType === 'FLOAT' ? view.getFloat32(0, true) : view.getFloat64(0, true);
      if ((type !== 'float' && type !== 'double') || Number.isNaN(value)) return undefined;
      // Parquet: a zero may stand for the other zero, so take the one that encloses both.
      return intact(value === 0 ? (side === 'lower' ? -0 : 0) : value);
    }
    case 'INT96':
      return undefined;
    default:
      if (decimalOf(type) !== undefined) return intact(bytes.length > 0 ? fromBigEndian(bytes) : undefined);
      if (type === 'string') return textBound(bytes, side);
      if (type === 'binary') return intact(bytes);
      return intact(bytes.length === (type === 'uuid' ? 16 : fixedLength(type)) ? bytes : undefined);
  }
}

/** A text bound, repaired where the writer cut it within a character. */
function textBound(bytes: Uint8Array, side: 'lower' | 'upper'): { value: Value; intact: boolean } | undefined {
  const decode = (end: number): string | undefined => {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(0, end));
    } catch {
      return undefined;
    }
  };
  const whole = decode(bytes.length);
  if (whole !== undefined) return { value: whole, intact: true };
  for (let end = bytes.length - 1; end >= Math.max(1, bytes.length - 4); end--) {
    const start = decode(end);
    if (start === undefined) continue;
    const value = side === 'lower' ? start : incrementString(start);
    return value === undefined ? undefined : { value, intact: false };
  }
  return undefined;
}

/**
 * Null counts by field id, for the columns of which the footer proves them. As predicates see it: a struct's field is null where the
 * struct is. In lists and maps nulls are those of elements and values, so the footer's null_count, which also counts empty and absent
 * lists, is used only where it is 0.
 */
export function columnNullCounts(footer: ParquetFooter, fieldOfLeaf: ReadonlyMap<number, number>): Map<number, number> {
  const counts = new Map<number, number>();
  const visit = (field: LogicalField): void => {
    field.children.forEach(visit);
    const id = field.leaf === undefined ? undefined : fieldOfLeaf.get(field.leaf.index);
    if (id === undefined || field.leaf === undefined) return;
    let sum = 0;
    for (const group of footer.rowGroups) {
      const chunk = group.columns[field.leaf.index]!;
      const nulls = field.leaf.maxRepetitionLevel === 0 ? nullsOfChunk(chunk, field.leaf) : nullElements(chunk, field);
      if (nulls === undefined) return;
      sum += nulls;
    }
    counts.set(id, sum);
  };
  footer.fields.forEach(visit);
  return counts;
}

/** Entries of a chunk without a value; undefined when the footer does not say. */
function nullsOfChunk(chunk: ColumnChunk, leaf: Leaf): number | undefined {
  if (leaf.maxDefinitionLevel === 0) return 0;
  if (chunk.nullCount !== undefined) return chunk.nullCount;
  const present = chunk.definitionLevelHistogram?.[leaf.maxDefinitionLevel];
  return present === undefined ? undefined : chunk.numValues - present;
}

function nullElements(chunk: ColumnChunk, field: LogicalField): number | undefined {
  if (chunk.nullCount === 0) return 0;
  const histogram = chunk.definitionLevelHistogram;
  const repeated = field.leaf!.maxRepetitionLevel === field.repetitionLevel && field.optional;
  return repeated ? histogram?.[field.definitionLevel - 1] : undefined;
}

/** Geometry columns of a GeoParquet file (its `geo` key-value entry), which are plain binary to Parquet. */
function wkbColumns(footer: ParquetFooter): Set<string> {
  const text = footer.keyValueMetadata.geo;
  if (text === undefined) return new Set();
  try {
    const { columns } = JSON.parse(text) as { columns?: unknown };
    return new Set(typeof columns === 'object' && columns !== null ? Object.keys(columns) : []);
  } catch {
    return new Set();
  }
}
