import type { PipelineSource } from '../config/pipelines-model.ts';
import type { NamedPipeline } from './work.ts';

export interface SparkWork {
  pipeline: NamedPipeline;
  source: PipelineSource;
  /** `YYYY-MM-DD`. */
  snapshot: string;
  /** Folder of the source's tables, URL ending in `/`. */
  target: string;
  /** URL of the split map; absent: one table of all columns. */
  map?: string;
  /** These tables alone; all when empty. */
  tables: readonly string[];
  targetBytes: number;
  /** Where the job leaves its result. */
  result: string;
}

const NONE = '_NONE_';

/** Arguments of the split job (glue/split.py), under the names that people know. */
export function sparkArguments(work: SparkWork): Record<string, string> {
  const { pipeline, source } = work;
  const aliases = Object.entries(source.aliases).map(([column, name]) => `${column}=${name}`);
  return {
    '--MODE': pipeline.name,
    '--SOURCE_PATH': source.path,
    '--TARGET_PATH': work.target,
    '--SNAPSHOT_DT': work.snapshot,
    '--CSV_FILE': work.map ?? NONE,
    '--TABLE_NAME': source.table,
    '--KEY_COL': source.key,
    '--ALIASES': aliases.join(',') || NONE,
    '--TABLES_FILTER': work.tables.join(',') || NONE,
    '--TARGET_FILE_MB': String(Math.max(1, Math.round(work.targetBytes / 2 ** 20))),
    '--MAX_COLS': String(pipeline.maxColumns),
    '--STRICT': String(source.strict),
    '--MARKER': source.marker ?? NONE,
    '--RESULT_PATH': work.result,
    // Nothing reaches readers before its audit.
    '--HOLD': 'true',
    ...(pipeline.name === 'bucketed' && {
      '--BUCKETING': pipeline.bucketing,
      '--BUCKET_COUNT': String(pipeline.bucketCount),
    }),
  };
}
