import { LakegateError } from '../errors.ts';
import { decodeContainer, encodeContainer } from './avro-container.ts';
import { type AvroRecord, type AvroSchema, avroType, nonNull, recordFields } from './avro-type.ts';
import { stringifyLossless } from './lossless-json.ts';
import { dataFileFromAvro, dataFileToAvro, partitionCodec } from './manifest-data-file.ts';
import { manifestEntrySchema } from './manifest-schema.ts';
import type {
  EntryStatus,
  ManifestEntry,
  ManifestFile,
  PartitionField,
  PartitionSpec,
  Schema,
  Transform,
} from './model.ts';
import { partitionColumns } from './partition-type.ts';
import { schemaToJson } from './schema-json.ts';
import { partitionFieldsToJson } from './spec-json.ts';

/** Manifests: the lists of data or delete files (spec: "Manifests", format version 2). */

const STATUSES: readonly EntryStatus[] = ['existing', 'added', 'deleted'];

export interface ManifestContents {
  schema: Schema;
  spec: PartitionSpec;
  content: ManifestFile['content'];
  entries: readonly ManifestEntry[];
}

export interface DecodedManifest {
  /** As written: what is inherited is undefined (see `inherit` in table-io.ts). */
  entries: ManifestEntry[];
  spec: PartitionSpec;
  schemaId?: number;
  content: ManifestFile['content'];
  formatVersion: 1 | 2;
}

/**
 * Encodes a manifest. Entries with status `added` leave out snapshot id and sequence numbers, so that a later snapshot
 * can list the same file as its own; the others must carry all three.
 * @throws LakegateError `internal` when an existing or deleted entry lacks an id or a sequence number
 */
export function encodeManifest({ schema, spec, content, entries }: ManifestContents): Uint8Array {
  const columns = partitionColumns(spec, schema);
  const avroSchema = manifestEntrySchema(columns);
  const type = avroType(avroSchema);
  const partition = partitionCodec(recordFields(JSON.parse(avroSchema) as AvroSchema, [2, 102]));
  const datums = entries.map((entry) => {
    checkInheritance(entry);
    return type.toBuffer({
      f0: STATUSES.indexOf(entry.status),
      f1: entry.snapshotId ?? null,
      f3: entry.sequenceNumber ?? null,
      f4: entry.fileSequenceNumber ?? null,
      f2: dataFileToAvro(entry.dataFile, partition),
    });
  });
  const metadata: [string, string][] = [
    ['avro.schema', avroSchema],
    ['schema', stringifyLossless(schemaToJson(schema))],
    ['schema-id', String(schema.schemaId)],
    ['partition-spec', JSON.stringify(partitionFieldsToJson(spec.fields))],
    ['partition-spec-id', String(spec.specId)],
    ['format-version', '2'],
    ['content', content],
  ];
  return encodeContainer(metadata, datums);
}

/**
 * Decodes a manifest of format version 1 or 2, whichever engine wrote it.
 * @param name the manifest's URL, for messages
 * @throws LakegateError `corrupt` | `unsupported` (format version 3, another codec)
 */
export function decodeManifest(bytes: Uint8Array, name: string): DecodedManifest {
  const { metadata, blocks } = decodeContainer(bytes, name);
  const formatVersion = Number(metadata.get('format-version') ?? 1);
  if (formatVersion !== 1 && formatVersion !== 2) {
    throw new LakegateError(
      'unsupported',
      `Manifest ${name} has format version ${formatVersion}; lakegate reads 1 and 2. Keep the table at format-version 2.`,
      { context: { url: name, formatVersion } },
    );
  }
  try {
    const schemaText = metadata.get('avro.schema') ?? '';
    const type = avroType(schemaText);
    const avroColumns = recordFields(JSON.parse(schemaText) as AvroSchema, [2, 102]);
    const spec = specFromHeader(metadata, avroColumns);
    const partition = partitionCodec(inSpecOrder(avroColumns, spec));
    const entries: ManifestEntry[] = [];
    for (const block of blocks) {
      for (let offset = 0, left = block.count; left > 0; left--) {
        const decoded = type.decode(block.bytes, offset);
        if (decoded.offset < 0) throw new Error('a block ends inside a record');
        offset = decoded.offset;
        entries.push(entryFromAvro(decoded.value as AvroRecord, partition));
      }
    }
    const schemaId = metadata.get('schema-id');
    return {
      entries,
      spec,
      ...(schemaId === undefined ? {} : { schemaId: Number(schemaId) }),
      content: metadata.get('content') === 'deletes' ? 'deletes' : 'data',
      formatVersion,
    };
  } catch (cause) {
    if (cause instanceof LakegateError) throw cause;
    throw new LakegateError(
      'corrupt',
      `Manifest ${name} cannot be decoded: ${(cause as Error).message}. Check that the object is whole and is an Iceberg manifest.`,
      { context: { url: name }, cause },
    );
  }
}

function entryFromAvro(record: AvroRecord, partition: ReturnType<typeof partitionCodec>): ManifestEntry {
  const status = STATUSES[record.f0 as number];
  if (status === undefined) throw new Error(`an entry has status ${String(record.f0)}; expected 0, 1 or 2`);
  const entry: ManifestEntry = { status, dataFile: dataFileFromAvro(record.f2 as AvroRecord, partition) };
  if (record.f1 != null) entry.snapshotId = record.f1 as bigint;
  if (record.f3 != null) entry.sequenceNumber = record.f3 as number;
  if (record.f4 != null) entry.fileSequenceNumber = record.f4 as number;
  return entry;
}

function checkInheritance(entry: ManifestEntry): void {
  if (entry.status === 'added') return;
  if (entry.snapshotId === undefined || entry.sequenceNumber === undefined) {
    throw new LakegateError(
      'internal',
      `Manifest entry for ${entry.dataFile.filePath} has status ${entry.status} and must carry its snapshot id and sequence number; ` +
        `found ${entry.snapshotId} and ${entry.sequenceNumber}.`,
    );
  }
}

/** Version 1 writers may leave out field ids, which then count from 1000, and the spec itself, which then is the tuple's. */
function specFromHeader(metadata: Map<string, string>, columns: { id?: number; name: string }[]): PartitionSpec {
  const specId = Number(metadata.get('partition-spec-id') ?? 0);
  const header = metadata.get('partition-spec');
  if (header === undefined) {
    const fields = columns.map(({ id, name }, index): PartitionField => {
      return { sourceId: 0, fieldId: id ?? 1000 + index, name, transform: 'identity' };
    });
    return { specId, fields };
  }
  const json = JSON.parse(header) as unknown;
  const listed = (Array.isArray(json) ? json : (json as { fields: unknown[] }).fields) as Record<string, unknown>[];
  const fields = listed.map(
    (field, index): PartitionField => ({
      sourceId: Number(field['source-id']),
      fieldId: field['field-id'] === undefined ? (columns[index]?.id ?? 1000 + index) : Number(field['field-id']),
      name: String(field.name),
      transform: String(field.transform) as Transform,
    }),
  );
  return { specId, fields };
}

/** The tuple's Avro columns in the order of the spec's fields, by id where they have one. */
function inSpecOrder(columns: { id?: number; name: string; type: AvroSchema }[], spec: PartitionSpec) {
  return spec.fields.map((field, index) => {
    const column = columns.find(({ id }) => id === field.fieldId) ?? columns[index];
    if (column === undefined) throw new Error(`its partition tuple lacks field ${field.name} (id ${field.fieldId})`);
    const key = column.id === undefined ? `x${columns.indexOf(column)}` : `f${column.id}`;
    return { ...column, key, type: nonNull(column.type) };
  });
}
