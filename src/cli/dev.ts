import { mkdirSync, type Stats } from 'node:fs';
import { relative, sep } from 'node:path';
import type { Lake } from '../compose.ts';
import { LakegateError } from '../errors.ts';
import { deliver } from '../gate/deliver.ts';
import type { DeliveryOutcome } from '../gate/ports.ts';
import { resumeOpen } from '../gate/resume.ts';
import { isHidden } from '../gate/route.ts';
import { printable } from '../notify/printable.ts';
import type { CommandContext } from './context.ts';
import { withLake } from './lake.ts';
import { exitOf, outcomeValue, renderOutcomes } from './outcomes.ts';
import { describeError, EXIT, type ExitCode, toJson } from './output.ts';

/** A file counts as written when its size has stood still this long. */
const SETTLED_MS = 500;

/** Drops that arrive within this time of one another share a batch. */
const GATHER_MS = 200;

/** What could not be finished because something outside failed is taken up again after this. */
const AGAIN_MS = 10_000;

/** Systems lose changes of a folder when there are many at once: all of it is looked through this often, too. */
const LOOK_MS = 5_000;

/** `lakegate dev`: watches the raw folder; every drop takes the way it takes on AWS. Ends on Ctrl-C, after the batch at hand. */
export async function dev(context: CommandContext, options: { once?: boolean }): Promise<ExitCode> {
  const { stage } = context.options;
  if (stage !== undefined) {
    throw new LakegateError(
      'usage',
      `lakegate dev stands in for a deployed gate, and stage ${stage} has one: it takes every drop by itself. \`lakegate delivery redrive\` sends back what it gave up`,
    );
  }
  return withLake(context, async (lake) => {
    const resumed = await resumeOpen(lake.ports, lake.config, (fault) => {
      context.terminal.err.write(`lakegate: ${describeError(fault)}\n`);
    });
    if (resumed.length > 0) report(context, resumed);
    return options.once ? sweepOnce(context, lake) : watchRaw(context, lake);
  });
}

async function sweepOnce(context: CommandContext, lake: Lake): Promise<ExitCode> {
  const { raw } = lake.config;
  const urls: string[] = [];
  for await (const { url } of lake.ports.store.list(raw)) if (!isHidden(url.slice(raw.length))) urls.push(url);
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
  const batches = createBatches(context, lake);
  const watcher = watch(folder, {
    // Hidden and unfinished names are nobody's drop; anything else that no table claims is said once, by its outcome.
    ignored: (path) => isHidden(relative(folder, path).replaceAll(sep, '/')),
    awaitWriteFinish: { stabilityThreshold: SETTLED_MS, pollInterval: 100 },
    alwaysStat: true,
  });
  /** Versions that were taken up, by URL: size and time of the last write. */
  const known = new Map<string, string>();
  const arrived = (path: string, stats?: Stats): void => {
    const url = `file://${path}`;
    if (stats !== undefined) known.set(url, versionOf(stats.size, stats.mtimeMs));
    batches.add(url);
  };
  watcher.on('add', arrived).on('change', arrived);
  const looking = lookAgain(context, async () => {
    for await (const { url, size, lastModified } of lake.ports.store.list(lake.config.raw)) {
      const version = versionOf(size, lastModified);
      // What is being written is the watcher's, which sees when it stands still.
      if (isHidden(url.slice(lake.config.raw.length)) || lastModified > lake.ports.now() - LOOK_MS) continue;
      if (known.get(url) === version) continue;
      known.set(url, version);
      batches.add(url);
    }
  });
  watcher.on('error', (error) => context.terminal.err.write(`lakegate: watching ${folder}: ${describeError(error)}\n`));
  const stopped = new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
  context.output.say(`watching ${printable(folder)}\ndrop files into it, a folder per table; Ctrl-C ends\n`);
  await stopped;
  await Promise.all([watcher.close(), looking.end()]);
  await batches.end();
  return EXIT.done;
}

function versionOf(size: number, writtenMs: number): string {
  return `${size} ${Math.floor(writtenMs)}`;
}

/** Does something every few seconds, never twice at once. A fault is told, and the next time comes all the same. */
function lookAgain(context: CommandContext, look: () => Promise<void>): { end(): Promise<void> } {
  let current: Promise<void> | undefined;
  const timer = setInterval(() => {
    current ??= look()
      .catch((error) => {
        context.terminal.err.write(`lakegate: ${describeError(error)}\n`);
      })
      .finally(() => {
        current = undefined;
      });
  }, LOOK_MS);
  return {
    async end() {
      clearInterval(timer);
      await current;
    },
  };
}

interface Batches {
  /** Has a drop delivered, together with what else arrives about now. */
  add(url: string): void;
  /** Resolves when the batch at hand is done; what waits is left for the next run. */
  end(): Promise<void>;
}

/** One batch at a time: what arrives meanwhile makes up the next. */
function createBatches(context: CommandContext, lake: Lake): Batches {
  const waiting = new Set<string>();
  const timers = new Set<NodeJS.Timeout>();
  let gathering = false;
  let running: Promise<void> | undefined;
  let ended = false;
  const after = (ms: number, work: () => void): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      work();
    }, ms);
    timers.add(timer);
  };
  const add: Batches['add'] = (url) => {
    waiting.add(url);
    if (gathering) return;
    gathering = true;
    after(GATHER_MS, () => {
      gathering = false;
      running ??= runWaiting();
    });
  };
  const addAgain = (urls: readonly string[]): void => {
    if (urls.length > 0 && !ended) after(AGAIN_MS, () => urls.forEach(add));
  };
  async function runWaiting(): Promise<void> {
    while (waiting.size > 0 && !ended) {
      const urls = [...waiting];
      waiting.clear();
      try {
        const outcomes = await deliver(lake.ports, lake.config, urls);
        report(
          context,
          outcomes.filter(({ kind }) => kind !== 'already' && kind !== 'busy'),
        );
        addAgain(outcomes.filter(isOpen).map(({ drop }) => drop));
      } catch (error) {
        context.terminal.err.write(`lakegate: ${describeError(error)}\n`);
        addAgain(urls);
      }
    }
    running = undefined;
  }
  return {
    add,
    async end() {
      ended = true;
      for (const timer of timers) clearTimeout(timer);
      await running;
    },
  };
}

/** Nothing is decided yet: the same drop has to come again. */
function isOpen({ kind }: DeliveryOutcome): boolean {
  return kind === 'interrupted' || kind === 'unclaimed' || kind === 'busy';
}

/** One line of JSON per batch, or lines for people, as they come. */
function report(context: CommandContext, outcomes: readonly DeliveryOutcome[]): void {
  if (outcomes.length === 0) return;
  const { terminal, output } = context;
  if (output.json) terminal.out.write(`${toJson(outcomes.map(outcomeValue), 0)}\n`);
  else terminal.out.write(`${renderOutcomes(outcomes, output)}\n`);
}

function folderOf(raw: string): string {
  if (!raw.startsWith('file://')) {
    throw new LakegateError('config', `lakegate dev watches a folder; the raw area is ${raw}`);
  }
  return raw.slice('file://'.length);
}
