import { LakegateError } from '../errors.ts';
import type { AuditValue } from './rule.ts';

/** An exact decimal: `unscaled` × 10^-`scale`. */
interface Decimal {
  unscaled: bigint;
  scale: number;
}

const DECIMAL = /^([+-]?)(\d+)(?:\.(\d*))?(?:e([+-]?\d{1,4}))?$/i;

/** Reads decimal text, exponent allowed (`-1.50`, `1e-7`); undefined when it is none. Exact. */
export function parseDecimal(text: string): Decimal | undefined {
  const match = DECIMAL.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  const digits = BigInt(whole + fraction);
  const unscaled = sign === '-' ? -digits : digits;
  const scale = fraction.length - Number(exponent);
  return scale >= 0 ? { unscaled, scale } : { unscaled: unscaled * 10n ** BigInt(-scale), scale: 0 };
}

/**
 * The order of two values: negative, 0 or positive; undefined when one of them is NaN, which has no place in an order.
 * Numbers, bigints and decimals compare by their exact mathematical value; strings by code point and binary by unsigned byte, as Parquet
 * (ColumnOrder TYPE_ORDER) and Iceberg order them; false before true.
 * @throws LakegateError `internal` for values of kinds that do not compare: a rule converts its literals by the column's type first
 */
export function compareValues(a: AuditValue, b: AuditValue): number | undefined {
  if (typeof a === 'number' && typeof b === 'number') return order(a, b);
  if (typeof a === 'string' && typeof b === 'string') return compareStrings(a, b);
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  if (isNumeric(a) && isNumeric(b)) return compareNumeric(a, b);
  if (a instanceof Uint8Array && b instanceof Uint8Array) return compareBytes(a, b);
  if (isMicros(a) && isMicros(b)) return order(a.micros, b.micros);
  throw new LakegateError('internal', `cannot compare ${kindOfValue(a)} with ${kindOfValue(b)}`);
}

/**
 * A primitive that is the same for equal values of one column and different for different ones, for use in a Set.
 * NaN equals itself here, and 0 equals -0, as in a Set.
 */
export function equalityKey(value: AuditValue): number | bigint | string | boolean {
  if (typeof value === 'bigint') return isSafe(value) ? Number(value) : value;
  if (typeof value !== 'object') return value;
  if (value instanceof Uint8Array)
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1');
  if ('micros' in value) return value.micros;
  const { unscaled, scale } = normalised(decimalOf(value.decimal));
  return scale === 0 && isSafe(unscaled) ? Number(unscaled) : `${unscaled}e-${scale}`;
}

type Numeric = number | bigint | { decimal: string };

function isNumeric(value: AuditValue): value is Numeric {
  return typeof value === 'number' || typeof value === 'bigint' || (typeof value === 'object' && 'decimal' in value);
}

function isMicros(value: AuditValue): value is { micros: bigint } {
  return typeof value === 'object' && 'micros' in value;
}

function isSafe(value: bigint): boolean {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER);
}

function order(a: number | bigint, b: number | bigint): number | undefined {
  if (a < b) return -1;
  if (a > b) return 1;
  return a === b || Number(a) === Number(b) ? 0 : undefined;
}

/** JavaScript orders a bigint against a number exactly, so only decimals need work. */
function compareNumeric(a: Numeric, b: Numeric): number | undefined {
  if (typeof a !== 'object' && typeof b !== 'object') return order(a, b);
  if (typeof a === 'number' && !Number.isFinite(a)) return order(a, 0);
  if (typeof b === 'number' && !Number.isFinite(b)) return order(0, b);
  const x = fraction(a);
  const y = fraction(b);
  return order(x.numerator * y.denominator, y.numerator * x.denominator);
}

/** The exact value as a fraction with a positive denominator. */
function fraction(value: Numeric): { numerator: bigint; denominator: bigint } {
  if (typeof value === 'bigint') return { numerator: value, denominator: 1n };
  if (typeof value === 'object') {
    const { unscaled, scale } = decimalOf(value.decimal);
    return { numerator: unscaled, denominator: 10n ** BigInt(scale) };
  }
  // A finite double is an integer over a power of two, so doubling reaches the integer without rounding.
  let scaled = value;
  let bits = 0n;
  while (!Number.isInteger(scaled)) {
    scaled *= 2;
    bits += 1n;
  }
  return { numerator: BigInt(scaled), denominator: 1n << bits };
}

function decimalOf(text: string): Decimal {
  const decimal = parseDecimal(text);
  if (decimal === undefined)
    throw new LakegateError('internal', `expected decimal text, found ${JSON.stringify(text)}`);
  return decimal;
}

/** Without trailing zeros, so that 1.50 and 1.5 are one value. */
function normalised({ unscaled, scale }: Decimal): Decimal {
  let digits = unscaled;
  let places = scale;
  while (places > 0 && digits % 10n === 0n) {
    digits /= 10n;
    places -= 1;
  }
  return { unscaled: digits, scale: places };
}

/** By code point. UTF-16 order differs where a surrogate pair meets U+E000 to U+FFFF, so those units are moved past each other. */
function compareStrings(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return codePointRank(x) - codePointRank(y);
  }
  return a.length - b.length;
}

function codePointRank(unit: number): number {
  if (unit >= 0xe000) return unit - 0x800;
  return unit >= 0xd800 ? unit + 0x2000 : unit;
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}

function kindOfValue(value: AuditValue): string {
  if (value instanceof Uint8Array) return 'binary';
  if (typeof value !== 'object') return `a ${typeof value}`;
  return 'micros' in value ? 'a time' : 'a decimal';
}
