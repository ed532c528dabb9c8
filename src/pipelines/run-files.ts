import { createHash } from 'node:crypto';
import type * as z from 'zod';
import { isKind } from '../errors.ts';
import type { ObjectStore } from '../storage/store.ts';
import {
  LAST_TAKEN,
  type LastTaken,
  parseDocument,
  putDocument,
  RUN,
  type RunDocument,
  SOURCE_FAILURE,
  type SourceFailure,
  SPLIT_RESULT,
  type SplitResult,
  TABLE_RECORD,
  type TableRecord,
} from './documents.ts';
import type { PipelineJob, PipelineName } from './model.ts';

const AGAIN = 'Start the pipeline again: a new run writes its own.';

/** Folder of an execution's run, URL ending in `/`: the same whenever it is asked for. @param runs folder of all runs */
export function runFolder(runs: string, pipeline: PipelineName, execution: string): string {
  const hash = createHash('sha256').update(execution).digest('hex').slice(0, 8);
  const name = execution.slice(execution.lastIndexOf(':') + 1).replace(/[^A-Za-z0-9_-]/g, '-');
  return `${runs}${pipeline}/${name.slice(0, 80)}-${hash}/`;
}

/** Whether a URL is such a folder. What a request names is read and written below it. */
export function isRunFolder(url: string, runs: string, pipeline: PipelineName): boolean {
  const root = `${runs}${pipeline}/`;
  return url.startsWith(root) && /^[A-Za-z0-9_-]{1,90}\/$/.test(url.slice(root.length));
}

/** What else is known of a failure. */
type FailureMark = Pick<SourceFailure, 'inconclusive'>;

/** The folder's files. Names of sources and tables are to be those of lake.yaml and of the run. */
export interface RunFiles {
  readonly folder: string;
  /** Where the copy of a split map is that this run goes by. */
  mapUrl(source: string): string;
  planUrl(source: string): string;
  splitUrl(source: string): string;
  shareUrl(source: string, share: number): string;
  /** @throws LakegateError `not_found`, `corrupt` */
  run(): Promise<RunDocument>;
  writeRun(document: RunDocument): Promise<void>;
  splitResult(source: string): Promise<SplitResult | undefined>;
  /** @param table of the split map, or `ER` for Entity Resolution's */
  table(source: string, table: string): Promise<TableRecord | undefined>;
  writeTable(source: string, table: string, record: TableRecord): Promise<void>;
  /** Notes that a table failed; what was noted of it before as a failure stays. */
  failTable(source: string, table: string, job: PipelineJob, reason: string, mark?: FailureMark): Promise<void>;
  failures(source: string): Promise<SourceFailure[]>;
  failSource(source: string, job: PipelineJob, reason: string, mark?: FailureMark): Promise<void>;
  /** Removes all of it. */
  clear(): Promise<void>;
}

/** Stands for Entity Resolution's table, which no split map names. */
export const ER = '.er';

const JOBS: readonly PipelineJob[] = ['audit', 'split', 'register', 'bucket', 'prepare', 'er'];

export function runFiles(store: ObjectStore, folder: string): RunFiles {
  const tableUrl = (source: string, table: string) => `${folder}results/${source}/${table}.json`;
  const failureUrl = (source: string, job: PipelineJob) => `${folder}failed-${source}-${job}.json`;
  const read = <T>(schema: z.ZodType<T>, url: string) => readDocument(store, schema, url, AGAIN);
  return {
    folder,
    mapUrl: (source) => `${folder}maps/${source}.csv`,
    planUrl: (source) => `${folder}plan-${source}.json`,
    splitUrl: (source) => `${folder}split-${source}.json`,
    shareUrl: (source, share) => `${folder}audit-${source}-${share}.json`,
    async run() {
      const url = `${folder}validate.json`;
      return parseDocument(RUN, (await store.read(url)).bytes, url, AGAIN);
    },
    writeRun: (document) => putDocument(store, `${folder}validate.json`, document),
    splitResult: (source) => read(SPLIT_RESULT, `${folder}split-${source}.json`),
    table: (source, table) => read(TABLE_RECORD, tableUrl(source, table)),
    writeTable: (source, table, record) => putDocument(store, tableUrl(source, table), record),
    failTable: (source, table, job, reason, mark) =>
      putDocument(store, tableUrl(source, table), { state: 'failed', job, reason, ...mark }, (present) =>
        isFailure(present, tableUrl(source, table)),
      ),
    async failures(source) {
      const found = await Promise.all(JOBS.map((job) => read(SOURCE_FAILURE, failureUrl(source, job))));
      return found.filter((failure) => failure !== undefined);
    },
    failSource: (source, job, reason, mark) =>
      putDocument(store, failureUrl(source, job), { job, reason, ...mark }, () => true),
    async clear() {
      const urls: string[] = [];
      for await (const { url } of store.list(folder)) urls.push(url);
      await store.delete(urls);
    },
  };
}

function isFailure(bytes: Uint8Array, url: string): boolean {
  try {
    return parseDocument(TABLE_RECORD, bytes, url, AGAIN).state === 'failed';
  } catch {
    // What cannot be read says nothing that would have to stay.
    return false;
  }
}

/** A document, or undefined where there is none. @throws LakegateError `corrupt`, and what the store throws */
export async function readDocument<T>(
  store: ObjectStore,
  schema: z.ZodType<T>,
  url: string,
  advice: string,
): Promise<T | undefined> {
  try {
    return parseDocument(schema, (await store.read(url)).bytes, url, advice);
  } catch (error) {
    if (isKind(error, 'not_found')) return undefined;
    throw error;
  }
}

/** What was taken of a source last. @throws LakegateError `corrupt`, saying what to do */
export function lastTaken(
  store: ObjectStore,
  runs: string,
  pipeline: PipelineName,
  source: string,
): Promise<LastTaken | undefined> {
  const advice = 'Delete it: the snapshot is then taken again, and its rows are compared with none.';
  return readDocument(store, LAST_TAKEN, lastUrl(runs, pipeline, source), advice);
}

export function writeLastTaken(
  store: ObjectStore,
  runs: string,
  pipeline: PipelineName,
  source: string,
  last: LastTaken,
): Promise<void> {
  return putDocument(store, lastUrl(runs, pipeline, source), last);
}

function lastUrl(runs: string, pipeline: PipelineName, source: string): string {
  return `${runs}${pipeline}/last-${source}.json`;
}
