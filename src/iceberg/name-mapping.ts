import { LakegateError } from '../errors.ts';
import type { NestedField, Schema } from './model.ts';
import { childFields } from './types.ts';

/** The table property that says how files without field ids are read (spec: "Column Projection", "Name Mapping Serialization"). */
export const NAME_MAPPING_PROPERTY = 'schema.name-mapping.default';

/** The names that one field goes by in files. Children of lists and maps are called `element`, `key` and `value`. */
export interface MappedField {
  /** Absent: the names are known, and belong to no field. */
  fieldId?: number;
  names: string[];
  fields: MappedField[];
}

/** @throws LakegateError `corrupt` when the property is not a name mapping */
export function parseNameMapping(json: string): MappedField[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch (cause) {
    throw corrupt('is not JSON', cause);
  }
  return mappedFields(parsed, 0);
}

function mappedFields(list: unknown, depth: number): MappedField[] {
  if (!Array.isArray(list) || depth > 100) throw corrupt('is not a list of fields');
  return list.map((entry: unknown): MappedField => {
    if (typeof entry !== 'object' || entry === null) throw corrupt('has an entry that is no object');
    const { names, 'field-id': id, fields } = entry as Record<string, unknown>;
    if (!Array.isArray(names) || !names.every((name): name is string => typeof name === 'string'))
      throw corrupt('has an entry without a list of names');
    if (id !== undefined && id !== null && !Number.isSafeInteger(id))
      throw corrupt('has a field id that is no integer');
    const nested = fields === undefined || fields === null ? [] : mappedFields(fields, depth + 1);
    return typeof id === 'number' ? { fieldId: id, names, fields: nested } : { names, fields: nested };
  });
}

function corrupt(what: string, cause?: unknown): LakegateError {
  return new LakegateError(
    'corrupt',
    `table property ${NAME_MAPPING_PROPERTY} ${what}: expected [{"field-id": 1, "names": ["a"]}, …]. Correct the property.`,
    { cause },
  );
}

/** The property's text. */
export function formatNameMapping(mapping: readonly MappedField[]): string {
  return JSON.stringify(mapping.map(wireField));
}

function wireField({ fieldId, names, fields }: MappedField): Record<string, unknown> {
  return {
    ...(fieldId === undefined ? {} : { 'field-id': fieldId }),
    names,
    ...(fields.length === 0 ? {} : { fields: fields.map(wireField) }),
  };
}

/** The mapping under which every field has its current name. */
export function createNameMapping(schema: Schema): MappedField[] {
  return mapFields(schema.fields, []);
}

/**
 * A mapping brought up to a schema: fields that it lacks are added, renamed ones also get their new name, older names stay. A name that
 * the schema now gives to another field of the same parent is taken from its former one.
 */
export function updateNameMapping(mapping: readonly MappedField[], schema: Schema): MappedField[] {
  return mapFields(schema.fields, mapping);
}

function mapFields(fields: readonly NestedField[], known: readonly MappedField[]): MappedField[] {
  const ownerOf = new Map(fields.map((field) => [field.name, field.id]));
  const byId = new Map(fields.map((field) => [field.id, field]));
  const kept = known.flatMap((entry): MappedField[] => {
    const field = entry.fieldId === undefined ? undefined : byId.get(entry.fieldId);
    const names = entry.names.filter((name) => (ownerOf.get(name) ?? entry.fieldId) === entry.fieldId);
    if (field === undefined) return names.length === 0 ? [] : [{ ...entry, names }];
    byId.delete(field.id);
    if (!names.includes(field.name)) names.push(field.name);
    return [{ ...entry, names, fields: mapFields(childFields(field.type), entry.fields) }];
  });
  const added = [...byId.values()].map((field) => ({
    fieldId: field.id,
    names: [field.name],
    fields: mapFields(childFields(field.type), []),
  }));
  return [...kept, ...added];
}
