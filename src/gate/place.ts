import { LakegateError } from '../errors.ts';
import type { ObjectStore, RangeReader } from '../storage/store.ts';

/** Bytes compared at a time. */
const PIECE = 4 * 1024 * 1024;

/** Where a drop lies. */
export interface PlacedDrop {
  url: string;
  /** Whether it was put there now: only then does S3 tell the gate of it. */
  isNew: boolean;
}

/**
 * Puts a file where a team would drop it: under the table's prefix of the raw area. A file that lies there already stays as it is; another file
 * of the same name is kept beside the earlier one (`orders-2.parquet`), since the earlier drop may be in use by a table that reads it in place.
 * @param folder URL ending in `/`
 * @returns the object's URL in the raw area, and whether it was put there now
 * @throws LakegateError `not_found` | `unavailable`
 */
export async function placeDrop(store: ObjectStore, file: string, folder: string): Promise<PlacedDrop> {
  if (file.startsWith(folder)) return { url: file, isNew: false };
  const source = await store.head(file);
  if (!source) throw new LakegateError('not_found', `there is no file ${file}`, { context: { file } });
  const name = file.slice(file.lastIndexOf('/') + 1);
  for (let number = 1; ; number += 1) {
    const target = `${folder}${number === 1 ? name : numbered(name, number)}`;
    const there = await store.head(target);
    if (!there) {
      await store.copy(file, target);
      return { url: target, isNew: true };
    }
    if (there.size === source.size && (await sameBytes(store, file, target))) return { url: target, isNew: false };
  }
}

/** `orders.csv.gz` → `orders-2.csv.gz`: what tells the format stays at the end. */
function numbered(name: string, number: number): string {
  const dot = name.indexOf('.', 1);
  return dot < 0 ? `${name}-${number}` : `${name.slice(0, dot)}-${number}${name.slice(dot)}`;
}

async function sameBytes(store: ObjectStore, a: string, b: string): Promise<boolean> {
  const readers: RangeReader[] = [];
  try {
    readers.push(await store.open(a), await store.open(b));
    const [left, right] = readers as [RangeReader, RangeReader];
    for (let start = 0; start < left.byteLength; start += PIECE) {
      const [x, y] = await Promise.all([left.read(start, start + PIECE), right.read(start, start + PIECE)]);
      if (Buffer.compare(x, y) !== 0) return false;
    }
    return true;
  } finally {
    await Promise.all(readers.map((reader) => reader.close()));
  }
}
