import type { JsonObject } from './json-object.ts';

/**
 * Keys that other writers put into metadata and that lakegate's model has no name for. They travel with the object under a
 * symbol, so that `{ ...object, changed }` keeps them and the next writer still finds them.
 */
const CARRIED = Symbol('carried keys');

type Carrier = { [CARRIED]?: JsonObject };

/** Hangs those members of `json` that are not in `known` onto `target`, and gives `target` back. */
export function carryUnknown<T extends object>(target: T, json: JsonObject, known: ReadonlySet<string>): T {
  let unknown: [string, unknown][] | undefined;
  for (const key in json) {
    if (!known.has(key)) {
      unknown ??= [];
      unknown.push([key, json[key]]);
    }
  }
  // fromEntries defines properties, so that a key named __proto__ stays a key.
  if (unknown !== undefined) (target as Carrier)[CARRIED] = Object.fromEntries(unknown);
  return target;
}

/** What carryUnknown hung onto `object`; to be spread into its JSON form. */
export function carriedKeys(object: object): JsonObject | undefined {
  return (object as Carrier)[CARRIED];
}
