import pLimit from 'p-limit';
import { pipelineBusy } from '../pipelines/lock.ts';
import type { PipelineAnswers, PipelineJob, PipelineName, PipelineRequest, SourceItem } from '../pipelines/model.ts';

type Mode = PipelineRequest['mode'];

/** One step of a pipeline, as its state machine asks the function for it. */
export type Step = <M extends Mode>(request: Extract<PipelineRequest, { mode: M }>) => Promise<PipelineAnswers[M]>;

/** What a state machine has others do. */
export interface Engines {
  /** Runs the split job to its end. @param values what Glue would get, such as `--MODE` */
  spark(values: Readonly<Record<string, string>>): Promise<void>;
  /** Runs a statement to its end. */
  athena(statement: string, database: string): Promise<void>;
}

export interface OrderOptions {
  pipeline: PipelineName;
  input: unknown;
  /** Tells this run from every other. */
  execution: string;
  /** Tables, or pieces of a copy, that are worked on at the same time. */
  concurrency: number;
  /** Hears of each step that begins. */
  onStep(step: { source: string; state: string; table?: string }): void;
}

/**
 * A pipeline from its snapshots to its tables, step by step as its state machine goes: what fails of a source or a table is written down and holds
 * back no other.
 * @throws what `validate` and `finish` throw: nothing was begun then, or the run cannot be summed up
 */
export async function runInOrder(
  step: Step,
  engines: Engines,
  options: OrderOptions,
): Promise<PipelineAnswers['finish']> {
  const { pipeline, input, execution } = options;
  const plan = await step({ mode: 'validate', pipeline, input, execution });
  // A person waits here, and knows better how long.
  if ('busy' in plan) throw pipelineBusy(pipeline, plan.busy);
  const work = { step, engines, options };
  for (const item of plan.sources) if (!item.skip) await oneSource(work, item);
  return step({ mode: 'finish', pipeline, run: plan.run, execution });
}

interface Work {
  step: Step;
  engines: Engines;
  options: OrderOptions;
}

async function oneSource(work: Work, item: SourceItem): Promise<void> {
  const { step, options } = work;
  const passed = await noting(work, item, 'audit', null, async () => {
    for (const share of item.shares) {
      options.onStep({ source: item.source, state: 'auditing' });
      await step({ mode: 'audit', item, share });
    }
    return item.shares.length === 0 || (await step({ mode: 'judge', item })).passed;
  });
  if (passed !== true) return;
  options.onStep({ source: item.source, state: 'splitting' });
  const collected = await noting(work, item, 'split', null, () =>
    item.engine === 'copy' ? copied(work, item) : split(work, item),
  );
  if (collected === undefined) return;
  const limit = pLimit(options.concurrency);
  await Promise.all(collected.tables.map((table) => limit(() => oneTable(work, item, table))));
  await noting(work, item, 'er', null, async () => {
    const { next } = await step({ mode: 'er', item });
    if (next.kind !== 'athena') return;
    options.onStep({ source: item.source, state: "making Entity Resolution's table" });
    const error = await faultOf(work.engines.athena(next.statement, next.database));
    await step({ mode: 'settle-er', item, error });
  });
}

async function copied(work: Work, item: SourceItem): Promise<PipelineAnswers['collect']> {
  const { step, options } = work;
  const { pieces } = await step({ mode: 'plan', item });
  const limit = pLimit(options.concurrency);
  // A piece that fails leaves its tables unfinished, which collecting finds; those of other pieces are whole.
  await Promise.all(
    pieces.map((piece) => limit(() => noting(work, item, 'split', null, () => step({ mode: 'copy', item, piece })))),
  );
  return step({ mode: 'collect', item, error: null });
}

async function split({ step, engines }: Work, item: SourceItem): Promise<PipelineAnswers['collect']> {
  const error = await faultOf(engines.spark(item.arguments ?? {}));
  return step({ mode: 'collect', item, error });
}

async function oneTable(work: Work, item: SourceItem, table: string): Promise<void> {
  const { step, engines, options } = work;
  const told = (state: string) => options.onStep({ source: item.source, state, table });
  const next = await noting(work, item, 'register', table, async () => {
    told('registering');
    return (await step({ mode: 'register', item, table })).next;
  });
  if (next?.kind !== 'athena') return;
  await noting(work, item, item.pipeline === 'bucketed' ? 'bucket' : 'prepare', table, async () => {
    told(item.pipeline === 'bucketed' ? 'bucketing' : 'preparing');
    const error = await faultOf(engines.athena(next.statement, next.database));
    await step({ mode: 'settle', item, table, error });
  });
}

/** Does a step; what it throws is written down for the summary, and undefined comes back. */
async function noting<T>(
  { step }: Work,
  item: SourceItem,
  job: PipelineJob,
  table: string | null,
  act: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await act();
  } catch (error) {
    await step({ mode: 'failed', item, job, table, error: messageOf(error) });
    return undefined;
  }
}

async function faultOf(work: Promise<void>): Promise<string | null> {
  try {
    await work;
    return null;
  } catch (error) {
    return messageOf(error);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
