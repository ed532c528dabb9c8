/** The pipelines as they are deployed: the synthesised state machines, step by step, over real engines; and `lakegate tables run` here and on a stage. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { GlueClient } from '@aws-sdk/client-glue';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { CONFIG_FILE } from '../../lambdas/stage-config.ts';
import { openTables } from '../../lambdas/tables/compose.ts';
import { parseRequest } from '../../lambdas/tables/request.ts';
import { asThrown, takeStep } from '../../lambdas/tables/take-step.ts';
import type { RunReport } from '../../src/cli/tables-run-report.ts';
import { loadStages } from '../../src/config/load.ts';
import type { DomainEvent } from '../../src/notify/notifier.ts';
import { createS3Client } from '../../src/storage/s3-client.ts';
import { createStores } from '../../src/storage/stores.ts';
import { checkBuckets } from '../../src/tables/check-buckets.ts';
import { type LakeFolder, lakeFolder, removeFolders } from '../cli/lake-folder.ts';
import { synthesize } from '../stacks/stage.ts';
import { fieldsOf, fieldValue, keyOf, SOURCE_KEY, splitMapCsv } from '../tables/generator.ts';
import { type Emulator, startMiniStack } from './emulators/index.ts';
import { type Engine, startEngines } from './engine.ts';
import { clientOf } from './glue-client.ts';
import { foldersOf, makeDatabase, type PipelineStage, startPipelineStage, tablesIn } from './pipeline-stage.ts';
import { type LocalExecution, TaskFault } from './servers/step-functions.ts';

jest.setTimeout(240_000);

const TABLES = { A: 5, B: 4, C: 3 };
const KEY = 'customer_user_id';
const FIRST = '2026-01-31';
const BUCKETS = 4;

const lakeYaml = (name: string, pipelines: string) => `
name: ${name}
pipelines:
  sources:
    infobase: { path: infobase/, map: "s3://${name}-dev-raw-000000000000-us-east-1/maps/infobase.csv", marker: _SUCCESS }
    addressable: { path: addressable/, table: addressable_ids, marker: _SUCCESS }
${pipelines}
stages:
  dev: { account: "000000000000", region: us-east-1 }
`;

/** The cheap ways: copies and Hive's buckets by Spark. */
const FLOW = lakeYaml(
  'flow',
  `  partitioned: { database: consumer, entity_resolution: part_addressable_ids, reports: [cleanrooms] }
  bucketed: { database: consumer, buckets: ${BUCKETS} }
  start: { on_marker: true }`,
);
/** The compatible ones: Athena's copies and repairs. */
const CLASSIC = lakeYaml(
  'classic',
  `  partitioned: { database: classic, engine: spark, prepare: msck }
  bucketed: { database: classic, bucketing: ctas, buckets: ${BUCKETS} }`,
);

let emulator: Emulator;
let glue: GlueClient;
let engines: Engine;
let scratch: string;
const stages: Stage[] = [];
const before = { ...process.env };
const store = createStores();

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'lakegate-tables-run-'));
  emulator = await startMiniStack();
  Object.assign(process.env, emulator.env, { POWERTOOLS_LOG_LEVEL: 'SILENT' });
  glue = clientOf(emulator);
  engines = startEngines();
});

afterAll(async () => {
  await Promise.all(stages.map(({ running }) => running.stop()));
  await engines?.close();
  glue?.destroy();
  await emulator?.stop();
  process.env = before;
  rmSync(scratch, { recursive: true, force: true });
  removeFolders();
});

interface Stage {
  yaml: string;
  raw: string;
  lake: string;
  running: PipelineStage;
  /** What the function told people. */
  notes: DomainEvent[];
  folder: LakeFolder;
  /** Runs a machine to its end. */
  run(machine: string, input?: unknown): Promise<LocalExecution>;
}

/** A stage with its buckets, database and state machines, and its snapshots of January. */
async function stageOf(yaml: string, database: string): Promise<Stage> {
  const [config] = loadStages(yaml, '/lake/lake.yaml');
  const { name, stage } = config!;
  const s3 = createS3Client();
  for (const bucket of [stage.buckets.raw.name, stage.buckets.lake.name]) {
    await s3.send(new CreateBucketCommand({ Bucket: bucket }));
  }
  s3.destroy();
  await makeDatabase(glue, database);
  const machines = synthesize(yaml).all('AWS::StepFunctions::StateMachine') as unknown as {
    Properties: { StateMachineName: string; DefinitionString: string };
  }[];
  const definitions = machines
    .filter(({ Properties }) => String(Properties.StateMachineName).includes('-tables-'))
    .map(({ Properties }) => [Properties.StateMachineName, JSON.parse(Properties.DefinitionString)] as const);
  expect(definitions.map(([machine]) => machine).sort()).toEqual(
    ['bucketed', 'partitioned', 'run-all'].map((part) => `${name}-dev-tables-${part}`),
  );
  const notes: DomainEvent[] = [];
  const packed = join(scratch, `${name}.json`);
  writeFileSync(packed, JSON.stringify(config));
  const context = { getRemainingTimeInMillis: () => 900_000, awsRequestId: 'x', functionName: `${name}-dev-tables` };
  const env: Record<string, string | undefined> = { ...process.env, [CONFIG_FILE]: packed };
  // As lambdas/tables/handler.ts, once for each stage.
  let opened: ReturnType<typeof openTables> | undefined;
  const running = await startPipelineStage({
    definitions: Object.fromEntries(definitions),
    async handler(event) {
      try {
        const request = parseRequest(event);
        opened ??= openTables({
          env,
          pipelines: { notifier: { notify: async (events) => void notes.push(...events) } },
        });
        const parts = await opened;
        parts.begin(context as never);
        return await takeStep(parts, request);
      } catch (error) {
        throw asThrown(error);
      }
    },
    glue,
  });
  // The function asks it whether executions run; it is composed when it is first called.
  Object.assign(process.env, running.env);
  const folder = lakeFolder();
  folder.write('lake.yaml', yaml);
  const made: Stage = {
    yaml,
    raw: `s3://${stage.buckets.raw.name}/`,
    lake: `s3://${stage.buckets.lake.name}/`,
    running,
    notes,
    folder,
    async run(machine, input = {}) {
      const execution = running.start(`${name}-dev-tables-${machine}`, input);
      await execution.ended;
      return execution;
    },
  };
  stages.push(made);
  await store.create(`${made.raw}maps/infobase.csv`, new TextEncoder().encode(splitMapCsv(TABLES)));
  await snapshot(made, FIRST);
  return made;
}

interface SnapshotShape {
  /** Keys in place of the usual ones. */
  keys?: (keys: string[]) => (string | null)[];
  rows?: number;
  /** A column that the second file lacks. */
  lacks?: string;
}

const ROWS = 60;

/** Puts a snapshot of both sources, two files each, and their markers last. */
async function snapshot(stage: Stage, date: string, { keys = (same) => same, rows = ROWS, lacks }: SnapshotShape = {}) {
  const fields = fieldsOf(TABLES);
  const half = Math.ceil(rows / 2);
  const own = keys(Array.from({ length: rows }, (_, row) => keyOf(row)));
  for (const source of ['infobase', 'addressable']) {
    for (const file of [0, 1]) {
      const numbers = own.map((_, row) => row).slice(file * half, (file + 1) * half);
      const others = (source === 'infobase' ? fields : fields.slice(0, 2)).filter(
        ({ column }) => file === 0 || column !== lacks,
      );
      const columnData = [
        { name: SOURCE_KEY, data: numbers.map((row) => own[row]!), type: 'STRING' as const, nullable: true },
        ...others.map((field) => ({
          name: field.column,
          // Values change from one snapshot to the next.
          data: numbers.map((row) => fieldValue(field, fields.indexOf(field), row + Number(date.slice(5, 7)))),
          type: field.type,
          nullable: true,
        })),
      ];
      const bytes = new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize: 20 }));
      await store.create(`${stage.raw}${source}/snapshot_dt=${date}/part-${file}.parquet`, bytes);
    }
    await store.create(`${stage.raw}${source}/snapshot_dt=${date}/_SUCCESS`, new Uint8Array());
  }
}

/** Files under a folder of S3 as files of this machine. */
async function local(folder: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const { url } of store.list(folder)) {
    if (/\/[._][^/]*$/.test(url) || url.endsWith('.txt')) continue;
    const path = join(scratch, 'read', url.replace('s3://', ''));
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, (await store.read(url)).bytes);
    paths.push(path);
  }
  return paths;
}

const select = (columns: string, files: readonly string[]) =>
  `select ${columns} from read_parquet(${JSON.stringify(files).replaceAll('"', "'")}, hive_partitioning = false)`;

/** How many rows of a registered table and of its source's columns differ, as DuckDB and pyarrow read them. */
async function differences(
  stage: Stage,
  database: string,
  table: string,
  date: string,
  source = 'infobase',
): Promise<string> {
  const { Table } = { Table: (await tablesIn(glue, database)).get(table)! };
  const names = Table.StorageDescriptor!.Columns!.map(({ Name }) => `"${Name}"`).join(', ');
  const folders = await foldersOf(glue, database, table);
  const folder = folders.find((one) => one.includes(`snapshot_dt=${date}/`)) ?? folders[0]!;
  const made = await local(folder);
  const origin = await local(`${stage.raw}${source}/snapshot_dt=${date}/`);
  const [one, other] = [select(names, made), select(names, origin)];
  const [found] = await engines.ask<string[]>('duckdb_sql', {
    statements: [
      `select (select count(*) from (${one} except all ${other})) + (select count(*) from (${other} except all ${one})) as n, (select count(*) from (${one})) as rows`,
    ],
  });
  const arrow = await engines.ask<string[]>('parquet_rows', { paths: made });
  const { n, rows } = JSON.parse(found!) as { n: string; rows: string };
  return `${n} of ${rows} and ${arrow.length}`;
}

const SAME = `0 of ${ROWS} and ${ROWS}`;

async function versions(database: string): Promise<Record<string, string>> {
  const found = await tablesIn(glue, database);
  return Object.fromEntries(
    [...found].map(([name, { StorageDescriptor, VersionId }]) => [name, `${StorageDescriptor!.Location} ${VersionId}`]),
  );
}

describe('copies, and buckets by Spark', () => {
  let flow: Stage;

  beforeAll(async () => {
    flow = await stageOf(FLOW, 'consumer');
  });

  test('all machines: tables are split, audited, registered; then the same snapshot is skipped', async () => {
    const execution = await flow.run('run-all');
    expect([execution.status, execution.cause]).toEqual(['SUCCEEDED', undefined]);
    expect([...(await tablesIn(glue, 'consumer')).keys()].sort()).toEqual([
      'bucketed_a',
      'bucketed_addressable_ids',
      'bucketed_b',
      'bucketed_c',
      'part_a',
      'part_addressable_ids',
      'part_addressable_ids_er',
      'part_b',
      'part_c',
    ]);
    for (const prefix of ['part_', 'bucketed_']) {
      for (const table of ['a', 'b', 'c']) {
        expect([table, await differences(flow, 'consumer', `${prefix}${table}`, FIRST)]).toEqual([table, SAME]);
      }
      const ids = await differences(flow, 'consumer', `${prefix}addressable_ids`, FIRST, 'addressable');
      expect(ids).toBe(SAME);
    }
    const [place] = await foldersOf(glue, 'consumer', 'bucketed_b');
    expect(await checkBuckets(store, place!, { column: KEY, count: BUCKETS })).toEqual({
      files: BUCKETS,
      rows: ROWS,
      missing: [],
      faults: [],
    });
    const er = (await tablesIn(glue, 'consumer')).get('part_addressable_ids_er')!;
    expect(er.StorageDescriptor!.Columns!.map(({ Name }) => Name)).toEqual(['row_id', KEY]);
    expect(flow.running.told).toEqual([
      { type: 'report.wanted', detail: expect.objectContaining({ report: 'cleanrooms' }) },
    ]);
    // Spark reads the partition as it is.
    const [part] = await foldersOf(glue, 'consumer', 'part_c');
    await local(part!);
    const out = join(scratch, 'spark-out');
    const sql = `select count(*) as n, count(distinct ${KEY}) as keys from parquet.\`${join(scratch, 'read', part!.replace('s3://', ''))}\``;
    await flow.running.spark.ask('write_parquet', { sql, target: out });
    const [read] = await engines.ask<string[]>('duckdb_sql', {
      statements: [`select * from read_parquet('${out}/*.parquet')`],
    });
    expect(JSON.parse(read!)).toEqual({ n: String(ROWS), keys: String(ROWS) });

    const known = await versions('consumer');
    flow.running.calls.length = 0;
    const again = await flow.run('run-all');
    expect(again.status).toBe('SUCCEEDED');
    expect(flow.running.calls.sort()).toEqual(['finish', 'finish', 'validate', 'validate']);
    expect(await versions('consumer')).toEqual(known);
  });
});
