/** ISO 8601 dates and times as text, strictly: no reading of what was probably meant. */

const MICROS_PER_SECOND = 1_000_000n;
const SECONDS_PER_DAY = 86_400;

const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;
const TIME = /^(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?$/;
const TIMESTAMP =
  /^(\d{4})-(\d{2})-(\d{2})[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|z|[+-]\d{2}(?::?\d{2})?)?$/;

/** Days from 1970-01-01 of `YYYY-MM-DD` (proleptic Gregorian), or undefined when it is no such day. */
export function parseDate(text: string): number | undefined {
  const match = DATE.exec(text);
  return match === null ? undefined : daysOf(Number(match[1]), Number(match[2]), Number(match[3]));
}

/** Microseconds from midnight of `HH:MM[:SS[.fffffffff]]`, or undefined; a fraction below a microsecond has to be zero. */
export function parseTime(text: string): bigint | undefined {
  const match = TIME.exec(text);
  if (match === null) return undefined;
  const seconds = secondsOf(match[1], match[2], match[3]);
  const micros = microsOf(match[4]);
  return seconds === undefined || micros === undefined ? undefined : BigInt(seconds) * MICROS_PER_SECOND + micros;
}

/**
 * Microseconds from the epoch of `YYYY-MM-DD(T| )HH:MM[:SS[.fffffffff]][Z|±HH[[:]MM]]`, and whether it named its offset. Undefined when it is no
 * such instant; a fraction below a microsecond has to be zero.
 */
export function parseTimestamp(text: string): { micros: bigint; zoned: boolean } | undefined {
  const match = TIMESTAMP.exec(text);
  if (match === null) return undefined;
  const days = daysOf(Number(match[1]), Number(match[2]), Number(match[3]));
  const seconds = secondsOf(match[4], match[5], match[6]);
  const micros = microsOf(match[7]);
  const offset = offsetOf(match[8]);
  if (days === undefined || seconds === undefined || micros === undefined || offset === undefined) return undefined;
  return {
    micros: BigInt(days * SECONDS_PER_DAY + seconds - offset) * MICROS_PER_SECOND + micros,
    zoned: match[8] !== undefined,
  };
}

/** Days from 1970-01-01, or undefined where there is no such day. */
export function daysOf(year: number, month: number, day: number): number | undefined {
  if (!(year >= 0 && month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(year, month))) return undefined;
  // Years are counted from March, so that the leap day comes last.
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

function daysInMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

function secondsOf(hour = '', minute = '', second = '0'): number | undefined {
  const [h, m, s] = [Number(hour), Number(minute), Number(second)];
  return h > 23 || m > 59 || s > 59 ? undefined : h * 3600 + m * 60 + s;
}

function microsOf(fraction = ''): bigint | undefined {
  if (fraction === '') return 0n;
  if (fraction.length > 6 && /[^0]/.test(fraction.slice(6))) return undefined;
  return BigInt(fraction.slice(0, 6).padEnd(6, '0'));
}

function offsetOf(zone = 'Z'): number | undefined {
  if (zone === 'Z' || zone === 'z') return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(3).replace(':', '') || '0')];
  if (hours > 18 || minutes > 59) return undefined;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 3600 + minutes * 60);
}
