import { LakegateError } from '../errors.ts';
import type { ManifestFile, TableMetadata } from './model.ts';
import { isLive, loadManifests, type TableIO, visitEntries } from './table-io.ts';

/** Snapshots whose manifest lists are read at once. */
const CONCURRENT_LISTS = 16;

/**
 * Every file that the table needs: metadata log, manifest lists, manifests, data and delete files of entries that are not
 * deleted, statistics. Each manifest is read once. The current metadata file is not among them: metadata does not know
 * where it lies.
 * @returns paths as the table names them; compare by `fileKey`
 * @throws LakegateError `not_found` | `corrupt` | `unavailable` when any of it cannot be read: a set that is not whole is of no use
 */
export async function reachableFiles(io: TableIO, metadata: TableMetadata): Promise<Set<string>> {
  const files = new Set<string>();
  for (const { metadataFile } of metadata.metadataLog) files.add(metadataFile);
  for (const url of statisticsFiles(metadata)) files.add(url);
  for (const { manifestList } of metadata.snapshots) files.add(manifestList);
  const manifests = await reachableManifests(io, metadata);
  for (const url of manifests.keys()) files.add(url);
  await visitEntries(io, [...manifests.values()], (_, entries) => {
    for (const { dataFile } of entries.filter(isLive)) files.add(dataFile.filePath);
    return true;
  });
  return files;
}

/** The manifests of all snapshots, by path. */
export async function reachableManifests(
  io: TableIO,
  metadata: Pick<TableMetadata, 'snapshots'>,
): Promise<Map<string, ManifestFile>> {
  const manifests = new Map<string, ManifestFile>();
  const { snapshots } = metadata;
  for (let at = 0; at < snapshots.length; at += CONCURRENT_LISTS) {
    const lists = await Promise.all(
      snapshots.slice(at, at + CONCURRENT_LISTS).map((snapshot) => loadManifests(io, snapshot)),
    );
    for (const manifest of lists.flat()) manifests.set(manifest.manifestPath, manifest);
  }
  return manifests;
}

/** Paths of the table's statistics and partition statistics files. */
export function statisticsFiles(metadata: TableMetadata): string[] {
  return [...metadata.statistics, ...metadata.partitionStatistics].flatMap((file) => {
    const path = file['statistics-path'];
    return typeof path === 'string' ? [path] : [];
  });
}

/**
 * A key that is equal for all spellings of one file: `file:/a`, `file:///a` and `/a`; `s3a://` and `s3://`; percent-encoded
 * or not; doubled slashes. Two different files may share a key, which errs on the side of keeping both.
 */
export function fileKey(url: string): string {
  let path = url.replace(/^s3[an]:/, 's3:').replace(/^file:/, '');
  try {
    path = decodeURIComponent(path);
  } catch {
    // A literal percent sign: the path is not encoded.
  }
  return path.replaceAll(/\/{2,}/g, '/');
}

/** Whether a file lies under the table's location. A path with `.` or `..` in it never does. */
export function isUnderLocation(metadata: TableMetadata, url: string): boolean {
  const key = fileKey(url);
  if (key.split('/').some((part) => part === '.' || part === '..')) return false;
  return key.startsWith(locationKey(metadata));
}

/** The location's key, ending in a slash. @throws LakegateError `invalid` for a location that is the root of everything */
export function locationKey(metadata: TableMetadata): string {
  const key = `${fileKey(metadata.location).replace(/\/+$/, '')}/`;
  if (key !== '/' && key !== 's3:/') return key;
  throw new LakegateError(
    'invalid',
    `The table's location ${JSON.stringify(metadata.location)} is the root of its store; files under it cannot be told from others'. Nothing is deleted.`,
  );
}
