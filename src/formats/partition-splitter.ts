import { LakegateError } from '../errors.ts';
import type { PartitionSpec, PrimitiveType, Schema, Transform, Value } from '../iceberg/model.ts';
import { applyTransform } from '../iceberg/transforms.ts';
import type { RowBatch, RowValue } from './row-batch.ts';

/** The rows of a batch that lie in one partition. */
export interface PartitionRows {
  /** Equal for equal partition values, across batches. */
  key: string;
  values: (Value | undefined)[];
  rows: number;
  columns: RowValue[][];
}

interface Source {
  transform: Transform;
  type: PrimitiveType;
  /** From the column's index down the struct's fields. */
  column: number;
  path: readonly string[];
  /** Transformed values seen lately: neighbouring rows mostly repeat. */
  seen: Map<Value, Value | undefined>;
}

const REMEMBERED = 10_000;

/**
 * Splits batches by the partition values of a spec. Rows keep their order; a batch that lies in one partition is handed on as it is.
 * @throws LakegateError `invalid` when a partition field's source is not a primitive column, or one in a struct, of the schema
 */
export function partitionSplitter(spec: PartitionSpec, schema: Schema): (batch: RowBatch) => PartitionRows[] {
  const sources = spec.fields.map((field) => sourceOf(field.sourceId, field.transform, field.name, schema));
  return (batch) => {
    if (sources.length === 0) return [{ key: '', values: [], rows: batch.rows, columns: batch.columns }];
    const positions = new Map<string, { values: (Value | undefined)[]; rows: number[] }>();
    for (let row = 0; row < batch.rows; row++) {
      const values = sources.map((source) => transformed(source, valueAt(batch, source, row)));
      const key = values.map(valueKey).join('\u0000');
      const found = positions.get(key);
      if (found === undefined) positions.set(key, { values, rows: [row] });
      else found.rows.push(row);
    }
    return [...positions].map(([key, { values, rows }]) => ({
      key,
      values,
      rows: rows.length,
      columns:
        rows.length === batch.rows ? batch.columns : batch.columns.map((column) => rows.map((row) => column[row])),
    }));
  };
}

function transformed(source: Source, value: Value | undefined): Value | undefined {
  // Bytes have no equality as keys, and a map takes -0 for 0.
  if (value === undefined || value === 0 || value instanceof Uint8Array) {
    return applyTransform(source.transform, source.type, value);
  }
  const known = source.seen.get(value);
  if (known !== undefined) return known;
  const result = applyTransform(source.transform, source.type, value);
  if (source.seen.size >= REMEMBERED) source.seen.clear();
  source.seen.set(value, result);
  return result;
}

function sourceOf(id: number, transform: Transform, name: string, schema: Schema): Source {
  for (const [column, field] of schema.fields.entries()) {
    const path: string[] = [];
    let at: typeof field | undefined = field;
    while (at !== undefined) {
      const current: typeof field = at;
      if (current.id === id && typeof current.type === 'string')
        return { transform, type: current.type, column, path, seen: new Map() };
      if (typeof current.type === 'string' || current.type.type !== 'struct') break;
      at = current.type.fields.find((child) => holds(child, id));
      if (at !== undefined) path.push(at.name);
    }
  }
  throw new LakegateError(
    'invalid',
    `Partition field "${name}": its source column (id ${id}) is not a primitive column of the table.`,
    { context: { field: name, sourceId: id } },
  );
}

function holds(field: Schema['fields'][number], id: number): boolean {
  if (field.id === id) return true;
  return (
    typeof field.type !== 'string' &&
    field.type.type === 'struct' &&
    field.type.fields.some((child) => holds(child, id))
  );
}

function valueAt(batch: RowBatch, source: Source, row: number): Value | undefined {
  let value = batch.columns[source.column]?.[row];
  for (const name of source.path) {
    if (typeof value !== 'object' || value instanceof Uint8Array || Array.isArray(value)) return undefined;
    value = value[name];
  }
  return typeof value === 'object' && !(value instanceof Uint8Array) ? undefined : value;
}

function valueKey(value: Value | undefined): string {
  if (value === undefined) return 'n';
  if (value instanceof Uint8Array) return `x${Buffer.from(value).toString('hex')}`;
  // A length in front keeps neighbouring strings apart whatever they contain.
  if (typeof value === 'string') return `s${value.length}:${value}`;
  return Object.is(value, -0) ? 'v-0' : `v${value}`;
}
