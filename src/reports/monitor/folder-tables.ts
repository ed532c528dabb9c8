import { isKind } from '../../errors.ts';
import type { ObjectInfo, ObjectStore } from '../../storage/store.ts';
import type { ParquetTable } from './partition-folders.ts';

/** Where the jobs that write unpartitioned tables leave the name of the snapshot that these are of. */
const SNAPSHOT_NOTE = 'metadata/snapshot_dt.txt';

/** A table with what lies in its folders. */
export interface ListedTable {
  table: ParquetTable;
  objects: ObjectInfo[];
}

/**
 * The tables of a folder, each a folder of it. `metadata/`, which the jobs keep beside them, and hidden folders are none.
 * @param folder URL ending in `/`
 * @throws LakegateError `unavailable` when the folder cannot be listed
 */
export async function folderTables(store: ObjectStore, folder: string): Promise<ListedTable[]> {
  const tables = new Map<string, ObjectInfo[]>();
  for await (const info of store.list(folder)) {
    const [name, ...rest] = info.url.slice(folder.length).split('/');
    if (!name || rest.length === 0 || name === 'metadata' || /^[._]/.test(name)) continue;
    const objects = tables.get(name) ?? [];
    tables.set(name, objects);
    objects.push(info);
  }
  const snapshotName = await snapshotNote(store, folder);
  return [...tables].map(([name, objects]) => ({
    table: { name, location: `${folder}${name}/`, ...(snapshotName !== undefined && { snapshotName }) },
    objects,
  }));
}

async function snapshotNote(store: ObjectStore, folder: string): Promise<string | undefined> {
  try {
    const { bytes } = await store.read(`${folder}${SNAPSHOT_NOTE}`);
    const name = new TextDecoder()
      .decode(bytes.subarray(0, 100))
      .trim()
      .replace(/^snapshot_dt=/, '');
    return /^[\w.:-]+$/.test(name) ? name : undefined;
  } catch (error) {
    if (isKind(error, 'not_found')) return undefined;
    throw error;
  }
}
