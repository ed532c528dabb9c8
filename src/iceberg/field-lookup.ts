import type { NestedField } from './model.ts';
import type { MappedField } from './name-mapping.ts';

/** The fields of one parent, and the names that a mapping has for them, each found without a search: tables have thousands of columns. */
export interface FieldLookup {
  named(name: string): NestedField | undefined;
  /** By a name that may differ in case. */
  like(name: string): NestedField | undefined;
  withId(id: number | undefined): NestedField | undefined;
  /** The mapping's entry that has this name. */
  mapped(name: string): MappedField | undefined;
  /** The mapping's entry of a field. */
  entryOf(id: number): MappedField | undefined;
}

/** Where several would do, the first is found. */
export function lookUp(fields: readonly NestedField[], mapping: readonly MappedField[]): FieldLookup {
  const byName = firstBy(fields, (field) => [field.name]);
  const byLowerName = firstBy(fields, (field) => [field.name.toLowerCase()]);
  const byId = firstBy(fields, (field) => [field.id]);
  const byMappedName = firstBy(mapping, (entry) => entry.names);
  const byFieldId = firstBy(mapping, (entry) => (entry.fieldId === undefined ? [] : [entry.fieldId]));
  return {
    named: (name) => byName.get(name),
    like: (name) => byLowerName.get(name.toLowerCase()),
    withId: (id) => (id === undefined ? undefined : byId.get(id)),
    mapped: (name) => byMappedName.get(name),
    entryOf: (id) => byFieldId.get(id),
  };
}

function firstBy<K, V>(values: readonly V[], keysOf: (value: V) => readonly K[]): Map<K, V> {
  const found = new Map<K, V>();
  for (const value of values) {
    for (const key of keysOf(value)) if (!found.has(key)) found.set(key, value);
  }
  return found;
}
