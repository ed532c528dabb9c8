import { deserializeValue } from '../iceberg/bounds.ts';
import type { DataFile, PrimitiveType, Schema, Value } from '../iceberg/model.ts';
import type { MappedField } from '../iceberg/name-mapping.ts';
import type { FieldPath } from '../iceberg/schema.ts';
import { decimalOf, formatType } from '../iceberg/types.ts';
import type { AuditValue, FieldFacts } from './rule.ts';

const DAY_MICROS = 86_400_000_000n;

/** A data file as a manifest describes it, with the schema of its table. */
export interface ManifestStatistics {
  schema: Schema;
  dataFile: DataFile;
  /** The table's `schema.name-mapping.default`, where it has one: a renamed column goes by its older names in files without ids. */
  nameMapping?: readonly MappedField[];
}

/** A table's field as a rule sees it. */
export function factsOf({ name, field, path }: FieldPath): FieldFacts {
  return { name, type: formatType(field.type), required: field.required, nested: path.length > 1 };
}

/**
 * Nulls of a field as far as the manifest proves them: none where it is required, else null_value_counts of a flat column. Counts of nested
 * columns are not used, for they include missing parents.
 */
export function manifestNulls({ dataFile }: ManifestStatistics, { field, path }: FieldPath): number | undefined {
  if (field.required || dataFile.recordCount === 0) return 0;
  if (path.length > 1 || typeof field.type !== 'string') return undefined;
  const nulls = dataFile.nullValueCounts?.get(field.id);
  return nulls === undefined || nulls < 0 || nulls > dataFile.recordCount ? undefined : nulls;
}

/**
 * A field's bounds as values. Text and binary may have been shortened (spec: "Manifests", lower_bounds), so they hold but are not exact.
 * @throws LakegateError `corrupt` when the bytes are no value of the type
 */
export function manifestBounds(
  { dataFile }: ManifestStatistics,
  { field, repeated }: FieldPath,
): { lower: AuditValue; upper: AuditValue; exact: boolean } | undefined {
  const { type, id } = field;
  const lower = dataFile.lowerBounds?.get(id);
  const upper = dataFile.upperBounds?.get(id);
  if (repeated || typeof type !== 'string' || lower === undefined || upper === undefined) return undefined;
  return {
    lower: auditValue(type, deserializeValue(type, lower)),
    upper: auditValue(type, deserializeValue(type, upper)),
    exact: type !== 'string' && type !== 'binary' && !type.startsWith('fixed'),
  };
}

function auditValue(type: PrimitiveType, value: Value): AuditValue {
  const decimal = decimalOf(type);
  if (decimal !== undefined) return { decimal: decimalText(value as bigint, decimal.scale) };
  switch (type) {
    case 'date':
      return { micros: BigInt(value as number) * DAY_MICROS };
    case 'time':
    case 'timestamp':
    case 'timestamptz':
      return { micros: value as bigint };
    case 'uuid':
      return uuidText(value as Uint8Array);
    default:
      return value;
  }
}

function decimalText(unscaled: bigint, scale: number): string {
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
  const sign = unscaled < 0n ? '-' : '';
  return scale === 0 ? sign + digits : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

function uuidText(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
