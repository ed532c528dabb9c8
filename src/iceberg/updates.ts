import { LakegateError } from '../errors.ts';
import { MAIN, snapshotById } from './ancestry.ts';
import { stringifyLossless } from './lossless-json.ts';
import type { PartitionSpec, Schema, Snapshot, SnapshotRef, TableMetadata, TableUpdate } from './model.ts';
import { fieldById, highestFieldId } from './schema.ts';
import { schemaToJson } from './schema-json.ts';
import { trimSnapshotLog } from './snapshot-log.ts';

/** What is known of a commit beyond the metadata it leads to. */
interface Draft {
  metadata: TableMetadata;
  nowMs: number;
  /** Ids that -1 stands for. */
  lastSchemaId?: number;
  lastSpecId?: number;
  added: Map<bigint, Snapshot>;
  /** Whether snapshots were removed. */
  removed: boolean;
  /** Snapshots of this commit that main was set to on the way. */
  mainWasAt: Set<bigint>;
}

/**
 * The table's metadata after a commit's updates, applied in order as Iceberg Java's TableMetadata.Builder does (REST catalogue
 * protocol: TableUpdate). `metadata` is left as it is; snapshots and other parts that did not change are the same objects.
 * The metadata log is the catalogue's to keep.
 * @param nowMs milliseconds since the epoch, UTC: when the commit is made
 * @throws LakegateError `conflict` for a sequence number that another commit has taken, `invalid` for an update that names
 * something that is not there
 */
export function applyUpdates(metadata: TableMetadata, updates: readonly TableUpdate[], nowMs: number): TableMetadata {
  const draft: Draft = { metadata, nowMs, added: new Map(), removed: false, mainWasAt: new Set() };
  for (const update of updates) draft.metadata = apply(draft, update);
  const result = draft.metadata;
  const times = draft.added.size > 0 ? [...draft.added.values()].map((snapshot) => snapshot.timestampMs) : [nowMs];
  return {
    ...result,
    // Clocks differ from writer to writer, but readers refuse a table that was updated before its last log entry.
    lastUpdatedMs: Math.max(metadata.lastUpdatedMs, result.lastUpdatedMs, ...times),
    snapshotLog: trimSnapshotLog(result, draft.removed, draft.mainWasAt),
  };
}

function apply(draft: Draft, update: TableUpdate): TableMetadata {
  const { metadata } = draft;
  switch (update.action) {
    case 'add-schema':
      return addSchema(draft, update.schema, update.lastColumnId);
    case 'set-current-schema':
      return {
        ...metadata,
        currentSchemaId: resolve(metadata.schemas, 'schemaId', update.schemaId, draft.lastSchemaId, 'schema'),
      };
    case 'add-spec':
      return addSpec(draft, update.spec);
    case 'set-default-spec':
      return {
        ...metadata,
        defaultSpecId: resolve(metadata.partitionSpecs, 'specId', update.specId, draft.lastSpecId, 'partition spec'),
      };
    case 'add-snapshot':
      return addSnapshot(draft, update.snapshot);
    case 'set-snapshot-ref':
      return setRef(draft, update.ref, update.value);
    case 'remove-snapshot-ref':
      return removeRefs(metadata, (name) => name === update.ref);
    case 'remove-snapshots':
      return removeSnapshots(draft, new Set(update.snapshotIds));
    case 'set-properties':
      return { ...metadata, properties: { ...metadata.properties, ...update.updates } };
    case 'remove-properties': {
      const removals = new Set(update.removals);
      return { ...metadata, properties: without(metadata.properties, (name) => removals.has(name)) };
    }
    case 'set-location':
      return { ...metadata, location: update.location };
  }
}

function addSchema(draft: Draft, schema: Schema, lastColumnId: number): TableMetadata {
  const { metadata } = draft;
  if (lastColumnId < metadata.lastColumnId) {
    throw invalid(
      `add-schema: the last column id ${lastColumnId} is below the table's ${metadata.lastColumnId}. Give new columns ids from ${metadata.lastColumnId + 1}.`,
    );
  }
  const text = comparable(schema);
  const same = metadata.schemas.find((existing) => comparable(existing) === text);
  draft.lastSchemaId = same?.schemaId ?? 1 + Math.max(-1, ...metadata.schemas.map(({ schemaId }) => schemaId));
  return {
    ...metadata,
    lastColumnId: Math.max(lastColumnId, highestFieldId(schema)),
    schemas: same === undefined ? [...metadata.schemas, { ...schema, schemaId: draft.lastSchemaId }] : metadata.schemas,
  };
}

/** Equal for schemas that differ at most in their ids. */
function comparable(schema: Schema): string {
  const { 'schema-id': _, 'identifier-field-ids': identifiers, ...rest } = schemaToJson(schema);
  return stringifyLossless([rest, identifiers ?? []]);
}

function addSpec(draft: Draft, spec: PartitionSpec): TableMetadata {
  const { metadata } = draft;
  for (const field of spec.fields) {
    if (metadata.schemas.every((schema) => fieldById(schema, field.sourceId) === undefined)) {
      throw invalid(
        `add-spec: partition field ${field.name} has the source ${field.sourceId}, which is no column's id.`,
      );
    }
  }
  const text = spec.fields.map(partitionKey).join();
  const same = metadata.partitionSpecs.find((existing) => existing.fields.map(partitionKey).join() === text);
  draft.lastSpecId = same?.specId ?? 1 + Math.max(-1, ...metadata.partitionSpecs.map(({ specId }) => specId));
  if (same !== undefined) return metadata;
  return {
    ...metadata,
    partitionSpecs: [...metadata.partitionSpecs, { ...spec, specId: draft.lastSpecId }],
    lastPartitionId: Math.max(metadata.lastPartitionId, ...spec.fields.map((field) => field.fieldId)),
  };
}

/** What makes a partition field the same field in two specs (Java: PartitionSpec.compatibleWith). */
function partitionKey(field: PartitionSpec['fields'][number]): string {
  return JSON.stringify([field.sourceId, field.transform, field.name]);
}

function addSnapshot(draft: Draft, snapshot: Snapshot): TableMetadata {
  const { metadata } = draft;
  if (snapshotById(metadata, snapshot.snapshotId) !== undefined) {
    throw invalid(`add-snapshot: snapshot ${snapshot.snapshotId} is in the table already. Draw another id.`);
  }
  if (snapshot.sequenceNumber <= metadata.lastSequenceNumber) {
    throw new LakegateError(
      'conflict',
      `add-snapshot: snapshot ${snapshot.snapshotId} has the sequence number ${snapshot.sequenceNumber}, but the table is at ${metadata.lastSequenceNumber}. Somebody else committed first: reload the table and write the manifest list again with a later number.`,
      { context: { snapshotId: snapshot.snapshotId, sequenceNumber: snapshot.sequenceNumber } },
    );
  }
  draft.added.set(snapshot.snapshotId, snapshot);
  return {
    ...metadata,
    lastSequenceNumber: snapshot.sequenceNumber,
    snapshots: [...metadata.snapshots, snapshot],
  };
}

function setRef(draft: Draft, name: string, ref: SnapshotRef): TableMetadata {
  const { metadata } = draft;
  if (snapshotById(metadata, ref.snapshotId) === undefined) {
    throw invalid(
      `set-snapshot-ref: ${JSON.stringify(name)} cannot be set to snapshot ${ref.snapshotId}, which the table does not have.`,
    );
  }
  if (
    ref.type === 'tag' &&
    (name === MAIN || ref.minSnapshotsToKeep !== undefined || ref.maxSnapshotAgeMs !== undefined)
  ) {
    throw invalid(
      `set-snapshot-ref: ${JSON.stringify(name)} cannot be a tag: ${name === MAIN ? 'main is a branch' : 'a tag keeps one snapshot, so it takes no snapshot retention'}.`,
    );
  }
  // A computed key defines the property, so that a branch named __proto__ stays a branch.
  const refs = { ...metadata.refs, [name]: ref };
  if (name !== MAIN || metadata.currentSnapshotId === ref.snapshotId) return { ...metadata, refs };
  const added = draft.added.get(ref.snapshotId);
  if (added !== undefined) draft.mainWasAt.add(ref.snapshotId);
  const timestampMs = Math.max(metadata.lastUpdatedMs, added?.timestampMs ?? draft.nowMs);
  return {
    ...metadata,
    refs,
    currentSnapshotId: ref.snapshotId,
    lastUpdatedMs: timestampMs,
    snapshotLog: [...metadata.snapshotLog, { timestampMs, snapshotId: ref.snapshotId }],
  };
}

function removeRefs(metadata: TableMetadata, drop: (name: string) => boolean): TableMetadata {
  const refs = without(metadata.refs, drop);
  if (Object.hasOwn(refs, MAIN)) return { ...metadata, refs };
  const { currentSnapshotId: _, ...rest } = metadata;
  return { ...rest, refs };
}

/** Java drops every ref at a removed snapshot. For main that would empty the table without saying so: it is refused. */
function removeSnapshots(draft: Draft, ids: ReadonlySet<bigint>): TableMetadata {
  const { metadata } = draft;
  if (metadata.currentSnapshotId !== undefined && ids.has(metadata.currentSnapshotId)) {
    throw invalid(
      `remove-snapshots: snapshot ${metadata.currentSnapshotId} is main's. Set main to another snapshot first, or keep it.`,
    );
  }
  for (const id of ids) {
    if (snapshotById(metadata, id) !== undefined) draft.removed = true;
  }
  const { refs } = metadata;
  const kept = { ...metadata, snapshots: metadata.snapshots.filter((snapshot) => !ids.has(snapshot.snapshotId)) };
  kept.statistics = metadata.statistics.filter((file) => !ids.has(file.snapshotId));
  kept.partitionStatistics = metadata.partitionStatistics.filter((file) => !ids.has(file.snapshotId));
  return removeRefs(kept, (name) => Object.hasOwn(refs, name) && ids.has(refs[name]!.snapshotId));
}

/** The record without the members whose name is to be dropped. */
function without<T>(record: Record<string, T>, drop: (name: string) => boolean): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter(([name]) => !drop(name)));
}

/** The id itself, or for -1 the one added last in this commit. @throws LakegateError `invalid` when there is no such member */
function resolve<K extends string>(
  members: readonly Record<K, number>[],
  key: K,
  id: number,
  last: number | undefined,
  kind: string,
): number {
  const wanted = id === -1 ? last : id;
  if (wanted !== undefined && members.some((member) => member[key] === wanted)) return wanted;
  throw invalid(
    wanted === undefined
      ? `${kind} -1 is the one added last, but this commit adds none. Add it in the same commit, or give its id.`
      : `${kind} ${wanted} is not in the table. Add it first.`,
  );
}

function invalid(message: string): LakegateError {
  return new LakegateError('invalid', message);
}
