import type { PartitionKey } from './model.ts';

/** Names that keys of parts of a time have; whole names only, so that `birthday` and `update_id` are none. */
const PART_NAMES: readonly (readonly string[])[] = [
  ['year', 'yyyy', 'yr', 'y'],
  ['month', 'mm', 'mon', 'm'],
  ['day', 'dd', 'd'],
  ['hour', 'hh', 'hr', 'h'],
  ['minute', 'min'],
];

/** How a whole time is written in one value, largest part first, so that later ones sort later: ISO 8601 with and without separators. */
const SHAPES: readonly RegExp[] = [
  /^(\d{4})-(\d{2})(?:-(\d{2})(?:[ T-](\d{2})(?:[:-]?(\d{2}))?(?:[:-]?\d{2})?)?)?$/,
  /^(\d{4})(\d{2})(\d{2})(?:T?(\d{2})(?:(\d{2})(?:\d{2})?)?)?(?:_\d{8}T\d{6})?$/,
];

/**
 * When the period of a partition begins, milliseconds since the epoch, UTC; undefined where its values tell no time. By the keys' whole names
 * (`year`, `month`, …) or the shape of a value, never by what a name contains.
 */
export function partitionTime(keys: readonly PartitionKey[], values: readonly string[]): number | undefined {
  const parts = PART_NAMES.map((names) => {
    const i = keys.findIndex(({ name }) => names.includes(name));
    return i >= 0 && /^\d{1,4}$/.test(values[i] ?? '') ? Number(values[i]) : undefined;
  });
  if (parts[0] !== undefined) return utc(parts[0], parts[1], parts[2], parts[3], parts[4]);
  for (const value of values) {
    for (const shape of SHAPES) {
      const [, year, month, day, hour, minute] = shape.exec(value) ?? [];
      if (year === undefined) continue;
      return utc(Number(year), Number(month), number(day), number(hour) ?? parts[3], number(minute) ?? parts[4]);
    }
  }
  return undefined;
}

function number(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}

function utc(year: number, month = 1, day = 1, hour = 0, minute = 0): number | undefined {
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59) return undefined;
  return Date.UTC(year, month - 1, day, hour, minute);
}
