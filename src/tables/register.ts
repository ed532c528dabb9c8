import pLimit from 'p-limit';
import { isKind, LakegateError } from '../errors.ts';
import { readFooter } from '../parquet/footer.ts';
import type { ObjectStore } from '../storage/store.ts';
import type { Buckets } from './check-buckets.ts';
import { type FoundTable, findTables } from './find-tables.ts';
import { type TableDefinition, tableInput } from './glue-table-input.ts';
import { type HiveColumn, hiveColumn } from './hive-type.ts';
import type { CatalogedTable, TableCatalog } from './table-catalog.ts';
import { type Width, withinWidth } from './too-wide.ts';

export interface RegisterRequest extends Width {
  database: string;
  /** Folder of the tables, URL ending in `/`. */
  root: string;
  /** What the tables' names begin with in Glue: `ext_`, `part_`, `bucketed_`. */
  prefix: string;
  /** `YYYY-MM-DD`. Default: what `metadata/snapshot_dt.txt` says, else the newest folder. */
  snapshot?: string;
  /** Where the files of plain tables are Hive's buckets. */
  buckets?: Buckets;
  /** These tables alone (names of folders); all when empty. */
  only: readonly string[];
  dryRun?: boolean;
}

/** Columns that are not as they were. */
export interface ColumnChanges {
  added: HiveColumn[];
  removed: string[];
  changed: { name: string; from: string; to: string }[];
}

export interface RegisterOutcome {
  /** As Glue has it. */
  table: string;
  outcome: 'created' | 'updated' | 'unchanged' | 'failed';
  location: string;
  columns?: number;
  /** Of a table that was there before. */
  changes?: ColumnChanges;
  /** Columns that were left out, for there may be no more. */
  cut?: string[];
  reason?: string;
  /** What is to be known of a table that was registered all the same. */
  remark?: string;
}

const AT_ONCE = 8;
const PARTITION_KEY: HiveColumn = { name: 'snapshot_dt', type: 'string' };

/**
 * Registers the tables that the split jobs left under a folder: external Parquet tables, their columns as a file's footer has them. One table's failure
 * stops no other. Registering again changes nothing but what is new: the snapshot in the comment, columns.
 * @returns an outcome for each table, by name
 * @throws LakegateError `not_found` where there is no table, `invalid` for folders that are none; what the store throws
 */
export async function registerTables(
  ports: { store: ObjectStore; catalog: TableCatalog },
  request: RegisterRequest,
): Promise<{ snapshot: string | undefined; tables: RegisterOutcome[] }> {
  const { root, prefix, only } = request;
  const found = await findTables(ports.store, root, request.snapshot);
  const missing = only.filter((name) => !found.some((table) => table.name === name));
  const wanted = found.filter(({ name }) => only.length === 0 || only.includes(name));
  if (missing.length > 0 || wanted.length === 0) {
    const what = missing.length > 0 ? `no table ${missing.join(', ')}` : 'no table';
    const of = request.snapshot === undefined ? '' : ` of snapshot_dt=${request.snapshot}`;
    throw new LakegateError(
      'not_found',
      `there is ${what}${of} under ${root}: expected folders with Parquet files in them`,
      {
        context: { root },
      },
    );
  }
  const told = request.snapshot ?? (await snapshotTold(ports.store, root));
  const limit = pLimit(AT_ONCE);
  const tables = await Promise.all(
    wanted.map((table) =>
      limit(async (): Promise<RegisterOutcome> => {
        const name = `${prefix}${table.name}`.toLowerCase();
        try {
          return await registerTable(ports, table, name, told ?? table.snapshots.at(-1), request);
        } catch (error) {
          if (!(error instanceof LakegateError)) throw error;
          return { table: name, outcome: 'failed', location: table.location, reason: error.message };
        }
      }),
    ),
  );
  return { snapshot: told, tables: tables.sort((a, b) => (a.table < b.table ? -1 : 1)) };
}

/** What the split said it made the tables of. */
export async function snapshotTold(store: ObjectStore, root: string): Promise<string | undefined> {
  try {
    const text = new TextDecoder().decode((await store.read(`${root}metadata/snapshot_dt.txt`)).bytes).trim();
    return /^\d{4}-\d{2}-\d{2}$/.test(text) ? text : undefined;
  } catch (error) {
    if (isKind(error, 'not_found')) return undefined;
    throw error;
  }
}

/**
 * Registers one table.
 * @param name that it gets in Glue
 * @param snapshot that its comment names
 * @throws LakegateError `invalid` for a table that is too wide or lacks the buckets' column, `exists` where the name is somebody else's; `conflict`;
 *   of the store and the catalogue
 */
export async function registerTable(
  { store, catalog }: { store: ObjectStore; catalog: TableCatalog },
  found: FoundTable,
  name: string,
  snapshot: string | undefined,
  request: Pick<RegisterRequest, 'database' | 'buckets' | 'maxColumns' | 'tooWide' | 'dryRun'>,
): Promise<RegisterOutcome> {
  const { database, buckets } = request;
  const partitionKeys = found.layout === 'snapshots' ? [PARTITION_KEY] : [];
  const reader = await store.open(found.file.url, found.file);
  const footer = await readFooter(reader, found.file.url).finally(() => reader.close());
  const all = footer.fields.map(hiveColumn);
  const fit = withinWidth(all, partitionKeys.length, request);
  if ('reason' in fit) throw new LakegateError('invalid', `${name}: ${fit.reason}`);
  if (buckets !== undefined && partitionKeys.length === 0) checkKey(name, fit.columns, buckets);
  const kind = found.layout === 'snapshots' ? 'Partitioned' : 'Bucketed';
  const definition: TableDefinition = {
    name,
    location: found.location,
    columns: fit.columns,
    partitionKeys,
    comment: snapshot === undefined ? `${kind} table` : `${kind} table created from snapshot_dt=${snapshot}`,
    ...(buckets !== undefined && partitionKeys.length === 0 && { buckets }),
  };
  return {
    table: name,
    location: found.location,
    columns: definition.columns.length,
    ...(fit.cut.length > 0 && { cut: fit.cut }),
    ...(await putTable(catalog, database, definition, request.dryRun ?? false)),
    ...remarkOn(found.location),
  };
}

/** What is to be known of a table by where its files lie: Glue takes a folder of this machine, too. */
export function remarkOn(location: string): Pick<RegisterOutcome, 'remark'> {
  return location.startsWith('file:') ? { remark: 'Athena cannot read it: its files lie on this machine' } : {};
}

/**
 * Gives a table its definition, where it has another: in one step, and nothing of it where `dryRun` says so.
 * @throws LakegateError `exists` where somebody else's table has the name; of the catalogue
 */
export async function putTable(
  catalog: TableCatalog,
  database: string,
  definition: TableDefinition,
  dryRun: boolean,
): Promise<Pick<RegisterOutcome, 'changes'> & { outcome: 'created' | 'updated' | 'unchanged' }> {
  const before = await catalog.get(database, definition.name);
  const outcome = outcomeOf(before, definition);
  if (before === undefined) {
    if (!dryRun) await catalog.create(database, tableInput(definition));
    return { outcome };
  }
  const changes = columnChanges(before.columns, definition.columns);
  if (outcome !== 'unchanged' && !dryRun) {
    checkReplaceable(database, before, definition);
    await catalog.update(database, tableInput(definition, before.parameters), before.version);
  }
  return { outcome, changes };
}

function checkKey(name: string, columns: readonly HiveColumn[], { column }: Buckets): void {
  const key = columns.find((one) => one.name === column);
  if (key !== undefined) return;
  throw new LakegateError('invalid', `${name}: it has no column ${column} to be bucketed by`);
}

/** What is somebody else's is not replaced: a view, a table of another format, one that is partitioned otherwise. */
export function checkReplaceable(
  database: string,
  { name, type, parameters, partitionKeys }: CatalogedTable,
  definition: Pick<TableDefinition, 'partitionKeys'>,
): void {
  const format = parameters.table_type ?? '';
  const keys = (all: readonly HiveColumn[]) => all.map((key) => `${key.name} ${key.type}`).join(', ');
  const has = keys(partitionKeys) || 'none';
  const wants = keys(definition.partitionKeys) || 'none';
  const fault =
    type !== 'EXTERNAL_TABLE' || format !== ''
      ? `is ${format || type || 'of no type'}, and not an external table over files`
      : has !== wants && `has the partition keys ${has} instead of ${wants}`;
  if (fault === false) return;
  throw new LakegateError('exists', `${database}.${name} ${fault}. Remove or rename it, or take another prefix`, {
    context: { table: `${database}.${name}` },
  });
}

function outcomeOf(before: CatalogedTable | undefined, wanted: TableDefinition): 'created' | 'updated' | 'unchanged' {
  if (before === undefined) return 'created';
  const facts = (
    location: string | undefined,
    comment: string | undefined,
    columns: readonly HiveColumn[],
    keys: readonly HiveColumn[],
    bucketColumns: readonly string[],
    buckets: number,
    format: string | undefined,
  ) =>
    JSON.stringify([
      location?.replace(/\/*$/, '/'),
      comment,
      ...[columns, keys].map((all) => all.map(({ name, type }) => [name, type])),
      bucketColumns.length === 0 ? [] : [bucketColumns, buckets, format],
    ]);
  const { location, comment, columns, partitionKeys, bucketColumns, buckets, parameters } = before;
  const is = facts(location, comment, columns, partitionKeys, bucketColumns, buckets, parameters.bucketing_format);
  const own = wanted.buckets;
  const will = facts(
    wanted.location,
    wanted.comment,
    wanted.columns,
    wanted.partitionKeys,
    own === undefined ? [] : [own.column],
    own?.count ?? -1,
    own && 'hive',
  );
  return is === will ? 'unchanged' : 'updated';
}

/** How columns differ, by name. */
export function columnChanges(before: readonly HiveColumn[], after: readonly HiveColumn[]): ColumnChanges {
  const was = new Map(before.map(({ name, type }) => [name, type]));
  const is = new Set(after.map(({ name }) => name));
  return {
    added: after.filter(({ name }) => !was.has(name)),
    removed: before.flatMap(({ name }) => (is.has(name) ? [] : [name])),
    changed: after.flatMap(({ name, type }) => {
      const from = was.get(name);
      return from === undefined || from === type ? [] : [{ name, from, to: type }];
    }),
  };
}
