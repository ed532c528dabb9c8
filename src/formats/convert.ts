import type { PrimitiveType, Value } from '../iceberg/model.ts';
import { decimalOf, fixedLength } from '../iceberg/types.ts';
import { parseDate, parseTime, parseTimestamp } from './calendar.ts';

/** Gives a cell's text as the column's value; undefined when the text is no such value. */
export type TextConverter = (text: string) => Value | undefined;

const INTEGER = /^-?\d+$/;
const NUMBER = /^-?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const DECIMAL = /^(-?)(\d*)(?:\.(\d*))?$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const HEX = /^([0-9a-f]{2})*$/i;
const MAX_FLOAT = 3.4028234663852886e38;

const BOOLEANS: Readonly<Record<string, boolean>> = {
  true: true,
  True: true,
  TRUE: true,
  false: false,
  False: false,
  FALSE: false,
};
const NOT_FINITE: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  nan: Number.NaN,
  inf: Number.POSITIVE_INFINITY,
  Infinity: Number.POSITIVE_INFINITY,
  '-inf': Number.NEGATIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
};

/**
 * The strict reading of text as a type: nothing is trimmed, rounded or guessed. Binary and fixed are hexadecimal, as in Iceberg's JSON single-value
 * serialisation (spec: Appendix D); timestamptz needs an offset and timestamp must not have one.
 */
export function textConverter(type: PrimitiveType): TextConverter {
  switch (type) {
    case 'string':
      return (text) => text;
    case 'boolean':
      return (text) => (Object.hasOwn(BOOLEANS, text) ? BOOLEANS[text] : undefined);
    case 'int':
      return (text) => {
        const value = INTEGER.test(text) ? Number(text) : Number.NaN;
        // + 0 turns -0 into 0: an integer column has no negative zero.
        return value >= -2147483648 && value <= 2147483647 ? value + 0 : undefined;
      };
    case 'long':
      return (text) => {
        if (!INTEGER.test(text) || text.length > 400) return undefined;
        const value = BigInt(text);
        return text.length < 19 || BigInt.asIntN(64, value) === value ? value : undefined;
      };
    case 'double':
      return (text) => parseNumber(text, Number.MAX_VALUE);
    case 'float':
      return (text) => parseNumber(text, MAX_FLOAT);
    case 'date':
      return parseDate;
    case 'time':
      return parseTime;
    case 'timestamp':
    case 'timestamptz': {
      const zoned = type === 'timestamptz';
      return (text) => {
        const parsed = parseTimestamp(text);
        return parsed?.zoned === zoned ? parsed.micros : undefined;
      };
    }
    case 'uuid':
      return (text) => (UUID.test(text) ? Uint8Array.from(Buffer.from(text.replaceAll('-', ''), 'hex')) : undefined);
    case 'binary':
      return (text) => (HEX.test(text) ? Uint8Array.from(Buffer.from(text, 'hex')) : undefined);
    default: {
      const decimal = decimalOf(type);
      if (decimal !== undefined) return (text) => parseDecimal(text, decimal.precision, decimal.scale);
      const length = fixedLength(type);
      return (text) =>
        HEX.test(text) && text.length === 2 * (length ?? 0) ? Uint8Array.from(Buffer.from(text, 'hex')) : undefined;
    }
  }
}

/** What `textConverter` of the type takes, for an error message. */
export function expectedText(type: PrimitiveType): string {
  switch (type) {
    case 'boolean':
      return 'boolean (true or false)';
    case 'date':
      return 'date (YYYY-MM-DD)';
    case 'time':
      return 'time (HH:MM:SS, at most microseconds)';
    case 'timestamp':
      return 'timestamp (YYYY-MM-DDTHH:MM:SS without an offset, at most microseconds)';
    case 'timestamptz':
      return 'timestamptz (YYYY-MM-DDTHH:MM:SS with Z or an offset, at most microseconds)';
    case 'binary':
      return 'binary (hexadecimal)';
    default:
      return type.startsWith('fixed') ? `${type} (hexadecimal)` : type;
  }
}

/**
 * The unscaled value of a decimal number as text (`-12.50`, `1250e-2`), exactly; undefined when it needs more digits than precision and scale allow.
 */
export function parseDecimal(text: string, precision: number, scale: number): bigint | undefined {
  if (text.length > 400) return undefined;
  const [mantissa = '', exponentText = '0', ...more] = text.toLowerCase().split('e');
  const match = DECIMAL.exec(mantissa);
  if (match === null || more.length > 0 || !/^[+-]?\d{1,4}$/.test(exponentText)) return undefined;
  const [, sign, whole = '', fraction = ''] = match;
  if (whole === '' && fraction === '') return undefined;
  const digits = `${whole}${fraction}`;
  const shift = scale - fraction.length + Number(exponentText);
  // Only zeros may be cut off: a digit beyond the scale would be lost.
  if (shift < 0 && /[^0]/.test(digits.slice(Math.max(0, digits.length + shift)))) return undefined;
  const scaled = shift < 0 ? digits.slice(0, Math.max(0, digits.length + shift)) : `${digits}${'0'.repeat(shift)}`;
  const unscaled = BigInt(scaled === '' ? '0' : scaled);
  if (unscaled >= 10n ** BigInt(precision)) return undefined;
  return sign === '-' ? -unscaled : unscaled;
}

function parseNumber(text: string, limit: number): number | undefined {
  if (!NUMBER.test(text)) return Object.hasOwn(NOT_FINITE, text) ? NOT_FINITE[text] : undefined;
  const value = Number(text);
  return Math.abs(value) <= limit ? value : undefined;
}
