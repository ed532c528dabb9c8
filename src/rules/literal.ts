import { parseDecimal } from './compare.ts';
import type { AuditValue } from './rule.ts';

export type Literal = string | number | boolean;

/** A literal as a value of the column's type, or why it cannot be one, for a person. */
export type LiteralValue = { value: AuditValue } | { problem: string };

/** What values of a column type are compared as. */
export type TypeKind =
  | 'integer'
  | 'float'
  | 'decimal'
  | 'boolean'
  | 'string'
  | 'date'
  | 'timestamp'
  | 'time'
  | 'uuid'
  | 'binary'
  | 'nested'
  | 'other';

const KINDS: Readonly<Record<string, TypeKind>> = {
  boolean: 'boolean',
  int: 'integer',
  long: 'integer',
  float: 'float',
  double: 'float',
  decimal: 'decimal',
  date: 'date',
  time: 'time',
  timestamp: 'timestamp',
  timestamptz: 'timestamp',
  string: 'string',
  uuid: 'uuid',
  binary: 'binary',
  fixed: 'binary',
  struct: 'nested',
  list: 'nested',
  map: 'nested',
};

/** The kind of a type by its name, Iceberg's or the file's own: `decimal(10, 2)` → decimal, `list<int>` → nested. */
export function typeKind(type: string): TypeKind {
  return KINDS[/^\w+/.exec(type)?.[0] ?? ''] ?? 'other';
}

/**
 * Converts a literal of a rule to a value that compares with a column of the given type. Numbers in quotes are taken as exact; dates and
 * timestamps are ISO 8601, UTC where they name no zone. For a `float` column the literal is rounded to single precision, as the data was.
 */
export function literalValue(type: string, literal: Literal): LiteralValue {
  const shown = JSON.stringify(literal);
  switch (typeKind(type)) {
    case 'integer':
      return numberLiteral(type, literal, false);
    case 'decimal':
      return numberLiteral(type, literal, true);
    case 'float':
      return floatLiteral(type, literal);
    case 'boolean':
      return typeof literal === 'boolean' ? { value: literal } : problem(type, shown, 'write true or false');
    case 'string':
      return typeof literal === 'string' ? { value: literal } : problem(type, shown, 'write it in quotes');
    case 'uuid': {
      const uuid = typeof literal === 'string' && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(literal);
      return uuid
        ? { value: literal.toLowerCase() }
        : problem(type, shown, 'write it as 8-4-4-4-12 hexadecimal digits');
    }
    case 'date':
    case 'timestamp': {
      const micros = typeof literal === 'string' ? parseTimestamp(literal) : undefined;
      if (micros !== undefined) return { value: { micros } };
      return problem(type, shown, 'write it as "2024-01-31" or "2024-01-31T12:00:00Z"');
    }
    case 'time': {
      const micros = typeof literal === 'string' ? parseTime(literal) : undefined;
      return micros === undefined ? problem(type, shown, 'write it as "12:00:00"') : { value: { micros } };
    }
    default:
      return problem(type, shown, 'this rule works on numbers, strings, booleans, dates and times');
  }
}

function problem(type: string, shown: string, advice: string): LiteralValue {
  return { problem: `${shown} cannot be compared with a column of type ${type}: ${advice}` };
}

function numberLiteral(type: string, literal: Literal, decimal: boolean): LiteralValue {
  const shown = JSON.stringify(literal);
  if (typeof literal === 'number') {
    if (Number.isInteger(literal) && !Number.isSafeInteger(literal)) {
      return problem(type, shown, 'beyond 2^53 digits are lost, write the number in quotes');
    }
    if (Number.isNaN(literal)) return problem(type, 'NaN', 'write a number');
    return { value: decimal && Number.isFinite(literal) ? { decimal: String(literal) } : literal };
  }
  const parsed = typeof literal === 'string' ? parseDecimal(literal) : undefined;
  if (parsed === undefined) return problem(type, shown, 'write a number');
  return { value: parsed.scale === 0 && !decimal ? parsed.unscaled : { decimal: String(literal) } };
}

function floatLiteral(type: string, literal: Literal): LiteralValue {
  const exact = typeof literal === 'string' && parseDecimal(literal) !== undefined ? Number(literal) : literal;
  if (typeof exact !== 'number' || Number.isNaN(exact)) return problem(type, JSON.stringify(literal), 'write a number');
  return { value: type === 'float' ? Math.fround(exact) : exact };
}

const TIMESTAMP =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(?:\s*(Z|[+-]\d{2}(?::?\d{2})?))?)?$/i;
const TIME = /^(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?$/;

/** Microseconds since the epoch of an ISO 8601 date or timestamp; undefined when it is none or is finer than a microsecond. */
function parseTimestamp(text: string): bigint | undefined {
  const match = TIMESTAMP.exec(text.trim());
  if (match === null) return undefined;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const midnight = new Date(0);
  midnight.setUTCFullYear(year, month - 1, day);
  // A day that does not exist rolls over into the next month.
  if (midnight.getUTCMonth() !== month - 1 || midnight.getUTCDate() !== day) return undefined;
  const time = timeMicros(match[4] ?? '00', match[5] ?? '00', match[6], match[7]);
  const offset = offsetMicros(match[8] ?? 'Z');
  if (time === undefined || offset === undefined) return undefined;
  return BigInt(midnight.getTime()) * 1000n + time - offset;
}

/** Microseconds since midnight. */
function parseTime(text: string): bigint | undefined {
  const match = TIME.exec(text.trim());
  return match === null ? undefined : timeMicros(match[1]!, match[2]!, match[3], match[4]);
}

function timeMicros(hour: string, minute: string, second = '00', fraction = ''): bigint | undefined {
  const [h, m, s] = [Number(hour), Number(minute), Number(second)];
  if (h > 23 || m > 59 || s > 59 || /[^0]/.test(fraction.slice(6))) return undefined;
  return BigInt((h * 60 + m) * 60 + s) * 1_000_000n + BigInt(fraction.slice(0, 6).padEnd(6, '0'));
}

function offsetMicros(zone: string): bigint | undefined {
  if (zone.toUpperCase() === 'Z') return 0n;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(3).replace(':', '') || '0');
  if (hours > 18 || minutes > 59) return undefined;
  const micros = BigInt(hours * 60 + minutes) * 60_000_000n;
  return zone.startsWith('-') ? -micros : micros;
}
