import type { JsonObject } from './json-object.ts';
import { arrayAt, asObject, unsupported } from './json-object.ts';
import { partitionFieldsFromJson, partitionFieldsToJson } from './spec-json.ts';

/** What version 1 has and version 2 does not; lakegate writes the plural forms in their place. */
const OBSOLETE = ['schema', 'partition-spec'];

/**
 * The version 2 form of a version 1 table's metadata (spec: "Appendix E: Format version changes"): one schema and one spec become
 * lists, and missing ids and sequence numbers take the defaults that the specification gives for reading version 1.
 * @throws LakegateError `unsupported` when the table has no uuid, which only a writer may invent
 */
export function upgradeV1(json: JsonObject, where: string): JsonObject {
  if (json['table-uuid'] === undefined) {
    throw unsupported(
      where,
      'the table is of format version 1 and has no uuid. Commit to it once with a current engine (Spark, PyIceberg), which gives it one.',
    );
  }
  const schemas = arrayAt(json, 'schemas', where);
  const specs = arrayAt(json, 'partition-specs', where);
  const orders = arrayAt(json, 'sort-orders', where);
  const partitionSpecs = specs.length > 0 ? specs : [{ 'spec-id': 0, fields: json['partition-spec'] }];
  const upgraded: Record<string, unknown> = {
    ...json,
    'format-version': 2,
    'last-sequence-number': 0,
    schemas: schemas.length > 0 ? schemas : [{ 'schema-id': 0, ...asObject(json.schema, `${where}: "schema"`) }],
    'current-schema-id': json['current-schema-id'] ?? 0,
    'partition-specs': partitionSpecs,
    'default-spec-id': json['default-spec-id'] ?? 0,
    'last-partition-id': json['last-partition-id'] ?? lastPartitionId(partitionSpecs, where),
    'sort-orders': orders.length > 0 ? orders : [{ 'order-id': 0, fields: [] }],
    'default-sort-order-id': json['default-sort-order-id'] ?? 0,
  };
  for (const key of OBSOLETE) delete upgraded[key];
  return upgraded;
}

/** The largest partition field id in use, 999 when there is none. */
function lastPartitionId(specs: readonly unknown[], where: string): number {
  const ids = specs.flatMap((spec) =>
    partitionFieldsToJson(partitionFieldsFromJson(asObject(spec, where).fields, where)).map((field) =>
      Number(field['field-id']),
    ),
  );
  return Math.max(999, ...ids);
}
