import type { ObjectStore } from '../storage/store.ts';
import { sparkStagingOf, stagingOf } from '../tables/place-outputs.ts';

/** How long files lie beside their tables' place that nobody takes up: whoever does, does so sooner. */
export const LEFT_DAYS = 14;
const LEFT_MS = LEFT_DAYS * 86_400_000;

/** What a commit that was broken off goes on by. */
const COMMIT = '/commit.json';

/** No split pauses for so long. The lake's own bucket ends uploads after the same time. */
const UNFINISHED_MS = 7 * 86_400_000;

/**
 * Removes unfinished files of snapshots that were given up, or replaced, and of tables that did not pass their audit. Those that a broken-off commit is
 * to move stay: readers have no others.
 * @param target folder of a source's tables, URL ending in `/`
 * @param now milliseconds since the epoch, UTC
 */
export async function removeStagedLeft(store: ObjectStore, target: string, now: number): Promise<void> {
  for (const staging of [stagingOf(target), sparkStagingOf(target)]) {
    const old: string[] = [];
    const committing: string[] = [];
    for await (const { url, lastModified } of store.list(staging)) {
      if (url.endsWith(COMMIT)) committing.push(url.slice(0, -COMMIT.length + 1));
      if (lastModified < now - LEFT_MS) old.push(url);
    }
    await store.delete(old.filter((url) => !committing.some((folder) => url.startsWith(folder))));
  }
  // What writers left that were killed in the middle of a file is in no list.
  const unfinished: string[] = [];
  for await (const url of store.unfinished?.(target, UNFINISHED_MS) ?? []) unfinished.push(url);
  await store.delete(unfinished);
}
