import type { BigIntStats } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { LakegateError } from '../errors.ts';
import type { ExpectedObject, ObjectInfo } from './store.ts';

/**
 * A file's version: inode, modification time in nanoseconds, size. A file is only ever replaced by another one (never written in place), so
 * the inode alone almost tells; the time settles it when the file system gives a freed inode out again.
 */
export function etagOf(stats: BigIntStats): string {
  return `${stats.ino.toString(36)}-${stats.mtimeNs.toString(36)}-${stats.size.toString(36)}`;
}

/** The port's facts of a file, under the URL it was asked for by. */
export function infoOf(url: string, stats: BigIntStats): ObjectInfo {
  return { url, size: Number(stats.size), etag: etagOf(stats), lastModified: Number(stats.mtimeNs / 1_000_000n) };
}

/** @throws LakegateError `not_found` when another version of the file was expected than the one that `stats` tell of */
export function checkExpected(url: string, stats: BigIntStats, expected?: ExpectedObject): void {
  const found = etagOf(stats);
  if (expected === undefined || expected.etag === found) return;
  throw new LakegateError(
    'not_found',
    `${url} was replaced: expected version ${expected.etag}, found ${found}. Look at it again and take what is there now.`,
    { context: { url, expected: expected.etag, found } },
  );
}

/** Steps that survive the time resolution of ext4 and apfs (ns), of network file systems (ms), and of FAT (2 s). */
const STEPS_NS = [2_000n, 2_000_000n, 4_000_000_000n];

/**
 * Makes a replacement's modification time later than its predecessor's, so that no etag ever comes back along a chain of replacements. Needed
 * when both fall into one tick of the kernel's clock (4 ms), in which a freed inode may already be in use again, or when the clock was set back.
 */
export async function modifiedAfter(handle: FileHandle, predecessorNs: bigint): Promise<BigIntStats> {
  let stats = await handle.stat({ bigint: true });
  for (const step of STEPS_NS) {
    if (stats.mtimeNs > predecessorNs) break;
    const seconds = Number(predecessorNs + step) / 1e9;
    await handle.utimes(seconds, seconds);
    stats = await handle.stat({ bigint: true });
  }
  return stats;
}

/** @throws LakegateError `exists` when what has the name is not what was to get it, by its size */
export function checkSameSize(found: bigint, expected: bigint, url: string): void {
  if (found === expected) return;
  throw new LakegateError(
    'exists',
    `${url} already exists with ${found} bytes, expected ${expected}: another object has this name. Delete it or choose another name.`,
    { context: { url } },
  );
}
