import { createHash } from 'node:crypto';
import type { LimitFunction } from 'p-limit';
import type { MonitorThresholds } from '../../config/monitor-model.ts';
import { isKind } from '../../errors.ts';
import { readFooter } from '../../parquet/footer.ts';
import type { ParquetFooter } from '../../parquet/model.ts';
import { HIVE_NULL } from '../../partitions/hive-path.ts';
import { auditedParquet } from '../../rules/audited-parquet.ts';
import { fileFields } from '../../rules/stored-field.ts';
import type { ObjectInfo, ObjectStore } from '../../storage/store.ts';
import { compareKeys } from '../../storage/urls.ts';
import { differences, shortened } from './columns.ts';
import type { Column, Fact, SnapshotFact, SnapshotRows, TableFacts } from './facts.ts';
import { declaredDifferences } from './hive-columns.ts';
import { keyFacts } from './key-quality.ts';
import { type ParquetTable, type PlacedFile, partitionFaults, placeFiles } from './partition-folders.ts';
import { reasonOf } from './reason.ts';
import { snapshotDay } from './snapshot-time.ts';

/** What is needed of a footer after it was read. */
interface ReadFile {
  info: ObjectInfo;
  rows: number;
  columns: Column[];
  /** Kept where the key is looked at. */
  footer?: ParquetFooter;
}

export interface ParquetPorts {
  store: ObjectStore;
  /** Footers read at a time, over all tables. */
  limit: LimitFunction;
  /** One search for repeated keys at a time, over all tables. */
  oneByOne: LimitFunction;
  now(): number;
}

/**
 * What the files of a Parquet table say of it: footers of its newest snapshot and of the one before, and no other part of them, but for the key
 * where statistics do not decide.
 * @param objects what lies in its folders
 */
export async function observeParquet(
  table: ParquetTable,
  objects: readonly ObjectInfo[],
  thresholds: MonitorThresholds,
  ports: ParquetPorts,
): Promise<TableFacts> {
  const snapshotKey = thresholds.snapshotKey.toLowerCase();
  const files = placeFiles(table, objects);
  const named = files
    .map(({ keys }) => keys.get(snapshotKey))
    .filter((name) => name !== undefined && name !== HIVE_NULL);
  const snapshots = [...new Set(named as string[])].sort(compareKeys);
  const newest = snapshots.at(-1);
  const ofSnapshot = (name: string | undefined) => files.filter(({ keys }) => keys.get(snapshotKey) === name);
  const current = newest === undefined ? files : ofSnapshot(newest);
  const hasKey = thresholds.key.length > 0;
  const read = await readFiles(current, hasKey, ports);
  const earlier = snapshots.at(-2);
  return {
    table: table.name,
    kind: 'parquet',
    location: table.location,
    snapshot: { known: files.length === 0 ? undefined : snapshotOf(table, newest, current) },
    rows: rowsOf(read),
    previous: earlier === undefined ? { known: undefined } : await rowsBefore(earlier, ofSnapshot(earlier), ports),
    partitions: { known: countPartitions(files, current, snapshotKey, newest) },
    partitionFaults: { known: partitionFaults(table, files, snapshotKey) },
    columns: table.registered ? { known: table.registered.columns } : columnsOf(read),
    schemaFaults: schemaFaults(table, read),
    files: {
      known: current.map(({ info, partition }) => ({ url: info.url, size: info.size, partition })),
    },
    ...(hasKey && { key: await keyOf(thresholds, read, ports) }),
  };
}

type Reading = ReadFile | { url: string; error: unknown };

function readFiles(files: readonly PlacedFile[], keepFooters: boolean, ports: ParquetPorts): Promise<Reading[]> {
  return Promise.all(
    files.map(({ info }) =>
      ports.limit(async (): Promise<Reading> => {
        try {
          const reader = await ports.store.open(info.url, info);
          try {
            const footer = await readFooter(reader, info.url);
            const columns = fileFields(footer).flatMap(({ name, type, nested }) => (nested ? [] : [{ name, type }]));
            return { info, rows: footer.numRows, columns, ...(keepFooters && { footer }) };
          } finally {
            await reader.close();
          }
        } catch (error) {
          return { url: info.url, error };
        }
      }),
    ),
  );
}

function failed(read: readonly Reading[]): { url: string; error: unknown }[] {
  return read.filter((file) => 'error' in file);
}

function sound(read: readonly Reading[]): ReadFile[] {
  return read.filter((file) => 'info' in file);
}

function rowsOf(read: readonly Reading[]): Fact<number> {
  const [fault] = failed(read);
  if (fault !== undefined) return { unknown: reasonOf(fault.error) };
  return { known: sound(read).reduce((sum, { rows }) => sum + rows, 0) };
}

async function rowsBefore(
  id: string,
  files: readonly PlacedFile[],
  ports: ParquetPorts,
): Promise<Fact<SnapshotRows | undefined>> {
  const rows = rowsOf(await readFiles(files, false, ports));
  return 'known' in rows
    ? { known: { id, rows: rows.known } }
    : { unknown: `the snapshot before, ${id}: ${rows.unknown}` };
}

function snapshotOf(table: ParquetTable, newest: string | undefined, files: readonly PlacedFile[]): SnapshotFact {
  if (newest !== undefined) return { id: newest, at: snapshotDay(newest), isAppend: false };
  const hash = createHash('sha256');
  for (const line of files.map(({ info }) => `${info.url}\0${info.size}\0${info.etag}\n`).sort()) hash.update(line);
  const fingerprint = hash.digest('hex').slice(0, 12);
  const { snapshotName } = table;
  if (snapshotName !== undefined) {
    return { id: `${snapshotName} ${fingerprint}`, at: snapshotDay(snapshotName), isAppend: false };
  }
  const newestFile = files.reduce((latest, { info }) => Math.max(latest, info.lastModified), 0);
  return { id: fingerprint, at: { known: newestFile }, isAppend: false };
}

/** Partitions of the newest snapshot where they are cut by more than it, else all. */
function countPartitions(
  files: readonly PlacedFile[],
  current: readonly PlacedFile[],
  snapshotKey: string,
  newest: string | undefined,
): number {
  const isCut = newest !== undefined && current.some(({ keys }) => [...keys.keys()].some((key) => key !== snapshotKey));
  return new Set((isCut ? current : files).flatMap(({ partition }) => (partition === '' ? [] : [partition]))).size;
}

function columnsOf(read: readonly Reading[]): Fact<Column[]> {
  const [first] = sound(read);
  const [fault] = failed(read);
  if (first !== undefined) return { known: first.columns };
  return fault === undefined ? { known: [] } : { unknown: reasonOf(fault.error) };
}

/** Files that are no Parquet, files that differ from each other, and columns that are not as the catalogue has them. */
function schemaFaults(table: ParquetTable, read: readonly Reading[]): Fact<string[] | undefined> {
  const faults = failed(read);
  const broken = faults.filter(({ error }) => isKind(error, 'corrupt'));
  const files = sound(read);
  const found = broken.map(({ error }) => reasonOf(error));
  const shapes = Map.groupBy(files, ({ columns }) =>
    JSON.stringify(columns.map(({ name, type }) => [name.toLowerCase(), type]).sort()),
  );
  const [usual, ...others] = [...shapes.values()].sort((a, b) => b.length - a.length);
  for (const other of others) {
    const how = differences(usual![0]!.columns, other[0]!.columns);
    const name = other[0]!.info.url.replace(table.location, '');
    found.push(`${name}${more(other.length - 1)} against most files: ${how.join(', ')}`);
  }
  if (table.registered !== undefined && usual !== undefined) {
    const declared = declaredDifferences(table.registered.columns, usual[0]!.columns);
    found.push(...declared.map((fault) => `${fault} (as the catalogue has it)`));
  }
  if (found.length > 0) return { known: shortened(found) };
  if (faults.length > 0) return { unknown: reasonOf(faults[0]!.error) };
  return { known: table.registered === undefined ? undefined : [] };
}

function more(count: number): string {
  return count === 0 ? '' : ` and ${count} more`;
}

async function keyOf({ key, keyRows }: MonitorThresholds, read: readonly Reading[], ports: ParquetPorts) {
  const [fault] = failed(read);
  if (fault !== undefined) {
    const unknown = { unknown: reasonOf(fault.error) };
    return { columns: [...key], missing: [], nulls: unknown, duplicates: unknown };
  }
  const audited = sound(read).map(({ info, footer }) =>
    auditedParquet({ url: info.url, openReader: () => ports.store.open(info.url, info), footer: footer! }),
  );
  return keyFacts(key, audited, { keyRows, anyCase: true, now: ports.now(), oneByOne: ports.oneByOne });
}
