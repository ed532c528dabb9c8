import { carriedKeys, carryUnknown } from './carried-keys.ts';
import { grownText } from './grown-text.ts';
import type { JsonObject } from './json-object.ts';
import {
  arrayAt,
  asObject,
  corrupt,
  idAt,
  integerAt,
  optionalIdAt,
  shown,
  stringAt,
  stringMapAt,
  unsupported,
} from './json-object.ts';
import { parseLossless, stringifyLossless } from './lossless-json.ts';
import { checkInvariants } from './metadata-invariants.ts';
import { upgradeV1 } from './metadata-v1.ts';
import type { SnapshotLogEntry, SnapshotRef, StatisticsFile, TableMetadata } from './model.ts';
import { schemaFromJson, schemaToJson } from './schema-json.ts';
import { members, refFromJson, refToJson, snapshotFromJson, snapshotText } from './snapshot-json.ts';
import { partitionSpecFromJson, partitionSpecToJson, sortOrderFromJson, sortOrderToJson } from './spec-json.ts';

const KNOWN_KEYS: ReadonlySet<string> = new Set([
  'format-version',
  'table-uuid',
  'location',
  'last-sequence-number',
  'last-updated-ms',
  'last-column-id',
  'current-schema-id',
  'schemas',
  'default-spec-id',
  'partition-specs',
  'last-partition-id',
  'default-sort-order-id',
  'sort-orders',
  'properties',
  'current-snapshot-id',
  'refs',
  'snapshots',
  'statistics',
  'partition-statistics',
  'snapshot-log',
  'metadata-log',
]);

/**
 * Table metadata from the text of a metadata file (spec: "Table Metadata"); ids are exact, keys unknown to the model are carried.
 * Version 1 is read as the version 2 it becomes at the next commit. Text only: a gzipped file is unpacked by the caller.
 * @param location the file's URL, for errors
 * @throws LakegateError `corrupt` naming the file and what is wrong in it, `unsupported` for version 3 and up and encrypted tables
 */
export function parseMetadata(text: string, location: string): TableMetadata {
  return metadataFromJson(parseJson(text, `Table metadata ${location}`), location);
}

/** As `parseMetadata`, from JSON that was parsed losslessly: REST catalogues give metadata as a part of their answers. */
export function metadataFromJson(json: unknown, location: string): TableMetadata {
  const where = `Table metadata ${location}`;
  const found = asObject(json, where);
  const version = integerAt(found, 'format-version', where);
  if (version > 2) {
    throw unsupported(
      where,
      `the table has Iceberg format version ${version}; lakegate reads and writes version 2. Keep the table out of lakegate, or write it again with the property format-version=2 (a version cannot be lowered in place).`,
    );
  }
  if (version < 1) throw corrupt(where, `"format-version" should be 1 or 2, found ${version}`);
  if (arrayAt(found, 'encryption-keys', where).length > 0) {
    throw unsupported(where, 'the table is encrypted ("encryption-keys"), which lakegate cannot read or write.');
  }
  const metadata = fromJson(version === 1 ? upgradeV1(found, where) : found, where);
  checkInvariants(metadata, where);
  return metadata;
}

const snapshotsText = grownText(snapshotText);
const snapshotLogText = grownText(
  (entry: SnapshotLogEntry) => `{"timestamp-ms":${entry.timestampMs},"snapshot-id":${Object.freeze(entry).snapshotId}}`,
);

/** A metadata file's bytes, format version 2, keys as Iceberg Java orders them. Snapshots are frozen by it (see snapshotText). */
export function serializeMetadata(metadata: TableMetadata): Uint8Array {
  const statistics = metadata.statistics.map(statisticsToJson);
  const partitionStatistics = metadata.partitionStatistics.map(statisticsToJson);
  const refs = Object.entries(metadata.refs).map(([name, ref]) => [name, refToJson(ref)]);
  const beforeSnapshots = [
    `{"format-version":2,"table-uuid":${JSON.stringify(metadata.tableUuid)}`,
    `"location":${JSON.stringify(metadata.location)}`,
    `"last-sequence-number":${metadata.lastSequenceNumber}`,
    `"last-updated-ms":${metadata.lastUpdatedMs}`,
    `"last-column-id":${metadata.lastColumnId}`,
    `"current-schema-id":${metadata.currentSchemaId}`,
    `"schemas":${stringifyLossless(metadata.schemas.map(schemaToJson))}`,
    `"default-spec-id":${metadata.defaultSpecId}`,
    `"partition-specs":${stringifyLossless(metadata.partitionSpecs.map(partitionSpecToJson))}`,
    `"last-partition-id":${metadata.lastPartitionId}`,
    `"default-sort-order-id":${metadata.defaultSortOrderId}`,
    `"sort-orders":${stringifyLossless(metadata.sortOrders.map(sortOrderToJson))}`,
    `"properties":${JSON.stringify(metadata.properties)}`,
    // Older Iceberg Java requires the key, so that "none" is -1 and not its absence.
    `"current-snapshot-id":${metadata.currentSnapshotId ?? -1}`,
    `"refs":${stringifyLossless(Object.fromEntries(refs))}`,
    '"snapshots":[',
  ].join(',');
  const beforeLog = [
    ']',
    `"statistics":${stringifyLossless(statistics)}`,
    `"partition-statistics":${stringifyLossless(partitionStatistics)}`,
    '"snapshot-log":[',
  ].join(',');
  const metadataLog = metadata.metadataLog.map(
    (entry) => `{"timestamp-ms":${entry.timestampMs},"metadata-file":${JSON.stringify(entry.metadataFile)}}`,
  );
  return Buffer.concat([
    Buffer.from(beforeSnapshots),
    snapshotsText(metadata.tableUuid, metadata.snapshots),
    Buffer.from(beforeLog),
    snapshotLogText(metadata.tableUuid, metadata.snapshotLog),
    Buffer.from(`],"metadata-log":[${metadataLog.join(',')}]${members(carriedKeys(metadata))}}`),
  ]);
}

function parseJson(text: string, where: string): unknown {
  if (text.startsWith('\u001f')) {
    throw unsupported(where, 'the file is gzipped and was handed over packed; unpack it before parsing.');
  }
  try {
    return parseLossless(text);
  } catch (cause) {
    throw corrupt(where, `not JSON (${cause instanceof Error ? cause.message : String(cause)})`);
  }
}

function fromJson(json: JsonObject, where: string): TableMetadata {
  const currentSnapshotId = optionalIdAt(json, 'current-snapshot-id', where);
  const metadata: TableMetadata = {
    formatVersion: 2,
    tableUuid: stringAt(json, 'table-uuid', where),
    location: stringAt(json, 'location', where),
    lastSequenceNumber: integerAt(json, 'last-sequence-number', where),
    lastUpdatedMs: integerAt(json, 'last-updated-ms', where),
    lastColumnId: integerAt(json, 'last-column-id', where),
    schemas: arrayAt(json, 'schemas', where).map((schema) => schemaFromJson(schema, where)),
    currentSchemaId: integerAt(json, 'current-schema-id', where),
    partitionSpecs: arrayAt(json, 'partition-specs', where).map((spec) => partitionSpecFromJson(spec, where)),
    defaultSpecId: integerAt(json, 'default-spec-id', where),
    lastPartitionId: integerAt(json, 'last-partition-id', where),
    properties: stringMapAt(json, 'properties', where),
    ...(currentSnapshotId === undefined ? undefined : { currentSnapshotId }),
    snapshots: arrayAt(json, 'snapshots', where).map((snapshot, index) =>
      snapshotFromJson(snapshot, `${where}: snapshots[${index}]`),
    ),
    snapshotLog: arrayAt(json, 'snapshot-log', where).map((member) => {
      const entry = asObject(member, `${where}: "snapshot-log"`);
      return { timestampMs: integerAt(entry, 'timestamp-ms', where), snapshotId: idAt(entry, 'snapshot-id', where) };
    }),
    metadataLog: arrayAt(json, 'metadata-log', where).map((member) => {
      const entry = asObject(member, `${where}: "metadata-log"`);
      return {
        timestampMs: integerAt(entry, 'timestamp-ms', where),
        metadataFile: stringAt(entry, 'metadata-file', where),
      };
    }),
    sortOrders: arrayAt(json, 'sort-orders', where).map((order) => sortOrderFromJson(order, where)),
    defaultSortOrderId: integerAt(json, 'default-sort-order-id', where),
    refs: refsFromJson(json, currentSnapshotId, where),
    statistics: statisticsFromJson(json, 'statistics', where),
    partitionStatistics: statisticsFromJson(json, 'partition-statistics', where),
  };
  return carryUnknown(metadata, json, KNOWN_KEYS);
}

/** Writers from before refs give the current snapshot alone: it is main's. */
function refsFromJson(json: JsonObject, current: bigint | undefined, where: string): Record<string, SnapshotRef> {
  const found = json.refs === undefined || json.refs === null ? {} : asObject(json.refs, `${where}: "refs"`);
  // fromEntries defines properties, so that a branch named __proto__ stays a branch.
  const refs = Object.fromEntries(
    Object.entries(found).map(([name, ref]) => [name, refFromJson(ref, `${where}: ref ${shown(name)}`)]),
  );
  return current === undefined || Object.hasOwn(refs, 'main')
    ? refs
    : { ...refs, main: { snapshotId: current, type: 'branch' } };
}

function statisticsFromJson(json: JsonObject, key: string, where: string): StatisticsFile[] {
  return arrayAt(json, key, where).map((member) => {
    const { 'snapshot-id': _, ...rest } = asObject(member, `${where}: "${key}"`);
    return { ...rest, snapshotId: idAt(member as JsonObject, 'snapshot-id', `${where}: "${key}"`) };
  });
}

function statisticsToJson(file: StatisticsFile): JsonObject {
  const { snapshotId, ...rest } = file;
  return { 'snapshot-id': snapshotId, ...rest };
}
