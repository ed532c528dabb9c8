import { LakegateError } from '../errors.ts';

/**
 * Typed reads of parsed JSON. `where` names the file and the place in it; a wrong value is a `corrupt` error that says what
 * was expected there and what was found.
 */
export type JsonObject = { readonly [key: string]: unknown };

/** The error for a file that is not what the specification asks for. */
export function corrupt(where: string, fault: string): LakegateError {
  return new LakegateError(
    'corrupt',
    `${where}: ${fault}. The file is damaged or was not written by an Iceberg writer: point the catalogue at an earlier metadata file of the table.`,
    { context: { where } },
  );
}

/** The error for something valid that lakegate does not handle. */
export function unsupported(where: string, what: string): LakegateError {
  return new LakegateError('unsupported', `${where}: ${what}`, { context: { where } });
}

export function asObject(value: unknown, where: string): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw corrupt(where, `expected an object, found ${shown(value)}`);
}

/** The array under `key`; empty when the key is absent or null. */
export function arrayAt(object: JsonObject, key: string, where: string): readonly unknown[] {
  const value = object[key];
  if (Array.isArray(value)) return value;
  if (value === undefined || value === null) return [];
  throw wrong(where, key, 'an array', value);
}

export function stringAt(object: JsonObject, key: string, where: string): string {
  const value = object[key];
  if (typeof value === 'string') return value;
  throw wrong(where, key, 'a string', value);
}

export function booleanAt(object: JsonObject, key: string, where: string): boolean {
  const value = object[key];
  if (typeof value === 'boolean') return value;
  throw wrong(where, key, 'true or false', value);
}

/** An integer a double holds exactly: counts, 32-bit ids, times in milliseconds. */
export function integerAt(object: JsonObject, key: string, where: string): number {
  const value = object[key];
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  throw wrong(where, key, 'an integer below 2^53', value);
}

/** As integerAt, but undefined when the key is absent or null. */
export function optionalIntegerAt(object: JsonObject, key: string, where: string): number | undefined {
  const value = object[key];
  return value === undefined || value === null ? undefined : integerAt(object, key, where);
}

/** A 64-bit id. */
export function idAt(object: JsonObject, key: string, where: string): bigint {
  const value = object[key];
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  throw wrong(where, key, 'a 64-bit integer', value);
}

/** As idAt, but undefined when the key is absent, null or -1 (which writers put for "none"). */
export function optionalIdAt(object: JsonObject, key: string, where: string): bigint | undefined {
  const value = object[key];
  return value === undefined || value === null || value === -1 ? undefined : idAt(object, key, where);
}

/** The map of strings under `key`, as found; empty when absent. */
export function stringMapAt(object: JsonObject, key: string, where: string): Record<string, string> {
  const value = object[key];
  if (value === undefined || value === null) return {};
  const map = asObject(value, `${where}: "${key}"`);
  let strings = true;
  for (const name in map) strings &&= typeof map[name] === 'string';
  if (strings) return map as Record<string, string>;
  return Object.fromEntries(Object.entries(map).map(([name, member]) => [name, String(member)]));
}

/** A value as an error message shows it, cut short. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object';
  return (JSON.stringify(value) ?? typeof value).slice(0, 80);
}

function wrong(where: string, key: string, expected: string, found: unknown): LakegateError {
  return corrupt(where, `"${key}" should be ${expected}, found ${shown(found)}`);
}
