/** A Parquet file's footer as plain data, with statistics as the raw bytes (parquet.thrift: FileMetaData). */

export type PhysicalType =
  | 'BOOLEAN'
  | 'INT32'
  | 'INT64'
  | 'INT96'
  | 'FLOAT'
  | 'DOUBLE'
  | 'BYTE_ARRAY'
  | 'FIXED_LEN_BYTE_ARRAY';

/** The annotation of a leaf, logical type first, else its converted type translated. */
export type Annotation =
  | { kind: 'string' }
  | { kind: 'enum' }
  | { kind: 'json' }
  | { kind: 'bson' }
  | { kind: 'uuid' }
  | { kind: 'date' }
  | { kind: 'decimal'; precision: number; scale: number }
  | { kind: 'time'; unit: 'millis' | 'micros' | 'nanos'; utc: boolean }
  | { kind: 'timestamp'; unit: 'millis' | 'micros' | 'nanos'; utc: boolean }
  | { kind: 'integer'; bits: 8 | 16 | 32 | 64; signed: boolean }
  | { kind: 'float16' }
  | { kind: 'interval' }
  | { kind: 'null' }
  | { kind: 'geometry' }
  | { kind: 'geography' }
  | { kind: 'variant' };

/** One column chunk's worth of file, per row group. */
export interface ColumnChunk {
  codec: 'UNCOMPRESSED' | 'SNAPPY' | 'GZIP' | 'LZO' | 'BROTLI' | 'LZ4' | 'ZSTD' | 'LZ4_RAW';
  /** Values including nulls (and, in repeated columns, one per level entry). */
  numValues: number;
  totalCompressedSize: number;
  totalUncompressedSize: number;
  dataPageOffset: number;
  /** Absent when there is none; writers that put 0 mean none. */
  dictionaryPageOffset?: number;
  encodings: string[];
  /** Whether every data page is dictionary-encoded; undefined when the footer does not say. */
  allDictionary?: boolean;
  /** null_count as written; undefined is "not written", which is not 0. */
  nullCount?: number;
  distinctCount?: number;
  /** Raw `min_value`/`max_value` (never the deprecated `min`/`max`). */
  minValue?: Uint8Array;
  maxValue?: Uint8Array;
  /** False where the writer says that the value was shortened; undefined where it does not say. */
  minExact?: boolean;
  maxExact?: boolean;
  /** Whether a Statistics struct with anything in it was there. */
  hasStatistics: boolean;
  /** SizeStatistics.definition_level_histogram. */
  definitionLevelHistogram?: number[];
  columnIndexOffset?: number;
  columnIndexLength?: number;
  offsetIndexOffset?: number;
  offsetIndexLength?: number;
  bloomFilterOffset?: number;
  /** With its header; older writers do not say. */
  bloomFilterLength?: number;
}

export interface RowGroup {
  numRows: number /** Row position of its first row in the file. */;
  firstRow: number;
  columns: ColumnChunk[];
}

/** A primitive column as stored. */
export interface Leaf {
  /** Index into each row group's `columns`. */
  index: number;
  /** Path of schema element names as in the file, wrappers included (`l.list.element`). */
  path: string[];
  physicalType: PhysicalType;
  typeLength?: number;
  annotation?: Annotation;
  maxDefinitionLevel: number;
  maxRepetitionLevel: number;
}

/**
 * A column as people know it: list and map wrapper groups are folded away (legacy two-level lists included) and children are named as
 * Iceberg names them (`l.element`, `m.key`, `m.value`, `s.field`).
 */
export interface LogicalField {
  /** The last name of the path. */
  name: string;
  /** Dotted path from the top: `s.inner.element`. */
  path: string;
  kind: 'primitive' | 'struct' | 'list' | 'map';
  /** Whether it can be null where its parent is present. */
  optional: boolean;
  /** Entries with a definition level at or above this one have the field present; where `optional`, entries of exactly one less are its nulls. */
  definitionLevel: number;
  /** Repetition levels above the field: 0 means one value per row. */
  repetitionLevel: number;
  fieldId?: number;
  /** Children: struct fields; a list's element; a map's key and value. */
  children: LogicalField[];
  /** Set where kind is 'primitive'. */
  leaf?: Leaf;
}

export interface ParquetFooter {
  url: string;
  fileSize: number;
  /** Byte offset at which the footer's thrift starts: the end of the data. */
  footerStart: number;
  createdBy?: string;
  numRows: number;
  /** Top-level columns. */
  fields: LogicalField[];
  /** All primitive columns in file order. */
  leaves: Leaf[];
  rowGroups: RowGroup[];
  keyValueMetadata: Record<string, string>;
}

/** Nulls of one logical field, and what was read to know. */
export interface NullCount {
  /** Dotted path. */
  name: string;
  /** A top-level column: rows that are null. A nested field: nulls where its parent is present. */
  nulls: number;
  from: 'statistics' | 'levels' | 'values';
}
