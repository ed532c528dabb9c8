import { mkdtemp, open, rm } from 'node:fs/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import { LakegateError } from '../errors.ts';
import { makeFolder } from '../storage/durable-file.ts';
import { errnoOf, fileFault } from '../storage/file-errors.ts';
import type { ObjectStore } from '../storage/store.ts';
import { pathOf } from '../storage/urls.ts';
import { commitTable, tableState } from './commit-table.ts';
import {
  bucketExpression,
  copyTo,
  type FileTypes,
  identifier,
  literal,
  readParquet,
  selectRows,
} from './engine-duckdb-sql.ts';
import type { DecodedTable } from './engine-rows.ts';
import type { OutputPlan, SourceFile } from './model.ts';
import { outcomeOf, type TableOutcome } from './outcome.ts';
import type { SplitProgress } from './split.ts';

export interface DuckDbSplitOptions {
  /** Memory that DuckDB may take, in MiB; what does not fit is laid on the disk of the target. */
  memoryMb: number;
  /** URL of the folder of all tables, ending in `/`. */
  target: string;
}

/** Begins the folder of an output before it has its name: a run that is killed leaves it, the table's commit removes what is in it. */
const WRITING = 'writing-';
const SPILL = '_staging/_spill';
const BUCKET = 'lakegate_bucket';

/**
 * Makes tables by reading rows with DuckDB and writing them anew, table by table: outputs are staged, their rows counted, and committed as the copy
 * engine's are. One table's fault is recorded and the others go on; a run that was broken off is finished by the same call again.
 * @param files of the source; local ones
 * @returns an outcome for each table, in the same order
 * @throws LakegateError `unsupported` for files or a target elsewhere than on this machine, `unavailable` where DuckDB is not installed
 */
export async function splitByDuckDb(
  store: ObjectStore,
  tables: readonly DecodedTable[],
  files: readonly SourceFile[],
  options: DuckDbSplitOptions,
  progress?: SplitProgress,
): Promise<TableOutcome[]> {
  const elsewhere = [options.target, ...files.map(({ url }) => url)].find((url) => !url.startsWith('file:'));
  if (elsewhere !== undefined) {
    throw new LakegateError(
      'unsupported',
      `DuckDB splits folders of this machine, found ${elsewhere}. On S3 use --engine copy, or the Glue job glue/split.py`,
      { context: { url: elsewhere } },
    );
  }
  progress?.total(tables.reduce((sum, { plan }) => sum + plan.outputs.reduce((all, { bytes }) => all + bytes, 0), 0));
  const spill = `${pathOf(options.target, 'file')}${SPILL}`;
  const duckdb = await load();
  // What a killed run laid there is nobody's.
  await rm(spill, { recursive: true, force: true });
  const instance = await duckdb.DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    await confine(connection, options.memoryMb, spill);
    const types = await typesOfKinds(connection, files);
    const outcomes: TableOutcome[] = [];
    for (const table of tables) outcomes.push(await makeTable({ store, connection, types }, table, progress));
    return outcomes;
  } finally {
    connection.closeSync();
    instance.closeSync();
    await rm(spill, { recursive: true, force: true });
  }
}

interface Making {
  store: ObjectStore;
  connection: DuckDBConnection;
  /** By the files' kinds. */
  types: ReadonlyMap<string, FileTypes>;
}

async function makeTable(making: Making, table: DecodedTable, progress?: SplitProgress): Promise<TableOutcome> {
  const { store } = making;
  const { plan } = table;
  try {
    const { committed, missing } = await tableState(store, plan);
    const there = plan.outputs.filter((output) => !missing.includes(output));
    progress?.copied(there.reduce((sum, { bytes }) => sum + bytes, 0));
    if (!committed) {
      await (table.buckets === undefined ? writeRanges : writeBuckets)(making, table, missing, progress);
      await commitTable(store, plan);
    }
    return outcomeOf(plan, committed ? 'already' : 'written');
  } catch (error) {
    return outcomeOf(plan, fault(error, plan.folder));
  }
}

async function writeRanges(
  making: Making,
  table: DecodedTable,
  missing: readonly OutputPlan[],
  progress: SplitProgress | undefined,
): Promise<void> {
  const { types } = making;
  for (const output of missing) {
    const ranges = table.ranges.get(output.name) ?? [];
    const select = selectRows(table.plan.table, ranges, ({ kind }) => types.get(kind)!, [...types.values()]);
    const rows = await write(making, table, select, output.name);
    if (rows !== output.rows) throw miscounted(output.name, output.rows, rows);
    progress?.copied(output.bytes);
  }
}

/** All rows are sorted by their buckets once, on disk where they do not fit; then each bucket is a stretch of them. */
async function writeBuckets(
  making: Making,
  table: DecodedTable,
  missing: readonly OutputPlan[],
  progress: SplitProgress | undefined,
): Promise<void> {
  if (missing.length === 0) return;
  const { connection, types } = making;
  const { plan, buckets, rows } = table;
  const ranges = table.ranges.get(missing[0]!.name) ?? [];
  const select = selectRows(plan.table, ranges, ({ kind }) => types.get(kind)!, [...types.values()]);
  const key = identifier(buckets!.column);
  const [described] = (await connection.runAndReadAll(`DESCRIBE SELECT ${key} FROM (${select})`)).getRows();
  const bucket = bucketExpression(buckets!, String(described?.[1]));
  await connection.run(
    `CREATE OR REPLACE TEMP TABLE sorted AS SELECT *, ${bucket} AS ${BUCKET} FROM (${select}) ORDER BY ${BUCKET}`,
  );
  try {
    const counted = await connection.runAndReadAll('SELECT count(*) FROM sorted');
    const found = Number(counted.value(0, 0));
    if (found !== rows) throw miscounted(plan.table.name, rows, found);
    for (const { name, bytes } of missing) {
      const own = `SELECT * EXCLUDE ${BUCKET} FROM sorted WHERE ${BUCKET} = ${Number.parseInt(name, 10)}`;
      await write(making, table, own, name);
      progress?.copied(bytes);
    }
  } finally {
    await connection.run('DROP TABLE IF EXISTS sorted');
  }
}

/** Stages an output: whole and durable before it has its name. @returns how many rows it has */
async function write({ store, connection }: Making, { plan }: DecodedTable, select: string, name: string) {
  const folder = pathOf(plan.staging, 'file');
  await makeFolder(folder);
  // A folder of its own: two runs at once never write one file.
  const own = await mkdtemp(`${folder}${WRITING}`);
  try {
    const path = `${own}/rows.parquet`;
    const result = await connection.runAndReadAll(copyTo(select, path));
    const file = await open(path, 'r+');
    await file.sync().finally(() => file.close());
    await place(store, `file://${path}`, `${plan.staging}${name}`);
    return Number(result.value(0, 0));
  } finally {
    await rm(own, { recursive: true, force: true });
  }
}

async function place(store: ObjectStore, from: string, to: string): Promise<void> {
  if (store.move !== undefined) return store.move(from, to);
  await store.copy(from, to);
  await store.delete([from]);
}

async function load(): Promise<typeof import('@duckdb/node-api')> {
  try {
    return await import('@duckdb/node-api');
  } catch (cause) {
    throw new LakegateError('unavailable', '--engine duckdb needs DuckDB: npm install @duckdb/node-api', {
      cause,
      retryable: false,
    });
  }
}

async function confine(connection: DuckDBConnection, memoryMb: number, spill: string): Promise<void> {
  for (const setting of [
    'autoinstall_known_extensions = false',
    'autoload_known_extensions = false',
    `memory_limit = '${memoryMb}MiB'`,
    `temp_directory = ${literal(spill)}`,
    `TimeZone = 'UTC'`,
  ]) {
    await connection.run(`SET ${setting}`);
  }
}

/** Files of one kind have the same columns: one of each is asked. */
async function typesOfKinds(connection: DuckDBConnection, files: readonly SourceFile[]) {
  const found = new Map<string, FileTypes>();
  for (const { kind, url } of files) {
    if (found.has(kind)) continue;
    const described = await connection
      .runAndReadAll(`DESCRIBE SELECT * FROM ${readParquet([url])}`)
      .catch((cause: unknown) => {
        throw new LakegateError('unsupported', `DuckDB cannot read ${url}: ${messageOf(cause)}`, { cause });
      });
    const types = described.getRows().map((row) => {
      const [name, type] = [String(row[0]), String(row[1])];
      return [name.toLowerCase(), { name, type }] as const;
    });
    found.set(kind, new Map(types));
  }
  return found;
}

function miscounted(what: string, expected: number, found: number): LakegateError {
  return new LakegateError('corrupt', `${what}: expected ${expected} rows, as in the source's footers, found ${found}`);
}

function fault(error: unknown, folder: string): Error {
  if (error instanceof LakegateError) return error;
  // Node's own, of the folders and files around DuckDB's.
  if (errnoOf(error) !== undefined) return fileFault(error, 'write', folder) as Error;
  const message = messageOf(error);
  const way = /^Out of Memory/i.test(message) ? '. Give it more by --memory-mb, or more room on the disk' : '';
  return new LakegateError('unavailable', `DuckDB: ${message}${way}`, { cause: error });
}

/** The first line. By shape: an error from native code need not be of this realm's Error. */
function messageOf(error: unknown): string {
  const message = typeof error === 'object' && error !== null && 'message' in error ? error.message : error;
  return String(message).split('\n')[0]!.trim();
}
