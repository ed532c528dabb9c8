import { setTimeout } from 'node:timers/promises';
import { shorten } from '../notify/printable.ts';
import { machinePart } from '../pipelines/machine.ts';
import type { RunInput } from '../pipelines/model.ts';
import { createStores } from '../storage/stores.ts';
import type { CommandContext } from './context.ts';
import { readConfig, withStage } from './lake.ts';
import { EXIT, type ExitCode } from './output.ts';
import type { Which } from './tables-run.ts';
import { type FollowProgress, follow } from './tables-run-follow.ts';
import { exitOfRuns, type RunReport, renderRuns } from './tables-run-report.ts';
import { checkWish, checkWishedTables } from './tables-run-wish.ts';
import { count } from './words.ts';

/** Milliseconds between two looks: a run that is refused ends in seconds, one that works takes the better part of an hour. */
const PAUSES_MS = [1_000, 2_000, 3_000, 5_000];

/** Starts a stage's state machine and watches it to its end. Ctrl-C ends the watching alone. */
export async function runOnStage(
  context: CommandContext,
  which: Which,
  input: RunInput,
  wait: boolean,
): Promise<ExitCode> {
  const { output, terminal } = context;
  await checkInput(context, which, input);
  const { stage, prefix } = await withStage(context);
  const { openStateMachines } = await import('../aws/state-machines.ts');
  const executions = openStateMachines(stage);
  const leaving = new AbortController();
  const interrupted = () => leaving.abort();
  const bar = liveLine(context);
  process.once('SIGINT', interrupted);
  try {
    const execution = await executions.start(`${prefix}-${machinePart(which === 'all' ? 'run-all' : which)}`, input);
    const goesOn = `the execution goes on: ${execution}`;
    if (!wait) {
      const started: RunReport = { pipeline: which, execution, status: 'running', failed: [], reports: [] };
      output.result({ stage: stage.name, runs: [started] }, () => renderRuns([started], output));
      return EXIT.done;
    }
    const options = { progress: bar, pauses: PAUSES_MS, sleep: sleeper(leaving.signal), left: leaving.signal };
    const runs = await follow(executions, which, execution, options).catch((error: unknown) => {
      bar.end();
      terminal.err.write(`lakegate: ${goesOn}\n`);
      throw error;
    });
    bar.end();
    output.result({ stage: stage.name, runs }, () => renderRuns(runs, output));
    if (!leaving.signal.aborted) return exitOfRuns(runs);
    terminal.err.write(`lakegate: nobody waits any more; ${goesOn}\n`);
    return EXIT.failed;
  } finally {
    process.off('SIGINT', interrupted);
    executions.close();
  }
}

/** What lake.yaml and the maps beside it can tell, before an execution fails for it, and its alarm wakes somebody. */
async function checkInput(context: CommandContext, which: Which, input: RunInput): Promise<void> {
  const { pipelines } = await readConfig(context);
  if (pipelines === undefined) return;
  const sources = checkWish(pipelines, which, input);
  if (sources.some(({ map }) => map !== undefined && !map.startsWith('file:'))) return;
  await checkWishedTables(createStores(), sources, input);
}

/** Sleeps that end at once when nobody waits any more. */
function sleeper(signal: AbortSignal): (ms: number) => Promise<void> {
  return (ms) =>
    setTimeout(ms, undefined, { signal }).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
}

/** One line that is written over: what each pipeline is at, and how many tables have ended. */
function liveLine({ output, terminal }: CommandContext): FollowProgress & { end(): void } {
  const states = new Map<string, string>();
  return {
    at(pipeline, state, tables) {
      if (!output.live) return;
      states.set(pipeline, `${pipeline}: ${state}${tables === 0 ? '' : `, ${count(tables, 'table')} ended`}`);
      terminal.err.write(`\r\x1b[K${shorten([...states.values()].join('  '), Math.min(78, (output.width ?? 80) - 1))}`);
    },
    end() {
      if (output.live) terminal.err.write('\r\x1b[K');
    },
  };
}
