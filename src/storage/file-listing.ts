import type { BigIntStats, Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { TEMPORARY_PREFIX } from './durable-file.ts';
import { fileFault, isMissing } from './file-errors.ts';
import { infoOf } from './file-version.ts';
import { LOCK_FILE } from './folder-lock.ts';
import type { ObjectInfo } from './store.ts';
import { compareKeys, pathOf, splitPrefix } from './urls.ts';

/** How many files are asked for their facts at once. */
const STATS_AT_ONCE = 32;

/** Whether a file name is one of the store's own: unfinished files and locks, which are no objects. */
export function isReservedName(name: string): boolean {
  return name.startsWith(TEMPORARY_PREFIX) || name === LOCK_FILE;
}

/**
 * Every file under a prefix in the byte order of its key, as S3 lists. Symbolic links to folders are not followed (they may form a circle);
 * one to a file is listed where that file lies under the listed folder.
 * @throws LakegateError `unavailable`; a folder that is not there has no files
 */
export async function* listFiles(prefix: string): AsyncGenerator<ObjectInfo> {
  for await (const { url, stats } of walkPrefix(prefix, (name) => !isReservedName(name))) yield infoOf(url, stats);
}

/**
 * URLs of unfinished files left behind by killed writers, for a sweep to delete.
 * @param prefixUrl folder or string prefix, as for `list`
 * @param olderThanMs age in milliseconds since the last write to the file: longer than any live writer pauses
 */
export async function* staleTemporaries(prefixUrl: string, olderThanMs: number): AsyncGenerator<string> {
  const before = BigInt(Date.now() - olderThanMs);
  const { folder } = splitPrefix(prefixUrl);
  for await (const { url, stats } of walkPrefix(folder, (name) => name.startsWith(TEMPORARY_PREFIX))) {
    if (stats.mtimeNs / 1_000_000n <= before) yield url;
  }
}

interface Found {
  url: string;
  stats: BigIntStats;
}

async function* walkPrefix(prefix: string, wanted: (name: string) => boolean): AsyncGenerator<Found> {
  const { folder, stem } = splitPrefix(prefix);
  const path = pathOf(folder, 'file');
  let root: string;
  try {
    root = await realpath(path);
  } catch (error) {
    if (isMissing(error)) return;
    throw fileFault(error, 'list', folder);
  }
  yield* walk({ url: folder, path, stem }, root, wanted);
}

async function* walk(
  at: { url: string; path: string; stem: string },
  root: string,
  wanted: (name: string) => boolean,
): AsyncGenerator<Found> {
  let entries: Dirent[];
  try {
    entries = await readdir(at.path, { withFileTypes: true });
  } catch (error) {
    if (isMissing(error)) return;
    throw fileFault(error, 'list', at.url);
  }
  // A folder's keys all begin with its name and a slash: sorted as such it stands where its keys belong (`a.txt` before `a/b`).
  const keyed = entries
    .filter((entry) => entry.name.startsWith(at.stem) && (entry.isDirectory() || wanted(entry.name)))
    .map((entry) => ({ entry, key: entry.isDirectory() ? `${entry.name}/` : entry.name }))
    .sort((a, b) => compareKeys(a.key, b.key));
  for (let start = 0; start < keyed.length; start += STATS_AT_ONCE) {
    const batch = keyed.slice(start, start + STATS_AT_ONCE);
    const facts = await Promise.all(batch.map(({ entry }) => fileFacts(entry, at, root)));
    for (const [index, { entry, key }] of batch.entries()) {
      const url = at.url + key;
      const stats = facts[index];
      if (entry.isDirectory()) yield* walk({ url, path: join(at.path, entry.name), stem: '' }, root, wanted);
      else if (stats !== undefined) yield { url, stats };
    }
  }
}

/** A file's stats; undefined for what is no file, lies elsewhere, or was deleted since the folder was read. */
async function fileFacts(
  entry: Dirent,
  at: { url: string; path: string },
  root: string,
): Promise<BigIntStats | undefined> {
  if (!entry.isFile() && !entry.isSymbolicLink()) return undefined;
  const path = join(at.path, entry.name);
  try {
    if (entry.isSymbolicLink()) {
      const target = await realpath(path);
      if (!target.startsWith(root === sep ? root : root + sep)) return undefined;
    }
    const stats = await stat(path, { bigint: true });
    return stats.isFile() ? stats : undefined;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw fileFault(error, 'list', at.url + entry.name);
  }
}
