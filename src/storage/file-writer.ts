import type { FileHandle } from 'node:fs/promises';
import { stat } from 'node:fs/promises';
import pLimit from 'p-limit';
import { linkAsNew, openTemporary, removeQuietly, writeFully } from './durable-file.ts';
import { fileFault } from './file-errors.ts';
import { checkSameSize } from './file-version.ts';
import type { ObjectWriter } from './store.ts';

/**
 * Opens a new file for writing front to back.
 * @param target path of the file
 * @param url how errors call it
 */
export async function fileWriter(target: string, url: string): Promise<ObjectWriter> {
  const temporary = await openTemporary(target).catch((error) => {
    throw fileFault(error, 'write', url);
  });
  const early = earlySyncs(temporary.handle);
  let size = 0;
  return {
    async write(bytes) {
      const offset = size;
      size += bytes.byteLength;
      await writeFully(temporary.handle, bytes, offset).catch((error) => {
        throw fileFault(error, 'write', url);
      });
      early.written(bytes.byteLength);
    },
    async finish() {
      try {
        await early.end();
        await temporary.handle.sync();
        await temporary.handle.close();
        if (!(await linkAsNew(temporary.path, target))) {
          checkSameSize((await stat(target, { bigint: true })).size, BigInt(size), url);
        }
        return { size };
      } catch (error) {
        throw fileFault(error, 'write', url);
      }
    },
    async abort() {
      await early.end().catch(() => undefined);
      await temporary.handle.close().catch(() => undefined);
      await removeQuietly(temporary.path);
    },
  };
}

/** Bytes of a file that a disk is given to write at once, while more are coming: the sync at the end then has little left to wait for. */
const SYNC_EVERY = 4 * 1024 * 1024;
/** Each holds one of the four threads that read and write files. */
const atOnce = pLimit(2);

interface EarlySyncs {
  written(bytes: number): void;
  /** Waits for what is under way. @throws the first fault of the syncs: the kernel tells it once, and a later sync would not know of it */
  end(): Promise<void>;
}

function earlySyncs(handle: FileHandle): EarlySyncs {
  let unsynced = 0;
  let ended = false;
  let fault: unknown;
  let current: Promise<void> | undefined;
  const sync = async () => {
    if (ended) return;
    unsynced = 0;
    await handle.datasync();
  };
  return {
    written(bytes) {
      unsynced += bytes;
      if (unsynced < SYNC_EVERY || current !== undefined) return;
      current = atOnce(sync)
        .catch((error) => {
          fault ??= error;
        })
        .finally(() => {
          current = undefined;
        });
    },
    async end() {
      ended = true;
      await current;
      if (fault !== undefined) throw fault;
    },
  };
}
