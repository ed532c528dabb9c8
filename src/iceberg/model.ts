/**
 * The Iceberg table format's own nouns, as plain data (spec: "Table Metadata", "Manifests", "Snapshots", format version 2).
 * 64-bit ids are `bigint`. Property names are lakegate's camelCase; `metadata.ts` maps them to the wire names.
 */

export type PrimitiveType =
  | 'boolean'
  | 'int'
  | 'long'
  | 'float'
  | 'double'
  | 'date'
  | 'time'
  | 'timestamp'
  | 'timestamptz'
  | 'string'
  | 'uuid'
  | 'binary'
  | `decimal(${number}, ${number})`
  | `fixed[${number}]`;

export interface StructType {
  type: 'struct';
  fields: NestedField[];
}
export interface ListType {
  type: 'list';
  elementId: number;
  element: IcebergType;
  elementRequired: boolean;
}
export interface MapType {
  type: 'map';
  keyId: number;
  key: IcebergType;
  valueId: number;
  value: IcebergType;
  valueRequired: boolean;
}
export type IcebergType = PrimitiveType | StructType | ListType | MapType;

export interface NestedField {
  id: number;
  name: string;
  required: boolean;
  type: IcebergType;
  doc?: string;
  /** JSON single-value forms, kept as found. */
  initialDefault?: unknown;
  writeDefault?: unknown;
}

export interface Schema extends StructType {
  schemaId: number;
  identifierFieldIds?: number[];
}

/**
 * A value of a primitive type in memory: boolean → boolean; int, date (days) → number; long, time, timestamp, timestamptz
 * (microseconds) → bigint; float, double → number; string → string; decimal → bigint (unscaled); uuid, fixed, binary → Uint8Array.
 */
export type Value = boolean | number | bigint | string | Uint8Array;

export type Transform =
  | 'identity'
  | 'year'
  | 'month'
  | 'day'
  | 'hour'
  | 'void'
  | `bucket[${number}]`
  | `truncate[${number}]`;

export interface PartitionField {
  sourceId: number;
  fieldId: number;
  name: string;
  transform: Transform;
}
export interface PartitionSpec {
  specId: number;
  fields: PartitionField[];
}

export interface SortField {
  transform: string;
  sourceId: number;
  direction: 'asc' | 'desc';
  nullOrder: 'nulls-first' | 'nulls-last';
}
export interface SortOrder {
  orderId: number;
  fields: SortField[];
}

export interface SnapshotRef {
  snapshotId: bigint;
  type: 'branch' | 'tag';
  minSnapshotsToKeep?: number;
  maxSnapshotAgeMs?: number;
  maxRefAgeMs?: number;
}

export type SnapshotOperation = 'append' | 'replace' | 'overwrite' | 'delete';

export interface Snapshot {
  snapshotId: bigint;
  parentSnapshotId?: bigint;
  sequenceNumber: number;
  timestampMs: number;
  manifestList: string;
  /** `operation` and the string counters and marks of the snapshot. */
  summary: { operation: SnapshotOperation } & Record<string, string>;
  schemaId?: number;
}

export interface SnapshotLogEntry {
  timestampMs: number;
  snapshotId: bigint;
}
export interface MetadataLogEntry {
  timestampMs: number;
  metadataFile: string;
}

export interface TableMetadata {
  formatVersion: 2;
  tableUuid: string;
  location: string;
  lastSequenceNumber: number;
  lastUpdatedMs: number;
  lastColumnId: number;
  schemas: Schema[];
  currentSchemaId: number;
  partitionSpecs: PartitionSpec[];
  defaultSpecId: number;
  lastPartitionId: number;
  properties: Record<string, string>;
  /** Undefined before the first snapshot (the wire also knows -1). */
  currentSnapshotId?: bigint;
  snapshots: Snapshot[];
  snapshotLog: SnapshotLogEntry[];
  metadataLog: MetadataLogEntry[];
  sortOrders: SortOrder[];
  defaultSortOrderId: number;
  refs: Record<string, SnapshotRef>;
  /** `statistics` and `partition-statistics`, carried as found (ids inside stay lossless). */
  statistics: StatisticsFile[];
  partitionStatistics: StatisticsFile[];
}
export type StatisticsFile = { snapshotId: bigint } & Record<string, unknown>;

export type FileContent = 'data' | 'position-deletes' | 'equality-deletes';

/** A data or delete file as a manifest describes it. */
export interface DataFile {
  content: FileContent;
  filePath: string;
  fileFormat: 'PARQUET' | 'AVRO' | 'ORC';
  /** Partition values in the order of the spec's fields; undefined is null. */
  partition: (Value | undefined)[];
  recordCount: number;
  fileSizeInBytes: number;
  columnSizes?: Map<number, number>;
  valueCounts?: Map<number, number>;
  nullValueCounts?: Map<number, number>;
  nanValueCounts?: Map<number, number>;
  /** Single-value serialised bounds by field id. */
  lowerBounds?: Map<number, Uint8Array>;
  upperBounds?: Map<number, Uint8Array>;
  keyMetadata?: Uint8Array;
  splitOffsets?: number[];
  equalityIds?: number[];
  sortOrderId?: number;
  referencedDataFile?: string;
}

export type EntryStatus = 'existing' | 'added' | 'deleted';

export interface ManifestEntry {
  status: EntryStatus;
  /** Undefined: inherited from the manifest list's entry. */
  snapshotId?: bigint;
  sequenceNumber?: number;
  fileSequenceNumber?: number;
  dataFile: DataFile;
}

export interface FieldSummary {
  containsNull: boolean;
  containsNan?: boolean;
  lowerBound?: Uint8Array;
  upperBound?: Uint8Array;
}

/** A manifest list's entry. */
export interface ManifestFile {
  manifestPath: string;
  manifestLength: number;
  partitionSpecId: number;
  content: 'data' | 'deletes';
  sequenceNumber: number;
  minSequenceNumber: number;
  addedSnapshotId: bigint;
  addedFilesCount: number;
  existingFilesCount: number;
  deletedFilesCount: number;
  addedRowsCount: number;
  existingRowsCount: number;
  deletedRowsCount: number;
  partitions?: FieldSummary[];
  keyMetadata?: Uint8Array;
}

/** What must hold of the table for a commit to be taken; names as in the REST catalogue's protocol. */
export type TableRequirement =
  | { type: 'assert-create' }
  | { type: 'assert-table-uuid'; uuid: string }
  /** snapshotId undefined: the ref must not exist. */
  | { type: 'assert-ref-snapshot-id'; ref: string; snapshotId: bigint | undefined }
  | { type: 'assert-last-assigned-field-id'; lastAssignedFieldId: number }
  | { type: 'assert-current-schema-id'; currentSchemaId: number }
  | { type: 'assert-last-assigned-partition-id'; lastAssignedPartitionId: number }
  | { type: 'assert-default-spec-id'; defaultSpecId: number }
  | { type: 'assert-default-sort-order-id'; defaultSortOrderId: number };

/** A change to a table's metadata; names as in the REST catalogue's protocol. */
export type TableUpdate =
  | { action: 'add-schema'; schema: Schema; lastColumnId: number }
  /** -1: the one added last in this commit. */
  | { action: 'set-current-schema'; schemaId: number }
  | { action: 'add-spec'; spec: PartitionSpec }
  | { action: 'set-default-spec'; specId: number }
  | { action: 'add-snapshot'; snapshot: Snapshot }
  | { action: 'set-snapshot-ref'; ref: string; value: SnapshotRef }
  | { action: 'remove-snapshot-ref'; ref: string }
  | { action: 'remove-snapshots'; snapshotIds: bigint[] }
  | { action: 'set-properties'; updates: Record<string, string> }
  | { action: 'remove-properties'; removals: string[] }
  | { action: 'set-location'; location: string };
