import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { LakegateError } from '../errors.ts';

/**
 * Mutual exclusion between the processes that replace files of one folder. POSIX has no compare-and-swap rename, and schemes of marker files
 * either leave markers behind or can be overtaken by a process that slept; a lock the kernel holds for a process cannot be stuck, because it
 * dies with it. Node has no flock, but SQLite takes the same kind of lock on an (always empty) file, on every system Node runs on.
 */

/** Name of the lock file in each folder where a file was ever replaced. Empty, and never deleted: that would split the lock in two. */
export const LOCK_FILE = '.lakegate.lock';

/** How long the section may be held by others before giving up. It takes microseconds: only a stopped process gets near this. */
const PATIENCE_MS = 10_000;
const SQLITE_BUSY = 5;

/**
 * Runs `section` while no other process is in a section of the same folder. It must be synchronous, so that it cannot hold the lock across a
 * wait and cannot interleave with another one of this process.
 * @throws LakegateError `unavailable` when others hold the lock for ten seconds, or the folder cannot be written
 */
export async function inFolderLock<T>(folder: string, section: () => T): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  for (let wait = 1; ; wait = Math.min(wait * 2, 20)) {
    const lock = tryLock(folder);
    if (lock !== undefined) {
      try {
        return section();
      } finally {
        lock.close();
      }
    }
    if (performance.now() > deadline) {
      throw new LakegateError(
        'unavailable',
        `Another process holds ${join(folder, LOCK_FILE)} for more than ${PATIENCE_MS / 1000} s. ` +
          'It is probably stopped: continue or end it, then run this again. Do not delete the file.',
        { context: { folder } },
      );
    }
    await sleep(wait * (0.5 + Math.random()));
  }
}

/** Whether files of the folder were ever replaced: without the lock file there is nobody to exclude. */
export function hasFolderLock(folder: string): boolean {
  return existsSync(join(folder, LOCK_FILE));
}

function tryLock(folder: string): DatabaseSync | undefined {
  const path = join(folder, LOCK_FILE);
  let lock: DatabaseSync | undefined;
  try {
    // Opened anew each time (60 µs): a kept handle would lock a deleted file if the folder was removed and made again.
    lock = new DatabaseSync(path, { timeout: 0 });
    lock.exec('PRAGMA journal_mode=MEMORY; BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock?.close();
    if (isBusy(error)) return undefined;
    throw new LakegateError(
      'unavailable',
      `Cannot lock ${path}: ${String(error)}. Check that this user may write in the folder.`,
      { cause: error, context: { folder }, retryable: false },
    );
  }
}

function isBusy(error: unknown): boolean {
  // The low byte: the rest of an extended result code says why it is busy.
  return (
    typeof error === 'object' && error !== null && 'errcode' in error && (Number(error.errcode) & 0xff) === SQLITE_BUSY
  );
}
