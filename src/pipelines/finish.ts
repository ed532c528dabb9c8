import type { PipelinesConfig } from '../config/pipelines-model.ts';
import { LakegateError } from '../errors.ts';
import { writeSnapshotDate } from '../tables/split.ts';
import type { RunSource, TableRecord } from './documents.ts';
import { erTable } from './er.ts';
import { holdsLock, lockUrl, releaseLock } from './lock.ts';
import type { PipelineAnswers, PipelineFailure, PipelineName } from './model.ts';
import { removeOldRuns } from './old-runs.ts';
import type { PipelinePorts } from './ports.ts';
import { ER, type RunFiles, writeLastTaken } from './run-files.ts';
import { removeStagedLeft } from './staged-left.ts';
import { type NamedPipeline, openRun, pipelineOf, targetOf } from './work.ts';

type Summary = PipelineAnswers['finish'];

/** Failures that are named, and how much is said of each: an execution's state and an event are small. */
const NAMED = 50;
const REASON = 1_000;

/**
 * Ends a run: remembers what was taken wholly, tells of what failed, and gives the pipeline back. Done again, it gives the same answer and does nothing
 * twice; people know an event that comes again.
 * @throws LakegateError `unavailable` when failures could not be told; `corrupt` for a file of the run that is broken
 */
export async function finish(
  ports: PipelinePorts,
  config: PipelinesConfig,
  request: { pipeline: PipelineName; run: string; execution: string },
): Promise<Summary> {
  const pipeline = pipelineOf(config, request.pipeline);
  const run = openRun(ports, config, pipeline.name, request.run);
  const lock = lockUrl(config.runs, pipeline.name);
  const { sources, filtered } = await run.run();
  // A run that gave the pipeline back has told everything; what came after it is another one's.
  const isOpen = await holdsLock(ports, lock, run.folder);
  const failed: PipelineFailure[] = [];
  let tables = 0;
  for (const found of sources) {
    if (found.skip) continue;
    const ended = await endOf(run, pipeline, found);
    tables += ended.done;
    failed.push(...ended.failures.map((failure) => ({ ...failure, reason: shortened(failure.reason) })));
    if (isOpen && ended.failures.length === 0 && !filtered) await remember(ports, config, pipeline, found, ended.rows);
  }
  if (isOpen && failed.length > 0) {
    await ports.notifier.notify([
      {
        event: 'pipeline.failed',
        pipeline: pipeline.name,
        execution: request.execution,
        count: failed.length,
        failures: failed.slice(0, NAMED),
        at: new Date(ports.now()).toISOString(),
      },
    ]);
  }
  await releaseLock(ports, lock, run.folder);
  const notes = sources.flatMap(notesOf);
  // Last: what cannot be cleaned up takes nothing back.
  if (isOpen) notes.push(...(await cleaned(ports, config, { pipeline, sources, run: run.folder })));
  return {
    pipeline: pipeline.name,
    tables,
    skipped: sources.filter(({ skip }) => skip).length,
    ...(notes.length > 0 && { notes }),
    failed: failed.slice(0, NAMED),
    reports: tables > 0 ? pipeline.reports.map((report) => ({ report })) : [],
  };
}

function notesOf({ source, snapshot, skip, newer }: RunSource): string[] {
  if (newer === undefined) return [];
  const what = `snapshot_dt=${snapshot} of ${source} was`;
  return [
    skip
      ? `${what} passed over: ${newer} was taken before. To take it all the same, start the pipeline with that snapshot, or with force`
      : `${what} added beside ${newer}, which was taken before. Columns, and the table of Entity Resolution, stay as ${newer} has them`,
  ];
}

/** @returns why what earlier runs left is still there */
async function cleaned(
  ports: PipelinePorts,
  config: PipelinesConfig,
  { pipeline, sources, run }: { pipeline: NamedPipeline; sources: readonly RunSource[]; run: string },
): Promise<string[]> {
  const notes: string[] = [];
  const clean = async (whose: string, act: () => Promise<void>) => {
    try {
      await act();
    } catch (error) {
      if (!(error instanceof LakegateError)) throw error;
      notes.push(`files of earlier runs of ${whose} that nobody needs could not be removed: ${error.message}`);
    }
  };
  for (const { source } of sources) {
    await clean(source, () => removeStagedLeft(ports.store, targetOf(pipeline, source), ports.now()));
  }
  await clean(pipeline.name, () => removeOldRuns(ports, config, pipeline.name, run));
  return notes;
}

async function remember(
  { store, now }: PipelinePorts,
  { runs }: PipelinesConfig,
  pipeline: NamedPipeline,
  { source, snapshot, fingerprint, newer }: RunSource,
  rows: number | null,
): Promise<void> {
  // The newer one stays the last.
  if (newer !== undefined) return;
  const at = new Date(now()).toISOString();
  await writeSnapshotDate(store, targetOf(pipeline, source), snapshot);
  await writeLastTaken(store, runs, pipeline.name, source, { snapshot, rows, fingerprint, at });
}

interface Ended {
  done: number;
  /** Of the snapshot; null where no step knew. */
  rows: number | null;
  failures: PipelineFailure[];
}

async function endOf(run: RunFiles, pipeline: NamedPipeline, found: RunSource): Promise<Ended> {
  const { source } = found;
  const records = new Map<string, TableRecord | undefined>();
  for (const table of found.tables) records.set(table, await run.table(source, table));
  const origin = erTable({ pipeline, found });
  const made = origin === undefined ? undefined : records.get(origin);
  if (made?.state === 'done' && made.registered !== undefined) records.set(ER, await run.table(source, ER));
  const all = [...records];
  const open = all.filter(([, record]) => record === undefined || record.state === 'pending');
  const ofSource = (await run.failures(source))
    // Tables that say what became of them say it better than the step that they had in common.
    .filter(({ job }) => job !== 'split' || open.length > 0)
    .map(({ job, ...why }): PipelineFailure => ({ job, source, ...why }));
  const ofTables = all.flatMap(([table, record]): PipelineFailure[] =>
    record?.state === 'failed' ? [tableFailure(source, nameOf(pipeline, table), record)] : [],
  );
  // Tables that a failed step kept from their turn are not named one by one.
  const unheard =
    ofSource.length > 0 ? [] : open.map(([table, record]) => unfinished(source, nameOf(pipeline, table), record));
  const done = all.flatMap(([, record]) => (record?.state === 'done' ? [record] : []));
  return {
    done: done.length,
    rows: found.rows ?? done[0]?.rows ?? null,
    failures: [...ofSource, ...ofTables, ...unheard],
  };
}

/** Job, source and table come first: people read the first failure in an execution's cause as it is written. */
function tableFailure(
  source: string,
  table: string,
  { state: _state, job, ...why }: Extract<TableRecord, { state: 'failed' }>,
): PipelineFailure {
  return { job, source, table, ...why };
}

function unfinished(source: string, table: string, record: TableRecord | undefined): PipelineFailure {
  if (record?.state !== 'pending') return { job: 'register', source, table, reason: 'nothing was heard of it' };
  return { job: record.job, source, table, reason: 'its statement was begun, and its end was not heard of' };
}

function nameOf(pipeline: NamedPipeline, table: string): string {
  if (table !== ER) return table;
  return (pipeline.name === 'partitioned' && pipeline.entityResolution?.table) || 'er';
}

function shortened(reason: string): string {
  return reason.length <= REASON ? reason : `${reason.slice(0, REASON)}…`;
}
