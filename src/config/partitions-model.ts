/** `partitions:` of lake.yaml: which tables of Glue get their partitions registered, and how. */
export interface PartitionsConfig {
  /** Names of databases, `*` for any text. */
  databases: string[];
  /** Likewise; what matches is left alone. */
  exclude: string[];
  /** The incremental run looks this far back from the newest partition. Milliseconds. */
  lookbackMs: number;
  /** Whether partitions whose folder is gone are taken out of the catalogue; else they are reported. */
  remove: boolean;
  /** Whether partitions get the columns that their table has by now; else differences are reported. */
  updateSchema: boolean;
  /** How often each kind of run is made, milliseconds; undefined: never. */
  schedule: { incrementalMs?: number; fullMs?: number; reconcileMs?: number };
  /** Databases that are worked on at the same time. */
  concurrency: number;
  /** Buckets besides the lake's raw one whose events are listened to. */
  buckets: string[];
  /** Settings of single tables, in the order of the file: of those that match, the last one that says something counts. */
  tables: PartitionedTableConfig[];
  /** URL of the folder of states and run records, ending in `/`. */
  state: string;
}

export interface PartitionedTableConfig {
  /** `database.table`, `*` for any text. */
  pattern: string;
  /** `hive`, or a template such as `{year}/{month}/{day}`. */
  layout?: string;
  lookbackMs?: number;
  remove?: boolean;
  updateSchema?: boolean;
  /** Why the table is left alone. */
  skip?: string;
}
