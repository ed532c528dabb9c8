import { mkdirSync } from 'node:fs';
import type { Lake } from '../compose.ts';
import { LakegateError } from '../errors.ts';
import { deliver } from '../gate/deliver.ts';
import { resumeOpen } from '../gate/resume.ts';
import { route } from '../gate/route.ts';
import { withLake } from './lake.ts';
import { exitOf, outcomeValue, renderOutcomes } from './outcomes.ts';
import { describeError, EXIT, type ExitCode, toJson } from './output.ts';
import type { CommandContext } from './program.ts';

/** A file counts as written when its size has stood still this long. */
const SETTLED_MS = 500;

/** Drops that arrive within this time of one another share a batch. */
const GATHER_MS = 200;

/** `lakegate dev`: watches the raw folder; every drop takes the way it takes on AWS. Ends on Ctrl-C, after the batch at hand. */
export async function dev(context: CommandContext, options: { once?: boolean }): Promise<ExitCode> {
  return withLake(context, async (lake) => {
    const resumed = await resumeOpen(lake.ports, lake.config);
    if (resumed.length > 0) report(context, resumed);
    return options.once ? sweepOnce(context, lake) : watchRaw(context, lake);
  });
}

async function sweepOnce(context: CommandContext, lake: Lake): Promise<ExitCode> {
  const urls: string[] = [];
  for await (const object of lake.ports.store.list(lake.config.raw)) urls.push(object.url);
  const outcomes = await deliver(lake.ports, lake.config, urls);
  const fresh = outcomes.filter((outcome) => outcome.kind !== 'already');
  context.output.result(
    fresh.map(outcomeValue),
    () => renderOutcomes(fresh, context.output) || 'nothing new under the raw folder',
  );
  return exitOf(fresh);
}

async function watchRaw(context: CommandContext, lake: Lake): Promise<ExitCode> {
  const folder = folderOf(lake.config.raw);
  mkdirSync(folder, { recursive: true });
  const { watch } = await import('chokidar');
  const waiting = new Set<string>();
  let running: Promise<void> | undefined;
  let gather: NodeJS.Timeout | undefined;
  const runWaiting = async (): Promise<void> => {
    while (waiting.size > 0) {
      const urls = [...waiting];
      waiting.clear();
      try {
        const outcomes = await deliver(lake.ports, lake.config, urls);
        report(
          context,
          outcomes.filter((outcome) => outcome.kind !== 'already'),
        );
      } catch (error) {
        context.terminal.err.write(`lakegate: ${describeError(error)}\n`);
      }
    }
    running = undefined;
  };
  const arrived = (path: string): void => {
    const url = `file://${path}`;
    // Hidden and unfinished names are nobody's drop; anything else unrouted is reported once, by the outcome.
    const routed = route(lake.config, url);
    if (routed.kind === 'unrouted' && routed.reason.startsWith('names that start')) return;
    waiting.add(url);
    clearTimeout(gather);
    gather = setTimeout(() => {
      running ??= runWaiting();
    }, GATHER_MS);
  };
  const watcher = watch(folder, { awaitWriteFinish: { stabilityThreshold: SETTLED_MS, pollInterval: 100 } });
  watcher.on('add', arrived).on('change', arrived);
  watcher.on('error', (error) => context.terminal.err.write(`lakegate: watching ${folder}: ${describeError(error)}\n`));
  context.output.say(`watching ${folder}\ndrop files into it, a folder per table; Ctrl-C ends\n`);
  await new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
  await watcher.close();
  clearTimeout(gather);
  await running;
  return EXIT.done;
}

/** One line of JSON per batch, or lines for people, as they come. */
function report(context: CommandContext, outcomes: Parameters<typeof renderOutcomes>[0]): void {
  if (outcomes.length === 0) return;
  const { terminal, output } = context;
  if (output.json) terminal.out.write(`${toJson(outcomes.map(outcomeValue)).replace(/\n\s*/g, ' ')}\n`);
  else terminal.out.write(`${renderOutcomes(outcomes, output)}\n`);
}

function folderOf(raw: string): string {
  if (!raw.startsWith('file://')) {
    throw new LakegateError('config', `lakegate dev watches a folder; the raw area is ${raw}`);
  }
  return raw.slice('file://'.length);
}
