import { carriedKeys, carryUnknown } from './carried-keys.ts';
import type { JsonObject } from './json-object.ts';
import { arrayAt, asObject, booleanAt, corrupt, integerAt, shown, stringAt, unsupported } from './json-object.ts';
import type { IcebergType, NestedField, PrimitiveType, Schema } from './model.ts';
import { parseType } from './types.ts';

const V3_TYPE = /^(timestamp_ns|timestamptz_ns|unknown|variant|geometry|geography)\b/;

const SCHEMA_KEYS: ReadonlySet<string> = new Set(['type', 'schema-id', 'identifier-field-ids', 'fields']);
const FIELD_KEYS: ReadonlySet<string> = new Set([
  'id',
  'name',
  'required',
  'type',
  'doc',
  'initial-default',
  'write-default',
]);

/**
 * A schema from its JSON form (spec: "Appendix C: Schemas").
 * @param where names the file, for errors
 * @throws LakegateError `corrupt`, or `unsupported` for a type of format version 3, naming the column
 */
export function schemaFromJson(json: unknown, where: string): Schema {
  const object = asObject(json, `${where}: schema`);
  const schemaId = object['schema-id'] === undefined ? 0 : integerAt(object, 'schema-id', `${where}: schema`);
  const place = `${where}: schema ${schemaId}`;
  const schema: Schema = { type: 'struct', schemaId, fields: fieldsFromJson(object, '', place) };
  const identifiers = object['identifier-field-ids'];
  if (identifiers !== undefined && identifiers !== null) {
    schema.identifierFieldIds = arrayAt(object, 'identifier-field-ids', place).map((id) => {
      if (typeof id === 'number' && Number.isInteger(id)) return id;
      throw corrupt(place, `"identifier-field-ids" should hold integers, found ${shown(id)}`);
    });
  }
  return carryUnknown(schema, object, SCHEMA_KEYS);
}

/** A schema's JSON form, keys as Iceberg Java orders them. */
export function schemaToJson(schema: Schema): JsonObject {
  return {
    type: 'struct',
    'schema-id': schema.schemaId,
    ...(schema.identifierFieldIds === undefined ? {} : { 'identifier-field-ids': schema.identifierFieldIds }),
    fields: schema.fields.map(fieldToJson),
    ...carriedKeys(schema),
  };
}

/**
 * A type from its JSON form.
 * @param column dotted path of the column that has it, for errors
 * @throws LakegateError `corrupt` | `unsupported`, naming the column
 */
export function typeFromJson(json: unknown, column: string, where: string): IcebergType {
  if (typeof json === 'string') return primitiveFromJson(json, column, where);
  const place = `${where}: column ${column}`;
  const object = asObject(json, place);
  switch (object.type) {
    case 'struct':
      return { type: 'struct', fields: fieldsFromJson(object, `${column}.`, where) };
    case 'list':
      return {
        type: 'list',
        elementId: integerAt(object, 'element-id', place),
        element: typeFromJson(object.element, `${column}.element`, where),
        elementRequired: booleanAt(object, 'element-required', place),
      };
    case 'map':
      return {
        type: 'map',
        keyId: integerAt(object, 'key-id', place),
        key: typeFromJson(object.key, `${column}.key`, where),
        valueId: integerAt(object, 'value-id', place),
        value: typeFromJson(object.value, `${column}.value`, where),
        valueRequired: booleanAt(object, 'value-required', place),
      };
    default:
      throw corrupt(place, `expected a type, struct, list or map, found ${shown(object.type)}`);
  }
}

/** A type's JSON form. */
export function typeToJson(type: IcebergType): unknown {
  if (typeof type === 'string') return type;
  switch (type.type) {
    case 'struct':
      return { type: 'struct', fields: type.fields.map(fieldToJson) };
    case 'list':
      return {
        type: 'list',
        'element-id': type.elementId,
        element: typeToJson(type.element),
        'element-required': type.elementRequired,
      };
    case 'map':
      return {
        type: 'map',
        'key-id': type.keyId,
        key: typeToJson(type.key),
        'value-id': type.valueId,
        value: typeToJson(type.value),
        'value-required': type.valueRequired,
      };
  }
}

function fieldsFromJson(struct: JsonObject, prefix: string, where: string): NestedField[] {
  return arrayAt(struct, 'fields', where).map((json, index) => {
    const place = `${where}: field ${prefix}#${index}`;
    const object = asObject(json, place);
    const name = stringAt(object, 'name', place);
    const field: NestedField = {
      id: integerAt(object, 'id', place),
      name,
      required: booleanAt(object, 'required', place),
      type: typeFromJson(object.type, `${prefix}${name}`, where),
    };
    if (typeof object.doc === 'string') field.doc = object.doc;
    if (object['initial-default'] !== undefined) field.initialDefault = object['initial-default'];
    if (object['write-default'] !== undefined) field.writeDefault = object['write-default'];
    return carryUnknown(field, object, FIELD_KEYS);
  });
}

function fieldToJson(field: NestedField): JsonObject {
  return {
    id: field.id,
    name: field.name,
    required: field.required,
    type: typeToJson(field.type),
    ...(field.doc === undefined ? {} : { doc: field.doc }),
    ...(field.initialDefault === undefined ? {} : { 'initial-default': field.initialDefault }),
    ...(field.writeDefault === undefined ? {} : { 'write-default': field.writeDefault }),
    ...carriedKeys(field),
  };
}

function primitiveFromJson(name: string, column: string, where: string): PrimitiveType {
  if (V3_TYPE.test(name)) {
    throw unsupported(
      where,
      `column ${column} has the type ${name}, which needs Iceberg format version 3. lakegate handles version 2: write the column as another type, or keep the table out of lakegate.`,
    );
  }
  try {
    return parseType(name);
  } catch (cause) {
    throw corrupt(where, `column ${column}: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}
