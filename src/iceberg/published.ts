import type { LoadedTable } from '../catalogs/catalog.ts';
import { ancestorsOf, headOf, MAIN } from './ancestry.ts';
import { headSnapshot } from './append.ts';
import type { DataFile, Snapshot } from './model.ts';
import { hasLiveFiles, isLive, loadManifests, type TableIO, visitEntries } from './table-io.ts';

/** Summary key: ids of the deliveries whose files the snapshot adds, separated by commas. */
export const DELIVERIES_KEY = 'lakegate.deliveries';
/** Summary key: ids of the deliveries whose files the snapshot takes out again. */
export const REMOVED_DELIVERIES_KEY = 'lakegate.removed-deliveries';

/** The snapshot that put a delivery on main, as far back as main's history goes; undefined also when it was taken out again since. */
export function findPublished(table: LoadedTable, deliveryId: string): Snapshot | undefined {
  return publishedSnapshots(table, new Set([deliveryId])).get(deliveryId);
}

/** As `findPublished`, for many deliveries in one pass over main's history: those that are not on main are left out. */
export function publishedSnapshots(table: LoadedTable, deliveryIds: ReadonlySet<string>): Map<string, Snapshot> {
  const { metadata } = table;
  const found = new Map<string, Snapshot>();
  const open = new Set(deliveryIds);
  for (const snapshot of ancestorsOf(metadata, headOf(metadata, MAIN))) {
    if (open.size === 0) break;
    for (const id of idsIn(snapshot, REMOVED_DELIVERIES_KEY)) open.delete(id);
    for (const id of idsIn(snapshot, DELIVERIES_KEY)) if (open.delete(id)) found.set(id, snapshot);
  }
  return found;
}

/**
 * The data files a ref shows, by path. Reads every manifest of it.
 * @param ref a branch or tag; one that is not there shows none
 */
export async function liveFiles(io: TableIO, table: LoadedTable, ref: string): Promise<Map<string, DataFile>> {
  const files = new Map<string, DataFile>();
  const head = headSnapshot(table.metadata, ref);
  if (head === undefined) return files;
  const manifests = (await loadManifests(io, head)).filter(({ content }) => content === 'data');
  await visitEntries(io, manifests.filter(hasLiveFiles), (_, entries) => {
    for (const { dataFile } of entries.filter(isLive)) files.set(dataFile.filePath, dataFile);
    return true;
  });
  return files;
}

/** The delivery ids under a summary key; none for a snapshot that another writer made. */
export function idsIn(snapshot: Snapshot, key: string): string[] {
  return (snapshot.summary[key] ?? '').split(',').filter(Boolean);
}
