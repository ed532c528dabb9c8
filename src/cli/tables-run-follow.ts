import * as z from 'zod';
import type { ExecutionFacts, ExecutionStep, StateMachines } from '../aws/state-machines.ts';
import { caughtReason } from '../notify/caught.ts';
import type { RunReport } from './tables-run-report.ts';

/** What a person sees meanwhile. */
export interface FollowProgress {
  /** @param state the state that was entered last @param tables items of the pipeline's Map over tables that have ended */
  at(pipeline: string, state: string, tables: number): void;
}

export interface FollowOptions {
  progress: FollowProgress;
  /** Milliseconds between two looks. */
  pauses: readonly number[];
  sleep(ms: number): Promise<void>;
  /** Aborted when nobody waits any more. */
  left: AbortSignal;
}

/** States of a pipeline's machine: the Map over a source's tables, and the one that sums up. */
const TABLES = 'Tables';
const FINISH = 'Finish';

/** States of the machine that runs the pipelines: one of them did not succeed. */
const BRANCH_FAILED: Readonly<Record<string, string>> = {
  BucketedFailed: 'bucketed',
  PartitionedFailed: 'partitioned',
};

/** What the state that sums up ends with. */
const FINISHED = z.object({
  summary: z.object({
    tables: z.number(),
    skipped: z.number(),
    notes: z.array(z.string()).exactOptional(),
    failed: z.array(
      z.object({
        job: z.string(),
        source: z.string().optional(),
        table: z.string().optional(),
        reason: z.string(),
        inconclusive: z.literal(true).exactOptional(),
      }),
    ),
    reports: z.array(z.object({ report: z.string() })),
  }),
});
type Summary = z.infer<typeof FINISHED>['summary'];

interface Watched {
  execution: string;
  pipeline: string;
  facts: ExecutionFacts;
  tables: number;
  state: string;
  summary?: Summary;
  /** Pipelines that it ran, or was to run, and that failed. */
  fell: string[];
  /** Why executions failed of which it does not say which they are. */
  unnamed: Pick<ExecutionFacts, 'error' | 'cause'>[];
}

/**
 * Watches an execution, and those that it starts, until it ends or nobody waits any more.
 * @param pipeline what the execution is called
 * @returns a report for each execution that splits tables: of `all`, those of both pipelines where they were begun
 * @throws LakegateError `config` | `unavailable`; the execution goes on all the same
 */
export async function follow(
  executions: Pick<StateMachines, 'look' | 'news'>,
  pipeline: string,
  execution: string,
  { progress, pauses, sleep, left }: FollowOptions,
): Promise<RunReport[]> {
  const root: Watched = watched(execution, pipeline);
  const all = [root];
  for (let round = 0; ; round += 1) {
    // The state first: what happens until the history is read is then in it.
    root.facts = await executions.look(execution);
    for (const one of all) {
      if (one !== root) one.facts = await executions.look(one.execution);
      for (const step of await executions.news(one.execution)) take(step, one, all, progress);
    }
    if (isOver(root.facts) || left.aborted) break;
    await sleep(pauses[Math.min(round, pauses.length - 1)]!);
  }
  const children = all.filter((one) => one !== root);
  const began = [...children.map(reportOf), ...unbegun(root, children)];
  const own = reportOf(root);
  // What the one that started them says is what they say, unless it did not come that far.
  return began.length > 0 && (own.status === 'succeeded' || began.some(({ status }) => status !== 'succeeded'))
    ? began
    : [...began, own];
}

function watched(execution: string, pipeline: string): Watched {
  return { execution, pipeline, facts: { status: 'RUNNING' }, tables: 0, state: '', fell: [], unnamed: [] };
}

function take(step: ExecutionStep, one: Watched, all: Watched[], progress: FollowProgress): void {
  switch (step.kind) {
    case 'entered':
      one.state = step.state;
      if (BRANCH_FAILED[step.state] !== undefined) one.fell.push(BRANCH_FAILED[step.state]!);
      break;
    case 'item':
      if (step.map !== TABLES) return;
      one.tables += 1;
      break;
    case 'exited':
      if (step.state === FINISH) {
        const { data } = FINISHED.safeParse(step.output);
        if (data !== undefined) one.summary = data.summary;
      }
      return;
    case 'started':
      if (all.some(({ execution }) => execution === step.execution)) return;
      all.push(watched(step.execution, pipelineOf(step.execution)));
      return;
    case 'unstarted':
      one.unnamed.push(step);
      return;
  }
  progress.at(one.pipeline, one.state, one.tables);
}

/** `arn:…:execution:acme-prod-tables-bucketed:0f…` is of `bucketed`. */
function pipelineOf(execution: string): string {
  return /-tables-([a-z-]+):[^:]+$/.exec(execution)?.[1] ?? execution;
}

function isOver({ status }: ExecutionFacts): boolean {
  return status !== 'RUNNING' && status !== 'PENDING_REDRIVE';
}

const STATUS = {
  RUNNING: 'running',
  PENDING_REDRIVE: 'running',
  SUCCEEDED: 'succeeded',
  FAILED: 'failed',
  TIMED_OUT: 'timed_out',
  ABORTED: 'aborted',
} as const;

function reportOf({ execution, pipeline, facts, summary }: Watched): RunReport {
  const status = STATUS[facts.status];
  const failed = summary?.failed ?? [];
  return {
    pipeline,
    execution,
    status,
    ...(summary && { tables: summary.tables, skipped: summary.skipped }),
    ...(summary?.notes && { notes: summary.notes }),
    failed: status !== 'failed' || failed.length > 0 ? failed : [{ job: jobOf(facts), reason: reasonOf(facts) }],
    reports: summary?.reports.map(({ report }) => report) ?? [],
  };
}

/** Pipelines that failed without an execution that could be looked at: what the one above was told of them. */
function unbegun({ execution, facts, fell, unnamed }: Watched, children: readonly Watched[]): RunReport[] {
  if (facts.status !== 'FAILED' || unnamed.length === 0) return [];
  const reason = [...new Set(unnamed.map(reasonOf))].join('; ');
  return fell
    .filter((name) => !children.some(({ pipeline }) => pipeline === name))
    .map((pipeline) => ({ pipeline, execution, status: 'failed', failed: [{ job: 'run', reason }], reports: [] }));
}

/** The error's name says where an execution ended that did not come to its summary. */
function jobOf({ error }: ExecutionFacts): string {
  return error === 'RunInvalid' ? 'validate' : 'run';
}

function reasonOf({ error, cause }: Pick<ExecutionFacts, 'error' | 'cause'>): string {
  return cause === undefined ? (error ?? 'Step Functions does not say why') : caughtReason(cause);
}
