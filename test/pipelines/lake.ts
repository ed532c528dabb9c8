/** A lake in memory with pipelines, and a stand-in of their state machine that takes the same steps in the same order, one by one. */

import { pipelinesConfig } from '../../src/config/pipelines.ts';
import type { PipelinesConfig } from '../../src/config/pipelines-model.ts';
import type { LakeYaml } from '../../src/config/schema.ts';
import { LakegateError } from '../../src/errors.ts';
import type { PipelineFailed } from '../../src/notify/notifier.ts';
import type {
  PipelineAnswers,
  PipelineJob,
  PipelineName,
  PipelineRequest,
  RunPlan,
  SourceItem,
  TableNext,
} from '../../src/pipelines/model.ts';
import type { PipelinePorts, SnapshotPartition } from '../../src/pipelines/ports.ts';
import { runStep } from '../../src/pipelines/run-step.ts';
import { createMemoryStore } from '../../src/storage/memory.ts';
import type { ObjectStore } from '../../src/storage/store.ts';
import { tableInput } from '../../src/tables/glue-table-input.ts';
import { type HeldPlace, heldFolder, heldState } from '../../src/tables/held-table.ts';
import { prepareSplit } from '../../src/tables/prepare-split.ts';
import { runSplit } from '../../src/tables/split.ts';
import { splitMapCsv, writeSource } from '../tables/generator.ts';
import { type FakeCatalog, fakeCatalog } from '../tables/pipeline-fakes.ts';

export const T0 = Date.UTC(2026, 0, 31, 6);
export const DAY = 86_400_000;
export const KEY = 'customer_user_id';
/** Fields of the tables of the split map. */
export const TABLES = { IBE_01: 5, IBE_02: 4, N_A: 3 };
export const DATABASE = 'consumer';
const MAP = 'memory:/config/infobase-map.csv';

type PipelinesYaml = NonNullable<LakeYaml['pipelines']>;

export interface PipelineLake {
  store: ObjectStore;
  catalog: FakeCatalog;
  ports: PipelinePorts;
  config: PipelinesConfig;
  told: PipelineFailed[];
  /** Partitions as Glue has them: `consumer.part_ibe_01 2026-01-31`. */
  partitions: Map<string, SnapshotPartition>;
  /** Executions that run. */
  running: Set<string>;
  clock: { now: number };
  /** Is asked before a step, a job or a statement, and may throw. */
  before: (what: string, request: unknown) => Promise<void> | void;
  /** Statements that Athena was given. */
  statements: string[];
}

export interface LakeOptions {
  pipelines?: Partial<PipelinesYaml>;
  /** Without Glue. */
  bare?: boolean;
}

export const PARTITIONED: Partial<PipelinesYaml> = {
  partitioned: { database: DATABASE, entity_resolution: 'part_addressable_ids', reports: ['cleanrooms'] },
};

export function pipelineLake({ pipelines = PARTITIONED, bare = false }: LakeOptions = {}): PipelineLake {
  const clock = { now: T0 };
  const store = createMemoryStore(() => clock.now);
  const catalog = fakeCatalog();
  const told: PipelineFailed[] = [];
  const partitions: PipelineLake['partitions'] = new Map();
  const running = new Set<string>();
  const config = pipelinesConfig(
    {
      sources: {
        infobase: { path: 'infobase/', map: 'infobase-map.csv', marker: '_SUCCESS' },
        addressable: { path: 'addressable/', table: 'addressable_ids' },
      },
      ...pipelines,
    },
    {
      folder: '/lake',
      raw: 'memory:/raw/',
      base: 'memory:/lake/',
      tables: 'memory:/lake/tables/',
      runs: 'memory:/lake/lakegate/tables/',
    },
  );
  // Configurations know no addresses in memory.
  config.sources[0] = { ...config.sources[0]!, map: MAP };
  const list = catalog.list;
  catalog.list = async (database, prefix) => {
    if (database !== DATABASE) throw new LakegateError('not_found', `there is no database ${database}`);
    return list(database, prefix);
  };
  return {
    store,
    catalog,
    config,
    told,
    partitions,
    running,
    clock,
    before: () => undefined,
    statements: [],
    ports: {
      store,
      ...(!bare && { catalog }),
      async addSnapshot(partition) {
        partitions.set(`${partition.database}.${partition.table} ${partition.date}`, partition);
      },
      notifier: {
        async notify(events) {
          told.push(...events.filter((event) => event.event === 'pipeline.failed'));
        },
      },
      executionRunning: async (execution) => running.has(execution),
      now: () => clock.now,
    },
  };
}

/** Puts snapshots of both sources, and the split map. @param rows of each of the two files */
export async function drop(lake: PipelineLake, date = '2026-01-31', rows = 20): Promise<void> {
  const { store } = lake;
  await store.create(MAP, new TextEncoder().encode(splitMapCsv(TABLES)));
  await writeSource(store, `memory:/raw/infobase/snapshot_dt=${date}/`, {
    tables: TABLES,
    files: 2,
    rows,
    rowGroupRows: 8,
  });
  await store.create(`memory:/raw/infobase/snapshot_dt=${date}/_SUCCESS`, new Uint8Array());
  await writeSource(store, `memory:/raw/addressable/snapshot_dt=${date}/`, {
    tables: { addressable_ids: 3 },
    files: 1,
    rows,
  });
}

/** A step as the function takes it. */
export async function step<M extends PipelineRequest['mode']>(
  lake: PipelineLake,
  request: Extract<PipelineRequest, { mode: M }>,
): Promise<PipelineAnswers[M]> {
  await lake.before(request.mode, request);
  // What a state machine hands on is JSON.
  return JSON.parse(
    JSON.stringify(await runStep(lake.ports, lake.config, JSON.parse(JSON.stringify(request)))),
  ) as PipelineAnswers[M];
}

/** The first step of an execution that finds the pipeline free. */
export async function begin(
  lake: PipelineLake,
  { pipeline = 'partitioned' as PipelineName, input = {} as unknown, execution = 'x:1' } = {},
): Promise<RunPlan> {
  const plan = await step(lake, { mode: 'validate', pipeline, input, execution });
  if ('busy' in plan) throw new Error(`the pipeline is busy with ${plan.busy}`);
  return plan;
}

/** Ends a process at any place. */
export class Killed extends Error {}

/** Runs a pipeline as its state machine does: what a step throws is noted, and the others go on. */
export async function runPipeline(
  lake: PipelineLake,
  { pipeline = 'partitioned' as PipelineName, input = {} as unknown, execution = 'arn:x:run-1' } = {},
): Promise<PipelineAnswers['finish']> {
  lake.running.add(execution);
  try {
    const plan = await begin(lake, { pipeline, input, execution });
    for (const item of plan.sources) await runSource(lake, item);
    return await step(lake, { mode: 'finish', pipeline, run: plan.run, execution });
  } finally {
    lake.running.delete(execution);
  }
}

async function runSource(lake: PipelineLake, item: SourceItem): Promise<void> {
  if (item.skip) return;
  const caught = (job: PipelineJob, table: string | null, work: () => Promise<boolean | undefined>) =>
    noted(lake, item, job, table, work);
  const passed = await caught('audit', null, async () => {
    for (const share of item.shares) await step(lake, { mode: 'audit', item, share });
    return item.shares.length === 0 || (await step(lake, { mode: 'judge', item })).passed;
  });
  if (!passed) return;
  let tables: string[] = [];
  const split = await caught('split', null, async () => {
    let error: string | null = null;
    if (item.engine === 'copy') {
      const { pieces } = await step(lake, { mode: 'plan', item });
      for (const piece of pieces)
        await caught('split', null, async () => void (await step(lake, { mode: 'copy', item, piece })));
    } else error = await job(lake, item);
    ({ tables } = await step(lake, { mode: 'collect', item, error }));
    return true;
  });
  if (!split) return;
  for (const table of tables) {
    await caught('register', table, async () => {
      const { next } = await step(lake, { mode: 'register', item, table });
      if (next.kind === 'athena') {
        await step(lake, { mode: 'settle', item, table, error: await athena(lake, next) });
      }
      return true;
    });
  }
  if (item.pipeline !== 'partitioned') return;
  await caught('er', null, async () => {
    const { next } = await step(lake, { mode: 'er', item });
    if (next.kind === 'athena') await step(lake, { mode: 'settle-er', item, error: await athena(lake, next) });
    return true;
  });
}

async function noted(
  lake: PipelineLake,
  item: SourceItem,
  job: PipelineJob,
  table: string | null,
  work: () => Promise<boolean | undefined>,
): Promise<boolean | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Killed) throw error;
    const { name, message } = error as Error;
    const output = { Error: name, Cause: JSON.stringify({ errorType: name, errorMessage: message }) };
    await step(lake, { mode: 'failed', item, job, table, error: JSON.stringify(output) });
    return false;
  }
}

/** Does what Athena does of a statement that tests can see. @returns its fault as the state machine has it */
async function athena(
  lake: PipelineLake,
  { statement, database }: Extract<TableNext, { kind: 'athena' }>,
): Promise<string | null> {
  const { store, catalog, statements } = lake;
  statements.push(statement);
  const [, , name] = /^CREATE TABLE "(\w+)"\."(\w+)"/.exec(statement) ?? [];
  try {
    if (name !== undefined) {
      const location = /external_location = '([^']+)'/.exec(statement)![1]!;
      for await (const { url } of store.list(location)) throw new Error(`HIVE_PATH_ALREADY_EXISTS: ${url}`);
      await store.create(`${location}000000_0`, new TextEncoder().encode(name));
      await catalog.create(
        database,
        tableInput({
          name,
          location,
          columns: [{ name: KEY, type: 'string' }],
          partitionKeys: [],
          comment: '',
          ...(statement.includes('bucketed_by') && { buckets: { column: KEY, count: 256 } }),
        }),
      );
    }
    await lake.before('athena', statement);
    return null;
  } catch (error) {
    if (error instanceof Killed) throw error;
    const cause = { QueryExecution: { Status: { StateChangeReason: (error as Error).message } } };
    return JSON.stringify({ Error: 'States.TaskFailed', Cause: JSON.stringify(cause) });
  }
}

let jobs = 0;

/** Does what the Spark job does with `HOLD`, as far as tests can see it. A table named in what `before` throws fails. */
async function job(lake: PipelineLake, item: SourceItem): Promise<string | null> {
  const { store } = lake;
  const given = (name: string) => {
    const value = item.arguments![`--${name}`]!;
    return value === '_NONE_' ? undefined : value;
  };
  expect(given('HOLD')).toBe('true');
  const map = given('CSV_FILE');
  const marker = given('MARKER');
  let failing = '';
  try {
    await lake.before('spark', item.arguments);
  } catch (error) {
    if (error instanceof Killed) throw error;
    failing = (error as Error).message;
    if (failing === 'no workers')
      return JSON.stringify({ Error: 'Glue', Cause: JSON.stringify({ ErrorMessage: failing }) });
  }
  jobs += 1;
  const scratch = `memory:/scratch/${jobs}/`;
  const { plan } = await prepareSplit(store, {
    source: given('SOURCE_PATH')!,
    target: scratch,
    ...(map !== undefined && { map: { text: new TextDecoder().decode((await store.read(map)).bytes), name: 'map' } }),
    table: given('TABLE_NAME')!,
    layout: 'plain',
    snapshot: given('SNAPSHOT_DT')!,
    ...(marker !== undefined && { marker }),
    key: given('KEY_COL')!,
    aliases: {},
    only: given('TABLES_FILTER')?.split(',') ?? [],
    strict: given('STRICT') === 'true',
    targetBytes: Number(given('TARGET_FILE_MB')) * 2 ** 20,
  });
  const [first] = await runSplit(store, plan);
  const run = jobs.toString(16).padStart(16, '0');
  const layout = given('MODE') === 'bucketed' ? 'plain' : 'partitioned';
  const tables = [];
  for (const { table } of plan.tables) {
    if (table.name === failing) {
      tables.push({ table: table.name, outcome: 'failed', reason: 'out of memory' });
      continue;
    }
    const place = { target: given('TARGET_PATH')!, table: table.name, layout, snapshot: plan.snapshot } as const;
    const files = await held(lake, place, run, `${scratch}${table.name}/`);
    tables.push({ table: table.name, outcome: 'held', run, files, rows: first!.rows, bytes: 1 });
  }
  const rows = first?.rows ?? 0;
  const result = { snapshot: plan.snapshot, mode: given('MODE'), source: { files: 1, rows }, notes: [], tables };
  const error = failing === '' ? undefined : `1 of ${tables.length} tables failed`;
  await store.delete([given('RESULT_PATH')!]);
  await store.create(given('RESULT_PATH')!, new TextEncoder().encode(JSON.stringify({ ...result, error })));
  return error === undefined ? null : JSON.stringify({ Error: 'Glue', Cause: JSON.stringify({ ErrorMessage: error }) });
}

/** Leaves the files of a folder as the Spark job leaves a table that it holds, in place of those of an earlier run. @returns how many */
export async function held(
  { store }: Pick<PipelineLake, 'store'>,
  place: HeldPlace,
  run: string,
  from: string,
): Promise<number> {
  const folder = heldFolder(place);
  // The script begins with what an earlier run left: a commit that it had begun is finished, the rest goes.
  await heldState(store, place, { id: 'none', files: 0 }).catch((error: LakegateError) => {
    if (error.kind !== 'not_found') throw error;
  });
  for await (const { url } of store.list(folder)) await store.delete([url]);
  const moves: Record<string, string> = {};
  for await (const { url } of store.list(from)) {
    const name = `data/${url.slice(from.length)}`;
    await store.copy(url, `${folder}${name}`);
    moves[name] = `part-${String(Object.keys(moves).length).padStart(5, '0')}-${run}.parquet`;
  }
  await store.create(`${folder}held.json`, new TextEncoder().encode(JSON.stringify({ run, moves })));
  return Object.keys(moves).length;
}

/** URLs under a folder, without it. */
export async function filesUnder({ store }: PipelineLake, folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { url } of store.list(folder)) found.push(url.slice(folder.length));
  return found;
}

/** Replaces an object's text. */
export async function put({ store }: PipelineLake, url: string, text: string): Promise<void> {
  await store.delete([url]);
  await store.create(url, new TextEncoder().encode(text));
}
