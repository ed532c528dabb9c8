import type { KnownPartitions } from './known-partitions.ts';
import type { Layout } from './layout.ts';
import type { Period } from './partition-time.ts';

/** Known partitions at the beginning of a table's folders that are past the look-back, and need not even be looked at. */
export interface Head {
  /** Name of the last of their folders directly under the table: listings start after it. */
  after: string;
  /** How many partitions they are. */
  count: number;
}

/** Months of 31 days, of 30, and the one of 28 or 29: no other days are read, because the calendar has them for days of the next month. */
const DAYS: readonly (readonly [month: string, day: string])[] = [
  ['(?:0[13578]|1[02])', '(?:0[1-9]|[12]\\d|3[01])'],
  ['(?:0[469]|11)', '(?:0[1-9]|[12]\\d|30)'],
  ['02', '(?:0[1-9]|[12]\\d)'],
];
const YEAR = '[1-9]\\d{3}';

/** Times of a fixed length, largest part first: those sort as text as they do as times. */
const SHAPES: readonly { found: RegExp; all: string }[] = [
  ...['-', ''].map((between) => {
    const days = DAYS.map(([month, day]) => `${month}${between}${day}`).join('|');
    return day(between, `${YEAR}${between}(?:${days})`);
  }),
  { found: /^(.*?)(\d{4})-(\d{2})$/su, all: `${YEAR}-(?:0[1-9]|1[0-2])` },
  { found: /^(.*?)(\d{4})$/su, all: YEAR },
];

function day(between: string, all: string) {
  return { found: new RegExp(`^(.*?)(\\d{4})${between}(\\d{2})${between}(\\d{2})$`, 'su'), all };
}

/** Folders that one test looks at: a pattern that repeats for ever remembers each turn. */
const AT_ONCE = 1000;

/**
 * Parts what is known of a table where the look-back begins, without taking apart what is before. That is so where all folders directly under the
 * table are the same but for a time of fixed length, so that they sort as time goes (`dt=2026-11-21`); a folder of another form may be new
 * anywhere.
 * @param now as in `WalkOptions`
 * @returns undefined where the folders have to be looked at one by one, or none is past the look-back
 */
export function partHead(
  known: KnownPartitions,
  layout: Layout,
  lookbackMs: number,
  now: number,
): { head: Head; tail: string[] } | undefined {
  const texts = [...known.texts().values()];
  const sample = texts[0]?.slice(1, texts[0].indexOf('/', 1));
  const pattern = sample === undefined ? undefined : patternOf(sample, layout);
  if (pattern === undefined || !texts.every((text) => fits(text, pattern))) return undefined;

  let newest: Period | undefined;
  for (const text of texts) {
    const begun = newestBegun(text, layout, now);
    if (begun === 'unsorted') return undefined;
    if (begun !== undefined && (newest === undefined || begun.start > newest.start)) newest = begun;
  }
  if (newest === undefined) return undefined;
  const horizon = newest.start - lookbackMs;

  const tail: string[] = [];
  let after = '';
  for (const text of texts) {
    for (const { prefix, name, period } of fromTheEnd(text, layout)) {
      if (period.end > horizon) tail.push(prefix);
      else {
        if (name > after) after = name;
        break;
      }
    }
  }
  return after === '' ? undefined : { head: { after, count: known.size - tail.length }, tail };
}

/** What all of a text has to look like, where one of its names is a fixed text and a time, as the layout reads it. */
function patternOf(sample: string, layout: Layout): RegExp | undefined {
  const period = layout.period(`${sample}/`);
  for (const { found, all } of SHAPES) {
    const [, stem = '', year, month, day] = found.exec(sample) ?? [];
    if (year === undefined) continue;
    const start = Date.UTC(Number(year), Number(month ?? 1) - 1, Number(day ?? 1));
    const end = Date.UTC(
      Number(year) + (month === undefined ? 1 : 0),
      Number(month ?? 1) - 1 + (month !== undefined && day === undefined ? 1 : 0),
      Number(day ?? 1) + (day === undefined ? 0 : 1),
    );
    if (period?.start !== start || period.end !== end) continue;
    const literal = stem.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    return new RegExp(`(?:${literal}${all}/(?:[^/]+/){${layout.depth - 1}}/){1,${AT_ONCE}}`, 'suy');
  }
  return undefined;
}

function fits(text: string, pattern: RegExp): boolean {
  for (pattern.lastIndex = 1; pattern.lastIndex < text.length; ) if (!pattern.test(text)) return false;
  return true;
}

/**
 * The period of the newest folder directly under the table that has begun. Where a partition in it tells an earlier time than the folder does,
 * the table goes by another time than that of its first level.
 */
function newestBegun(text: string, layout: Layout, now: number): Period | 'unsorted' | undefined {
  let newest: { name: string; period: Period } | undefined;
  for (const { prefix, name, period } of fromTheEnd(text, layout)) {
    if (newest === undefined) {
      if (period.start > now) continue;
      newest = { name, period };
    } else if (name !== newest.name) break;
    if ((layout.period(prefix)?.start ?? period.start) < period.start) return 'unsorted';
  }
  return newest?.period;
}

/** The partitions of a text from the last to the first, each with the folder directly under the table that it is in. */
function* fromTheEnd(text: string, layout: Layout): Generator<{ prefix: string; name: string; period: Period }> {
  let name = '';
  let period: Period | undefined;
  for (let end = text.length - 1; end > 0; ) {
    const before = text.lastIndexOf('//', end - 2);
    const from = before < 0 ? 1 : before + 2;
    const prefix = text.slice(from, end);
    const own = prefix.slice(0, prefix.indexOf('/'));
    if (own !== name) [name, period] = [own, layout.period(`${own}/`)];
    yield { prefix, name, period: period! };
    end = from - 1;
  }
}
