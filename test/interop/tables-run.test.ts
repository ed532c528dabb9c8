/** The pipelines as they are deployed: the synthesised state machines, step by step, over real engines; and `lakegate tables run` here and on a stage. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { GlueClient } from '@aws-sdk/client-glue';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { CONFIG_FILE } from '../../lambdas/stage-config.ts';
import { openTables } from '../../lambdas/tables/compose.ts';
import { parseRequest } from '../../lambdas/tables/request.ts';
import { asThrown, takeStep } from '../../lambdas/tables/take-step.ts';
import type { RunReport } from '../../src/cli/tables-run-report.ts';
import { loadStages } from '../../src/config/load.ts';
import { caughtReason } from '../../src/notify/caught.ts';
import type { DomainEvent } from '../../src/notify/notifier.ts';
import { createS3Client } from '../../src/storage/s3-client.ts';
import { createStores } from '../../src/storage/stores.ts';
import { checkBuckets } from '../../src/tables/check-buckets.ts';
import { type LakeFolder, lakeFolder, removeFolders } from '../cli/lake-folder.ts';
import { synthesize } from '../stacks/stage.ts';
import { fieldsOf, fieldValue, keyOf, SOURCE_KEY, splitMapCsv } from '../tables/generator.ts';
import { type Emulator, startMiniStack } from './emulators/index.ts';
import { type Engine, startAthena, startEngines, startSplitJob } from './engine.ts';
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
reports: { cleanrooms: { database: consumer } }
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
let spark: Engine;
let athena: Engine;
let scratch: string;
const stages: Stage[] = [];
const before = { ...process.env };
const store = createStores();

beforeAll(async () => {
  scratch = mkdtempSync(join(tmpdir(), 'lakegate-tables-run-'));
  // Sessions of Spark take longest to start: they do while everything else does.
  spark = startSplitJob(scratch);
  athena = startAthena();
  engines = startEngines();
  emulator = await startMiniStack();
  Object.assign(process.env, emulator.env, { POWERTOOLS_LOG_LEVEL: 'SILENT' });
  glue = clientOf(emulator);
});

afterAll(async () => {
  await Promise.all(stages.map(({ close }) => close()));
  await Promise.all([engines, spark, athena].map((engine) => engine?.close()));
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
  close(): Promise<void>;
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
    spark,
    athena,
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
    async close() {
      await running.stop();
      (await opened)?.close();
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
    await spark.ask('write_parquet', { sql, target: out });
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

  /** What a run told: the failures, from the function or the state machine. */
  const toldFailures = () =>
    [...flow.notes, ...flow.running.told.map(({ detail }) => detail)].flatMap((note) =>
      'failures' in note ? (note.failures as { job: string; table?: string; reason: string }[]) : [],
    );

  beforeEach(() => {
    if (flow === undefined) return;
    flow.running.before = () => undefined;
    for (const list of [flow.notes, flow.running.told, flow.running.calls]) list.length = 0;
  });

  test('a bad input, split map or snapshot is told whole, and nothing is begun', async () => {
    const known = await versions('consumer');
    const map = `${flow.raw}maps/infobase.csv`;
    const { bytes, etag } = await store.read(map);
    const bad = `${splitMapCsv(TABLES).replace(/^B,.*\n/gm, '')}B,nothing,""\nmetadata,c_field_000,""\n`;
    const { etag: badEtag } = (await store.replace(map, new TextEncoder().encode(bad), etag))!;
    const one = await flow.run('partitioned', { snapshot: '2026-01-31', force: true });
    await store.replace(map, bytes, badEtag);
    const two = await flow.run('partitioned', { SNAPSHOT_DT: '2026-09-09' });
    const three = await flow.run('partitioned', { snapshot: 'soon', sourcess: [], tables: ['NOPE'] });
    for (const [execution, ...reasons] of [
      [one, 'B would have no column but the key', '"metadata" cannot be a table'],
      [two, 'there is no snapshot_dt=2026-09-09/ folder', 'infobase', 'addressable'],
      [three, 'expected YYYY-MM-DD or _NONE_, found "soon"', 'sourcess: there is no such input', '"NOPE"'],
    ] as const) {
      expect([execution.status, execution.error]).toEqual(['FAILED', 'RunInvalid']);
      for (const reason of reasons) expect(caughtReason(execution.cause!)).toContain(reason);
      expect(execution.entered).toEqual(['Validate', 'TellInvalid', 'RunInvalid']);
    }
    expect(flow.running.calls).toEqual(['validate', 'validate', 'validate']);
    expect(flow.running.told.map(({ type, detail }) => [type, detail.pipeline, detail.count])).toEqual(
      Array(3).fill(['pipeline.failed', 'partitioned', 1]),
    );
    expect(await versions('consumer')).toEqual(known);
  });

  test('the gate before stops a snapshot whose key is null, repeats, or half of whose rows are gone: nothing is moved', async () => {
    const known = await versions('consumer');
    const files = await countOf(`${flow.lake}tables/`);
    const ills: [string, SnapshotShape, RegExp][] = [
      [
        '2026-02-01',
        { keys: (keys) => keys.map((key, row) => (row === 33 ? null : key)) },
        /not_null of customer_user_id: .* 1 null \(row 3 of s3:.*part-1\.parquet\)/,
      ],
      [
        '2026-02-02',
        { keys: (keys) => keys.map((key, row) => (row === 40 ? keys[7]! : key)) },
        /1 row repeats an earlier one, first "cust-0000000007" \(row 10 of/,
      ],
      [
        '2026-02-03',
        { rows: ROWS / 2 },
        /max_row_change: expected between 48 and 72 rows, 60 in the last snapshot, found 30 rows, -50\.0 %/,
      ],
    ];
    for (const [date, shape, reason] of ills) {
      await snapshot(flow, date, shape);
      const execution = await flow.run('partitioned');
      expect([date, execution.status, execution.error]).toEqual([date, 'FAILED', 'TablesFailed']);
      const failures = toldFailures();
      expect(failures.map(({ job }) => job)).toEqual(['audit', 'audit']);
      for (const failure of failures) expect(failure.reason).toMatch(reason);
      flow.notes.length = 0;
    }
    expect(flow.running.calls).not.toEqual(expect.arrayContaining(['plan']));
    expect(await versions('consumer')).toEqual(known);
    expect(await countOf(`${flow.lake}tables/`)).toBe(files);
  });

  test('one table fails: it is named, its old data stays, the others are registered', async () => {
    await snapshot(flow, '2026-02-28', { lacks: 'B_Field_001' });
    const execution = await flow.run('partitioned', { sources: ['infobase'] });
    expect([execution.status, execution.error]).toEqual(['FAILED', 'TablesFailed']);
    expect(execution.cause).toContain('"table":"B"');
    expect(toldFailures()).toEqual([
      { job: 'split', source: 'infobase', table: 'B', reason: expect.stringContaining('B_Field_001') },
    ]);
    expect(await differences(flow, 'consumer', 'part_a', '2026-02-28')).toBe(SAME);
    expect(await differences(flow, 'consumer', 'part_b', FIRST)).toBe(SAME);
    expect((await foldersOf(glue, 'consumer', 'part_b')).map((folder) => folder.slice(-11))).toEqual(['2026-01-31/']);
    // It is not taken: the next one begins anew, and fails again.
    const again = await flow.run('partitioned', { sources: ['infobase'] });
    expect([again.status, flow.running.calls.filter((call) => call === 'plan').length]).toEqual(['FAILED', 2]);
  });

  test('what is throttled is tried again; a marker starts its own snapshot', async () => {
    await snapshot(flow, '2026-03-31');
    const refused = new Map<string, number>();
    flow.running.before = (what) => {
      const times = refused.get(what) ?? 0;
      refused.set(what, times + 1);
      if (times >= 2) return;
      if (what === 'glue') throw new TaskFault('Glue.ConcurrentRunsExceededException', 'too many runs');
      if (what === 'athena') throw new TaskFault('Athena.TooManyRequestsException', 'too many queries');
      throw new TaskFault('Lambda.TooManyRequestsException', 'Rate Exceeded.');
    };
    const [bucket] = flow.raw.slice('s3://'.length).split('/');
    const marker = {
      source: 'aws.s3',
      'detail-type': 'Object Created',
      detail: { bucket: { name: bucket }, object: { key: 'addressable/snapshot_dt=2026-03-31/_SUCCESS' } },
    };
    const [partitioned, bucketed] = await Promise.all([flow.run('partitioned', marker), flow.run('bucketed', marker)]);
    expect([partitioned.cause, bucketed.cause]).toEqual([undefined, undefined]);
    expect(partitioned.retried).toEqual(expect.arrayContaining(['Validate', 'Plan', 'Register', 'ErStatement']));
    expect(bucketed.retried.filter((state) => state === 'Split')).toHaveLength(2);
    for (const prefix of ['part_', 'bucketed_']) {
      const table = `${prefix}addressable_ids`;
      expect([table, await differences(flow, 'consumer', table, '2026-03-31', 'addressable')]).toEqual([table, SAME]);
    }
    // Entity Resolution's table is of the new snapshot alone, and its old version is kept for whoever still reads it.
    const er = await local((await foldersOf(glue, 'consumer', 'part_addressable_ids_er'))[0]!);
    const [made] = await engines.ask<string[]>('duckdb_sql', {
      statements: [
        `select count(*) as rows, count(distinct row_id) as ids, bool_and(row_id = ${KEY}) as same from (${select('*', er)})`,
      ],
    });
    expect(JSON.parse(made!)).toMatchObject({ rows: String(ROWS), ids: String(ROWS) });
    // The other source was not the marker's.
    expect((await foldersOf(glue, 'consumer', 'part_a')).some((folder) => folder.includes('2026-03-31'))).toBe(false);
  });

  test('ended half way, and run again: the lock is taken over, and the new run ends whole', async () => {
    let half: () => void = () => undefined;
    const reached = new Promise<void>((resolve) => {
      half = resolve;
    });
    let comeBack: () => void = () => undefined;
    const late = new Promise<void>((resolve) => {
      comeBack = resolve;
    });
    let registered = 0;
    flow.running.before = async (what) => {
      if (what !== 'register') return;
      registered += 1;
      if (registered < 2) return;
      half();
      await late;
    };
    const first = flow.running.start('flow-dev-tables-partitioned', { snapshot: '2026-03-31', sources: ['infobase'] });
    await reached;
    // Another one waits as long as the first runs.
    const second = flow.running.start('flow-dev-tables-partitioned', { snapshot: '2026-03-31', sources: ['infobase'] });
    while (!second.entered.includes('WaitTurn')) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(second.status).toBe('RUNNING');
    flow.running.before = () => undefined;
    await flow.running.abort(first.arn);
    await second.ended;
    expect([first.status, second.status, second.cause]).toEqual(['ABORTED', 'SUCCEEDED', undefined]);
    for (const table of ['a', 'b', 'c']) {
      expect([table, await differences(flow, 'consumer', `part_${table}`, '2026-03-31')]).toEqual([table, SAME]);
    }
    // Calls that were under way when somebody ended their execution come late, and change nothing.
    const known = await versions('consumer');
    comeBack();
    await flow.running.idle();
    expect(await versions('consumer')).toEqual(known);
    flow.running.calls.length = 0;
    await flow.run('partitioned', { snapshot: '2026-03-31', sources: ['infobase'] });
    expect(flow.running.calls).toEqual(['validate', 'finish']);
  });

  test('a table of Spark that does not pass its audit: readers of the registered one keep what they have', async () => {
    const date = '2026-04-30';
    await snapshot(flow, date);
    const staging = spoil(flow, 'bucketed', 'B');
    const known = await versions('consumer');
    const execution = await flow.run('bucketed', { sources: ['infobase'], snapshot: date });
    expect([execution.status, execution.error]).toEqual(['FAILED', 'TablesFailed']);
    expect(toldFailures()).toEqual([
      { job: 'audit', source: 'infobase', table: 'B', reason: expect.stringContaining('60 rows as in the snapshot') },
    ]);
    expect(toldFailures()[0]!.reason).toContain(`Its files are in ${staging} until the next run`);
    expect(await differences(flow, 'consumer', 'bucketed_b', FIRST)).toBe(SAME);
    expect((await versions('consumer')).bucketed_b).toBe(known.bucketed_b);
    expect(await store.head(`${staging}held.json`)).toBeDefined();
    expect(await differences(flow, 'consumer', 'bucketed_a', date)).toBe(SAME);
    // What the function moved into its place lies in Hive's buckets; so does what the next run makes.
    flow.running.before = () => undefined;
    const next = await flow.run('bucketed', { sources: ['infobase'], snapshot: date });
    expect([next.status, next.cause]).toEqual(['SUCCEEDED', undefined]);
    expect(await differences(flow, 'consumer', 'bucketed_b', date)).toBe(SAME);
    for (const table of ['a', 'b', 'c']) {
      const [place] = await foldersOf(glue, 'consumer', `bucketed_${table}`);
      const whole = { files: BUCKETS, rows: ROWS, missing: [], faults: [] };
      expect([table, await checkBuckets(store, place!, { column: KEY, count: BUCKETS })]).toEqual([table, whole]);
    }
    expect(await store.head(`${staging}held.json`)).toBeUndefined();
  });

  test('the command starts a machine, follows it, and ends as it ended', async () => {
    type Answer = { stage: string; runs: RunReport[] };
    const run = async (words: string) => {
      const { code, out, err } = await flow.folder.run(`tables run ${words} --stage dev --json`, { env: emulator.env });
      expect([words, err]).toEqual([words, '']);
      return { code, value: JSON.parse(out) as Answer };
    };
    const done = await run('partitioned --snapshot 2026-03-31 --sources infobase --tables C --force');
    expect(done).toMatchObject({
      code: 0,
      value: { stage: 'dev', runs: [{ pipeline: 'partitioned', status: 'succeeded', tables: 1 }] },
    });
    const stopped = await run('partitioned --snapshot 2026-02-02');
    expect(stopped).toMatchObject({
      code: 3,
      value: {
        runs: [
          {
            status: 'failed',
            failed: [
              { job: 'audit', source: 'infobase' },
              { job: 'audit', source: 'addressable' },
            ],
          },
        ],
      },
    });
    const invalid = await run('all --snapshot 2026-09-09');
    expect(invalid.code).toBe(1);
    expect(invalid.value.runs.map(({ pipeline, status, failed }) => [pipeline, status, failed[0]?.job])).toEqual(
      expect.arrayContaining([
        ['bucketed', 'failed', 'validate'],
        ['partitioned', 'failed', 'validate'],
      ]),
    );
    const spoilt = await run('all --snapshot 2026-02-02');
    expect(spoilt.code).toBe(3);
    expect(spoilt.value.runs.map(({ pipeline, failed }) => [pipeline, failed[0]?.reason]).sort()).toEqual([
      ['bucketed', expect.stringContaining('failed its audit: unique of')],
      ['partitioned', expect.stringContaining('failed its audit: unique of')],
    ]);
    const started = await run('partitioned --no-wait --snapshot 2026-03-31');
    expect(started).toMatchObject({
      code: 0,
      value: {
        runs: [{ status: 'running', execution: expect.stringContaining(':execution:flow-dev-tables-partitioned:') }],
      },
    });
    await flow.running.executions.get(started.value.runs[0]!.execution!)!.ended;
    const words = await flow.folder.run('tables run partitioned --stage dev --snapshot 2026-02-02', {
      env: emulator.env,
    });
    expect(words.out).toContain('partitioned failed');
    expect(words.out).toContain('audit of infobase: snapshot_dt=2026-02-02 of infobase failed its audit: unique of');
  });

  test('Ctrl-C ends the following, and not the execution', async () => {
    let goOn: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    flow.running.before = () => held;
    flow.running.asked.length = 0;
    const words = ['tables', 'run', 'partitioned', '--stage', 'dev', '--snapshot', '2026-03-31'];
    const child = spawn(process.execPath, [join(__dirname, '../../bin/cli.ts'), ...words], {
      cwd: flow.folder.path,
      env: { ...process.env, ...emulator.env, ...flow.running.env },
    });
    const said = { out: '', err: '' };
    child.stdout.on('data', (data) => {
      said.out += String(data);
    });
    child.stderr.on('data', (data) => {
      said.err += String(data);
    });
    const ended = new Promise((resolve) => child.once('close', resolve));
    while (!flow.running.asked.includes('GetExecutionHistory')) {
      if (child.exitCode !== null) throw new Error(said.err);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    child.kill('SIGINT');
    expect([await ended, said.out.split('\n')[0]]).toEqual([1, 'partitioned is running']);
    const [, arn] = /nobody waits any more; the execution goes on: (arn:\S+)/.exec(said.err)!;
    goOn();
    const execution = flow.running.executions.get(arn!)!;
    await execution.ended;
    expect(execution.status).toBe('SUCCEEDED');
  });
});

/** Before a table's audit: one of the files that Spark wrote has other rows. @returns its staging folder */
function spoil(stage: Stage, pipeline: string, table: string, inside = ''): string {
  const staging = `${stage.lake}tables/${pipeline}/infobase/_staging_spark/${table}/${inside}`;
  stage.running.before = async (what, { table: asked }) => {
    if (what !== 'register' || asked !== table) return;
    const { bytes } = await store.read(`${staging}held.json`);
    const [first] = Object.keys((JSON.parse(new TextDecoder().decode(bytes)) as { moves: object }).moves);
    const { etag } = (await store.head(`${staging}${first}`))!;
    const other = await store.read(`${stage.raw}infobase/snapshot_dt=${FIRST}/part-0.parquet`);
    await store.replace(`${staging}${first}`, other.bytes, etag);
  };
  return staging;
}

async function countOf(folder: string): Promise<number> {
  let files = 0;
  for await (const { url } of store.list(folder)) if (!url.includes('/_staging')) files += 1;
  return files;
}

test("the compatible ways: Athena's buckets and repairs, and rows moved by Spark", async () => {
  const classic = await stageOf(CLASSIC, 'classic');
  const execution = await classic.run('run-all', { sources: ['infobase'] });
  expect([execution.status, execution.cause]).toEqual(['SUCCEEDED', undefined]);
  expect(classic.running.calls.filter((call) => call === 'glue')).toHaveLength(1);
  for (const table of ['a', 'b', 'c']) {
    for (const prefix of ['part_', 'bucketed_']) {
      expect([table, await differences(classic, 'classic', `${prefix}${table}`, FIRST)]).toEqual([table, SAME]);
    }
  }
  const tables = await tablesIn(glue, 'classic');
  expect(tables.get('bucketed_a')!.StorageDescriptor).toMatchObject({ BucketColumns: [KEY], NumberOfBuckets: BUCKETS });
  expect([...tables.keys()].filter((name) => name.includes('__'))).toEqual([]);

  // A partition that is registered already, made again: what does not pass its audit is not shown in it.
  const staging = spoil(classic, 'partitioned', 'B', `snapshot_dt=${FIRST}/`);
  const [shown] = await foldersOf(glue, 'classic', 'part_b');
  const files = await countOf(shown!);
  const again = { sources: ['infobase'], tables: ['B', 'C'], snapshot: FIRST, force: true };
  const refused = await classic.run('partitioned', again);
  expect([refused.status, refused.error]).toEqual(['FAILED', 'TablesFailed']);
  expect(classic.notes).toMatchObject([
    { failures: [{ job: 'audit', table: 'B', reason: expect.stringContaining(`Its files are in ${staging}`) }] },
  ]);
  expect([await countOf(shown!), await differences(classic, 'classic', 'part_b', FIRST)]).toEqual([files, SAME]);
  classic.running.before = () => undefined;
  classic.notes.length = 0;
  expect((await classic.run('partitioned', again)).cause).toBeUndefined();
  expect(await differences(classic, 'classic', 'part_b', FIRST)).toBe(SAME);

  // A statement that fails: the table before stays, the others are swapped in.
  await snapshot(classic, '2026-02-28');
  const before = await versions('classic');
  classic.running.before = (what, parameters) => {
    if (what !== 'athena' || !String(parameters.QueryString).includes('b_')) return;
    throw new TaskFault('States.TaskFailed', {
      QueryExecution: { Status: { StateChangeReason: 'HIVE_CURSOR_ERROR: no' } },
    });
  };
  const failed = await classic.run('bucketed', { sources: ['infobase'] });
  classic.running.before = () => undefined;
  expect([failed.status, failed.error]).toEqual(['FAILED', 'TablesFailed']);
  expect(classic.notes).toMatchObject([{ failures: [{ job: 'bucket', table: 'B', reason: 'HIVE_CURSOR_ERROR: no' }] }]);
  const after = await versions('classic');
  expect(after.bucketed_b).toBe(before.bucketed_b);
  expect(after.bucketed_a).not.toBe(before.bucketed_a);
  expect(await differences(classic, 'classic', 'bucketed_a', '2026-02-28')).toBe(SAME);
});

test('here: on S3 with Glue tables are registered; on folders rows are moved by the Spark of this machine', async () => {
  const flow = stages[0] ?? (await stageOf(FLOW, 'consumer'));
  await makeDatabase(glue, 'here');
  const folder = lakeFolder();
  folder.write(
    'lake.yaml',
    `
raw: ${flow.raw}
warehouse: ${flow.lake}here/
catalogs: { glue: { type: glue, region: us-east-1 } }
pipelines:
  sources: { infobase: { path: infobase/, map: "${flow.raw}maps/infobase.csv", marker: _SUCCESS } }
  partitioned: { database: here, target: "${flow.lake}here-tables/" }
`,
  );
  const { env } = emulator;
  const registered = await folder.run(`tables run partitioned --snapshot ${FIRST}`, { env });
  expect(registered).toMatchObject({ code: 0, out: 'partitioned done: 3 tables\n' });
  for (const table of ['a', 'b', 'c']) {
    expect([table, await differences(flow, 'here', `part_${table}`, FIRST)]).toEqual([table, SAME]);
  }

  const folders = lakeFolder();
  for (const file of await local(`${flow.raw}infobase/snapshot_dt=${FIRST}/`)) {
    const path = join(folders.path, 'raw/infobase', `snapshot_dt=${FIRST}`, basename(file));
    await mkdir(dirname(path), { recursive: true });
    await copyFile(file, path);
  }
  folders.write('map.csv', splitMapCsv(TABLES));
  folders.write(
    'lake.yaml',
    `
pipelines:
  sources: { infobase: { path: infobase/, map: map.csv } }
  bucketed: { database: here, buckets: ${BUCKETS} }
`,
  );
  const python = join(__dirname, '../../.interop/venv/bin/python');
  const moved = await folders.run(['tables', 'run', 'bucketed', '--python', python, '--json']);
  expect(JSON.parse(moved.out)).toEqual({
    runs: [{ pipeline: 'bucketed', status: 'succeeded', tables: 3, skipped: 0, failed: [], reports: [] }],
  });
  const place = `file://${folders.path}/tables/bucketed/infobase/A/`;
  expect(await checkBuckets(store, place, { column: KEY, count: BUCKETS })).toMatchObject({ rows: ROWS, faults: [] });
});
