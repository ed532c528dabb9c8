import type * as z from 'zod';
import { didYouMean } from './did-you-mean.ts';
import { shown, type YamlPath } from './fault.ts';

/** A fault that is not yet at a line: its path, and whether the key or the value is what is wrong. */
export interface PathFault {
  path: YamlPath;
  part: 'key' | 'value';
  message: string;
}

/** The parts of a JSON Schema that say which keys there are. */
interface Shape {
  properties?: Record<string, Shape>;
  additionalProperties?: Shape | boolean;
  items?: Shape;
  anyOf?: Shape[];
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping',
  record: 'a mapping',
};

/**
 * What zod found, in words: `expected …, found …`, with the key or value that was probably meant.
 * @param data the value that was checked
 * @param schema JSON Schema of it, asked for only when a key is unknown
 */
export function shapeFaults(issues: readonly z.core.$ZodIssue[], data: unknown, schema: () => unknown): PathFault[] {
  return issues.flatMap((issue) => issueFaults(issue, issue.path as YamlPath, data, schema));
}

/** Takes every faulty value out, so that what is left can be checked further. List elements leave a hole: positions stay. */
export function withoutFaults(data: unknown, faults: readonly PathFault[]): unknown {
  const copy = structuredClone(data);
  for (const { path, part } of faults) {
    const owner = valueAt(copy, path.slice(0, -1));
    const last = path.at(-1);
    if (last === undefined) return {};
    if (Array.isArray(owner)) owner[Number(last)] = undefined;
    else if (typeof owner === 'object' && owner !== null) {
      // The key of a faulty value stays known: a column with a wrong type is still declared.
      if (part === 'key') Reflect.deleteProperty(owner, last);
      else Reflect.set(owner, last, undefined);
      // A list entry of which nothing is left has had its fault: it is not also an empty entry.
      const [list, i] = [valueAt(copy, path.slice(0, -2)), path.at(-2)];
      if (Array.isArray(list) && Object.keys(owner).length === 0) list[Number(i)] = undefined;
    }
  }
  return copy;
}

function issueFaults(issue: z.core.$ZodIssue, path: YamlPath, data: unknown, schema: () => unknown): PathFault[] {
  const value = valueAt(data, path);
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema() as Shape, path);
    return issue.keys.map((key) => ({ path: [...path, key], part: 'key', message: unknownKey(key, known) }));
  }
  if (issue.code === 'invalid_union') {
    // The branch that fits as a whole and fails inside is the one that was meant.
    const meant = issue.errors.find((branch) => !branch.some((e) => e.path.length === 0 && e.code === 'invalid_type'));
    if (meant !== undefined) {
      return meant.flatMap((e) => issueFaults(e, [...path, ...(e.path as YamlPath)], data, schema));
    }
    const kinds = new Set(issue.errors.flat().map((e) => (e.code === 'invalid_type' ? KINDS[e.expected] : undefined)));
    return [{ path, part: 'value', message: `expected ${[...kinds].filter(Boolean).join(' or ')}, ${found(value)}` }];
  }
  if (value === undefined && issue.code === 'invalid_type') {
    const message = `expected a key \`${String(path.at(-1))}\` (${KINDS[issue.expected] ?? issue.expected}), found none`;
    return [{ path, part: 'key', message }];
  }
  return [{ path, part: 'value', message: valueFault(issue, path, value) }];
}

function valueFault(issue: z.core.$ZodIssue, path: YamlPath, value: unknown): string {
  // Whoever pastes the token where its variable's name belongs must not find it in a log.
  if (path.at(-1) === 'token_env') return 'expected the name of an environment variable, never the token itself';
  if (path.at(-1) === 'channel' && value === null) {
    return 'expected a Slack channel, found nothing: without quotes `#` starts a comment. Write "#name"';
  }
  if (issue.message.startsWith('expected ')) {
    const [expected, hint] = issue.message.split('. Did you mean ');
    return `${expected}, ${found(value)}${hint === undefined ? '' : `. Did you mean ${hint}`}`;
  }
  if (issue.code === 'invalid_type') {
    const quote = issue.expected === 'string' && (typeof value === 'number' || typeof value === 'boolean');
    return `expected ${KINDS[issue.expected] ?? issue.expected}, ${found(value)}${quote ? '. Put it in quotes' : ''}`;
  }
  if (issue.code === 'invalid_value') {
    const names = issue.values.map(String);
    const hint = typeof value === 'string' ? didYouMean(value, names) : '';
    const one = names.length === 1 ? names[0] : `one of ${names.join(', ')}`;
    return `expected ${one}, ${found(value)}${hint === '' ? '' : `.${hint}`}`;
  }
  if (issue.code === 'too_small') {
    if (issue.origin === 'array') return 'expected at least one entry, found an empty list';
    return issue.origin === 'string'
      ? 'expected some text, found ""'
      : `expected at least ${issue.minimum}, ${found(value)}`;
  }
  if (issue.code === 'too_big') return `expected at most ${issue.maximum}, ${found(value)}`;
  if (issue.code === 'invalid_key') {
    const own = issue.issues[0]?.message ?? '';
    return own.startsWith('expected ')
      ? `${own}, found ${shown(String(path.at(-1)))}`
      : 'expected a name, found an empty key';
  }
  return issue.code === 'custom' ? issue.message : `${issue.message}, ${found(value)}`;
}

function unknownKey(key: string, known: readonly string[]): string {
  const hint = didYouMean(key, known);
  return `expected a known key, found ${shown(key)}.${hint === '' ? ` Known here: ${known.join(', ')}` : hint}`;
}

/** `found …` for a message. */
export function found(value: unknown): string {
  if (value === null || value === undefined) return 'found nothing';
  if (Array.isArray(value)) return 'found a list';
  return typeof value === 'object' ? 'found a mapping' : `found ${value === '' ? '""' : shown(value)}`;
}

function valueAt(data: unknown, path: YamlPath): unknown {
  let value = data;
  for (const part of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<string | number, unknown>)[part];
  }
  return value;
}

function keysAt(schema: Shape, path: YamlPath): string[] {
  let shapes = alternatives(schema);
  for (const part of path) {
    shapes = shapes.flatMap((shape) => {
      const more = typeof shape.additionalProperties === 'object' ? shape.additionalProperties : undefined;
      const next = typeof part === 'number' ? shape.items : (shape.properties?.[part] ?? more);
      return next === undefined ? [] : alternatives(next);
    });
  }
  return shapes.flatMap((shape) => Object.keys(shape.properties ?? {}));
}

function alternatives(shape: Shape): Shape[] {
  return shape.anyOf ?? [shape];
}
