import { type BigIntStats, readSync } from 'node:fs';
import { constants, type FileHandle, open } from 'node:fs/promises';
import { LakegateError } from '../errors.ts';
import { fileFault } from './file-errors.ts';
import { checkExpected, etagOf } from './file-version.ts';
import type { ExpectedObject, RangeReader } from './store.ts';
import { pathOf } from './urls.ts';

/** The path of an object. @throws LakegateError `invalid` for a folder's URL */
export function filePath(url: string): string {
  const path = pathOf(url, 'file');
  if (path.endsWith('/')) {
    throw new LakegateError('invalid', `"${url}" names a folder; expected the URL of one object.`, {
      context: { url },
    });
  }
  return path;
}

/** The port's `open`: positional reads of one version of a file, which stays readable when the file is replaced or deleted meanwhile. */
export async function openFile(url: string, expected?: ExpectedObject): Promise<RangeReader> {
  const { handle, stats } = await openRegular(url);
  try {
    checkExpected(url, stats, expected);
  } catch (error) {
    await handle.close();
    throw error;
  }
  const byteLength = Number(stats.size);
  return {
    url,
    byteLength,
    cheapSeeks: true,
    read: (start, end, room) => {
      const from = Math.max(0, start);
      return readFully(handle, from, Math.max(0, Math.min(end, byteLength) - from), url, room);
    },
    close: () => handle.close(),
  };
}

/** The port's `read`: a whole file, and the etag of the very bytes. */
export async function readFile(url: string): Promise<{ bytes: Uint8Array; etag: string }> {
  const { handle, stats } = await openRegular(url);
  try {
    return { bytes: await readFully(handle, 0, Number(stats.size), url), etag: etagOf(stats) };
  } finally {
    await handle.close();
  }
}

async function openRegular(url: string): Promise<{ handle: FileHandle; stats: BigIntStats }> {
  const path = filePath(url);
  let handle: FileHandle | undefined;
  try {
    // Without O_NONBLOCK, opening a named pipe that lies in the raw folder would wait for its writer for ever.
    handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const stats = await handle.stat({ bigint: true });
    if (stats.isFile()) return { handle, stats };
  } catch (error) {
    await handle?.close();
    throw fileFault(error, 'read', url);
  }
  await handle.close();
  throw new LakegateError('not_found', `Cannot read ${url}: it is a folder or a device, expected a file.`, {
    context: { url },
  });
}

async function readFully(
  handle: FileHandle,
  start: number,
  length: number,
  url: string,
  room?: Uint8Array,
): Promise<Uint8Array> {
  const fits = room !== undefined && room.length >= length;
  const bytes = fits ? room.subarray(0, length) : new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);
  for (let done = 0; done < length; ) {
    const bytesRead = await readSome(handle, bytes, done, length - done, start + done).catch((error) => {
      throw fileFault(error, 'read', url);
    });
    if (bytesRead === 0) {
      throw new LakegateError(
        'unavailable',
        `${url} became shorter while it was read. Let its writer finish and run this again.`,
        {
          context: { url },
        },
      );
    }
    done += bytesRead;
  }
  return bytes;
}

/** A read of this many bytes or fewer is over sooner than a thread of the pool would have begun it. */
const READ_AT_ONCE = 256 * 1024;

async function readSome(
  handle: FileHandle,
  bytes: Uint8Array,
  offset: number,
  length: number,
  position: number,
): Promise<number> {
  if (length <= READ_AT_ONCE) return readSync(handle.fd, bytes, offset, length, position);
  return (await handle.read(bytes, offset, length, position)).bytesRead;
}
