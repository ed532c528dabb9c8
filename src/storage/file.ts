import { type BigIntStats, renameSync, statSync, unlinkSync } from 'node:fs';
import { constants, copyFile, link, open, stat, unlink } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { LakegateError } from '../errors.ts';
import {
  linkAsNew,
  makeFolder,
  openTemporary,
  removeQuietly,
  syncFolder,
  temporaryPath,
  writeFully,
} from './durable-file.ts';
import { errnoOf, fileFault, isMissing } from './file-errors.ts';
import { isReservedName, listFiles, staleTemporaries } from './file-listing.ts';
import { filePath, openFile, readFile } from './file-reading.ts';
import { checkExpected, checkSameSize, etagOf, infoOf, modifiedAfter } from './file-version.ts';
import { fileWriter } from './file-writer.ts';
import { hasFolderLock, inFolderLock } from './folder-lock.ts';
import type { ExpectedObject, ObjectInfo, ObjectStore, ObjectWriter } from './store.ts';

export { staleTemporaries };

/**
 * The object store on a local file system: objects are files, addressed as `file:///p`, `file:/p` or `/p`. Whatever is written appears whole
 * and durable or not at all, between threads and processes, across a kill at any instant. What a kill leaves is a file whose name begins with
 * `.tmp-` (see `staleTemporaries`).
 */
export function createFileStore(): ObjectStore {
  return {
    head,
    open: openFile,
    read: readFile,
    create,
    replace,
    copy,
    move,
    writer,
    delete: remove,
    list: listFiles,
    unfinished: staleTemporaries,
  };
}

async function head(url: string): Promise<ObjectInfo | undefined> {
  const stats = await fileStats(filePath(url), url);
  return stats === undefined ? undefined : infoOf(url, stats);
}

async function create(url: string, bytes: Uint8Array): Promise<{ etag: string } | undefined> {
  const target = writablePath(url);
  try {
    const present = await pathStats(target);
    if (present?.isFile()) return undefined;
    if (present !== undefined) {
      throw new LakegateError(
        'exists',
        `Cannot create ${url}: a folder has this name. Remove it or choose another name.`,
        {
          context: { url },
        },
      );
    }
    const temporary = await writeTemporary(target, bytes);
    return (await linkAsNew(temporary.path, target)) ? { etag: etagOf(temporary.stats) } : undefined;
  } catch (error) {
    throw fileFault(error, 'create', url);
  }
}

async function replace(url: string, bytes: Uint8Array, etag: string): Promise<{ etag: string } | undefined> {
  const target = writablePath(url);
  try {
    const current = await fileStats(target, url);
    if (current === undefined || etagOf(current) !== etag) return undefined;
    const temporary = await writeTemporary(target, bytes, current.mtimeNs);
    const replaced = await inFolderLock(dirname(target), () => {
      const now = statSync(target, { bigint: true, throwIfNoEntry: false });
      if (now === undefined || etagOf(now) !== etag) return false;
      renameSync(temporary.path, target);
      return true;
    }).catch(async (error) => {
      await removeQuietly(temporary.path);
      throw error;
    });
    if (!replaced) {
      await removeQuietly(temporary.path);
      return undefined;
    }
    await syncFolder(dirname(target));
    return { etag: etagOf(temporary.stats) };
  } catch (error) {
    throw fileFault(error, 'replace', url);
  }
}

async function copy(from: string, to: string, expected?: ExpectedObject): Promise<void> {
  const source = filePath(from);
  const target = writablePath(to);
  const before = await fileStats(source, from);
  if (before === undefined) {
    throw new LakegateError('not_found', `Cannot copy ${from}: there is no such file.`, { context: { from, to } });
  }
  checkExpected(from, before, expected);
  const present = await fileStats(target, to);
  if (present !== undefined) return checkSameSize(present.size, before.size, to);
  const temporary = temporaryPath(target);
  try {
    await makeFolder(dirname(target));
    await copyFile(source, temporary, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
    const after = await stat(source, { bigint: true });
    if (etagOf(after) !== etagOf(before)) {
      throw new LakegateError(
        'conflict',
        `${from} was changed while it was copied to ${to}. Nothing was kept; copy it again.`,
        {
          context: { from, to },
        },
      );
    }
    await syncFile(temporary);
    if (!(await linkAsNew(temporary, target)))
      checkSameSize((await stat(target, { bigint: true })).size, before.size, to);
  } catch (error) {
    await removeQuietly(temporary);
    throw fileFault(error, `copy ${from} to`, to);
  }
}

async function move(from: string, to: string): Promise<void> {
  const source = filePath(from);
  const target = writablePath(to);
  try {
    await makeFolder(dirname(target));
    // Linked, not renamed: a rename would replace what has the name meanwhile.
    await link(source, target);
    await syncFolder(dirname(target));
  } catch (error) {
    // Another file system, one without hard links, or a target that is there: `copy` says what to do with each.
    if (isMissing(error)) throw fileFault(error, `move ${from} to`, to);
    await copy(from, to);
  }
  await remove([from]);
}

async function writer(url: string): Promise<ObjectWriter> {
  return fileWriter(writablePath(url), url);
}

async function remove(urls: readonly string[]): Promise<void> {
  for (const url of urls) {
    const path = filePath(url);
    try {
      // A replacement under way checks the etag and renames in one section: a deletion in between would be undone by the rename.
      if (hasFolderLock(dirname(path))) await inFolderLock(dirname(path), () => unlinkSync(path));
      else await unlink(path);
    } catch (error) {
      if (!isMissing(error) && errnoOf(error) !== 'EISDIR') throw fileFault(error, 'delete', url);
    }
  }
}

/** As filePath; names of the store's own files cannot be written to. */
function writablePath(url: string): string {
  const path = filePath(url);
  if (isReservedName(basename(path))) {
    throw new LakegateError(
      'invalid',
      `"${url}" cannot be written: the name is kept for the store's own files. Choose another.`,
      {
        context: { url },
      },
    );
  }
  return path;
}

/** Stats of a regular file; undefined when there is none by this name. */
async function fileStats(path: string, url: string): Promise<BigIntStats | undefined> {
  try {
    const stats = await pathStats(path);
    return stats?.isFile() ? stats : undefined;
  } catch (error) {
    throw fileFault(error, 'look at', url);
  }
}

async function pathStats(path: string): Promise<BigIntStats | undefined> {
  try {
    return await stat(path, { bigint: true });
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function writeTemporary(
  target: string,
  bytes: Uint8Array,
  predecessorNs?: bigint,
): Promise<{ path: string; stats: BigIntStats }> {
  const { path, handle } = await openTemporary(target);
  try {
    await writeFully(handle, bytes, 0);
    const stats =
      predecessorNs === undefined ? await handle.stat({ bigint: true }) : await modifiedAfter(handle, predecessorNs);
    await handle.sync();
    await handle.close();
    return { path, stats };
  } catch (error) {
    await handle.close().catch(() => undefined);
    await removeQuietly(path);
    throw error;
  }
}

async function syncFile(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
