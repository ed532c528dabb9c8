import { LakegateError } from '../errors.ts';
import type { IcebergType, NestedField, Schema } from './model.ts';
import { childFields, parseType, sameType, withChildren } from './types.ts';

/** A field and where it is. */
export interface FieldPath {
  /** Dotted: `s.inner`, `l.element`, `m.value`. */
  name: string;
  field: NestedField;
  /** Names from the top; unlike the dotted name not ambiguous where names contain dots. */
  path: string[];
  /** Whether a list or map is above it. */
  repeated: boolean;
}

/** All fields, depth first, elements, keys and values of lists and maps included. */
export function allFields(schema: { fields: readonly NestedField[] }): FieldPath[] {
  const found: FieldPath[] = [];
  const visit = (fields: readonly NestedField[], above: string[], repeated: boolean): void => {
    for (const field of fields) {
      const path = [...above, field.name];
      found.push({ name: path.join('.'), field, path, repeated });
      const inList = typeof field.type !== 'string' && field.type.type !== 'struct';
      visit(childFields(field.type), path, repeated || inList);
    }
  };
  visit(schema.fields, [], false);
  return found;
}

/** The field of a dotted name, or undefined. Names that contain dots themselves are found too, the shortest first name winning. */
export function findField(schema: { fields: readonly NestedField[] }, dottedName: string): NestedField | undefined {
  return find(schema.fields, dottedName);
}

function find(fields: readonly NestedField[], name: string): NestedField | undefined {
  const exact = fields.find((field) => field.name === name);
  if (exact !== undefined) return exact;
  for (const field of fields) {
    if (!name.startsWith(`${field.name}.`)) continue;
    const below = find(childFields(field.type), name.slice(field.name.length + 1));
    if (below !== undefined) return below;
  }
  return undefined;
}

/** The field with an id, nested ones included, or undefined. */
export function fieldById(schema: { fields: readonly NestedField[] }, id: number): NestedField | undefined {
  return allFields(schema).find((entry) => entry.field.id === id)?.field;
}

/** The dotted name of the field with an id, or undefined. */
export function fullName(schema: { fields: readonly NestedField[] }, id: number): string | undefined {
  return allFields(schema).find((entry) => entry.field.id === id)?.name;
}

/**
 * The fields with fresh ids: all of a struct's own fields first, then what is inside them, as Iceberg Java and PyIceberg number a
 * new table, so that the same columns get the same ids whoever creates it.
 * @param nextId the first id to give
 * @returns the fields and the highest id in use afterwards (`nextId - 1` when there are none)
 */
export function assignIds(
  fields: readonly NestedField[],
  nextId: number,
): { fields: NestedField[]; lastColumnId: number } {
  let next = nextId;
  const number = (level: readonly NestedField[]): NestedField[] =>
    level.map((field) => ({ ...field, id: next++ })).map((field) => ({ ...field, type: inside(field.type) }));
  const inside = (type: IcebergType): IcebergType => withChildren(type, number(childFields(type)));
  return { fields: number(fields), lastColumnId: next - 1 };
}

/**
 * A new table's schema from declared columns, in the order given, ids from 1.
 * @throws LakegateError `invalid` naming the column whose type is not one
 */
export function schemaFromColumns(columns: Readonly<Record<string, { type: string; required: boolean }>>): Schema {
  const fields = Object.entries(columns).map(([name, column]): NestedField => {
    if (name === '') throw new LakegateError('invalid', 'a column has an empty name: give it one');
    try {
      return { id: 0, name, required: column.required, type: parseType(column.type) };
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new LakegateError('invalid', `column "${name}": ${why}`, { cause, context: { column: name } });
    }
  });
  return { type: 'struct', schemaId: 0, fields: assignIds(fields, 1).fields };
}

/** Whether two schemas have the same fields (ids, names, types, nullability, order) and identifier fields; the schema ids may differ. */
export function sameSchema(a: Schema, b: Schema): boolean {
  const idsOf = (schema: Schema): string => [...(schema.identifierFieldIds ?? [])].sort((x, y) => x - y).join();
  return sameType({ type: 'struct', fields: a.fields }, { type: 'struct', fields: b.fields }) && idsOf(a) === idsOf(b);
}

/** The highest field id in use; 0 for a schema without fields. */
export function highestFieldId(schema: { fields: readonly NestedField[] }): number {
  return allFields(schema).reduce((highest, entry) => Math.max(highest, entry.field.id), 0);
}
