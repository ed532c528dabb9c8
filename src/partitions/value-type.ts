import { HIVE_NULL } from './hive-path.ts';

/** Smallest and largest value of Hive's whole-number types. */
const WHOLE: Readonly<Record<string, [bigint, bigint]>> = {
  tinyint: range(8n),
  smallint: range(16n),
  int: range(32n),
  integer: range(32n),
  bigint: range(64n),
};

function range(bits: bigint): [bigint, bigint] {
  return [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n];
}

/**
 * Whether a partition key of a type can have a value. An engine that meets a value it cannot read fails the whole query, so such a folder is
 * never registered.
 * @param type Hive's name, lower case
 * @returns what was expected, when it cannot
 */
export function valueFault(type: string, value: string): string | undefined {
  if (value === HIVE_NULL) return undefined;
  const whole = WHOLE[type];
  if (whole !== undefined) {
    const fits = /^[+-]?\d{1,20}$/.test(value) && BigInt(value) >= whole[0] && BigInt(value) <= whole[1];
    return fits ? undefined : `a whole number of type ${type}`;
  }
  if (type === 'date') return isDate(value) ? undefined : 'a date such as 2026-11-21';
  if (type === 'timestamp') {
    const [, day = '', hour, minute, second] =
      /^(\d{4}-\d{2}-\d{2})[ T](\d{2}):(\d{2}):(\d{2})(?:\.\d{1,9})?$/.exec(value) ?? [];
    const fits = isDate(day) && Number(hour) < 24 && Number(minute) < 60 && Number(second) < 60;
    return fits ? undefined : 'a timestamp such as 2026-11-21 06:00:00';
  }
  if (type === 'boolean') return /^(true|false)$/i.test(value) ? undefined : 'true or false';
  if (/^(float|double)$/.test(type)) return isNumber(value) ? undefined : 'a number';
  const decimal = /^decimal(?:\((\d+)(?:,\s*(\d+))?\))?$/.exec(type);
  if (decimal !== null)
    return decimalFits(value, Number(decimal[1] ?? 10), Number(decimal[2] ?? 0))
      ? undefined
      : `a number of type ${type}`;
  const limited = /^(?:varchar|char)\((\d+)\)$/.exec(type);
  if (limited !== null) return [...value].length <= Number(limited[1]) ? undefined : `at most ${limited[1]} characters`;
  if (type === 'string') return undefined;
  return `a key type that partitions can have, not ${type}`;
}

/** A day of the calendar, years 0001 to 9999. */
export function isDate(text: string): boolean {
  const [, year, month, day] = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text) ?? [];
  if (year === undefined || year === '0000') return false;
  const date = new Date(`${text}T00:00:00Z`);
  // Date takes the 31st of a short month for the 1st of the next.
  return !Number.isNaN(date.getTime()) && date.getUTCMonth() + 1 === Number(month) && date.getUTCDate() === Number(day);
}

function isNumber(text: string): boolean {
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) || /^[+-]?(NaN|Infinity)$/.test(text);
}

function decimalFits(text: string, precision: number, scale: number): boolean {
  const [, whole, fraction = ''] = /^[+-]?0*(\d*)(?:\.(\d*))?$/.exec(text) ?? [];
  if (whole === undefined || (whole === '' && !/\d/.test(text))) return false;
  return whole.length <= precision - scale && fraction.replace(/0+$/, '').length <= scale;
}
