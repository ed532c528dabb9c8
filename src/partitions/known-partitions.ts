import { comparePrefixes } from './known.ts';

/**
 * The folders of a table's registered partitions, relative to its location, each ending in `/`, with the schema of each (`schemaOf`; empty where
 * it is not known). They are kept as text, and taken apart only where somebody asks for single ones: most tables of most runs have nothing new.
 */
export interface KnownPartitions {
  readonly size: number;
  get(prefix: string): string | undefined;
  set(prefix: string, schema: string): void;
  delete(prefix: string): void;
  prefixes(): Iterable<string>;
  entries(): Iterable<[prefix: string, schema: string]>;
  /** How many have each schema. */
  counts(): ReadonlyMap<string, number>;
  /** All of them, by schema, as `textOf` writes them. */
  texts(): ReadonlyMap<string, string>;
}

/**
 * Folders as one text, in the order in which a store lists them: `/dt=1//dt=2//`. No folder has a name without a letter, so two slashes end each;
 * and all have the same number of levels, so `/dt=2//` is found in it only where that folder is.
 */
export function textOf(prefixes: Iterable<string>): string {
  const sorted = [...prefixes].sort(comparePrefixes);
  return sorted.length === 0 ? '' : `/${sorted.join('/')}/`;
}

/** The folders of a text, in its order. */
export function* prefixesOf(text: string): Generator<string> {
  let start = 1;
  for (let end = text.indexOf('//', start); end >= 0; end = text.indexOf('//', start)) {
    yield text.slice(start, end + 1);
    start = end + 2;
  }
}

/** Letters that new folders are looked for in, before it is cheaper to take all of them apart. */
const MOST_LOOKED_THROUGH = 8_000_000;

/** @param given by schema, as `texts` gives them. Default: none is known */
export function knownPartitions(given: ReadonlyMap<string, string> = new Map()): KnownPartitions {
  let texts = given;
  /** Those that are in no text yet. */
  let added = new Map<string, string>();
  /** All of them, once they had to be taken apart. */
  let apart: Map<string, string> | undefined;
  let lookedThrough = 0;
  let numbersInTexts: ReadonlyMap<string, number> | undefined;

  function takenApart(): Map<string, string> {
    if (apart === undefined) {
      apart = new Map();
      for (const [schema, text] of texts) for (const prefix of prefixesOf(text)) apart.set(prefix, schema);
      for (const [prefix, schema] of added) apart.set(prefix, schema);
    }
    return apart;
  }

  function isInText(prefix: string): boolean {
    for (const text of texts.values()) if (text.includes(`/${prefix}/`)) return true;
    return false;
  }

  function lengthOfTexts(): number {
    return [...texts.values()].reduce((sum, { length }) => sum + length, 0);
  }

  function* entries(): Generator<[string, string]> {
    if (apart !== undefined) return yield* apart;
    for (const [schema, text] of texts) for (const prefix of prefixesOf(text)) yield [prefix, schema];
    yield* added;
  }

  function counts(): Map<string, number> {
    numbersInTexts ??= new Map([...texts].map(([schema, text]) => [schema, lengthOf(text)]));
    const numbers = new Map(apart === undefined ? numbersInTexts : []);
    for (const schema of (apart ?? added).values()) numbers.set(schema, (numbers.get(schema) ?? 0) + 1);
    return numbers;
  }

  return {
    get size() {
      return apart?.size ?? [...counts().values()].reduce((sum, own) => sum + own, 0);
    },
    get(prefix) {
      return takenApart().get(prefix);
    },
    set(prefix, schema) {
      if (apart === undefined && !added.has(prefix)) {
        lookedThrough += lengthOfTexts();
        if (lookedThrough > MOST_LOOKED_THROUGH || isInText(prefix)) takenApart();
      }
      (apart ?? added).set(prefix, schema);
    },
    delete(prefix) {
      takenApart().delete(prefix);
    },
    *prefixes() {
      for (const [prefix] of entries()) yield prefix;
    },
    entries,
    counts,
    texts() {
      if (apart === undefined && added.size === 0) return texts;
      const more = new Map<string, string[]>();
      for (const [prefix, schema] of apart ?? added) {
        const same = more.get(schema);
        if (same === undefined) more.set(schema, [prefix]);
        else same.push(prefix);
      }
      const all = apart === undefined ? new Map(texts) : new Map<string, string>();
      for (const [schema, prefixes] of more) all.set(schema, joined(all.get(schema) ?? '', prefixes));
      [texts, added, apart, numbersInTexts] = [all, new Map(), undefined, undefined];
      return texts;
    },
  };
}

/** A text with more folders: most come after all that are there. */
function joined(text: string, prefixes: readonly string[]): string {
  const more = textOf(prefixes);
  if (text === '') return more;
  const [first] = prefixesOf(more);
  return comparePrefixes(lastOf(text), first!) < 0 ? text + more.slice(1) : textOf([...prefixesOf(text), ...prefixes]);
}

function lastOf(text: string): string {
  const before = text.lastIndexOf('//', text.length - 3);
  return text.slice(before < 0 ? 1 : before + 2, -1);
}

function lengthOf(text: string): number {
  let length = 0;
  for (let end = text.indexOf('//'); end >= 0; end = text.indexOf('//', end + 2)) length += 1;
  return length;
}
