/**
 * A stage's pipelines on this machine: the state machines that the CDK synthesised, run by a stand-in of Step Functions; their Lambda tasks by the real
 * handler over an emulator's S3 and Glue; Glue's job by the real script in a Spark (whose folders are S3's, fetched before and put back after, since
 * Spark's own S3 client is too large for tests); Athena's statements by DuckDB.
 */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  CreateDatabaseCommand,
  CreatePartitionCommand,
  CreateTableCommand,
  GetPartitionsCommand,
  GetTableCommand,
  GetTablesCommand,
  type GlueClient,
} from '@aws-sdk/client-glue';
import type { ObjectStore } from '../../src/storage/store.ts';
import { createStores } from '../../src/storage/stores.ts';
import type { Engine } from './engine.ts';
import { type Act, type StepFunctions, startStepFunctions, TaskFault } from './servers/step-functions.ts';

/** What a Spark job or a query is given, by the names of its service. */
interface JobRun {
  JobName: string;
  Arguments: Record<string, string>;
}

interface Query {
  QueryString: string;
  QueryExecutionContext: { Database: string };
}

export interface PipelineStage extends StepFunctions {
  /** What went to the bus: its kind, and the detail. */
  told: { type: string; detail: Record<string, unknown> }[];
  /** Calls of the function, by mode; of jobs and statements. */
  calls: string[];
  /**
   * Is asked before each task, and may throw `TaskFault` or wait.
   * @param what the function's mode, `glue` or `athena`
   */
  before: (what: string, parameters: Record<string, unknown>, execution: string) => Promise<void> | void;
  /** When no call of the function is under way. */
  idle(): Promise<void>;
}

export interface PipelineStageOptions {
  definitions: Readonly<Record<string, unknown>>;
  handler: (event: unknown) => Promise<unknown>;
  glue: GlueClient;
  /** Of `startSplitJob` and `startAthena`; whoever started them ends them. */
  spark: Engine;
  athena: Engine;
}

const LAMBDA = 'arn:aws:states:::lambda:invoke';
const JOB = 'arn:aws:states:::glue:startJobRun.sync';
const QUERY = 'arn:aws:states:::athena:startQueryExecution.sync';
const EVENTS = 'arn:aws:states:::events:putEvents';

export async function startPipelineStage(options: PipelineStageOptions): Promise<PipelineStage> {
  const { definitions, handler, glue, spark, athena } = options;
  const scratch = await mkdtemp(join(tmpdir(), 'lakegate-pipelines-'));
  const store = createStores();
  const told: PipelineStage['told'] = [];
  const calls: string[] = [];
  const own: Pick<PipelineStage, 'before'> = { before: () => undefined };
  const underWay = new Set<Promise<unknown>>();
  const invoke: Act = async ({ parameters, execution }) => {
    const payload = parameters.Payload as { mode: string };
    calls.push(payload.mode);
    await own.before(payload.mode, payload, execution);
    try {
      return { StatusCode: 200, Payload: await handler(payload) };
    } catch (error) {
      const { name, message } = error as Error;
      throw new TaskFault(name, { errorType: name, errorMessage: message, trace: [] });
    }
  };
  const lambda: Act = (task) => {
    const call = invoke(task);
    underWay.add(call);
    return call.finally(() => underWay.delete(call));
  };
  const glueJob: Act = async ({ parameters, execution }) => {
    const { JobName, Arguments } = parameters as unknown as JobRun;
    calls.push('glue');
    await own.before('glue', parameters, execution);
    try {
      await runJob({ store, spark, scratch }, Arguments);
      return { JobName, JobRunState: 'SUCCEEDED' };
    } catch (error) {
      const ErrorMessage = (error as Error).message;
      throw new TaskFault('States.TaskFailed', { JobName, JobRunState: 'FAILED', ErrorMessage });
    }
  };
  const query: Act = async ({ parameters, execution }) => {
    const { QueryString, QueryExecutionContext } = parameters as unknown as Query;
    calls.push('athena');
    await own.before('athena', parameters, execution);
    try {
      await runStatement({ store, athena, glue, scratch }, QueryString, QueryExecutionContext.Database);
      return { QueryExecution: { Status: { State: 'SUCCEEDED' } } };
    } catch (error) {
      const Status = { State: 'FAILED', StateChangeReason: (error as Error).message };
      throw new TaskFault('States.TaskFailed', { QueryExecution: { Status } });
    }
  };
  const events: Act = async ({ parameters }) => {
    for (const entry of parameters.Entries as { DetailType: string; Detail: Record<string, unknown> }[]) {
      told.push({ type: entry.DetailType, detail: entry.Detail });
    }
    return { FailedEntryCount: 0 };
  };
  const machines = await startStepFunctions(definitions, {
    [LAMBDA]: lambda,
    [JOB]: glueJob,
    [QUERY]: query,
    [EVENTS]: events,
  });
  return Object.assign(own, machines, {
    told,
    calls,
    async idle() {
      while (underWay.size > 0) await Promise.allSettled(underWay);
    },
    async stop() {
      await machines.stop();
      await rm(scratch, { recursive: true, force: true });
    },
  });
}

/** Names and etags under a folder, from its end on. */
async function listed(store: ObjectStore, folder: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for await (const { url, etag } of store.list(folder)) found.set(url.slice(folder.length), etag);
  return found;
}

async function fetched(store: ObjectStore, url: string, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, (await store.read(url)).bytes);
}

/** The script over local copies of its folders; what it changed is put back, whatever became of it. */
async function runJob(
  { store, spark, scratch }: { store: ObjectStore; spark: Engine; scratch: string },
  values: Readonly<Record<string, string>>,
): Promise<void> {
  const home = await mkdtemp(join(scratch, 'job-'));
  const [source, target] = [values['--SOURCE_PATH']!, values['--TARGET_PATH']!];
  const place = {
    source: join(home, 'source'),
    target: join(home, 'target'),
    map: join(home, 'map.csv'),
    result: join(home, 'result.json'),
  };
  await Promise.all([mkdir(place.source), mkdir(place.target)]);
  for (const name of (await listed(store, source)).keys())
    await fetched(store, `${source}${name}`, join(place.source, name));
  const before = await listed(store, target);
  for (const name of before.keys()) await fetched(store, `${target}${name}`, join(place.target, name));
  const map = values['--CSV_FILE']!;
  if (map.includes('/')) await fetched(store, map, place.map);
  const own: Record<string, string> = {
    ...values,
    '--SOURCE_PATH': place.source,
    '--TARGET_PATH': place.target,
    ...(map.includes('/') && { '--CSV_FILE': place.map }),
    '--RESULT_PATH': place.result,
  };
  const unchanged = new Map<string, Buffer>();
  for (const name of before.keys()) unchanged.set(name, await readFile(join(place.target, name)));
  try {
    await spark.ask('run', { arguments: ['--JOB_NAME', 'split', ...Object.entries(own).flat()] });
  } finally {
    const after = (await readdir(place.target, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(place.target.length + 1));
    const gone = [...before.keys()].filter((name) => !after.includes(name));
    await store.delete(gone.map((name) => `${target}${name}`));
    for (const name of after) {
      const bytes = await readFile(join(place.target, name));
      if (unchanged.get(name)?.equals(bytes)) continue;
      await put(store, `${target}${name}`, bytes);
    }
    const result = await readFile(place.result).catch(() => undefined);
    if (result !== undefined) await put(store, values['--RESULT_PATH']!, result);
    await rm(home, { recursive: true, force: true });
  }
}

async function put(store: ObjectStore, url: string, bytes: Uint8Array): Promise<void> {
  if ((await store.create(url, bytes)) !== undefined) return;
  await store.replace(url, bytes, (await store.head(url))!.etag);
}

/** Glue's words for DuckDB's types. */
const TYPES: Readonly<Record<string, string>> = {
  VARCHAR: 'string',
  INTEGER: 'int',
  DOUBLE: 'double',
  BIGINT: 'bigint',
};

async function runStatement(
  world: { store: ObjectStore; athena: Engine; glue: GlueClient; scratch: string },
  statement: string,
  database: string,
): Promise<void> {
  const repaired = /^MSCK REPAIR TABLE `([^`]+)`$/.exec(statement)?.[1];
  if (repaired !== undefined) return repair(world, database, repaired);
  const { store, athena, glue, scratch } = world;
  interface About {
    database: string;
    table: string;
    properties: Record<string, string | string[]>;
    source: { database: string; table: string };
  }
  const about = await athena.ask<About>('parse', { statement });
  const location = String(about.properties.external_location);
  for await (const { url } of store.list(location)) throw new Error(`HIVE_PATH_ALREADY_EXISTS: ${url}`);
  const home = await mkdtemp(join(scratch, 'query-'));
  try {
    const files: string[] = [];
    for (const folder of await foldersOf(glue, about.source.database, about.source.table)) {
      for (const name of (await listed(store, folder)).keys()) {
        if (/(^|\/)[._]/.test(name)) continue;
        const path = join(home, 'in', folder.replace(/^s3:\/\//, ''), name);
        await fetched(store, `${folder}${name}`, path);
        files.push(path);
      }
    }
    const target = join(home, 'out');
    await mkdir(target);
    const columns = await athena.ask<{ name: string; type: string }[]>('create_as', { statement, files, target });
    for (const name of await readdir(target))
      await put(store, `${location}${name}`, await readFile(join(target, name)));
    const buckets = about.properties.bucketed_by;
    await glue.send(
      new CreateTableCommand({
        DatabaseName: about.database,
        TableInput: {
          Name: about.table,
          TableType: 'EXTERNAL_TABLE',
          Parameters: { EXTERNAL: 'TRUE', classification: 'parquet', bucketing_format: 'hive' },
          StorageDescriptor: {
            Location: location,
            Columns: columns.map(({ name, type }) => ({ Name: name, Type: TYPES[type]! })),
            InputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
            OutputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat',
            SerdeInfo: { SerializationLibrary: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe' },
            ...(Array.isArray(buckets) && {
              BucketColumns: buckets,
              NumberOfBuckets: Number(about.properties.bucket_count),
            }),
          },
        },
      }),
    );
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

/** Folders that a table's rows lie in: its partitions', or its own. */
export async function foldersOf(glue: GlueClient, database: string, table: string): Promise<string[]> {
  const { Table } = await glue.send(new GetTableCommand({ DatabaseName: database, Name: table }));
  const own = Table!.StorageDescriptor!.Location!;
  if ((Table!.PartitionKeys ?? []).length === 0) return [own.replace(/\/*$/, '/')];
  const { Partitions = [] } = await glue.send(new GetPartitionsCommand({ DatabaseName: database, TableName: table }));
  return Partitions.map(({ StorageDescriptor }) => StorageDescriptor!.Location!.replace(/\/*$/, '/')).sort();
}

async function repair(
  { store, glue }: { store: ObjectStore; glue: GlueClient },
  database: string,
  table: string,
): Promise<void> {
  const { Table } = await glue.send(new GetTableCommand({ DatabaseName: database, Name: table }));
  const place = Table!.StorageDescriptor!;
  const root = place.Location!.replace(/\/*$/, '/');
  const dates = new Set(
    [...(await listed(store, root)).keys()].flatMap((name) => /^snapshot_dt=([^/]+)\//.exec(name)?.[1] ?? []),
  );
  const known = await foldersOf(glue, database, table);
  for (const date of dates) {
    const Location = `${root}snapshot_dt=${date}/`;
    if (known.includes(Location)) continue;
    await glue.send(
      new CreatePartitionCommand({
        DatabaseName: database,
        TableName: table,
        PartitionInput: { Values: [date], StorageDescriptor: { ...place, Location } },
      }),
    );
  }
}

export async function makeDatabase(glue: GlueClient, name: string): Promise<void> {
  await glue.send(new CreateDatabaseCommand({ DatabaseInput: { Name: name } }));
}

/** Names, comments and places of a database's tables, by name. */
export async function tablesIn(glue: GlueClient, database: string) {
  const { TableList = [] } = await glue.send(new GetTablesCommand({ DatabaseName: database }));
  return new Map(TableList.map((table) => [table.Name!, table]));
}
