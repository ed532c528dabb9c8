/** What the state machines of the table pipelines and their function say to each other. Answers are small: plans and lists lie in the run's folder. */

export type PipelineName = 'bucketed' | 'partitioned';

/** What an execution is started with: by a schedule, a marker, a person or `run-all`. All of it is optional. */
export interface RunInput {
  /** `YYYY-MM-DD`, or `_NONE_` for the latest. */
  snapshot?: string;
  /** These tables of the split maps alone, for test runs. */
  tables?: string[];
  sources?: string[];
  /** Whether a snapshot that was taken already is taken again. */
  force?: boolean;
}

/** What one execution works on. */
export interface RunPlan {
  pipeline: PipelineName;
  /** Folder of this run's files, URL ending in `/`. */
  run: string;
  sources: SourceItem[];
}

/** A source in one execution. */
export interface SourceItem {
  pipeline: PipelineName;
  run: string;
  source: string;
  /** `YYYY-MM-DD`. */
  snapshot: string;
  engine: 'copy' | 'spark';
  /** Its snapshot was taken already, by an earlier run that did all of this one's work, or a newer one was: nothing is to be done. */
  skip: boolean;
  /** Shares that the audit of the snapshot is done in, each by its own call: `[0, 1, 2]`. Empty: it is not audited. */
  shares: number[];
  /** Arguments of the Glue job (`--SNAPSHOT_DT`, …); null where the copy engine does it. */
  arguments: Record<string, string> | null;
  /** These tables alone; all when empty. */
  tables: string[];
}

/** What is to be done with a table before it is settled. `athena`: a statement that is to run in a database first. */
export type TableNext =
  | { kind: 'athena'; statement: string; database: string }
  | { kind: 'none'; statement: null; database: null };

/** Part of the work, as failures name it. */
export type PipelineJob = 'validate' | 'audit' | 'split' | 'register' | 'bucket' | 'prepare' | 'er';

export interface PipelineFailure {
  job: PipelineJob;
  source?: string;
  table?: string;
  reason: string;
  /** Of an audit: it could not be done, and says nothing about the data. */
  inconclusive?: true;
}

/**
 * What a state machine asks its function. `error` is Step Functions' error output as text, `{"Error": "…", "Cause": "…"}`: `caughtReason` (src/notify/caught.ts) finds what
 * people want to know in it.
 */
export type PipelineRequest =
  /**
   * Before anything is paid for: input, split maps, snapshots, databases; takes the pipeline's lock. `since`: when the execution began, ISO 8601; it
   * waits its turn from then on. Asked without it, any number of times.
   */
  | { mode: 'validate'; pipeline: PipelineName; input: unknown; execution: string; since?: string }
  /** One share of the audit of a source's snapshot. */
  | { mode: 'audit'; item: SourceItem; share: number }
  /** The verdict of all shares. */
  | { mode: 'judge'; item: SourceItem }
  /** Plans the copy, in `MOST_PIECES` (machine.ts) at most. */
  | { mode: 'plan'; item: SourceItem }
  /** Copies one piece of the plan; done again, it does nothing twice. A piece that throws is noted by `failed`, and the others go on to `collect`. */
  | { mode: 'copy'; item: SourceItem; piece: number }
  /** Which tables were copied whole, or written by the Spark job as it says. `error`: why the job failed, null where it did not. */
  | { mode: 'collect'; item: SourceItem; error: string | null }
  /** Audits a table's files, puts what was copied into its place, and registers it. */
  | { mode: 'register'; item: SourceItem; table: string }
  /** After the table's statement: swaps a version in. `error`: why the statement failed, null where it did not. */
  | { mode: 'settle'; item: SourceItem; table: string; error: string | null }
  /** Entity Resolution's table, where this source has the one that it is made of. */
  | { mode: 'er'; item: SourceItem }
  | { mode: 'settle-er'; item: SourceItem; error: string | null }
  /** Writes down what a source's step threw, so that `finish` knows it. */
  | { mode: 'failed'; item: SourceItem; job: PipelineJob; table: string | null; error: string }
  /** Sums up, remembers what was taken, tells of failures, gives the lock back. */
  | { mode: 'finish'; pipeline: PipelineName; run: string; execution: string };

/** What each mode answers with. */
export interface PipelineAnswers {
  /** `busy`: the execution that has the pipeline. It is asked again later. */
  validate: RunPlan | { busy: string };
  audit: { share: number };
  judge: { passed: boolean };
  plan: { pieces: number[] };
  copy: { piece: number };
  /** Tables that are there, whole, to be registered. */
  collect: { tables: string[] };
  register: { next: TableNext };
  settle: { settled: boolean };
  er: { next: TableNext };
  'settle-er': { settled: boolean };
  failed: { noted: true };
  finish: {
    pipeline: PipelineName;
    tables: number;
    skipped: number;
    /** What a person should know though nothing failed; absent where there is nothing. */
    notes?: string[];
    failed: PipelineFailure[];
    reports: { report: string }[];
  };
}
