import { randomUUID } from 'node:crypto';
import { writeSync } from 'node:fs';
import { constants, type FileHandle, link, mkdir, open, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LakegateError } from '../errors.ts';
import { errnoOf, isMissing } from './file-errors.ts';

/** Files that appear whole and durable or not at all: written under a temporary name beside the target, synced, then given the target's name. */

/** What names of unfinished files begin with. A kill leaves such a file behind; a sweep finds it by this. */
export const TEMPORARY_PREFIX = '.tmp-';

/** An unfinished file in the target's folder. */
export interface Temporary {
  readonly path: string;
  readonly handle: FileHandle;
}

/** Opens a temporary file beside `target` for writing; missing folders are made, and are durable when it returns. */
export async function openTemporary(target: string): Promise<Temporary> {
  const path = temporaryPath(target);
  try {
    return { path, handle: await open(path, 'wx') };
  } catch (error) {
    if (!isMissing(error)) throw error;
    await makeFolder(dirname(target));
    return { path, handle: await open(path, 'wx') };
  }
}

/** A new temporary name in the target's folder. Random alone, and short, so that it fits wherever the target's own name fits. */
export function temporaryPath(target: string): string {
  return join(dirname(target), `${TEMPORARY_PREFIX}${randomUUID()}`);
}

/** Writes all bytes at the given offset of the file. */
export async function writeFully(handle: FileHandle, bytes: Uint8Array, offset: number): Promise<void> {
  for (let done = 0; done < bytes.byteLength; ) {
    done += await writeSome(handle, bytes, done, offset + done);
  }
}

/** A write of this many bytes or fewer is in the kernel's cache sooner than a thread of the pool would have begun it. */
const WRITE_AT_ONCE = 256 * 1024;

async function writeSome(handle: FileHandle, bytes: Uint8Array, done: number, position: number): Promise<number> {
  const length = bytes.byteLength - done;
  if (length <= WRITE_AT_ONCE) return writeSync(handle.fd, bytes, done, length, position);
  return (await handle.write(bytes, done, length, position)).bytesWritten;
}

/**
 * Gives a synced temporary file the target's name if that name is free, and removes the temporary name either way.
 * @returns whether the target is now this file; false: another file has the name, and it is untouched
 */
export async function linkAsNew(temporary: string, target: string): Promise<boolean> {
  try {
    await link(temporary, target);
  } catch (error) {
    const code = errnoOf(error);
    if (code === 'EEXIST') return false;
    if (code === 'EPERM' || code === 'ENOTSUP' || code === 'EOPNOTSUPP' || code === 'ENOSYS') {
      throw new LakegateError(
        'unsupported',
        `Cannot create ${target} safely: its file system has no hard links (${code}). Put the lake on a native file system (ext4, xfs, apfs, ntfs).`,
        { cause: error, context: { path: target } },
      );
    }
    throw error;
  } finally {
    await removeQuietly(temporary);
  }
  await syncFolder(dirname(target));
  return true;
}

/** Removes a temporary file. That it cannot be removed is no fault of the caller's work: a sweep finds it later. */
export async function removeQuietly(path: string): Promise<void> {
  await unlink(path).catch(() => undefined);
}

/** Makes the folder and those above it, each durable. */
export async function makeFolder(folder: string): Promise<void> {
  const first = await makeMissing(folder);
  if (first === undefined) return;
  const top = dirname(first);
  for (let made = dirname(folder); made.length >= top.length; made = dirname(made)) {
    await syncFolder(made);
    if (made === dirname(made)) break;
  }
}

/**
 * Makes the folder and those above it that are not there. Not by `recursive` of Node's `mkdir`: that one tells of a file system mounted read-only
 * as ENOENT, and never returns where the kernel itself answers ENOENT, as under /proc.
 * @returns the uppermost folder that was made; undefined when all were there
 */
async function makeMissing(folder: string): Promise<string | undefined> {
  try {
    await mkdir(folder);
    return folder;
  } catch (error) {
    if (await isFolder(folder)) return undefined;
    const above = dirname(folder);
    if (errnoOf(error) !== 'ENOENT' || above === folder) throw error;
    const first = await makeMissing(above);
    try {
      await mkdir(folder);
    } catch (fault) {
      // Somebody else made it meanwhile.
      if (!(await isFolder(folder))) throw fault;
    }
    return first ?? folder;
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}

/** Folders that are being made durable, and who waits for the sync after. */
const syncing = new Map<string, { now: Promise<void>; next?: Promise<void> }>();

/**
 * Makes the folder's names durable. Windows has no such call, and its names are durable without. Many that ask at once are served by one sync: the next
 * one, since that under way may have begun before their names were there.
 */
export function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return Promise.resolve();
  const known = syncing.get(folder);
  if (known === undefined) return beginSync(folder);
  known.next ??= known.now.then(
    () => beginSync(folder),
    () => beginSync(folder),
  );
  return known.next;
}

function beginSync(folder: string): Promise<void> {
  const state = {
    now: syncNow(folder).finally(() => {
      if (syncing.get(folder) === state) syncing.delete(folder);
    }),
  };
  syncing.set(folder, state);
  return state.now;
}

async function syncNow(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
