import type { AuditValue } from '../rules/rule.ts';
import type { Leaf } from './model.ts';

/** A value of a leaf without loss; which form each type takes is said at `rowForm`. */
export type RowValue = boolean | number | bigint | string | Uint8Array;

const DAY_MICROS = 86_400_000_000n;
const DAY_NANOS = 86_400_000_000_000n;
/** The Julian day number of 1970-01-01, from which INT96 days count. */
const EPOCH_JULIAN_DAY = 2_440_588;
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * How a leaf's stored values become RowValues. Stored: boolean, INT32/FLOAT/DOUBLE number, INT64 bigint, all others (INT96 included) bytes.
 *
 * | column | form |
 * | --- | --- |
 * | boolean | boolean |
 * | float16, float, double | number |
 * | int8 to int32, uint8 to uint32 | number |
 * | int64, uint64 | bigint |
 * | decimal, however stored | bigint, unscaled |
 * | date | number, days since 1970-01-01 |
 * | time millis | number; time micros, nanos: bigint, in the column's unit since midnight |
 * | timestamp | bigint in the column's unit since the epoch |
 * | INT96 | bigint, nanoseconds since the epoch |
 * | string, enum, json | string |
 * | uuid, bson, interval, geometry, geography, unannotated bytes | Uint8Array (a view: copy it to keep it) |
 *
 * The returned function throws a plain Error for text that is not UTF-8.
 */
export function rowForm(leaf: Leaf): (stored: unknown) => RowValue {
  const { annotation, physicalType } = leaf;
  const bytes = (stored: unknown): Uint8Array => stored as Uint8Array;
  switch (annotation?.kind) {
    case 'string':
    case 'enum':
    case 'json':
      return (stored) => textOf(bytes(stored));
    case 'decimal':
      if (physicalType === 'INT32' || physicalType === 'INT64') return (stored) => BigInt(stored as number | bigint);
      return (stored) => signedBigEndian(bytes(stored));
    case 'float16':
      return (stored) => halfFloat(bytes(stored));
    case 'integer':
      if (annotation.signed) break;
      if (annotation.bits === 64) return (stored) => BigInt.asUintN(64, stored as bigint);
      return (stored) => (stored as number) >>> 0;
  }
  if (physicalType === 'INT96') return (stored) => int96Nanos(bytes(stored));
  return (stored) => stored as RowValue;
}

/** How a leaf's RowValues become the values that rules compare. Times of day are micros since midnight. */
export function auditForm(leaf: Leaf): (value: RowValue) => AuditValue {
  const { annotation, physicalType } = leaf;
  switch (annotation?.kind) {
    case 'decimal':
      return (value) => ({ decimal: decimalText(value as bigint, annotation.scale) });
    case 'date':
      return (value) => ({ micros: BigInt(value as number) * DAY_MICROS });
    case 'time':
    case 'timestamp':
      if (annotation.unit === 'millis') return (value) => ({ micros: BigInt(value as number | bigint) * 1000n });
      if (annotation.unit === 'micros') return (value) => ({ micros: value as bigint });
      return (value) => ({ micros: microsOfNanos(value as bigint) });
    case 'uuid':
      return (value) => uuidText(value as Uint8Array);
  }
  if (physicalType === 'INT96') return (value) => ({ micros: microsOfNanos(value as bigint) });
  return (value) => value;
}

/** A decimal's text: `-1.50` for -150 at scale 2. */
export function decimalText(unscaled: bigint, scale: number): string {
  const sign = unscaled < 0n ? '-' : '';
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
  return scale === 0 ? sign + digits : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** Rounds down, so that earlier stays earlier or equal before the epoch as well. */
function microsOfNanos(nanos: bigint): bigint {
  const micros = nanos / 1000n;
  return nanos < 0n && micros * 1000n !== nanos ? micros - 1n : micros;
}

function textOf(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  // The fast decoder replaces what is not UTF-8: where it may have, the strict one tells (and throws).
  return text.includes('\ufffd') ? strict.decode(bytes) : text;
}

function signedBigEndian(bytes: Uint8Array): bigint {
  if (bytes.length === 0) return 0n;
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
  return BigInt.asIntN(bytes.length * 8, BigInt(`0x${hex}`));
}

function int96Nanos(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, 12);
  return BigInt(view.getInt32(8, true) - EPOCH_JULIAN_DAY) * DAY_NANOS + view.getBigInt64(0, true);
}

function halfFloat(bytes: Uint8Array): number {
  const bits = bytes[0]! | (bytes[1]! << 8);
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function uuidText(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
