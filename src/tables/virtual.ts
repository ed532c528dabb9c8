import pLimit from 'p-limit';
import { LakegateError } from '../errors.ts';
import { readFooter } from '../parquet/footer.ts';
import type { LogicalField } from '../parquet/model.ts';
import type { ObjectStore } from '../storage/store.ts';
import { type HiveColumn, hiveColumn } from './hive-type.ts';
import type { SourceFile, SplitTable } from './model.ts';
import type { MatchedSource } from './prepare-split.ts';
import { putTable, type RegisterOutcome, remarkOn } from './register.ts';
import type { TableCatalog } from './table-catalog.ts';

export interface VirtualRequest {
  database: string;
  /** What the tables' names begin with: `part_`. */
  prefix: string;
  /** Folder of the snapshots, URL ending in `/`. */
  source: string;
  dryRun: boolean;
}

/** Partitions of tables that are partitioned by `snapshot_dt`. Every operation @throws LakegateError `unavailable`. */
export interface SnapshotPartitions {
  /** The partition's folder and columns; undefined where there is none. */
  get(database: string, table: string, date: string): Promise<{ location?: string; columns: HiveColumn[] } | undefined>;
  /** Makes the partition, or gives it this folder and these columns. */
  put(database: string, table: string, partition: VirtualPartition, exists: boolean): Promise<void>;
}

export interface VirtualPartition {
  date: string;
  /** URL ending in `/`. */
  location: string;
  columns: readonly HiveColumn[];
}

/** What became of a table; `left`: it cannot be virtual. */
export interface VirtualOutcome extends Omit<RegisterOutcome, 'outcome' | 'cut'> {
  outcome: RegisterOutcome['outcome'] | 'left';
  partition?: 'created' | 'updated' | 'unchanged';
}

const AT_ONCE = 8;
const PARTITION_KEY: HiveColumn = { name: 'snapshot_dt', type: 'string' };

/**
 * Registers a split's tables over the source's own files: each with its columns alone, which readers find by their names, and the snapshot's folder as
 * a partition. No byte is read but footers, none is written. Doing it again changes nothing but what is new. One table's failure stops no other.
 * @returns an outcome for each table, in the map's order
 * @throws LakegateError of the store
 */
export async function registerVirtual(
  ports: { store: ObjectStore; catalog: TableCatalog; partitions: SnapshotPartitions },
  { tables, files, refused, snapshot }: MatchedSource,
  request: VirtualRequest,
): Promise<VirtualOutcome[]> {
  const fields = await fieldsOf(ports.store, files);
  const limit = pLimit(AT_ONCE);
  const { source, database, prefix } = request;
  const [unreadable] = refused;
  return Promise.all(
    tables.map((table) =>
      limit(async (): Promise<VirtualOutcome> => {
        const about = { table: `${prefix}${table.name}`.toLowerCase(), location: source };
        const found =
          unreadable === undefined
            ? virtualColumns(table, files, fields)
            : { reason: `${unreadable.url}: ${unreadable.reason}` };
        if ('reason' in found) return { ...about, outcome: 'left', reason: found.reason };
        const { columns } = found;
        try {
          const definition = {
            name: about.table,
            location: source,
            columns,
            partitionKeys: [PARTITION_KEY],
            comment: `Virtual table over the source, registered for snapshot_dt=${snapshot.date}`,
          };
          const put = await putTable(ports.catalog, database, definition, request.dryRun);
          const place = { date: snapshot.date, location: snapshot.folder, columns };
          // A table that a dry run has not made has no partitions to be asked for.
          const missing = request.dryRun && put.outcome === 'created';
          const partition = missing ? 'created' : await putPartition(ports.partitions, request, about.table, place);
          return { ...about, ...put, columns: columns.length, partition, ...remarkOn(source) };
        } catch (error) {
          if (!(error instanceof LakegateError)) throw error;
          return { ...about, outcome: 'failed', reason: error.message };
        }
      }),
    ),
  );
}

/**
 * A table's columns as readers of the source's files find them; or why it cannot be read so. Pure.
 * @param fields the source's columns by their names in lower case, of the first file that has them
 */
export function virtualColumns(
  { columns }: SplitTable,
  files: readonly SourceFile[],
  fields: ReadonlyMap<string, LogicalField>,
): { columns: HiveColumn[] } | { reason: string } {
  const found: HiveColumn[] = [];
  for (const { source, name } of columns) {
    const field = fields.get(source.toLowerCase());
    if (field === undefined) return { reason: `no file has a column \`${source}\`` };
    if (source.toLowerCase() !== name) {
      return { reason: `column \`${source}\` is \`${name}\` in the table, and readers find columns by their names` };
    }
    if (field.kind !== 'primitive') return { reason: `column \`${source}\` is nested` };
    const types = files.flatMap((file) => file.columns.find((column) => column.name === source)?.type ?? []);
    if (new Set(types).size > 1) return { reason: `column \`${source}\` needs a cast: its type differs between files` };
    try {
      found.push(hiveColumn(field));
    } catch (error) {
      if (!(error instanceof LakegateError)) throw error;
      return { reason: error.message };
    }
  }
  return { columns: found };
}

/** Files of one kind have the same columns: the footer of one of each is read. */
async function fieldsOf(store: ObjectStore, files: readonly SourceFile[]): Promise<Map<string, LogicalField>> {
  const fields = new Map<string, LogicalField>();
  const kinds = new Map(files.toReversed().map((file) => [file.kind, file]));
  for (const file of kinds.values()) {
    const reader = await store.open(file.url, file);
    const footer = await readFooter(reader, file.url).finally(() => reader.close());
    for (const field of footer.fields) {
      if (!fields.has(field.name.toLowerCase())) fields.set(field.name.toLowerCase(), field);
    }
  }
  return fields;
}

async function putPartition(
  partitions: SnapshotPartitions,
  { database, dryRun }: VirtualRequest,
  table: string,
  wanted: VirtualPartition,
): Promise<'created' | 'updated' | 'unchanged'> {
  const before = await partitions.get(database, table, wanted.date);
  const facts = (location: string | undefined, columns: readonly HiveColumn[]) =>
    JSON.stringify([location?.replace(/\/*$/, '/'), columns.map(({ name, type }) => [name, type])]);
  if (before !== undefined && facts(before.location, before.columns) === facts(wanted.location, wanted.columns)) {
    return 'unchanged';
  }
  if (!dryRun) await partitions.put(database, table, wanted, before !== undefined);
  return before === undefined ? 'created' : 'updated';
}
