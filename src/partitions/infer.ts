import { hiveLayout, type Layout, templateLayout } from './layout.ts';
import type { PartitionKey } from './model.ts';

/** What the folders of a table look like, as far as was looked. */
export interface LayoutProposal {
  /** Layouts that every folder fits; the first is the plainest. Several: they differ in what a folder means, and only a person knows. */
  fitting: { layout: string; example: { prefix: string; values: string[] } }[];
  /** Folders looked at. */
  looked: number;
  /** Those that nothing fits, when no layout fits all of them: the closest layout and what it could not read. */
  closest?: { layout: string; fits: number; unfit: string[] };
}

/** Ways in which a day is written in one folder, besides the value as it stands. */
const DAYS = ['YYYY-MM-DD', 'DD-MM-YYYY', 'MM-DD-YYYY', 'YYYY.MM.DD', 'DD.MM.YYYY', 'YYYYMMDD', 'DDMMYYYY', 'MMDDYYYY'];
const TIMES = ['YYYYMMDDHH', 'YYYY-MM-DD-HH', 'YYYYMMDDTHHmmss'];
const MONTHS = ['YYYY-MM', 'YYYYMM'];

/** Unfit folders that are named. */
const NAMED = 5;

/**
 * Layouts that the folders of a table could have. Hive's is the only answer where it fits; else templates are tried, and where several read
 * every folder (`20120115` is a day in two ways), all of them are given.
 * @param prefixes folders relative to the table's location, each ending in `/`, hidden ones (`_temporary/`) left out
 */
export function inferLayout(keys: readonly PartitionKey[], prefixes: readonly string[]): LayoutProposal {
  const looked = prefixes.length;
  const hiveFits = prefixes.filter((prefix) => 'values' in hiveLayout(keys).parse(prefix)).length;
  // Where most folders are Hive's, the others are odd ones: a template that takes any text would make `dt=x` a value.
  const templates = 2 * hiveFits > looked ? [] : candidateTemplates(keys, prefixes);
  const candidates = [hiveLayout(keys), ...templates.map((text) => templateLayout(text, keys))];
  const fits = candidates.map((layout) => prefixes.filter((prefix) => 'values' in layout.parse(prefix)).length);
  const whole = candidates.filter((_, i) => looked > 0 && fits[i] === looked);
  const hive = whole.find(({ text }) => text === 'hive');
  const fitting = (hive ? [hive] : whole).map((layout) => ({
    layout: layout.text,
    example: exampleOf(layout, prefixes[0]!),
  }));
  if (fitting.length > 0 || looked === 0) return { fitting, looked };
  const best = fits.indexOf(Math.max(...fits));
  const closest = candidates[best]!;
  const unfit = prefixes.filter((prefix) => 'fault' in closest.parse(prefix)).slice(0, NAMED);
  return { fitting, looked, closest: { layout: closest.text, fits: fits[best]!, unfit } };
}

function exampleOf(layout: Layout, prefix: string): { prefix: string; values: string[] } {
  const parsed = layout.parse(prefix);
  return { prefix, values: 'values' in parsed ? parsed.values : [] };
}

/** Templates worth trying: one level a key, and a single time key over several levels, each with the text that all folders of a level begin with. */
function candidateTemplates(keys: readonly PartitionKey[], prefixes: readonly string[]): string[] {
  const split = prefixes.map((prefix) => prefix.replace(/\/$/, '').split('/'));
  const depth = split[0]?.length ?? 0;
  if (depth === 0 || split.some((names) => names.length !== depth)) return [];
  const starts = Array.from({ length: depth }, (_, level) => namePrefix(split.map((names) => names[level]!)));
  if (depth === keys.length) {
    return product(
      keys.map(({ name, type }, i) =>
        formsOf(
          name,
          type,
          split.map((names) => names[i]!),
        ).map((form) => starts[i] + form),
      ),
    );
  }
  if (keys.length !== 1) return [];
  const { name } = keys[0]!;
  const spread = [`{${name}:YYYY}`, `{${name}:MM}`, `{${name}:DD}`, `{${name}:HH}`];
  return depth <= spread.length
    ? [
        spread
          .slice(0, depth)
          .map((part, i) => `${starts[i]}${part}`)
          .join('/'),
      ]
    : [];
}

/** Ways to read the values of a level. A value that looks like a day in no order is taken as it stands. */
function formsOf(key: string, type: string, names: readonly string[]): string[] {
  const timed = [...DAYS, ...TIMES, ...MONTHS, 'RANGE'].filter((format) => {
    const layout = templateLayout(`{k:${format}}`, [{ name: 'k', type: 'string' }]);
    const start = namePrefix(names);
    return names.every((name) => 'values' in layout.parse(`${name.slice(start.length)}/`));
  });
  // A text key keeps the folder's own text in every format, so that only keys of a time type need it read.
  return timed.length > 0 && type !== 'string' ? timed.map((format) => `{${key}:${format}}`) : [`{${key}}`];
}

/** Text such as `dt=` or `day-` that the names of a level all begin with: up to a `=`, or what stands before the first digit. */
function namePrefix(names: readonly string[]): string {
  const start = /^([^=]*=|[^\d=]*[-_])/.exec(names[0] ?? '')?.[0] ?? '';
  return names.every((name) => name.startsWith(start)) && !/[{}]/.test(start) ? start : '';
}

function product(levels: readonly (readonly string[])[]): string[] {
  return levels.reduce<string[]>(
    (texts, forms) => texts.flatMap((text) => forms.map((form) => (text === '' ? form : `${text}/${form}`))),
    [''],
  );
}
