import pLimit from 'p-limit';
import { isKind } from '../errors.ts';
import type { ObjectInfo, ObjectStore } from '../storage/store.ts';

/** Each is a few small requests, or waits for a disk. */
const MOVES_AT_ONCE = 16;

/** A staged file, and the URL that it gets. */
export interface StagedMove {
  from: ObjectInfo;
  to: string;
}

/** Everything under a folder, by its name in it. @param folder URL ending in `/` */
export async function filesIn(store: ObjectStore, folder: string): Promise<Map<string, ObjectInfo>> {
  const files = new Map<string, ObjectInfo>();
  for await (const file of store.list(folder)) files.set(file.url.slice(folder.length), file);
  return files;
}

/**
 * Gives staged files their places, several at a time; one that another who does the same commit has moved stays. Where the store has no move, what was
 * copied is left for the caller to delete with all that remains, in one request.
 * @throws LakegateError of the store, once all have ended
 */
export async function moveStaged(store: ObjectStore, moves: readonly StagedMove[]): Promise<void> {
  const limit = pLimit(MOVES_AT_ONCE);
  const ended = await Promise.allSettled(moves.map((move) => limit(() => moved(store, move))));
  const failed = ended.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}

async function moved(store: ObjectStore, { from, to }: StagedMove): Promise<void> {
  try {
    await (store.move === undefined ? store.copy(from.url, to, from) : store.move(from.url, to, from));
  } catch (error) {
    if (!isKind(error, 'not_found') || (await store.head(to)) === undefined) throw error;
  }
}
