import { LakegateError } from '../errors.ts';
import { minimalBigEndian, serializeValue, truncateLower } from './bounds.ts';
import {
  civilFromDays,
  floorDivide,
  formatDay,
  formatTime,
  formatTimestamp,
  formatYear,
  MICROS_PER_DAY,
  MICROS_PER_HOUR,
  two,
} from './calendar.ts';
import { decimalBytes } from './manifest-schema.ts';
import type { PartitionSpec, PrimitiveType, Transform, Value } from './model.ts';
import { murmur3 } from './murmur3.ts';
import { fieldById } from './schema.ts';
import { decimalOf, formatType, nearest } from './types.ts';

const PLAIN: readonly Transform[] = ['identity', 'year', 'month', 'day', 'hour', 'void'];

/** A transform taken apart: `bucket[16]` is kind `bucket`, parameter 16. */
export interface TransformParts {
  kind: 'identity' | 'year' | 'month' | 'day' | 'hour' | 'void' | 'bucket' | 'truncate';
  /** Number of buckets, or width; 0 for the others. */
  parameter: number;
}

/**
 * A partition transform from its text; case and spaces do not matter (spec: "Partition Transforms").
 * @throws LakegateError `invalid`, with the nearest right name
 */
export function parseTransform(text: string): Transform {
  const word = text.trim().toLowerCase().replace(/\s+/g, '');
  const plain = PLAIN.find((name) => name === word);
  if (plain !== undefined) return plain;
  const [, kind, digits] = /^(bucket|truncate)\[(\d{1,9})\]$/.exec(word) ?? [];
  const parameter = Number(digits);
  if (kind === 'bucket' && parameter > 0) return `bucket[${parameter}]`;
  if (kind === 'truncate' && parameter > 0) return `truncate[${parameter}]`;
  const stem = word.replace(/[[(].*$/, '');
  const guess = nearest(stem, [...PLAIN, 'bucket', 'truncate']);
  const number = /\d+/.exec(word)?.[0] ?? (guess === 'bucket' ? '16' : '4');
  const suggestion = guess === 'bucket' || guess === 'truncate' ? `${guess}[${number}]` : guess;
  throw new LakegateError(
    'invalid',
    `"${text}" is no partition transform${suggestion === undefined || suggestion === word ? '' : `: did you mean "${suggestion}"?`} Known are ${PLAIN.join(', ')}, bucket[N] and truncate[W], N and W at least 1.`,
    { context: { transform: text } },
  );
}

/** Kind and parameter of a transform. */
export function transformParts(transform: Transform): TransformParts {
  const [, kind, digits] = /^(bucket|truncate)\[(\d+)\]$/.exec(transform) ?? [];
  if (kind === 'bucket' || kind === 'truncate') return { kind, parameter: Number(digits) };
  return { kind: transform as TransformParts['kind'], parameter: 0 };
}

/**
 * The type of a transform's results. `day` gives a date, as Iceberg Java and PyIceberg type it in manifests (the spec's int of days is
 * the same bytes).
 * @throws LakegateError `invalid` when the transform does not take the source type
 */
export function transformResultType(transform: Transform, sourceType: PrimitiveType): PrimitiveType {
  const { kind } = transformParts(transform);
  if (!takes(kind, sourceType))
    throw new LakegateError(
      'invalid',
      `partition transform ${transform} cannot take a column of type ${sourceType}: it takes ${TAKES[kind]}`,
      { context: { transform, type: sourceType } },
    );
  switch (kind) {
    case 'identity':
    case 'truncate':
    case 'void':
      return sourceType;
    case 'day':
      return 'date';
    default:
      return 'int';
  }
}

const TAKES: Readonly<Record<TransformParts['kind'], string>> = {
  identity: 'any primitive type',
  void: 'any primitive type',
  bucket: 'int, long, decimal, date, time, timestamp, timestamptz, string, uuid, fixed or binary',
  truncate: 'int, long, decimal, string or binary',
  year: 'date, timestamp or timestamptz',
  month: 'date, timestamp or timestamptz',
  day: 'date, timestamp or timestamptz',
  hour: 'timestamp or timestamptz',
};

function takes(kind: TransformParts['kind'], type: PrimitiveType): boolean {
  const stamp = type === 'timestamp' || type === 'timestamptz';
  switch (kind) {
    case 'identity':
    case 'void':
      return true;
    case 'bucket':
      return type !== 'boolean' && type !== 'float' && type !== 'double';
    case 'truncate':
      return ['int', 'long', 'string', 'binary'].includes(type) || decimalOf(type) !== undefined;
    case 'hour':
      return stamp;
    default:
      return stamp || type === 'date';
  }
}

/** Whether a ≤ b implies transform(a) ≤ transform(b), so that equal results at both ends of a range hold for all of it. */
export function preservesOrder(transform: Transform): boolean {
  const { kind } = transformParts(transform);
  return kind !== 'bucket' && kind !== 'void';
}

/**
 * The partition value of a source value (spec: "Partition Transforms", "Bucket Transform Details", "Truncate Transform Details").
 * @param type the source column's type
 * @param value undefined is null, and every transform of null is null
 * @throws LakegateError `invalid` when the transform does not take the type, or the value is not of the type
 */
export function applyTransform(transform: Transform, type: PrimitiveType, value: Value | undefined): Value | undefined {
  return transformer(transform, type)(value);
}

/** `applyTransform` with transform and type settled once, for many values. @throws LakegateError as `applyTransform` */
export function transformer(
  transform: Transform,
  type: PrimitiveType,
): (value: Value | undefined) => Value | undefined {
  transformResultType(transform, type);
  const { kind, parameter } = transformParts(transform);
  if (kind === 'void') return () => undefined;
  if (kind === 'identity') return (value) => value;
  const least = leastOf(type);
  const apply = (value: Value): Value => {
    if (kind === 'bucket') return (murmur3(hashedBytes(type, value)) & 0x7fffffff) % parameter;
    if (kind !== 'truncate') return timeTransform(kind, type, value);
    if (typeof value !== 'number' && typeof value !== 'bigint') return truncateLower(value, parameter);
    const whole =
      typeof value === 'number'
        ? value - (((value % parameter) + parameter) % parameter)
        : floorDivide(value, BigInt(parameter)) * BigInt(parameter);
    if (whole < least) throw belowLeast(transform, type, value);
    return whole;
  };
  return (value) => (value === undefined ? undefined : apply(value));
}

/** The least whole value that a partition tuple holds for a column of this type. */
function leastOf(type: PrimitiveType): bigint {
  const { precision } = decimalOf(type) ?? {};
  const bytes = precision === undefined ? (type === 'int' ? 4 : 8) : decimalBytes(precision);
  return -(1n << BigInt(8 * bytes - 1));
}

/** Iceberg Java goes on from the type's largest value then, and no longer finds the rows by a range. */
function belowLeast(transform: Transform, type: PrimitiveType, value: Value): LakegateError {
  return new LakegateError(
    'invalid',
    `partition transform ${transform} of the ${type} ${value} is below the least ${type}, so that the row has no partition: drop it without the value, or partition the table otherwise`,
    { context: { transform, type } },
  );
}

function hashedBytes(type: PrimitiveType, value: Value): Uint8Array {
  // Whole numbers hash as 64-bit ones, so that a bucket survives the promotion of int to long.
  if (typeof value === 'number') return serializeValue('long', BigInt(value));
  if (typeof value === 'bigint' && decimalOf(type) !== undefined) return minimalBigEndian(value);
  return serializeValue(type, value);
}

function timeTransform(kind: 'year' | 'month' | 'day' | 'hour', type: PrimitiveType, value: Value): number {
  if (typeof value !== 'number' && typeof value !== 'bigint')
    throw new LakegateError('invalid', `transform ${kind}: a ${typeof value} is no value of type ${type}`);
  if (kind === 'hour') return Number(floorDivide(BigInt(value), MICROS_PER_HOUR));
  const days = typeof value === 'number' ? value : Number(floorDivide(value, MICROS_PER_DAY));
  if (kind === 'day') return days;
  const { year, month } = civilFromDays(days);
  return kind === 'year' ? year - 1970 : (year - 1970) * 12 + month - 1;
}

/**
 * The folder of a partition, `day=2024-01-02/kind=a%2Fb`, as PyIceberg and Iceberg Java write it: names and values percent-encoded (a
 * value never adds a path segment), null as `null`. Empty for an unpartitioned table.
 * @param values in the order of the spec's fields
 * @throws LakegateError `not_found` when a source column is not in the schema
 */
export function partitionToPath(
  spec: PartitionSpec,
  schema: Parameters<typeof fieldById>[0],
  values: readonly (Value | undefined)[],
): string {
  return spec.fields
    .map((field, i) => {
      if (field.transform === 'void') return `${encode(field.name)}=null`;
      const source = fieldById(schema, field.sourceId);
      if (source === undefined || typeof source.type !== 'string')
        throw new LakegateError(
          'not_found',
          `partition field "${field.name}": its source column (id ${field.sourceId}) is no primitive column of the schema${source === undefined ? '' : ` but ${formatType(source.type)}`}`,
        );
      return `${encode(field.name)}=${encode(humanValue(field.transform, source.type, values[i]))}`;
    })
    .join('/');
}

/** A partition value for people: days as dates, months as `2024-01`, bytes as base64, null as `null`. */
export function humanValue(transform: Transform, sourceType: PrimitiveType, value: Value | undefined): string {
  if (value === undefined) return 'null';
  const { kind } = transformParts(transform);
  const whole = Number(value);
  if (kind === 'year') return formatYear(1970 + whole);
  if (kind === 'month') {
    const year = Math.floor(whole / 12);
    return `${formatYear(1970 + year)}-${two(whole - year * 12 + 1)}`;
  }
  if (kind === 'day') return formatDay(whole);
  if (kind === 'hour') {
    const day = Math.floor(whole / 24);
    return `${formatDay(day)}-${two(whole - day * 24)}`;
  }
  return kind === 'bucket' ? String(value) : humanSourceValue(sourceType, value);
}

function humanSourceValue(type: PrimitiveType, value: Value): string {
  if (value instanceof Uint8Array) {
    if (type !== 'uuid') return Buffer.from(value).toString('base64');
    return Buffer.from(value)
      .toString('hex')
      .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  }
  if (typeof value === 'bigint') {
    if (type === 'time') return formatTime(value);
    if (type === 'timestamp') return formatTimestamp(value);
    if (type === 'timestamptz') return `${formatTimestamp(value)}+00:00`;
    return formatDecimal(value, decimalOf(type)?.scale ?? 0);
  }
  if (type === 'date') return formatDay(Number(value));
  if ((type === 'float' || type === 'double') && Number.isInteger(value)) return Number(value).toFixed(1);
  return String(value);
}

/** An unscaled integer as a decimal number: 12345 at scale 2 is `123.45`. */
export function formatDecimal(unscaled: bigint, scale: number): string {
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
  const whole = digits.slice(0, digits.length - scale);
  return `${unscaled < 0n ? '-' : ''}${whole}${scale === 0 ? '' : `.${digits.slice(-scale)}`}`;
}

/** Form encoding with a plus for a space, as both reference implementations name folders. */
function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
    .replace(/%20/g, '+');
}

/** Whether two partition values are the same; bytes by content, and null equals null. */
export function sameValue(a: Value | undefined, b: Value | undefined): boolean {
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.from(a).equals(b);
  return Object.is(a, b);
}
