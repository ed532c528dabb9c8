import type { LoadedTable } from '../catalogs/catalog.ts';
import { snapshotById } from './ancestry.ts';
import type { TableMetadata } from './model.ts';
import {
  fileKey,
  isUnderLocation,
  locationKey,
  reachableFiles,
  reachableManifests,
  statisticsFiles,
} from './reachable.ts';
import { isLive, type TableIO, visitEntries } from './table-io.ts';

/**
 * Files that the table needed before a commit that removed snapshots and does not need after it. Only files under the
 * table's location are given: a file that was registered where it lay is not the table's to delete.
 * Only what the removed snapshots alone listed is looked into, and the remaining manifests only if data files are at stake.
 * @param after the table's newest metadata, loaded after the commit; anything committed since keeps its files
 * @throws LakegateError when a manifest cannot be read: nothing may be deleted then
 */
export async function expiredFiles(io: TableIO, before: TableMetadata, after: TableMetadata): Promise<string[]> {
  const removed = before.snapshots.filter(({ snapshotId }) => snapshotById(after, snapshotId) === undefined);
  const needed = await reachableManifests(io, after);
  const dropped = await reachableManifests(io, { snapshots: removed });
  for (const url of needed.keys()) dropped.delete(url);

  const candidates = new Map<string, string>();
  const add = (url: string) => isUnderLocation(before, url) && candidates.set(fileKey(url), url);
  await visitEntries(io, [...dropped.values()], (_, entries) => {
    for (const { dataFile } of entries.filter(isLive)) add(dataFile.filePath);
    return true;
  });
  if (candidates.size > 0) {
    await visitEntries(io, [...needed.values()], (_, entries) => {
      for (const { dataFile } of entries.filter(isLive)) candidates.delete(fileKey(dataFile.filePath));
      return candidates.size > 0;
    });
  }
  for (const url of dropped.keys()) add(url);
  for (const { manifestList } of removed) add(manifestList);
  for (const url of statisticsFiles(before)) add(url);
  for (const url of [...needed.keys(), ...statisticsFiles(after)]) candidates.delete(fileKey(url));
  for (const { manifestList } of after.snapshots) candidates.delete(fileKey(manifestList));
  return [...candidates.values()];
}

/** Deletes what `expiredFiles` finds, and says what. */
export async function deleteExpiredFiles(io: TableIO, before: TableMetadata, after: TableMetadata): Promise<string[]> {
  const files = await expiredFiles(io, before, after);
  if (files.length > 0) await io.store.delete(files);
  return files;
}

/**
 * Files under the table's location that nothing in the table reaches: what killed attempts left behind.
 * A folder below that has table metadata of its own (`<folder>/metadata/*.metadata.json`) is another table's and left alone.
 * @param olderThanMs age in milliseconds below which a file is left alone: longer than any writer takes from its first file to its commit
 * @throws LakegateError when the table cannot be read whole: nothing may be deleted then
 */
export async function planOrphans(io: TableIO, table: LoadedTable, olderThanMs: number): Promise<string[]> {
  const { metadata, metadataLocation } = table;
  const own = locationKey(metadata);
  const reachable = new Set<string>([fileKey(metadataLocation)]);
  const newest = io.now() - olderThanMs;
  const old: string[] = [];
  const otherTables = new Set<string>();
  for await (const { url, lastModified } of io.store.list(`${metadata.location.replace(/\/+$/, '')}/`)) {
    const folder = /^(.*\/)metadata\/[^/]+\.metadata\.json$/.exec(fileKey(url))?.[1];
    if (folder !== undefined && folder !== own) otherTables.add(folder);
    if (lastModified < newest) old.push(url);
  }
  if (old.length === 0) return [];
  for (const url of await reachableFiles(io, metadata)) reachable.add(fileKey(url));
  return old.filter((url) => {
    const key = fileKey(url);
    return !reachable.has(key) && !isOtherTables(key, otherTables) && isUnderLocation(metadata, url);
  });
}

function isOtherTables(key: string, folders: ReadonlySet<string>): boolean {
  for (const folder of folders) {
    if (key.startsWith(folder)) return true;
  }
  return false;
}
