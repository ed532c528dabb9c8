import { resolve } from 'node:path';
import { LakegateError } from '../errors.ts';
import { pathOf } from '../storage/urls.ts';
import { splitByDuckDb } from '../tables/engine-duckdb.ts';
import { planRows } from '../tables/engine-rows.ts';
import { type SparkArguments, splitBySpark } from '../tables/engine-spark.ts';
import { knownSources } from '../tables/known-sources.ts';
import type { Finding, TablePlan } from '../tables/model.ts';
import type { TableOutcome } from '../tables/outcome.ts';
import { matchSource, prepareSplit } from '../tables/prepare-split.ts';
import type { Snapshot } from '../tables/snapshot.ts';
import { sealedFile } from '../tables/sources.ts';
import { runSplit } from '../tables/split.ts';
import type { CommandContext } from './context.ts';
import { createBar, createTableBar } from './tables-progress.ts';
import type { WritingJob } from './tables-split-job.ts';

/** What a run has to say of each table; `planned` in a dry run. */
export interface SplitTableResult extends Omit<TableOutcome, 'outcome'> {
  outcome: TableOutcome['outcome'] | 'planned';
  /** Who made it, where it was not the engine that was asked for. */
  engine?: 'duckdb' | 'spark';
}

export interface SplitRun {
  /** `YYYY-MM-DD`. */
  date: string;
  /** Newer snapshots that lack the marker. */
  incomplete: readonly string[];
  findings: readonly (Finding | Pick<Finding, 'fatal' | 'message'>)[];
  tables: SplitTableResult[];
  /** Why no other engine makes what was left, and what is to be done. */
  sealed?: string;
}

type Run = (job: WritingJob) => Promise<SplitRun>;

export const RUNS: Readonly<Record<'copy' | 'duckdb' | 'spark', Run>> = { copy, duckdb, spark };

async function copy(job: WritingJob): Promise<SplitRun> {
  const { context, store, request, options } = job;
  const sources = knownSources();
  const { snapshot, findings, refused, plan } = await prepareSplit(store, request, sources);
  const sealed = sealedFile(refused)?.next;
  const of = { ...about(snapshot, findings), ...(sealed !== undefined && { sealed }) };
  if (options.dryRun) {
    const left = plan.left.map(({ table, reason }): SplitTableResult => ({ table, outcome: 'left', reason }));
    return { ...of, tables: [...plan.tables.map(planned), ...left] };
  }
  const bar = await createBar(context);
  return { ...of, tables: await runSplit(store, plan, bar, sources).finally(bar?.stop) };
}

/** Rows decoded and written anew, whichever engine does it: what would be made. */
async function plannedRows(job: WritingJob) {
  const { store, request, buckets } = job;
  const { snapshot, findings, tables, files, refused } = await matchSource(store, request);
  const decoded = planRows(tables, files, { ...request, snapshot: snapshot.date, ...(buckets && { buckets }) });
  return { of: about(snapshot, findings), decoded, files, refused };
}

async function duckdb(job: WritingJob): Promise<SplitRun> {
  const { context, store, request, options } = job;
  const { of, decoded, files, refused } = await plannedRows(job);
  const [unreadable] = refused;
  if (unreadable !== undefined) {
    throw new LakegateError(
      'unsupported',
      `DuckDB does not read what the copy engine refuses: ${unreadable.url}: ${unreadable.reason}. ${sealedFile(refused)?.next ?? 'Try --engine spark'}`,
      { context: { url: unreadable.url } },
    );
  }
  if (options.dryRun) return { ...of, tables: decoded.map(({ plan }) => planned(plan)) };
  const bar = await createBar(context);
  const { target } = request;
  const work = splitByDuckDb(store, decoded, files, { memoryMb: options.memoryMb, target }, bar);
  return { ...of, tables: await work.finally(bar?.stop) };
}

async function spark(job: WritingJob): Promise<SplitRun> {
  const { context, request, options } = job;
  const elsewhere = [request.source, request.target].find((url) => !url.startsWith('file:'));
  if (elsewhere !== undefined) {
    throw new LakegateError(
      'unsupported',
      `Spark splits folders of this machine here, found ${elsewhere}. On S3 use --engine copy, or run glue/split.py as a Glue job`,
      { context: { url: elsewhere } },
    );
  }
  if (options.dryRun) {
    const { of, decoded, refused } = await plannedRows(job);
    const sealed = sealedFile(refused);
    if (sealed !== undefined) throw new LakegateError('unsupported', sealed.next, { context: { url: sealed.url } });
    return { ...of, tables: decoded.map(({ plan }) => planned(plan)) };
  }
  const bar = await createTableBar(context);
  const { env } = context.terminal;
  const work = splitBySpark(sparkArguments(job), {
    python: pythonOf(context, options.python),
    memoryMb: options.memoryMb,
    env,
    ...(request.map !== undefined && { map: request.map.text }),
    ...(bar !== undefined && { onLine: bar.line }),
  });
  const { snapshot, notes, tables } = await work.finally(bar?.stop);
  const date = snapshot ?? '';
  const folderOf = (table: string) =>
    `${request.target}${table}/${request.layout === 'partitioned' ? `snapshot_dt=${date}/` : ''}`;
  return {
    date,
    incomplete: [],
    findings: notes.map((message) => ({ fatal: false, message })),
    tables: tables.map(({ run: _run, ...one }) => ({
      ...one,
      // Nothing is held here: there is no audit before readers get the tables.
      outcome: one.outcome === 'failed' ? 'failed' : 'written',
      folder: folderOf(one.table),
    })),
  };
}

/** The Python that Spark is to run in. A program's name is looked for on the PATH; a path is from where the command was called. */
export function pythonOf({ terminal }: CommandContext, asked: string | undefined): string {
  const name = asked ?? (terminal.env.LAKEGATE_PYTHON || 'python3');
  return name.includes('/') ? resolve(terminal.cwd, name) : name;
}

/** The job's arguments for what the command was asked. */
export function sparkArguments({ request, options, buckets }: WritingJob): SparkArguments {
  const aliases = Object.entries(request.aliases).map(([from, to]) => `${from}=${to}`);
  const { snapshot, marker, table, only } = request;
  return {
    MODE: request.layout === 'plain' ? 'bucketed' : 'partitioned',
    SOURCE_PATH: pathOf(request.source, 'file'),
    TARGET_PATH: pathOf(request.target, 'file'),
    KEY_COL: request.key,
    TARGET_FILE_MB: String(Math.max(1, Math.ceil(options.targetMb))),
    STRICT: String(request.strict),
    BUCKETING: buckets === undefined ? 'ctas' : 'direct',
    BUCKET_COUNT: String(options.bucketCount),
    ...(snapshot !== undefined && { SNAPSHOT_DT: snapshot }),
    ...(marker !== undefined && { MARKER: marker }),
    ...(table !== undefined && { TABLE_NAME: table }),
    ...(aliases.length > 0 && { ALIASES: aliases.join(',') }),
    ...(only.length > 0 && { TABLES_FILTER: only.join(',') }),
  };
}

function about({ date, incomplete }: Snapshot, findings: readonly Finding[]): Omit<SplitRun, 'tables'> {
  return { date, incomplete, findings };
}

function planned({ table, folder, outputs }: TablePlan): SplitTableResult {
  return {
    table: table.name,
    outcome: 'planned',
    folder,
    files: outputs.length,
    rows: outputs.reduce((sum, { rows }) => sum + rows, 0),
    bytes: outputs.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}
