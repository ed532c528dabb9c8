import type { PipelinesConfig } from '../config/pipelines-model.ts';
import { lockedRun, lockUrl } from './lock.ts';
import type { PipelineName } from './model.ts';
import type { PipelinePorts } from './ports.ts';
import { isRunFolder } from './run-files.ts';

/** How long what a run planned and found can be looked at. */
export const RUN_DAYS = 90;
const RUN_MS = RUN_DAYS * 86_400_000;

/** Folders that one run removes at most: after years without, some runs do it together. */
const MOST = 100;

/**
 * Removes the folders of a pipeline's runs that ended long ago, but for the one that the lock names.
 * @param run folder of the run that asks, which stays; URL ending in `/`
 * @throws LakegateError of the store; `corrupt` for a lock that cannot be read: nothing is removed then
 */
export async function removeOldRuns(
  { store, now }: Pick<PipelinePorts, 'store' | 'now'>,
  { runs }: Pick<PipelinesConfig, 'runs'>,
  pipeline: PipelineName,
  run: string,
): Promise<void> {
  const kept = [run, await lockedRun({ store }, lockUrl(runs, pipeline))];
  const root = `${runs}${pipeline}/`;
  const before = now() - RUN_MS;
  let removed = 0;
  let open: { folder: string; urls: string[]; isOld: boolean } | undefined;
  const close = async () => {
    if (!open?.isOld || kept.includes(open.folder)) return;
    await store.delete(open.urls);
    removed += 1;
  };
  // In key order: the files of a folder come one after the other.
  for await (const { url, lastModified } of store.list(root)) {
    const folder = url.slice(0, url.indexOf('/', root.length) + 1);
    if (folder !== open?.folder) {
      await close();
      open = undefined;
      if (removed === MOST) return;
      if (!isRunFolder(folder, runs, pipeline)) continue;
      open = { folder, urls: [], isOld: true };
    }
    open.urls.push(url);
    if (lastModified >= before) open.isOld = false;
  }
  await close();
}
