import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { composeLake } from '../compose.ts';
import { composePipelines, type Pipelines } from '../compose-pipelines.ts';
import { composeTables } from '../compose-tables.ts';
import type { LakeConfig } from '../config/model.ts';
import { LakegateError } from '../errors.ts';
import { printable, shorten } from '../notify/printable.ts';
import type { PipelineName, RunInput } from '../pipelines/model.ts';
import { runStep } from '../pipelines/run-step.ts';
import type { ObjectStore } from '../storage/store.ts';
import { pathOf } from '../storage/urls.ts';
import { splitBySpark } from '../tables/engine-spark.ts';
import type { CommandContext } from './context.ts';
import { readConfig } from './lake.ts';
import { describeError, type ExitCode } from './output.ts';
import type { RunOptions, Which } from './tables-run.ts';
import { type Engines, type OrderOptions, runInOrder } from './tables-run-order.ts';
import { exitOfRuns, type RunReport, renderRuns } from './tables-run-report.ts';
import { checkWish, checkWishedTables } from './tables-run-wish.ts';
import { pythonOf } from './tables-split-engines.ts';

/** Runs pipelines in this process, one after the other: what fails of one does not stop the next. */
export async function runHere(
  context: CommandContext,
  which: Which,
  input: RunInput,
  options: Pick<RunOptions, 'memoryMb' | 'python'>,
): Promise<ExitCode> {
  const { output, terminal } = context;
  const config = await readConfig(context);
  const lake = await composeLake(config, {
    env: terminal.env,
    cwd: terminal.cwd,
    onNotifyFault: (message) => terminal.err.write(`lakegate: ${message}\n`),
  });
  const { store, notifier, sql, now } = lake.ports;
  const pipelines = composePipelines(config, {
    env: terminal.env,
    store,
    notifier,
    now,
    ...(sql && { sql }),
    executionRunning: isRunning,
  });
  const engines = enginesOf(context, config, store, options);
  const line = liveLine(context);
  const runs: RunReport[] = [];
  try {
    await checkWishedTables(store, checkWish(pipelines.config, which, input), input);
    for (const pipeline of named(which, pipelines)) {
      runs.push(await runOne(pipelines, engines, { pipeline, input, onStep: line.at }));
    }
  } finally {
    line.end();
    engines.close();
    pipelines.close();
    lake.close();
  }
  output.result({ runs }, () => {
    const unregistered = pipelines.ports.catalog === undefined && runs.some(({ tables = 0 }) => tables > 0);
    const note = unregistered
      ? '\nlake.yaml has no catalogue of type glue: the tables were made, and none was registered. A stage does both (--stage)'
      : '';
    return `${renderRuns(runs, output)}${note}`;
  });
  return exitOfRuns(runs);
}

function named(which: Which, { config }: Pipelines): PipelineName[] {
  if (which !== 'all') return [which];
  return (['bucketed', 'partitioned'] as const).filter((name) => config[name] !== undefined);
}

async function runOne(
  { ports, config }: Pipelines,
  engines: Engines,
  { pipeline, input, onStep }: Pick<OrderOptions, 'pipeline' | 'input' | 'onStep'>,
): Promise<RunReport> {
  const { concurrency } = config;
  const execution = `${hostname()}:${process.pid}:${randomUUID()}`;
  let begun = false;
  try {
    const summary = await runInOrder(
      async (request) => {
        const answer = await runStep(ports, config, request);
        begun ||= !('busy' in answer);
        return answer;
      },
      engines,
      { pipeline, input, execution, concurrency, onStep },
    );
    const { tables, skipped, notes, failed, reports } = summary;
    const status = failed.length === 0 ? 'succeeded' : 'failed';
    const asked = reports.map(({ report }) => report);
    return { pipeline, status, tables, skipped, ...(notes && { notes }), failed, reports: asked };
  } catch (error) {
    if (!(error instanceof LakegateError) || error.kind === 'internal') throw error;
    const job = begun ? 'run' : 'validate';
    return { pipeline, status: 'failed', failed: [{ job, reason: describeError(error) }], reports: [] };
  }
}

/**
 * Whether the run of a lock still goes on. A process of this machine can be asked for.
 * @throws LakegateError `unavailable` for one of another machine, or of a stage
 */
async function isRunning(execution: string): Promise<boolean> {
  const [host, pid] = execution.split(':');
  if (host !== hostname() || !/^\d+$/.test(pid ?? '')) {
    throw new LakegateError(
      'unavailable',
      `the pipeline is held by ${execution}, of which this machine cannot tell whether it still runs. See that it has ended, and delete the lock.json of the pipeline`,
      { retryable: false },
    );
  }
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** What a stage's state machine has Glue and Athena do. */
function enginesOf(
  context: CommandContext,
  config: LakeConfig,
  store: ObjectStore,
  { memoryMb, python }: Pick<RunOptions, 'memoryMb' | 'python'>,
): Engines & { close(): void } {
  const { env } = context.terminal;
  let tables: ReturnType<typeof composeTables> | undefined;
  return {
    async spark(given) {
      const values = Object.fromEntries(Object.entries(given).map(([name, value]) => [name.replace(/^--/, ''), value]));
      const { CSV_FILE: map = '', RESULT_PATH: place = '' } = values;
      const text = map.includes('/') ? new TextDecoder().decode((await store.read(map)).bytes) : undefined;
      const result = await splitBySpark(
        { ...values, SOURCE_PATH: folderHere(values.SOURCE_PATH), TARGET_PATH: folderHere(values.TARGET_PATH) },
        {
          python: pythonOf(context, python),
          memoryMb,
          env,
          ...(text !== undefined && { map: text }),
        },
      );
      await store.create(place, new TextEncoder().encode(JSON.stringify(result)));
      if (result.error !== undefined) throw new LakegateError('invalid', result.error);
    },
    async athena(statement, database) {
      tables ??= composeTables(config, { env });
      await tables.athena.run(statement, database);
    },
    close: () => tables?.close(),
  };
}

function folderHere(url = ''): string {
  // Paths in object URLs are literal.
  if (url.startsWith('file:')) return pathOf(url, 'file');
  throw new LakegateError(
    'unsupported',
    `Spark splits folders of this machine here, found ${url}. On S3 the Glue job does it: run the pipeline by --stage, or set \`engine: copy\``,
    { context: { url } },
  );
}

/** One line that is written over. */
function liveLine({ output, terminal }: CommandContext): { at: OrderOptions['onStep']; end(): void } {
  return {
    at({ source, state, table }) {
      if (!output.live) return;
      const text = printable(`${source}: ${state}${table === undefined ? '' : ` ${table}`}`);
      terminal.err.write(`\r\x1b[K${shorten(text, Math.min(78, (output.width ?? 80) - 1))}`);
    },
    end() {
      if (output.live) terminal.err.write('\r\x1b[K');
    },
  };
}
