import { LakegateError } from '../errors.ts';
import { escapeHivePath, HIVE_NULL, unescapeHivePath } from './hive-path.ts';
import { BY_SIZE, patternOf, TIME_LENGTH, type TimePart, type Token, tokensOf, wordOf } from './layout-tokens.ts';
import type { PartitionKey } from './model.ts';
import { type Period, partitionPeriod, periodOf } from './partition-time.ts';
import { isDate, valueFault } from './value-type.ts';

/** How a table's partitions lie in folders: what each level of folders is called. */
export interface Layout {
  /** As written: `hive`, or a template such as `{year}/{month}/{day}`. */
  readonly text: string;
  /** Folder levels between the table's location and a partition's files. */
  readonly depth: number;
  /**
   * The values of a partition, in the order of the table's keys.
   * @param prefix relative to the table's location, ending in `/`, of exactly `depth` levels
   */
  parse(prefix: string): { values: string[] } | { fault: string };
  /** The fault of one level's folder name, looked at alone; undefined when it may be part of a partition's way. */
  levelFault(level: number, name: string): string | undefined;
  /**
   * The time that a folder stands for, as far as its name and those above it tell one.
   * @param prefix relative to the table's location, ending in `/`, of a partition or of a folder above partitions
   */
  period(prefix: string): Period | undefined;
  /** The folder of a partition, relative, ending in `/`. @throws LakegateError `invalid` for values that the layout cannot write */
  format(values: readonly string[]): string;
}

/** `key=value/` for each of the table's keys, in their order, escaped as Hive does; names in any case, as Glue has them in lower case. */
export function hiveLayout(keys: readonly PartitionKey[]): Layout {
  const levels = keys.map(({ name }): Token[] => [
    { kind: 'literal', text: `${escapeHivePath(name)}=` },
    { kind: 'value', key: name, escaped: true },
  ]);
  return layoutOf('hive', levels, keys);
}

/**
 * A layout that is not Hive's: folder levels separated by `/`, each with text and `{key}` (the key's value as it stands), `{key:FORMAT}` (a time,
 * of YYYY, MM, DD, HH, mm, ss and other characters) or `{key:RANGE}` (`YYYYMMDDTHHMMSS_YYYYMMDDTHHMMSS`). A time may be spread over levels:
 * `{dt:YYYY}/{dt:MM}/{dt:DD}`.
 * @throws LakegateError `config` for a template that does not name each key of the table, or that no folder can match
 */
export function templateLayout(template: string, keys: readonly PartitionKey[]): Layout {
  const refuse = (why: string): never => {
    throw new LakegateError('config', `partition layout ${JSON.stringify(template)}: ${why}`, {
      context: { template },
    });
  };
  if (template === 'hive') return hiveLayout(keys);
  const levels = template
    .replace(/^\/|\/$/g, '')
    .split('/')
    .map((level) => {
      const tokens = tokensOf(level);
      if (typeof tokens === 'string') return refuse(tokens);
      if (tokens.length === 0) return refuse('expected a name between two slashes, found nothing');
      return tokens;
    });
  const named = new Set(levels.flat().flatMap((token) => (token.kind === 'literal' ? [] : [token.key])));
  const known = keys.map(({ name }) => name);
  for (const key of named) {
    if (!known.includes(key))
      refuse(`the table has no partition key ${JSON.stringify(key)}, expected ${known.join(', ')}`);
  }
  for (const key of known)
    if (!named.has(key)) refuse(`expected the partition key {${key}} too: each one needs a place`);
  for (const key of known) {
    const own = levels.flat().filter((token) => token.kind !== 'literal' && token.key === key);
    const parts = own.flatMap((token) => (token.kind === 'time' ? [token.part] : []));
    if (parts.length < own.length && own.length > 1) refuse(`expected {${key}} once, or only parts of a time`);
    if (new Set(parts).size < parts.length) refuse(`{${key}} has a part of its time twice`);
    const gap = BY_SIZE.slice(0, parts.length).find((part) => !parts.includes(part));
    if (gap !== undefined) refuse(`the time of {${key}} lacks ${gap}`);
  }
  return layoutOf(template, levels, keys);
}

function layoutOf(text: string, levels: readonly Token[][], keys: readonly PartitionKey[]): Layout {
  const isHive = text === 'hive';
  const patterns = levels.map(patternOf);
  const words = levels.map((tokens) => tokens.map(wordOf).join(''));
  const levelsOf = (key: string) =>
    levels.filter((tokens) => tokens.some((token) => token.kind !== 'literal' && token.key === key)).length;
  const verbatim = new Set(
    keys.flatMap(({ name, type }) => (levelsOf(name) === 1 && !/^(date|timestamp)$/.test(type) ? [name] : [])),
  );

  const levelFault = (level: number, name: string): string | undefined =>
    patterns[level]!.test(name) ? undefined : `expected ${words[level]}, found ${JSON.stringify(name)}`;

  return {
    text,
    depth: levels.length,
    levelFault,
    parse(prefix) {
      const names = prefix.replace(/\/$/, '').split('/');
      if (names.length !== levels.length)
        return { fault: `expected ${levels.length} levels of folders, found ${names.length}` };
      const read = new Map<string, Reading>();
      // As `hive`, a level for each key, in their order, with its value and nothing else.
      const plain: string[] = [];
      for (const [i, tokens] of levels.entries()) {
        const match = patterns[i]!.exec(names[i]!);
        if (match === null) return { fault: levelFault(i, names[i]!)! };
        if (isHive) plain.push(unescapeHivePath(match[1]!));
        else collect(tokens, match, read);
      }
      const values: string[] = [];
      for (const [i, { name, type }] of keys.entries()) {
        const value = isHive ? { text: plain[i]! } : keyValue(read.get(name)!, type, verbatim.has(name));
        if ('fault' in value) return { fault: `${name}: ${value.fault}` };
        const expected = valueFault(type, value.text);
        if (expected !== undefined)
          return { fault: `${name}: expected ${expected}, found ${JSON.stringify(value.text)}` };
        values.push(value.text);
      }
      return { values };
    },
    period(prefix) {
      const names = prefix.replace(/\/$/, '').split('/');
      const read = new Map<string, Reading>();
      for (const [i, name] of names.entries()) {
        const match = patterns[i]?.exec(name);
        if (!match) return undefined;
        collect(levels[i]!, match, read);
      }
      for (const { parts } of read.values()) {
        const own = BY_SIZE.slice(0, 5).map((part) => (parts[part] === undefined ? undefined : Number(parts[part])));
        if (own[0] !== undefined) return periodOf(own);
      }
      return partitionPeriod(
        keys,
        keys.map(({ name }) => read.get(name)?.raw),
      );
    },
    format(values) {
      const byKey = new Map(keys.map(({ name }, i) => [name, values[i] ?? '']));
      const prefix = levels.map((tokens) => `${written(tokens, byKey, verbatim)}/`).join('');
      const back = this.parse(prefix);
      if ('fault' in back || back.values.some((value, i) => value !== (values[i] || HIVE_NULL))) {
        throw new LakegateError(
          'invalid',
          `the layout ${text} cannot write the partition values ${JSON.stringify(values)}`,
          {
            context: { layout: text, values },
          },
        );
      }
      return prefix;
    },
  };
}

interface Reading {
  /** As it stands in the path. */
  raw: string;
  isRange: boolean;
  parts: Partial<Record<TimePart, string>>;
}

function collect(tokens: readonly Token[], match: RegExpExecArray, read: Map<string, Reading>): void {
  let group = 0;
  let previous: Token | undefined;
  for (const token of tokens) {
    if (token.kind === 'literal') {
      // Text between two parts of one time belongs to the value: `2026-11-21`.
      const reading = previous?.kind === 'time' ? read.get(previous.key) : undefined;
      if (reading !== undefined && partFollows(tokens, token, previous)) reading.raw += token.text;
      continue;
    }
    group += 1;
    const text = match[group]!;
    const reading = read.get(token.key) ?? { raw: '', isRange: token.kind === 'range', parts: {} };
    if (token.kind === 'value' && token.escaped) reading.raw = unescapeHivePath(text);
    else reading.raw += text;
    if (token.kind === 'time') reading.parts[token.part] = text;
    read.set(token.key, reading);
    previous = token;
  }
}

function partFollows(tokens: readonly Token[], literal: Token, previous: Token | undefined): boolean {
  const next = tokens[tokens.indexOf(literal) + 1];
  return next?.kind === 'time' && previous?.kind === 'time' && next.key === previous.key;
}

/** A key's value from what the path says: a time of its parts where the key is one or they are spread, else the text as it stands. */
function keyValue(
  { raw, isRange, parts }: Reading,
  type: string,
  verbatim: boolean,
): { text: string } | { fault: string } {
  if (isRange) return rangeFault(raw) ?? { text: raw };
  const { YYYY, MM, DD, HH, mm, ss } = parts;
  if (YYYY === undefined) return { text: raw };
  const day = `${YYYY}-${MM ?? '01'}-${DD ?? '01'}`;
  if (!isDate(day)) return { fault: `expected a day of the calendar, found ${day}` };
  if (type === 'date') return DD === undefined ? { fault: 'expected a whole date' } : { text: day };
  if (type === 'timestamp') return { text: `${day} ${HH ?? '00'}:${mm ?? '00'}:${ss ?? '00'}` };
  if (verbatim) return { text: raw };
  const date = [YYYY, MM, DD].filter((part) => part !== undefined).join('-');
  const time = [HH, mm, ss].filter((part) => part !== undefined).join(':');
  return { text: time === '' ? date : `${date} ${time}` };
}

function rangeFault(text: string): { fault: string } | undefined {
  const [from, to] = text.split('_').map((end) => {
    const [, year, month, day, hour, minute, second] = /^(....)(..)(..)T(..)(..)(..)$/.exec(end) ?? [];
    const valid = isDate(`${year}-${month}-${day}`) && Number(hour) < 24 && Number(minute) < 60 && Number(second) < 60;
    return valid ? end : undefined;
  });
  if (from === undefined || to === undefined) return { fault: `expected two times of the calendar, found ${text}` };
  return from <= to ? undefined : { fault: `expected the earlier time first, found ${text}` };
}

/** @param verbatim keys whose value is the text of the path, not a time made of its parts */
function written(tokens: readonly Token[], values: ReadonlyMap<string, string>, verbatim: ReadonlySet<string>): string {
  let text = '';
  for (let i = 0; i < tokens.length; i += 1) {
    const token = tokens[i]!;
    if (token.kind === 'literal') {
      text += token.text;
      continue;
    }
    const value = values.get(token.key) ?? '';
    if (token.kind === 'value' && token.escaped) text += escapeHivePath(value);
    else if (token.kind !== 'time' || verbatim.has(token.key)) {
      text += value;
      i = Math.max(
        i,
        tokens.findLastIndex((other) => other.kind === 'time' && other.key === token.key),
      );
    } else {
      // Digits of a time, however they are separated: 2026-11-21 06:00:00, 2026-11-21.
      const from = { YYYY: 0, MM: 4, DD: 6, HH: 8, mm: 10, ss: 12 }[token.part];
      text += value.replace(/\D/g, '').slice(from, from + TIME_LENGTH[token.part]);
    }
  }
  return text;
}
