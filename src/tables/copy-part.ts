import { beginCopy, copyRowGroups, finishCopy } from '../parquet/copy-columns.ts';
import type { ObjectStore, ObjectWriter } from '../storage/store.ts';
import { type KnownSources, knownSources } from './known-sources.ts';
import type { Part } from './model.ts';

/**
 * Makes the outputs of a part, in their staging folders. Each appears whole or not at all; one that is there already, from a run that was broken
 * off, stays.
 * @param sources what planning has read, in the same process
 * @throws LakegateError of the source or a writer; nothing unfinished is left behind
 */
export async function copyPart(
  store: ObjectStore,
  { slice, outputs }: Part,
  sources: KnownSources = knownSources(),
): Promise<void> {
  const writers: ObjectWriter[] = [];
  try {
    await settled(
      outputs.map(async ({ table, output }, index) => {
        writers[index] = await store.writer(`${table.staging}${output.name}`);
      }),
    );
    const copies = await settled(outputs.map(({ table }, index) => beginCopy(writers[index]!, table.table.columns)));
    for (const { file, groups } of slice) {
      const reader = await store.open(file.url, file);
      try {
        await copyRowGroups(await sources.open(file, reader), groups, copies);
      } finally {
        await reader.close();
      }
    }
    await settled(copies.map((copy) => finishCopy(copy)));
  } catch (error) {
    // Holes are writers that could not be opened.
    await Promise.allSettled(Object.values(writers).map((writer) => writer.abort()));
    throw error;
  }
}

/** Waits for all, then throws the first fault. */
async function settled<T>(work: readonly Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(work);
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}
