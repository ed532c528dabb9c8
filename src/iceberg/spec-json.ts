import { carriedKeys, carryUnknown } from './carried-keys.ts';
import type { JsonObject } from './json-object.ts';
import { arrayAt, asObject, corrupt, integerAt, shown, stringAt, unsupported } from './json-object.ts';
import type { PartitionField, PartitionSpec, SortField, SortOrder, Transform } from './model.ts';

/** Partition field ids start here (spec: "Partition Specs"); a table without any has 999 as its last. */
export const FIRST_PARTITION_FIELD_ID = 1000;

const TRANSFORM = /^(identity|year|month|day|hour|void|(?:bucket|truncate)\[\d+\])$/;
const SPEC_KEYS: ReadonlySet<string> = new Set(['spec-id', 'fields']);
const PARTITION_FIELD_KEYS: ReadonlySet<string> = new Set(['source-id', 'field-id', 'name', 'transform']);
const ORDER_KEYS: ReadonlySet<string> = new Set(['order-id', 'fields']);
const SORT_FIELD_KEYS: ReadonlySet<string> = new Set(['transform', 'source-id', 'direction', 'null-order']);

/**
 * A partition spec from its JSON form (spec: "Appendix C: Partition Specs").
 * @throws LakegateError `corrupt`, or `unsupported` for a transform outside format version 2
 */
export function partitionSpecFromJson(json: unknown, where: string): PartitionSpec {
  const object = asObject(json, `${where}: partition spec`);
  const specId = integerAt(object, 'spec-id', `${where}: partition spec`);
  return carryUnknown(
    { specId, fields: partitionFieldsFromJson(object.fields, `${where}: partition spec ${specId}`) },
    object,
    SPEC_KEYS,
  );
}

/** The fields of a partition spec, also as manifests' headers have them; a missing field id is given by position, as in format version 1. */
export function partitionFieldsFromJson(json: unknown, where: string): PartitionField[] {
  return arrayAt({ fields: json }, 'fields', where).map((member, index) => {
    const object = asObject(member, where);
    const name = stringAt(object, 'name', where);
    const place = `${where}: field ${name}`;
    if (object['source-ids'] !== undefined) {
      throw unsupported(
        place,
        'transforms of several columns need Iceberg format version 3; lakegate handles version 2.',
      );
    }
    const field: PartitionField = {
      sourceId: integerAt(object, 'source-id', place),
      fieldId:
        object['field-id'] === undefined ? FIRST_PARTITION_FIELD_ID + index : integerAt(object, 'field-id', place),
      name,
      transform: parseTransform(stringAt(object, 'transform', place), place),
    };
    return carryUnknown(field, object, PARTITION_FIELD_KEYS);
  });
}

/** A partition spec's JSON form. */
export function partitionSpecToJson(spec: PartitionSpec): JsonObject {
  return { 'spec-id': spec.specId, fields: partitionFieldsToJson(spec.fields), ...carriedKeys(spec) };
}

/** The JSON form of a spec's fields, as manifests' headers have it. */
export function partitionFieldsToJson(fields: readonly PartitionField[]): JsonObject[] {
  return fields.map((field) => ({
    'source-id': field.sourceId,
    'field-id': field.fieldId,
    name: field.name,
    transform: field.transform,
    ...carriedKeys(field),
  }));
}

/** A sort order from its JSON form (spec: "Appendix C: Sort Orders"). @throws LakegateError `corrupt` */
export function sortOrderFromJson(json: unknown, where: string): SortOrder {
  const object = asObject(json, `${where}: sort order`);
  const orderId = integerAt(object, 'order-id', `${where}: sort order`);
  const place = `${where}: sort order ${orderId}`;
  const fields = arrayAt(object, 'fields', place).map((member) => {
    const field = asObject(member, place);
    const sortField: SortField = {
      transform: stringAt(field, 'transform', place),
      sourceId: integerAt(field, 'source-id', place),
      direction: oneOf(field, 'direction', ['asc', 'desc'], place),
      nullOrder: oneOf(field, 'null-order', ['nulls-first', 'nulls-last'], place),
    };
    return carryUnknown(sortField, field, SORT_FIELD_KEYS);
  });
  return carryUnknown({ orderId, fields }, object, ORDER_KEYS);
}

/** A sort order's JSON form. */
export function sortOrderToJson(order: SortOrder): JsonObject {
  return {
    'order-id': order.orderId,
    fields: order.fields.map((field) => ({
      transform: field.transform,
      'source-id': field.sourceId,
      direction: field.direction,
      'null-order': field.nullOrder,
      ...carriedKeys(field),
    })),
    ...carriedKeys(order),
  };
}

function parseTransform(name: string, where: string): Transform {
  const text = name.toLowerCase();
  if (TRANSFORM.test(text)) return text as Transform;
  throw unsupported(
    where,
    `the partition transform ${shown(name)} is none of format version 2, so files cannot be placed by it.`,
  );
}

function oneOf<T extends string>(object: JsonObject, key: string, names: readonly T[], where: string): T {
  const value = stringAt(object, key, where);
  const found = names.find((name) => name === value);
  if (found !== undefined) return found;
  throw corrupt(where, `"${key}" should be ${names.join(' or ')}, found ${shown(value)}`);
}
