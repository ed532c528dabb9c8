/** One line of a split map: a source column and the table it belongs to. */
export interface MapEntry {
  table: string;
  column: string;
  description: string;
  /** Line in the file, from 1. */
  line: number;
}

/** A table of the split: source columns under the names they have in it, the key first. */
export interface SplitTable {
  name: string;
  columns: readonly { source: string; name: string }[];
}

export type FindingKind =
  | 'missing_column'
  | 'unmapped_column'
  | 'duplicate'
  | 'shared_column'
  | 'no_key'
  | 'missing_key'
  | 'too_wide'
  | 'bad_name'
  | 'same_name'
  | 'empty_table'
  | 'unknown_table';

/** What is not as it should be between a split map and its source. */
export interface Finding {
  kind: FindingKind;
  /** Whether nothing can be run with it; what is not fatal stops a strict run alone. */
  fatal: boolean;
  table?: string;
  column?: string;
  line?: number;
  message: string;
}

/** A source file, as much of it as planning needs. */
export interface SourceFile {
  url: string;
  size: number;
  etag: string;
  version?: string;
  /** Equal for files whose row groups may stand under one footer. */
  kind: string;
  columns: readonly SourceColumn[];
  rowGroups: readonly { rows: number; columnBytes: Float64Array }[];
}

export interface SourceColumn {
  name: string;
  /** Equal for columns that one reader's schema fits. */
  type: string;
}

/** Row groups of source files, in order: what one output holds. */
export type Slice = readonly { file: SourceFile; groups: readonly number[] }[];

/** A file to be made. */
export interface OutputPlan {
  /** `part-00000-<id>.parquet`; the id tells what it is made of. */
  name: string;
  slice: Slice;
  rows: number;
  /** Of the chunks alone. */
  bytes: number;
}

export interface TablePlan {
  table: SplitTable;
  /** Where the files go: `TARGET/TABLE/snapshot_dt=YYYY-MM-DD/`. */
  folder: string;
  /** Where they lie until all of them are there. */
  staging: string;
  outputs: readonly OutputPlan[];
}

/** Outputs that are made side by side, because they are of the same row groups: each source byte is read once. */
export interface Part {
  slice: Slice;
  outputs: readonly { table: TablePlan; output: OutputPlan }[];
}

export interface SplitPlan {
  snapshot: string;
  target: string;
  tables: readonly TablePlan[];
  parts: readonly Part[];
  /** Tables that cannot be copied, and why: a decoding engine's. */
  left: readonly { table: string; reason: string }[];
}
