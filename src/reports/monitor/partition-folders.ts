import { HIVE_NULL, unescapeHivePath } from '../../partitions/hive-path.ts';
import type { ObjectInfo } from '../../storage/store.ts';
import { canonicalUrl } from '../../storage/urls.ts';

/** A Parquet table of Hive's kind: files in folders that say which partition they are of. */
export interface ParquetTable {
  name: string;
  /** URL ending in `/`. */
  location: string;
  /** As a catalogue has it; absent for a folder that is in none. */
  registered?: RegisteredTable;
  /** What the newest snapshot is called, where that stands outside of the table's own folders. */
  snapshotName?: string;
}

export interface RegisteredTable {
  /** Columns that are stored in the files, with Hive's types. */
  columns: { name: string; type: string }[];
  partitionKeys: string[];
  /** Undefined: the catalogue works the partitions out from a pattern (partition projection). */
  partitions?: RegisteredPartition[];
}

export interface RegisteredPartition {
  values: string[];
  /** URL. */
  location: string;
}

/** A file and the partition it is of. */
export interface PlacedFile {
  info: ObjectInfo;
  /** Partition keys, lower case, with their values; empty for a file in no partition. */
  keys: ReadonlyMap<string, string>;
  /** The same in one text: `snapshot_dt=2026-11-01/id_bucket=7`. */
  partition: string;
}

/**
 * Which partition each file is of: the registered one whose folder it lies in, else the one that its folders name (`key=value`).
 * Hidden files and folders (`_SUCCESS`, `_temporary/`) are no data.
 */
export function placeFiles(table: ParquetTable, objects: readonly ObjectInfo[]): PlacedFile[] {
  const { partitionKeys = [], partitions = [] } = table.registered ?? {};
  const byFolder = new Map(
    partitions.map(({ location, values }) => [
      folderUrl(location),
      new Map(partitionKeys.map((key, i) => [key.toLowerCase(), values[i] ?? ''])),
    ]),
  );
  return objects.flatMap((info) => {
    const folder = info.url.slice(0, info.url.lastIndexOf('/') + 1);
    const registered = byFolder.get(folderUrl(folder));
    const inside = info.url.startsWith(table.location) ? info.url.slice(table.location.length) : undefined;
    const names = (inside ?? info.url.slice(folder.length)).split('/');
    if (names.some((name) => name === '' || /^[._]/.test(name))) return [];
    const keys = registered ?? keysOf(names.slice(0, -1));
    return [{ info, keys, partition: partitionText(keys) }];
  });
}

/** `file:///a/b/` for every spelling of the folder. */
export function folderUrl(location: string): string {
  return `${canonicalUrl(location).replace(/\/+$/, '')}/`;
}

export function partitionText(keys: ReadonlyMap<string, string>): string {
  return [...keys].map(([key, value]) => `${key}=${value}`).join('/');
}

/** What is wrong with how the partitions lie and are registered, one phrase for each. */
export function partitionFaults(
  { registered }: ParquetTable,
  files: readonly PlacedFile[],
  snapshotKey: string,
): string[] {
  const found = new Set(files.map(({ partition }) => partition));
  const faults: string[] = [];
  const say = (partitions: readonly string[], what: string) => {
    if (partitions.length > 0) {
      faults.push(
        `${partitions.length} ${partitions.length === 1 ? 'partition' : 'partitions'} ${what}: ${some(partitions)}`,
      );
    }
  };
  const isPartitioned =
    registered === undefined ? found.size > 1 || !found.has('') : registered.partitionKeys.length > 0;
  const outside = files.filter(({ keys }) => keys.size === 0);
  if (isPartitioned && outside.length > 0) {
    faults.push(`${outside.length} files outside of the partitions' folders, first ${outside[0]!.info.url}`);
  }
  const nameless = files.filter(({ keys }) => keys.get(snapshotKey) === HIVE_NULL);
  if (nameless.length > 0) faults.push(`${nameless.length} files without a ${snapshotKey}, in ${HIVE_NULL}`);
  if (isPartitioned && registered?.partitions !== undefined) {
    const keys = registered.partitionKeys.map((key) => key.toLowerCase());
    const known = new Set(
      registered.partitions.map(({ values }) => partitionText(new Map(keys.map((key, i) => [key, values[i] ?? ''])))),
    );
    say(
      [...found].filter((partition) => partition !== '' && !known.has(partition)).sort(),
      'not in the catalogue, so that queries miss them',
    );
    say([...known].filter((partition) => !found.has(partition)).sort(), 'in the catalogue without files');
  }
  return faults;
}

const NAMED = 3;

function some(names: readonly string[]): string {
  const rest = names.length - NAMED;
  return `${names.slice(0, NAMED).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

function keysOf(folders: readonly string[]): ReadonlyMap<string, string> {
  const keys = new Map<string, string>();
  for (const name of folders) {
    const [, key, value] = /^([^=]+)=(.*)$/s.exec(name) ?? [];
    if (key !== undefined) keys.set(unescapeHivePath(key).toLowerCase(), unescapeHivePath(value!));
  }
  return keys;
}
