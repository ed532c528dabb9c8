import type { ExpectedObject, ObjectStore } from '../storage/store.ts';
import { stripFieldIds } from './strip-field-ids.ts';

/** Bytes in memory at a time. */
const PIECE = 4 * 1024 * 1024;

/** What stands behind a footer: its length and the magic. */
const TAIL = 8;

/**
 * Copies a Parquet file with the same data under a footer that has no field ids: nothing is decoded.
 * @param footerStart where the footer's thrift begins
 * @param expected the version that is copied
 * @returns the new file's size in bytes
 * @throws LakegateError `exists` when another file is there, and what the store throws
 */
export async function copyWithoutFieldIds(
  store: ObjectStore,
  from: string,
  footerStart: number,
  to: string,
  expected?: ExpectedObject,
): Promise<number> {
  const reader = await store.open(from, expected);
  try {
    const footer = stripFieldIds(await reader.read(footerStart, reader.byteLength - TAIL));
    const writer = await store.writer(to);
    try {
      for (let start = 0; start < footerStart; start += PIECE) {
        await writer.write(await reader.read(start, Math.min(start + PIECE, footerStart)));
      }
      const tail = new Uint8Array(TAIL);
      new DataView(tail.buffer).setUint32(0, footer.length, true);
      tail.set(new TextEncoder().encode('PAR1'), 4);
      await writer.write(footer);
      await writer.write(tail);
      return (await writer.finish()).size;
    } catch (error) {
      await writer.abort();
      throw error;
    }
  } finally {
    await reader.close();
  }
}
