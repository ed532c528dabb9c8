/** `reports.monitor` of lake.yaml, with every default filled in. */
export interface MonitorConfig {
  /** Where under the place of reports they go; ends in `/`. */
  folder: string;
  /** What the files' names begin with: `<prefix>_Data_Monitor_Report_…`. */
  namePrefix: string;
  /** Milliseconds between scheduled runs. */
  everyMs: number;
  channel?: string;
  /** Databases of the Glue Data Catalog whose Parquet tables are watched. */
  databases: WatchedDatabase[];
  /** Folders (URLs ending in `/`) in which each folder is a table. */
  folders: string[];
  thresholds: MonitorThresholds;
  /** For tables by name; `*` stands for any characters. A later entry wins. */
  tables: { pattern: string; thresholds: Partial<MonitorThresholds> }[];
}

export interface WatchedDatabase {
  name: string;
  /** What the tables' names begin with; empty: all. */
  prefix: string;
  /** Buckets that their files lie in. */
  buckets: string[];
}

export interface MonitorThresholds {
  /** Partitions that the newest snapshot should have; undefined: any number. */
  partitions?: { min?: number; max?: number };
  /** The newest snapshot, or commit, should not be older. Milliseconds. */
  freshnessMs: number;
  /** Percent by which the rows may differ from those of the snapshot before. */
  rowChange: number;
  fileSize: FileSizeBounds;
  /** Columns whose combination should have no nulls and not repeat; empty: not checked. */
  key: string[];
  /** Tables with more rows are not searched for repeated keys, which takes decoding the key. */
  keyRows: number;
  /** Partition key that tells one snapshot of a table from the next. */
  snapshotKey: string;
}

export interface FileSizeBounds {
  /** Bytes. */
  min: number;
  /** Bytes. */
  max: number;
  /** So many files below `min` are nothing to worry about. */
  smallFiles: number;
}
