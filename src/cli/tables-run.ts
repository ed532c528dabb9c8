import { LakegateError } from '../errors.ts';
import type { PipelineName, RunInput } from '../pipelines/model.ts';
import type { CommandContext } from './context.ts';
import type { ExitCode } from './output.ts';

export interface RunOptions {
  snapshot?: string;
  tables: string[];
  sources: string[];
  force?: boolean;
  /** False with `--no-wait`. */
  wait: boolean;
  memoryMb: number;
  python?: string;
}

/** What a person asks to be run. */
export type Which = PipelineName | 'all';

/** `lakegate tables run <which>`: a pipeline from the snapshot to its registered tables; by the state machine with `--stage`, else in this process. */
export async function run(context: CommandContext, which: string, options: RunOptions): Promise<ExitCode> {
  if (which !== 'bucketed' && which !== 'partitioned' && which !== 'all') {
    throw new LakegateError('usage', `expected bucketed, partitioned or all, found ${JSON.stringify(which)}`);
  }
  const { snapshot, tables, sources, force, wait } = options;
  const input: RunInput = {
    ...(snapshot !== undefined && { snapshot }),
    ...(tables.length > 0 && { tables }),
    ...(sources.length > 0 && { sources }),
    ...(force === true && { force }),
  };
  if (context.options.stage !== undefined) {
    const { runOnStage } = await import('./tables-run-stage.ts');
    return runOnStage(context, which, input, wait);
  }
  if (!wait) throw new LakegateError('usage', '--no-wait is for a stage: here the work is done by this process');
  const { runHere } = await import('./tables-run-here.ts');
  return runHere(context, which, input, options);
}
