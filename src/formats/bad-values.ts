import { LakegateError } from '../errors.ts';
import { ExactNumber } from './exact-number.ts';

/** A value that does not fit its column. */
export interface BadValue {
  /** Line of a text file, from 1; absent for Parquet. */
  line?: number;
  /** Row of the file, zero-based, header not counted. */
  row: number;
  /** Dotted path of the column. */
  column: string;
  /** The value as text, shortened. */
  value: string;
  /** What the column takes: a type, or a sentence. */
  expected: string;
}

/** Counts every value that does not fit, and keeps the first few: bad data is refused as data, with all of it known. */
export interface BadValues {
  readonly count: number;
  readonly first: readonly BadValue[];
  add(where: { row: number; line?: number }, column: string, value: unknown, expected: string): void;
  /** @throws LakegateError `invalid` with context `{url, count, first}` when any value was added */
  refuse(): void;
}

const LISTED = 5;
const SHOWN_CHARACTERS = 40;

/** An empty collection for the file at `url`. */
export function collectBadValues(url: string): BadValues {
  let count = 0;
  const first: BadValue[] = [];
  return {
    get count() {
      return count;
    },
    first,
    add(where, column, value, expected) {
      count++;
      if (first.length < LISTED) first.push({ ...where, column, value: describeValue(value), expected });
    },
    refuse() {
      if (count === 0) return;
      const listed = first.map(
        (bad) =>
          `${bad.line === undefined ? `row ${bad.row}` : `line ${bad.line}`}, column "${bad.column}": expected ${bad.expected}, found ${bad.value}`,
      );
      const rest = count > first.length ? ` (and ${count - first.length} more)` : '';
      throw new LakegateError(
        'invalid',
        `${url}: ${count} ${count === 1 ? 'value does' : 'values do'} not fit the table. ${listed.join('; ')}${rest}. ` +
          `Correct the file and drop it again, or change the column's type.`,
        { context: { url, count, first } },
      );
    },
  };
}

/** A value as a person would write it, cut to 40 characters. */
export function describeValue(value: unknown): string {
  const text = describe(value);
  const points = Array.from(text.slice(0, 2 * SHOWN_CHARACTERS + 2));
  return points.length > SHOWN_CHARACTERS ? `${points.slice(0, SHOWN_CHARACTERS).join('')}…` : text;
}

function describe(value: unknown): string {
  if (value === undefined || value === null) return 'null';
  if (value instanceof ExactNumber) return value.source;
  if (value instanceof Uint8Array) return `0x${Buffer.from(value.subarray(0, SHOWN_CHARACTERS)).toString('hex')}`;
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 2 * SHOWN_CHARACTERS));
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  return String(value);
}
