import { beginCopy, type ColumnCopy, copyRowGroups, finishCopy, readCopySource } from '../parquet/copy-columns.ts';
import type { ObjectStore } from '../storage/store.ts';
import type { Part } from './model.ts';

/**
 * Makes the outputs of a part, in their staging folders. Each appears whole or not at all; one that is there already, from a run that was broken
 * off, stays.
 * @throws LakegateError of the source or a writer; nothing unfinished is left behind
 */
export async function copyPart(store: ObjectStore, { slice, outputs }: Part): Promise<void> {
  const copies: ColumnCopy[] = [];
  try {
    for (const { table, output } of outputs) {
      const writer = await store.writer(`${table.staging}${output.name}`);
      copies.push(await beginCopy(writer, table.table.columns));
    }
    for (const { file, groups } of slice) {
      const reader = await store.open(file.url, file);
      try {
        await copyRowGroups(await readCopySource(reader, file.url), groups, copies);
      } finally {
        await reader.close();
      }
    }
    await settled(copies.map((copy) => finishCopy(copy)));
  } catch (error) {
    await Promise.allSettled(copies.map(({ writer }) => writer.abort()));
    throw error;
  }
}

/** Waits for all, then throws the first fault. */
async function settled(work: readonly Promise<unknown>[]): Promise<void> {
  const results = await Promise.allSettled(work);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
