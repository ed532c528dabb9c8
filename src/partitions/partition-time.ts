import type { PartitionKey } from './model.ts';

/** The time that a folder stands for, milliseconds since the epoch, UTC. */
export interface Period {
  start: number;
  /** The first moment after it. */
  end: number;
}

/** Names that keys of parts of a time have; whole names only, so that `birthday` and `update_id` are none. */
const PART_NAMES: readonly (readonly string[])[] = [
  ['year', 'yyyy', 'yr', 'y'],
  ['month', 'mm', 'mon', 'm'],
  ['day', 'dd', 'd'],
  ['hour', 'hh', 'hr', 'h'],
  ['minute', 'min'],
];

/** How a whole time is written in one value, largest part first: ISO 8601 with and without separators. */
const SHAPES: readonly RegExp[] = [
  /^(\d{4})-(\d{2})(?:-(\d{2})(?:[ T-](\d{2})(?:[:-]?(\d{2}))?(?:[:-]?\d{2})?)?)?$/,
  /^(\d{4})(\d{2})(\d{2})(?:T?(\d{2})(?:(\d{2})(?:\d{2})?)?)?(?:_\d{8}T\d{6})?$/,
];

/**
 * The period of a partition, or of a folder above partitions; undefined where its values tell no time. By the keys' whole names (`year`, `month`,
 * …) or the shape of a value, never by what a name contains.
 * @param values in the order of the keys, undefined for those that folders further down tell
 */
export function partitionPeriod(
  keys: readonly PartitionKey[],
  values: readonly (string | undefined)[],
): Period | undefined {
  const parts = placesOf(keys).map((i) => (/^\d{1,4}$/.test(values[i] ?? '') ? Number(values[i]) : undefined));
  if (parts[0] !== undefined) return periodOf(parts);
  for (const value of values) {
    for (const shape of SHAPES) {
      const [, year, month, day, hour, minute] = shape.exec(value ?? '') ?? [];
      if (year === undefined) continue;
      return periodOf([number(year), number(month), number(day), number(hour) ?? parts[3], number(minute) ?? parts[4]]);
    }
  }
  return undefined;
}

const PLACES = new WeakMap<readonly PartitionKey[], number[]>();

/** Which of the keys are parts of a time; -1 for a part that none is. Asked for once a folder, of which there are many. */
function placesOf(keys: readonly PartitionKey[]): number[] {
  const known = PLACES.get(keys);
  if (known !== undefined) return known;
  const places = PART_NAMES.map((names) => keys.findIndex(({ name }) => names.includes(name)));
  PLACES.set(keys, places);
  return places;
}

/**
 * The period that some parts of a time name, as far as they are there without a gap.
 * @param parts year, month, day, hour, minute
 */
export function periodOf(parts: readonly (number | undefined)[]): Period | undefined {
  const gap = parts.indexOf(undefined);
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0] = gap < 0 ? parts : parts.slice(0, gap);
  if (gap === 0 || year < 1 || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59) {
    return undefined;
  }
  const finest = (gap < 0 ? parts.length : gap) - 1;
  const at = (more: number) => {
    const step = [0, 0, 0, 0, 0];
    step[finest] = more;
    const [y = 0, m = 0, d = 0, h = 0, min = 0] = step;
    return Date.UTC(year + y, month - 1 + m, day + d, hour + h, minute + min);
  };
  return { start: at(0), end: at(1) };
}

function number(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}
