import type { RuleSpec } from '../rules/rule.ts';

/** `pipelines:` of lake.yaml: wide snapshots split into tables, by the state machines of a stage or on one machine. */
export interface PipelinesConfig {
  /** In the order of the file. */
  sources: PipelineSource[];
  bucketed?: BucketedPipeline;
  partitioned?: PartitionedPipeline;
  /** Bytes of an output file at most, where row groups allow it. */
  targetBytes: number;
  /** Tables, or pieces of a split, that are worked on at the same time. */
  concurrency: number;
  /** Glue's Spark jobs, of pipelines with `engine: spark`. */
  glue: { workerType: string; workers: number; timeoutMinutes: number };
  /** What starts `run-all` besides a person. */
  start: {
    /** EventBridge's expression: `cron(0 3 2 * ? *)` (UTC), `rate(7 days)`. */
    schedule?: string;
    /** Whether a source's marker does, when it arrives. */
    onMarker: boolean;
  };
  /** URL of the folder of plans, run records and locks, ending in `/`. */
  runs: string;
}

/** A place where wide snapshots arrive. */
export interface PipelineSource {
  name: string;
  /** Folder of the `snapshot_dt=YYYY-MM-DD/` folders, URL ending in `/`. */
  path: string;
  /** URL of the split map. Absent: all columns go to the one table `table`. */
  map?: string;
  table: string;
  /** Column that each table carries first, lower case. */
  key: string;
  /** Source columns under other names, lower case: source → name. */
  aliases: Record<string, string>;
  /** A snapshot counts only with an object of this name in it, such as `_SUCCESS`. */
  marker?: string;
  /** Whether anything noted of map and source stops the run. */
  strict: boolean;
  /** What an incoming snapshot is held to before it is split; absent: nothing. */
  audit?: SourceAudit;
}

export interface SourceAudit {
  rules: RuleSpec[];
  /** Share, from 0: rows may differ this much from the last snapshot that was taken. Absent: any number will do. */
  maxRowChange?: number;
}

/** What both pipelines say. */
export interface PipelineBase {
  /** Names of the sources it splits, in order. */
  sources: string[];
  /** Folder of its tables, URL ending in `/`; those of a source lie in `<target><source>/`. */
  target: string;
  engine: 'copy' | 'spark';
  /** Glue database of its tables. */
  database: string;
  /** What their names begin with. */
  tablePrefix: string;
  maxColumns: number;
  /** Wider tables fail, or lose their last columns (which the result names). */
  tooWide: 'fail' | 'cut';
  /** What each table's files are held to before the table is registered over them; absent: nothing. */
  audit?: { rules: RuleSpec[] };
  /** Reports that are asked for when it has ended. */
  reports: ('cleanrooms' | 'monitor')[];
}

export interface BucketedPipeline extends PipelineBase {
  /** `direct`: Spark writes Hive's buckets itself. `ctas`: Athena copies staged tables into buckets. */
  bucketing: 'direct' | 'ctas';
  bucketCount: number;
  /** Of `ctas`: names of the staged tables begin with this, in the same database. */
  stagedPrefix: string;
  /** Of `ctas`: how long versions that were replaced are kept. Milliseconds. */
  keepMs: number;
}

export interface PartitionedPipeline extends PipelineBase {
  /** How partitions get into Glue: by lakegate itself, or by Athena's MSCK REPAIR TABLE. */
  prepare: 'sync' | 'msck';
  /** The registered table (with its prefix) that Entity Resolution's table is made of each time; absent: none is made. */
  entityResolution?: { source: string; table: string; keepMs: number };
}
