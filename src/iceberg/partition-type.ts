import { LakegateError } from '../errors.ts';
import type { PartitionColumn } from './manifest-schema.ts';
import type { IcebergType, ManifestEntry, PartitionSpec, Schema, TableMetadata, Value } from './model.ts';
import { fieldById } from './schema.ts';
import { transformResultType } from './transforms.ts';

/** What the partition tuples of a spec hold (spec: "Partition Specs"; the tuple's struct type). */

/**
 * The tuple's columns, in the spec's order.
 * @throws LakegateError `corrupt` when the schema lacks a source column
 */
export function partitionColumns(spec: PartitionSpec, schema: Schema): PartitionColumn[] {
  return spec.fields.map(({ fieldId, name, sourceId, transform }) => {
    const source = fieldById(schema, sourceId);
    // Null in every tuple, so that any type will do.
    if (source === undefined && transform === 'void') return { fieldId, name, type: 'int' };
    if (source === undefined) {
      throw new LakegateError(
        'corrupt',
        `Partition field ${name} of spec ${spec.specId} comes from column id ${sourceId}, which schema ${schema.schemaId} does not have. ` +
          'Write with a schema that has it.',
        { context: { specId: spec.specId, sourceId, schemaId: schema.schemaId } },
      );
    }
    return { fieldId, name, type: transformResultType(transform, primitive(source.type, name)) };
  });
}

/** Entries whose tuples are of these columns' types: those of older manifests may be from before a source column was widened from int to long. */
export function widenTuples(entries: ManifestEntry[], columns: readonly PartitionColumn[]): ManifestEntry[] {
  const narrow = (value: Value | undefined, index: number) =>
    typeof value === 'number' && columns[index]?.type === 'long';
  return entries.map((entry) => {
    const { dataFile } = entry;
    if (!dataFile.partition.some(narrow)) return entry;
    const partition = dataFile.partition.map((value, index) =>
      narrow(value, index) ? BigInt(value as number) : value,
    );
    return { ...entry, dataFile: { ...dataFile, partition } };
  });
}

/** The schema to describe a spec's tuples with: the preferred one, else the newest that still has all source columns; those of void fields do not count. */
export function schemaForSpec(metadata: TableMetadata, spec: PartitionSpec, preferred: Schema): Schema {
  const hasSources = (schema: Schema) =>
    spec.fields.every(({ sourceId, transform }) => transform === 'void' || fieldById(schema, sourceId) !== undefined);
  return [preferred, ...metadata.schemas.toReversed()].find(hasSources) ?? preferred;
}

/** @throws LakegateError `corrupt` when the table has no such spec */
export function specById(metadata: TableMetadata, specId: number): PartitionSpec {
  const spec = metadata.partitionSpecs.find((candidate) => candidate.specId === specId);
  if (spec !== undefined) return spec;
  throw new LakegateError(
    'corrupt',
    `Table ${metadata.location} has no partition spec ${specId}; it has ${metadata.partitionSpecs.map((known) => known.specId).join(', ')}.`,
    { context: { location: metadata.location, specId } },
  );
}

/** A text that is equal for equal tuples of one spec, whatever engine wrote them. */
export function partitionKey(partition: readonly (Value | undefined)[]): string {
  return JSON.stringify(
    partition.map((value) => {
      if (value === undefined) return null;
      return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value);
    }),
  );
}

function primitive(type: IcebergType, name: string) {
  if (typeof type === 'string') return type;
  throw new LakegateError(
    'corrupt',
    `Partition field ${name} comes from a ${type.type} column; expected a primitive one.`,
  );
}
