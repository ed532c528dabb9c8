import type { PrimitiveType } from '../iceberg/model.ts';
import { parseDate, parseTimestamp } from './calendar.ts';
import { dateDays, fraction, localMicros, truth, wholeNumber, zonedMicros } from './cell-bytes.ts';

/** Kinds of value, as bits: what a column has shown so far is their union. */
export const KIND = {
  long: 1,
  /** A whole number of 64 bits that a double cannot hold exactly. */
  largeLong: 2,
  double: 4,
  /** NaN and the infinities: numbers beside numbers, else words. */
  notFinite: 8,
  boolean: 16,
  date: 32,
  timestamp: 64,
  timestamptz: 128,
  string: 256,
  list: 512,
  struct: 1024,
} as const;

/** No leading zeros: `007` is a code, and would not come back. */
const LONG = /^-?(?:0|[1-9]\d*)$/;
const DOUBLE = /^-?(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;
const NOT_FINITE = /^(?:NaN|nan|-?inf|-?Infinity)$/;
const BOOLEAN = /^(?:true|True|TRUE|false|False|FALSE)$/;
const SAFE = BigInt(Number.MAX_SAFE_INTEGER);

/** The kind of a cell whose bytes are one of the common spellings; 0 where its text has to be looked at. */
export function classifyCell(data: Uint8Array, start: number, end: number): number {
  const first = data[start]! === 45 ? start + 1 : start;
  const zeroFirst = data[first] === 48 && end - first > 1;
  if (!zeroFirst && end - start <= 15 && !Number.isNaN(wholeNumber(data, start, end))) return KIND.long;
  if ((!zeroFirst || data[first + 1] === 46) && !Number.isNaN(fraction(data, start, end))) {
    for (let at = first; at < end; at++) if (data[at] === 46) return KIND.double;
    return 0;
  }
  if (!Number.isNaN(dateDays(data, start, end))) return KIND.date;
  if (!Number.isNaN(localMicros(data, start, end))) return KIND.timestamp;
  if (!Number.isNaN(zonedMicros(data, start, end))) return KIND.timestamptz;
  return Number.isNaN(truth(data, start, end)) ? 0 : KIND.boolean;
}

/** The kind of a text cell. */
export function classifyText(text: string): number {
  const first = text.charCodeAt(0);
  // Digits, minus and full stop start numbers and dates; everything else is a word.
  if ((first >= 48 && first <= 57) || first === 45 || first === 46) {
    if (LONG.test(text)) {
      return text.length <= 15 ? KIND.long : text.length > 20 ? KIND.string : longKind(BigInt(text));
    }
    if (DOUBLE.test(text)) return Number.isFinite(Number(text)) ? KIND.double : KIND.string;
    if (isDateLike(text)) {
      if (text.length === 10) return parseDate(text) === undefined ? KIND.string : KIND.date;
      const timestamp = parseTimestamp(text);
      return timestamp === undefined ? KIND.string : timestamp.zoned ? KIND.timestamptz : KIND.timestamp;
    }
    return text === '-inf' || text === '-Infinity' ? KIND.notFinite : KIND.string;
  }
  if (BOOLEAN.test(text)) return KIND.boolean;
  return NOT_FINITE.test(text) ? KIND.notFinite : KIND.string;
}

/** Whether text starts as `YYYY-MM-` does: worth reading as a date. */
export function isDateLike(text: string): boolean {
  return text.length >= 10 && text.length <= 40 && text[4] === '-' && text[7] === '-';
}

/** The kind of a whole number. */
export function longKind(value: bigint): number {
  if (value <= SAFE && value >= -SAFE) return KIND.long;
  return BigInt.asIntN(64, value) === value ? KIND.largeLong : KIND.string;
}

/** The one type that holds all values of the kinds seen without loss. */
export function kindsToType(kinds: number): PrimitiveType {
  switch (kinds) {
    case KIND.boolean:
      return 'boolean';
    case KIND.date:
      return 'date';
    case KIND.timestamp:
      return 'timestamp';
    case KIND.timestamptz:
      return 'timestamptz';
  }
  const wholes = kinds & (KIND.long | KIND.largeLong);
  if (wholes !== 0 && kinds === wholes) return 'long';
  const numbers = kinds & (KIND.long | KIND.double);
  return numbers !== 0 && (kinds & ~(KIND.long | KIND.double | KIND.notFinite)) === 0 ? 'double' : 'string';
}
