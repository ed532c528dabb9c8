import { resolveFolder } from '../config/location.ts';
import { LakegateError } from '../errors.ts';
import type { ObjectStore } from '../storage/store.ts';
import { createStores } from '../storage/stores.ts';
import type { Buckets } from '../tables/check-buckets.ts';
import type { Layout } from '../tables/model.ts';
import type { SourceRequest, SplitRequest } from '../tables/prepare-split.ts';
import type { CommandContext } from './context.ts';
import { fileUrl } from './file-url.ts';

export type SplitEngine = 'copy' | 'duckdb' | 'spark' | 'virtual';

export interface SplitOptions {
  source: string;
  target?: string;
  map?: string;
  table?: string;
  layout: Layout;
  snapshot?: string;
  marker?: string;
  key: string;
  alias: Record<string, string>;
  tables: string[];
  engine: SplitEngine;
  otherwise?: 'duckdb' | 'spark';
  bucketing: 'ctas' | 'direct';
  bucketCount: number;
  targetMb: number;
  memoryMb: number;
  python?: string;
  database?: string;
  prefix: string;
  strict?: boolean;
  dryRun?: boolean;
}

/** What a split is to do, its options read and found to go together. */
export interface SplitJob {
  context: CommandContext;
  options: SplitOptions;
  store: ObjectStore;
  request: SourceRequest & { layout: Layout };
  /** Where rows go to Hive's buckets. */
  buckets?: Buckets;
}

/** A job that writes files. */
export interface WritingJob extends SplitJob {
  request: SplitRequest & { layout: Layout };
}

const MEGABYTE = 1024 * 1024;

/**
 * Reads the options of `tables split` and the split map.
 * @throws LakegateError `usage` for options that do not go together; of the store
 */
export async function splitJob(context: CommandContext, options: SplitOptions): Promise<SplitJob> {
  checkOptions(options);
  const { cwd } = context.terminal;
  const store = createStores();
  const { map, table, snapshot, marker, layout, key, target } = options;
  return {
    context,
    options,
    store,
    request: {
      source: folder(options.source, '--source', cwd),
      layout,
      ...(target !== undefined && { target: folder(target, '--target', cwd) }),
      ...(map !== undefined && { map: { text: await textOf(store, map, cwd), name: map } }),
      ...(table !== undefined && { table }),
      ...(snapshot !== undefined && { snapshot }),
      ...(marker !== undefined && { marker }),
      key,
      aliases: options.alias,
      only: options.tables,
      strict: options.strict ?? false,
    },
    ...(options.bucketing === 'direct' && { buckets: { column: key.toLowerCase(), count: options.bucketCount } }),
  };
}

/** The same as a job that writes. @throws LakegateError `usage` without `--target` */
export function writingJob(job: SplitJob): WritingJob {
  const { target } = job.request;
  if (target === undefined) throw usage('--target is missing: the folder or s3:// URL that the tables go to');
  return { ...job, request: { ...job.request, target, targetBytes: job.options.targetMb * MEGABYTE } };
}

function checkOptions({
  map,
  table,
  target,
  engine,
  otherwise,
  bucketing,
  layout,
  database,
  tables,
}: SplitOptions): void {
  if ((map === undefined) === (table === undefined)) {
    throw usage(
      `expected --map, or --table for all columns as one table, found ${map === undefined ? 'neither' : 'both'}`,
    );
  }
  if (table !== undefined && tables.length > 0)
    throw usage('--tables picks tables of a map, and there is none with --table');
  if (table !== undefined && !/^[A-Za-z0-9][A-Za-z0-9_]{0,199}$/.test(table)) {
    throw usage(`--table: expected letters, digits and underscores, found ${JSON.stringify(table)}`);
  }
  if (otherwise !== undefined && engine !== 'copy') {
    throw usage(`--otherwise is for what --engine copy leaves, found it with --engine ${engine}`);
  }
  if (bucketing === 'direct' && (layout !== 'plain' || !['duckdb', 'spark'].includes(engine))) {
    throw usage(
      `--bucketing direct moves rows: expected --layout plain and --engine duckdb or spark, found --layout ${layout} --engine ${engine}`,
    );
  }
  if (engine === 'virtual' && (database === undefined || layout === 'plain')) {
    const what = database === undefined ? 'no --database' : '--layout plain';
    throw usage(
      `--engine virtual registers partitioned tables: expected --database and --layout partitioned, found ${what}`,
    );
  }
  if (engine === 'virtual' && target !== undefined) {
    throw usage('--engine virtual writes no files: expected no --target; the tables lie where the source is');
  }
  if (engine !== 'virtual' && database !== undefined) {
    throw usage(`--database is for --engine virtual; the others' tables are registered by \`tables register\``);
  }
}

async function textOf(store: ObjectStore, map: string, cwd: string): Promise<string> {
  const url = map.startsWith('s3:') ? map : fileUrl(cwd, map);
  return new TextDecoder().decode((await store.read(url)).bytes);
}

function folder(text: string, option: string, cwd: string): string {
  const resolved = resolveFolder(text, cwd);
  if ('url' in resolved) return resolved.url;
  throw usage(`${option}: ${resolved.fault}, found ${JSON.stringify(text)}`);
}

function usage(message: string): LakegateError {
  return new LakegateError('usage', message.trim());
}
