import type { Column } from './facts.ts';

/** Differences that are told; a wholly other table may have thousands. */
const MOST_TOLD = 10;

/** How columns changed, one phrase for each; the order of columns does not matter. Empty: not at all. */
export function differences(before: readonly Column[], now: readonly Column[]): string[] {
  const old = new Map(before.map(({ name, type }) => [name, type]));
  const found: string[] = [];
  for (const { name, type } of now) {
    const was = old.get(name);
    if (was === undefined) found.push(`column ${name} is new`);
    else if (was !== type) found.push(`column ${name} is ${type} instead of ${was}`);
    old.delete(name);
  }
  return shortened([...found, ...[...old.keys()].map((name) => `column ${name} is missing`)]);
}

/** The first few, and how many more there are. */
export function shortened(phrases: readonly string[]): string[] {
  const more = phrases.length - MOST_TOLD;
  return more <= 0 ? [...phrases] : [...phrases.slice(0, MOST_TOLD), `and ${more} more`];
}
