import { LakegateError } from '../errors.ts';
import type { PartitionSpec, Schema, TableMetadata } from './model.ts';
import { allFields, highestFieldId } from './schema.ts';
import { FIRST_PARTITION_FIELD_ID } from './spec-json.ts';

/**
 * The metadata of a new, empty table of format version 2 (spec: "Table Metadata Fields"). Field ids of the schema are kept as
 * given; the schema and the spec get id 0, and partition fields the ids from 1000 on.
 * @param nowMs milliseconds since the epoch, UTC
 * @throws LakegateError `invalid` when ids or names repeat or a partition field has no source, `unsupported` for another format version
 */
export function newTableMetadata(definition: {
  schema: Schema;
  spec: PartitionSpec;
  properties: Record<string, string>;
  location: string;
  uuid: string;
  nowMs: number;
}): TableMetadata {
  const { schema, spec, location, uuid, nowMs } = definition;
  checkNewTable(definition, location);
  const { 'format-version': _, ...properties } = definition.properties;
  const fields = spec.fields.map((field, index) => ({ ...field, fieldId: FIRST_PARTITION_FIELD_ID + index }));
  return {
    formatVersion: 2,
    tableUuid: uuid,
    location,
    lastSequenceNumber: 0,
    lastUpdatedMs: nowMs,
    lastColumnId: highestFieldId(schema),
    schemas: [{ ...schema, schemaId: 0 }],
    currentSchemaId: 0,
    partitionSpecs: [{ ...spec, specId: 0, fields }],
    defaultSpecId: 0,
    lastPartitionId: FIRST_PARTITION_FIELD_ID + fields.length - 1,
    properties,
    snapshots: [],
    snapshotLog: [],
    metadataLog: [],
    sortOrders: [{ orderId: 0, fields: [] }],
    defaultSortOrderId: 0,
    refs: {},
    statistics: [],
    partitionStatistics: [],
  };
}

/**
 * Checks what a new table is to be, as `newTableMetadata` does; for catalogues whose server makes the metadata.
 * @param place where the table will lie, or its name, for errors
 * @throws LakegateError as `newTableMetadata`
 */
export function checkNewTable(
  definition: { schema: Schema; spec: PartitionSpec; properties: Readonly<Record<string, string>> },
  place: string,
): void {
  const version = definition.properties['format-version'];
  if (version !== undefined && version !== '2') {
    throw new LakegateError(
      'unsupported',
      `Table at ${place}: the property format-version is ${JSON.stringify(version)}; lakegate creates version 2. Leave the property out.`,
      { context: { location: place, version } },
    );
  }
  checkSpec(definition.schema, definition.spec, place);
}

function checkSpec(schema: Schema, spec: PartitionSpec, location: string): void {
  const invalid = (fault: string) =>
    new LakegateError('invalid', `Table at ${location}: ${fault}`, { context: { location } });
  const ids = allFields(schema).map(({ field }) => field.id);
  const known = new Set(ids);
  if (known.size !== ids.length) {
    const repeated = ids.find((id, index) => ids.indexOf(id) !== index);
    throw invalid(`field id ${repeated} is given to two fields of the schema; give each its own.`);
  }
  const names = new Set<string>();
  for (const field of spec.fields) {
    if (names.has(field.name)) throw invalid(`two partition fields are named ${field.name}; name them apart.`);
    names.add(field.name);
    if (!known.has(field.sourceId)) {
      throw invalid(
        `partition field ${field.name} has the source ${field.sourceId}, which no field of the schema has as its id.`,
      );
    }
    const column = schema.fields.find(({ name }) => name === field.name);
    if (column !== undefined && (field.transform !== 'identity' || column.id !== field.sourceId)) {
      throw invalid(
        `partition field ${field.name} has the name of a column that it does not hold the values of; name it otherwise, for example ${field.name}_${field.transform.replace(/\[.*/, '')}.`,
      );
    }
  }
}
