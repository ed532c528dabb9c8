import { daysOf } from './calendar.ts';

/**
 * Reads the common spellings of values straight from a cell's bytes. Each gives what `textConverter` would, or NaN where it does not know: then the
 * cell's text decides.
 */
export type CellReader = (data: Uint8Array, start: number, end: number) => number;

const ZERO = 48;
const MINUS = 45;
const DOT = 46;
const SECONDS_PER_DAY = 86_400;
/** Whole numbers of fewer digits are exact. */
const EXACT_DIGITS = 15;
const EXACT = 2 ** 53;
/** Powers of ten that a double holds exactly: dividing by one rounds once, as reading the decimal number does. */
const POWERS = Float64Array.from({ length: 23 }, (_, exponent) => 10 ** exponent);

/** `-12`, of up to 15 digits. */
export function wholeNumber(data: Uint8Array, start: number, end: number): number {
  const from = data[start] === MINUS ? start + 1 : start;
  if (from >= end || end - from > EXACT_DIGITS) return Number.NaN;
  let value = 0;
  for (let at = from; at < end; at++) {
    const digit = data[at]! - ZERO;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  // An integer column has no negative zero.
  return from === start ? value : 0 - value;
}

/** `-12`, `-12.5` or `.5`, where digits and scale are few enough to be exact. */
export function fraction(data: Uint8Array, start: number, end: number): number {
  const from = data[start] === MINUS ? start + 1 : start;
  let value = 0;
  let scale = -1;
  let digits = 0;
  for (let at = from; at < end; at++) {
    const digit = data[at]! - ZERO;
    if (digit >= 0 && digit <= 9) {
      value = value * 10 + digit;
      digits++;
      if (scale >= 0) scale++;
    } else if (digit === DOT - ZERO && scale < 0) scale = 0;
    else return Number.NaN;
  }
  if (digits === 0 || value >= EXACT || scale > 22) return Number.NaN;
  const magnitude = scale > 0 ? value / POWERS[scale]! : value;
  return from === start ? magnitude : -magnitude;
}

/** Days of `YYYY-MM-DD`. */
export function dateDays(data: Uint8Array, start: number, end: number): number {
  if (end - start !== 10 || data[start + 4] !== MINUS || data[start + 7] !== MINUS) return Number.NaN;
  const year = twoDigits(data, start) * 100 + twoDigits(data, start + 2);
  return daysOf(year, twoDigits(data, start + 5), twoDigits(data, start + 8)) ?? Number.NaN;
}

/** Microseconds of `YYYY-MM-DD[T ]HH:MM:SS[.ffffff]`, of years that a double can count them of. */
export function localMicros(data: Uint8Array, start: number, end: number): number {
  const separator = data[start + 10];
  if (end - start < 19 || (separator !== 84 && separator !== 32)) return Number.NaN;
  const days = dateDays(data, start, start + 10);
  if (data[start + 13] !== 58 || data[start + 16] !== 58) return Number.NaN;
  const hour = twoDigits(data, start + 11);
  const minute = twoDigits(data, start + 14);
  const second = twoDigits(data, start + 17);
  if (hour > 23 || minute > 59 || second > 59) return Number.NaN;
  let micros = 0;
  if (end - start > 19) {
    const digits = end - start - 20;
    if (data[start + 19] !== DOT || digits < 1 || digits > 6) return Number.NaN;
    for (let at = start + 20; at < end; at++) {
      const digit = data[at]! - ZERO;
      if (digit < 0 || digit > 9) return Number.NaN;
      micros = micros * 10 + digit;
    }
    micros *= POWERS[6 - digits]!;
  }
  const value = (days * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second) * 1_000_000 + micros;
  return Math.abs(value) < EXACT ? value : Number.NaN;
}

/** As `localMicros`, with a `Z` behind it. */
export function zonedMicros(data: Uint8Array, start: number, end: number): number {
  return endsInZ(data, end) ? localMicros(data, start, end - 1) : Number.NaN;
}

/** Whether the byte before `end` is a `Z`, as UTC is written. */
export function endsInZ(data: Uint8Array, end: number): boolean {
  return (data[end - 1]! | 32) === 122;
}

/** 1 for `true`, 0 for `false`. */
export function truth(data: Uint8Array, start: number, end: number): number {
  if (end - start === 4 && spells(data, start, TRUE)) return 1;
  return end - start === 5 && spells(data, start, FALSE) ? 0 : Number.NaN;
}

const TRUE = Buffer.from('true');
const FALSE = Buffer.from('false');

function spells(data: Uint8Array, start: number, word: Uint8Array): boolean {
  for (let i = 0; i < word.length; i++) if (data[start + i] !== word[i]) return false;
  return true;
}

/** NaN where they are no two digits. */
function twoDigits(data: Uint8Array, at: number): number {
  const tens = data[at]! - ZERO;
  const ones = data[at + 1]! - ZERO;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}
