import type { CatalogBranches, CatalogCommit } from '../catalogs/branches.ts';
import type { TableIdentifier } from '../catalogs/catalog.ts';
import { headOf, MAIN, snapshotById } from '../iceberg/ancestry.ts';
import { DELIVERIES_KEY, REMOVED_DELIVERIES_KEY } from '../iceberg/published.ts';
import type { Publication } from './staging.ts';

/** The property of a commit to main that tells the table's snapshot by it, decimal. */
export const SNAPSHOT_PROPERTY = 'lakegate.snapshot';

/** Main's commits that name deliveries, newest first: by the properties of the catalogue's commits, since tables there have no history. */
export async function* publicationsOn(
  branches: CatalogBranches,
  table: TableIdentifier,
): AsyncGenerator<Publication, void> {
  for await (const commit of branches.history(table)) {
    yield {
      ...namedIn(commit),
      async snapshot() {
        const { metadata } = await branches.at({ name: branches.main, hash: commit.hash }).loadTable(table);
        return snapshotById(metadata, headOf(metadata, MAIN)!)!;
      },
    };
  }
}

/**
 * The snapshots that put deliveries on main; those that are not there, or were taken out again, are left out.
 * @param since a commit of main at which none of them was there; undefined: all of main's history is read
 */
export async function publishedSince(
  branches: CatalogBranches,
  table: TableIdentifier,
  ids: Iterable<string>,
  since: string | undefined,
): Promise<Map<string, bigint>> {
  const found = new Map<string, bigint>();
  const open = new Set(ids);
  if (open.size === 0) return found;
  for await (const commit of branches.history(table, since)) {
    const { deliveries, removed } = namedIn(commit);
    for (const id of removed) open.delete(id);
    const snapshotId = BigInt(commit.properties[SNAPSHOT_PROPERTY] ?? 0);
    for (const id of deliveries) if (open.delete(id)) found.set(id, snapshotId);
    if (open.size === 0) break;
  }
  return found;
}

function namedIn({ properties }: CatalogCommit): { deliveries: string[]; removed: string[] } {
  const idsIn = (key: string) => (properties[key] ?? '').split(',').filter(Boolean);
  return { deliveries: idsIn(DELIVERIES_KEY), removed: idsIn(REMOVED_DELIVERIES_KEY) };
}
