import { LakegateError } from '../errors.ts';
import type { ObjectInfo, ObjectStore } from '../storage/store.ts';

/** A folder of Parquet files that is a table. */
export interface FoundTable {
  /** The folder's name. */
  name: string;
  /** URL of the folder, ending in `/`. */
  location: string;
  /** `plain`: files lie in the folder; `snapshots`: in its `snapshot_dt=…/` folders. */
  layout: 'plain' | 'snapshots';
  /** In order, oldest first; empty for a plain layout. */
  snapshots: string[];
  /** A file to read the columns from: the first one, of the snapshot that is asked for, else of the newest. */
  file: ObjectInfo;
}

const SNAPSHOT = /^snapshot_dt=(\d{4}-\d{2}-\d{2})$/;
/** How deep tables lie: `IBE_01/`, and `addressable_ids/addressable_ids/`. */
const DEEPEST = 2;
/** Holds what the jobs say of their tables. */
const METADATA = 'metadata';

/**
 * Finds the tables that the split jobs left under a folder. `metadata/` and whatever begins with `_` or `.` is none.
 * @param root URL ending in `/`
 * @param snapshot the snapshot that columns are read from; tables that lack it are left out
 * @param below of the folders under the root those alone whose names begin with it, for who wants one table of many
 * @throws LakegateError `invalid` where two folders would be one table, or files lie beside folders of snapshots; of the store
 */
export async function findTables(
  store: ObjectStore,
  root: string,
  snapshot?: string,
  below = '',
): Promise<FoundTable[]> {
  const files = new Map<string, Map<string, ObjectInfo>>();
  for await (const object of store.list(`${root}${below}`)) {
    const folders = object.url.slice(root.length).split('/');
    const file = folders.pop()!;
    if ([...folders, file].some((part) => /^[._]/.test(part)) || folders.includes(METADATA) || file === '') continue;
    const date = SNAPSHOT.exec(folders.at(-1) ?? '')?.[1];
    if (date !== undefined) folders.pop();
    if (folders.length === 0 || folders.length > DEEPEST || folders.some((folder) => folder.includes('='))) continue;
    const path = folders.join('/');
    const found = files.get(path) ?? new Map<string, ObjectInfo>();
    files.set(path, found);
    // Listings come in the order of names: the first stays.
    if (!found.has(date ?? '')) found.set(date ?? '', object);
  }
  const tables = [...files].flatMap(([path, found]) => tableOf(root, path, found, snapshot) ?? []);
  const byName = Map.groupBy(tables, ({ name }) => name.toLowerCase());
  for (const same of byName.values()) {
    if (same.length === 1) continue;
    const places = same.map(({ location }) => location).join(' and ');
    throw new LakegateError('invalid', `expected one folder for each table, found ${places}, which would be one table`);
  }
  return tables;
}

function tableOf(
  root: string,
  path: string,
  found: ReadonlyMap<string, ObjectInfo>,
  snapshot: string | undefined,
): FoundTable | undefined {
  const location = `${root}${path}/`;
  const name = path.slice(path.lastIndexOf('/') + 1);
  const plain = found.get('');
  if (plain !== undefined) {
    if (found.size === 1) return { name, location, layout: 'plain', snapshots: [], file: plain };
    throw new LakegateError(
      'invalid',
      `${location} has files beside its snapshot_dt= folders, ${plain.url} among them: expected either. Remove what is left over`,
    );
  }
  const snapshots = [...found.keys()].sort();
  const file = found.get(snapshot ?? snapshots.at(-1)!);
  return file === undefined ? undefined : { name, location, layout: 'snapshots', snapshots, file };
}
