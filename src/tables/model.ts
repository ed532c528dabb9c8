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
  | 'unknown_table'
  | 'unknown_alias';

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

/** Where a table's files go: into a folder for each snapshot, `TARGET/TABLE/snapshot_dt=YYYY-MM-DD/`, or straight into `TARGET/TABLE/`. */
export type Layout = 'partitioned' | 'plain';

/** The version of a source file that a plan was made of. */
export interface PlannedFile {
  url: string;
  size: number;
  etag: string;
  version?: string;
}

/** A source file, as much of it as planning needs. */
export interface SourceFile extends PlannedFile {
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
export type Slice = readonly { file: PlannedFile; groups: readonly number[] }[];

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
  layout: Layout;
  /** Where the table's folders or files are: `TARGET/TABLE/`. */
  root: string;
  /** Where the files go: `TARGET/TABLE/snapshot_dt=YYYY-MM-DD/`, or `TARGET/TABLE/`. */
  folder: string;
  /** Where they lie until all of them are there. */
  staging: string;
  outputs: readonly OutputPlan[];
}

/** Outputs that are made side by side, because they are of the same row groups: each source byte is read once. */
export interface Part {
  /** From 0. */
  number: number;
  slice: Slice;
  outputs: readonly { table: TablePlan; output: OutputPlan }[];
}

/** How large a part may be. */
export interface PartCut {
  /** Tables written side by side, each of which holds a writer's buffers. */
  tablesAtOnce: number;
  /** Bytes of a part's outputs; an output that is larger is a part of its own. */
  partBytes: number;
}

export interface SplitPlan {
  snapshot: string;
  target: string;
  layout: Layout;
  tables: readonly TablePlan[];
  /** What is made at once, in this order; `Part.number` is the place in it. */
  parts: readonly Part[];
  /** What `parts` was cut by. */
  cut: PartCut;
  /** Tables that cannot be copied, and why: a decoding engine's. */
  left: readonly { table: string; reason: string }[];
}
