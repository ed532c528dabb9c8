import { LakegateError } from '../errors.ts';
import { compareValues, sameInEveryOrder, serializeValue } from './bounds.ts';
import { encodeManifest } from './manifest.ts';
import { encodeManifestList } from './manifest-list.ts';
import type { PartitionColumn } from './manifest-schema.ts';
import type {
  FieldSummary,
  ManifestEntry,
  ManifestFile,
  PrimitiveType,
  Schema,
  Snapshot,
  TableMetadata,
  TableUpdate,
  Value,
} from './model.ts';
import { partitionColumns, schemaForSpec, specById, widenTuples } from './partition-type.ts';
import type { Writes } from './plan.ts';
import { countEntries, rememberManifest, rememberManifestList, type TableIO } from './table-io.ts';

/** A snapshot in the making: its ids, and where its files go. */
export interface SnapshotDraft {
  io: TableIO;
  writes: Writes;
  metadata: TableMetadata;
  /** The schema the snapshot is written with. */
  schema: Schema;
  snapshotId: bigint;
  sequenceNumber: number;
}

/**
 * Begins a snapshot.
 * @param nth 0 for the first snapshot of a commit, 1 for the second: sequence numbers are table-wide and grow by one
 */
export function draftSnapshot(
  io: TableIO,
  writes: Writes,
  metadata: TableMetadata,
  schema: Schema,
  nth = 0,
): SnapshotDraft {
  let snapshotId = io.snapshotId();
  while (metadata.snapshots.some((snapshot) => snapshot.snapshotId === snapshotId)) snapshotId = io.snapshotId();
  return { io, writes, metadata, schema, snapshotId, sequenceNumber: metadata.lastSequenceNumber + 1 + nth };
}

/**
 * The schema a commit writes with: one of the table's, or one its own updates add.
 * @throws LakegateError `invalid` when there is none of that id
 */
export function schemaToWrite(
  metadata: TableMetadata,
  schemaId = metadata.currentSchemaId,
  updates: readonly TableUpdate[] = [],
): Schema {
  const added = updates.flatMap((update) => (update.action === 'add-schema' ? [update.schema] : []));
  const schema = [...added, ...metadata.schemas].find((candidate) => candidate.schemaId === schemaId);
  if (schema !== undefined) return schema;
  throw new LakegateError(
    'invalid',
    `Table ${metadata.location} has no schema ${schemaId}, and the commit adds none of that id. Reload the table and plan again.`,
    { context: { location: metadata.location, schemaId } },
  );
}

/** Writes a manifest under the table's metadata folder. Entries with status `added` become the drafted snapshot's. */
export function writeManifest(
  draft: SnapshotDraft,
  specId: number,
  content: ManifestFile['content'],
  given: ManifestEntry[],
): ManifestFile {
  const { io, metadata } = draft;
  const spec = specById(metadata, specId);
  const schema = schemaForSpec(metadata, spec, draft.schema);
  const columns = partitionColumns(spec, schema);
  const entries = widenTuples(given, columns);
  const bytes = encodeManifest({ schema, spec, content, entries });
  const url = metadataFile(metadata, `${io.uuid()}-m0.avro`);
  draft.writes.put(url, bytes);
  rememberManifest(io, url, { entries, spec, schemaId: schema.schemaId, content, formatVersion: 2 });
  const live = entries.filter((entry) => entry.status !== 'deleted');
  return {
    manifestPath: url,
    manifestLength: bytes.byteLength,
    partitionSpecId: specId,
    content,
    sequenceNumber: draft.sequenceNumber,
    minSequenceNumber: live.reduce(
      (least, entry) => Math.min(least, entry.sequenceNumber ?? draft.sequenceNumber),
      draft.sequenceNumber,
    ),
    addedSnapshotId: draft.snapshotId,
    ...countEntries(entries),
    ...summarizeTuples(columns, entries),
  };
}

/** Lists a manifest of added entries as the drafted snapshot's own: its entries inherit their ids from the list. */
export function relistManifest(draft: SnapshotDraft, manifest: ManifestFile): ManifestFile {
  const { snapshotId, sequenceNumber } = draft;
  return { ...manifest, addedSnapshotId: snapshotId, sequenceNumber, minSequenceNumber: sequenceNumber };
}

/** Writes the manifest list and gives the snapshot. */
export function finishSnapshot(
  draft: SnapshotDraft,
  parent: Snapshot | undefined,
  manifests: ManifestFile[],
  summary: Snapshot['summary'],
): Snapshot {
  const { io, metadata, snapshotId, sequenceNumber } = draft;
  const manifestList = metadataFile(metadata, `snap-${snapshotId}-0-${io.uuid()}.avro`);
  const parentSnapshotId = parent?.snapshotId;
  draft.writes.put(manifestList, encodeManifestList({ snapshotId, parentSnapshotId, sequenceNumber, manifests }));
  rememberManifestList(io, manifestList, manifests);
  return {
    snapshotId,
    ...(parentSnapshotId === undefined ? {} : { parentSnapshotId }),
    sequenceNumber,
    // Clocks of several writers differ; a table's history must not run backwards.
    timestampMs: Math.max(io.now(), metadata.lastUpdatedMs),
    manifestList,
    summary,
    schemaId: draft.schema.schemaId,
  };
}

function metadataFile(metadata: TableMetadata, name: string): string {
  const folder = metadata.properties['write.metadata.path'] ?? `${metadata.location.replace(/\/+$/, '')}/metadata`;
  return `${folder.replace(/\/+$/, '')}/${name}`;
}

/** None at all where one cannot be had: to Iceberg Java a summary without bounds says that all values are null. */
function summarizeTuples(
  columns: readonly PartitionColumn[],
  entries: readonly ManifestEntry[],
): { partitions?: FieldSummary[] } {
  const summaries = columns.map((column, index) => summarizeField(column, index, entries));
  const partitions = summaries.filter((summary) => summary !== undefined);
  return partitions.length === columns.length ? { partitions } : {};
}

/** Undefined where readers differ on what lies between the bounds. */
function summarizeField(
  column: PartitionColumn,
  index: number,
  entries: readonly ManifestEntry[],
): FieldSummary | undefined {
  const type = column.type as PrimitiveType;
  const floating = type === 'float' || type === 'double';
  const summary: FieldSummary = { containsNull: false };
  if (floating) summary.containsNan = false;
  let lower: Value | undefined;
  let upper: Value | undefined;
  for (const { dataFile } of entries) {
    const value = dataFile.partition[index];
    if (value === undefined) summary.containsNull = true;
    else if (Number.isNaN(value)) summary.containsNan = true;
    else {
      if (lower === undefined || compareValues(type, value, lower) < 0) lower = value;
      if (upper === undefined || compareValues(type, value, upper) > 0) upper = value;
    }
  }
  if (lower === undefined || upper === undefined) return summary;
  if (!sameInEveryOrder(type, lower, upper)) return undefined;
  summary.lowerBound = serializeValue(type, lower);
  summary.upperBound = serializeValue(type, upper);
  return summary;
}
