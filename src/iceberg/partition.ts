import { LakegateError } from '../errors.ts';
import { compareValues } from './bounds.ts';
import type { NestedField, PartitionField, PartitionSpec, PrimitiveType, Transform, Value } from './model.ts';
import { allFields, fieldById, findField } from './schema.ts';
import {
  applyTransform,
  humanValue,
  preservesOrder,
  sameValue,
  transformParts,
  transformResultType,
} from './transforms.ts';
import { formatType, nearest } from './types.ts';

const FIRST_PARTITION_FIELD_ID = 1000;

/** The schema, or just its fields. */
type Fields = { fields: readonly NestedField[] };

/** Smallest and largest value of a column that is not null; NaN is outside of them. */
export interface ColumnBounds {
  lower: Value;
  upper: Value;
  /** Whether both are values of the column. False: they only enclose them (shortened text). */
  exact: boolean;
}

/**
 * A new table's partition spec (id 0, fields from 1000).
 * @param columns dotted column names and transforms; default names are Iceberg Java's: `c`, `c_bucket`, `c_trunc`, `c_year`, `c_month`, `c_day`, `c_hour`, `c_null`
 * @throws LakegateError `invalid` when a column is missing, inside a list or map or of a wrong type, or two fields get one name
 */
export function buildSpec(
  schema: Fields,
  columns: readonly { column: string; transform: Transform; name?: string }[],
): PartitionSpec {
  const fields: PartitionField[] = [];
  for (const { column, transform, name: given } of columns) {
    const source = partitionSource(schema, column);
    transformResultType(transform, source.type);
    const name = given ?? column + SUFFIX[transformParts(transform).kind];
    const namesake = findField(schema, name);
    if (namesake !== undefined && !(transform === 'identity' && namesake.id === source.id))
      throw new LakegateError(
        'invalid',
        `partition field "${name}" (${transform} of "${column}") has the name of a column: give it another with \`name\``,
        { context: { column, name } },
      );
    if (fields.some((field) => field.name === name))
      throw new LakegateError('invalid', `two partition fields are called "${name}": give one another with \`name\``, {
        context: { column, name },
      });
    if (fields.some((field) => field.sourceId === source.id && field.transform === transform))
      throw new LakegateError('invalid', `the table is partitioned by ${transform} of "${column}" twice: remove one`, {
        context: { column, transform },
      });
    fields.push({ sourceId: source.id, fieldId: FIRST_PARTITION_FIELD_ID + fields.length, name, transform });
  }
  return { specId: 0, fields };
}

const SUFFIX: Readonly<Record<ReturnType<typeof transformParts>['kind'], string>> = {
  identity: '',
  bucket: '_bucket',
  truncate: '_trunc',
  year: '_year',
  month: '_month',
  day: '_day',
  hour: '_hour',
  void: '_null',
};

function partitionSource(schema: Fields, column: string): { id: number; type: PrimitiveType } {
  const source = findField(schema, column);
  const context = { column };
  if (source === undefined) {
    const names = allFields(schema).map((entry) => entry.name);
    const guess = nearest(column, names);
    throw new LakegateError(
      'invalid',
      `cannot partition by "${column}": there is no such column${guess === undefined ? '' : `, did you mean "${guess}"?`} Columns are ${names.join(', ')}.`,
      { context },
    );
  }
  if (typeof source.type !== 'string')
    throw new LakegateError('invalid', `cannot partition by "${column}": it is a ${formatType(source.type)}`, {
      context,
    });
  if (allFields(schema).some((entry) => entry.field.id === source.id && entry.repeated))
    throw new LakegateError('invalid', `cannot partition by "${column}": it is inside a list or map`, { context });
  return { id: source.id, type: source.type };
}

/** What is known of the partition that a file's rows belong to. */
export type FilePartition =
  /** All rows are in this one: proven. */
  | { kind: 'single'; values: (Value | undefined)[] }
  /** Rows of several: the file must be split. */
  | { kind: 'mixed'; reason: string }
  /** The metadata does not say: the source columns must be read. */
  | { kind: 'unknown'; reason: string };

/**
 * The partition of a file by metadata alone. `single` is claimed only where it is proven for every row.
 * @param bounds by field id, of the whole file
 * @param nullCounts by field id; a field without one is not known to be free of nulls
 */
export function partitionOfFile(
  spec: PartitionSpec,
  schema: Fields,
  bounds: ReadonlyMap<number, ColumnBounds>,
  nullCounts: ReadonlyMap<number, number>,
  recordCount: number,
): FilePartition {
  const values: (Value | undefined)[] = [];
  let unknown: string | undefined;
  for (const field of spec.fields) {
    // Of format version 1 a field that was taken out stays as void, and its source may have been dropped since.
    if (field.transform === 'void') {
      values.push(undefined);
      continue;
    }
    const source = fieldById(schema, field.sourceId);
    if (source === undefined || typeof source.type !== 'string') {
      unknown ??= `partition field "${field.name}": its source column (id ${field.sourceId}) is not in the schema`;
      continue;
    }
    const one = valueOfFile(
      field,
      source.name,
      source.type,
      bounds.get(source.id),
      nullCounts.get(source.id),
      recordCount,
    );
    if (one.kind === 'mixed') return one;
    if (one.kind === 'unknown') unknown ??= one.reason;
    else values.push(one.value);
  }
  return unknown === undefined ? { kind: 'single', values } : { kind: 'unknown', reason: unknown };
}

function valueOfFile(
  { transform }: PartitionField,
  column: string,
  type: PrimitiveType,
  bounds: ColumnBounds | undefined,
  nulls: number | undefined,
  rows: number,
): { kind: 'single'; value: Value | undefined } | Exclude<FilePartition, { kind: 'single' }> {
  const unknown = (reason: string) => ({ kind: 'unknown' as const, reason: `column "${column}": ${reason}` });
  const mixed = (reason: string) => ({ kind: 'mixed' as const, reason: `column "${column}": ${reason}` });
  if (nulls === undefined) return unknown('the file does not say how many nulls it has');
  if (nulls === rows) return { kind: 'single', value: undefined };
  if (nulls > 0) return mixed(`${nulls} of ${rows} rows are null`);
  if (bounds === undefined) return unknown('the file has no minimum and maximum for it');
  // Statistics leave NaN out, so no range speaks for all rows.
  if (type === 'float' || type === 'double') return unknown('minimum and maximum do not count NaN');
  const { lower, upper, exact } = bounds;
  const low = applyTransform(transform, type, lower);
  const high = applyTransform(transform, type, upper);
  const text = () => `${humanValue(transform, type, low)} to ${humanValue(transform, type, high)}`;
  if (transform === 'identity' || !preservesOrder(transform)) {
    // Both need the one value itself: different values may share a bucket, and shortened ones may share a prefix.
    if (!exact) return unknown('minimum and maximum are shortened');
    if (compareValues(type, lower, upper) === 0) return { kind: 'single', value: low };
    if (!sameValue(low, high)) return mixed(`${transform} spans ${text()}`);
    return unknown(`minimum and maximum fall into the same ${transform}, values between them need not`);
  }
  if (sameValue(low, high)) return { kind: 'single', value: low };
  // A shortened upper bound lies above every value: it may be in the next partition when no row is.
  return exact ? mixed(`${transform} spans ${text()}`) : unknown(`${transform} of shortened bounds spans ${text()}`);
}
