import type { LoadedTable } from '../catalogs/catalog.ts';
import { isKind } from '../errors.ts';
import { asUpdates, type ExpiryOverrides, planExpiry } from '../iceberg/expire.ts';
import { deleteExpiredFiles, planOrphans } from '../iceberg/expire-files.ts';
import type { ObjectStore } from '../storage/store.ts';
import type { GatePorts, TableTarget } from './ports.ts';

export interface SweepOptions extends ExpiryOverrides {
  /** Files that nothing references go when they are older than this; younger ones may belong to a delivery under way. Milliseconds. */
  orphansOlderThanMs: number;
  /** Only say what would go. */
  dryRun: boolean;
}

export interface SweepReport {
  table: string;
  branches: string[];
  snapshots: string[];
  /** Files of expired snapshots that nothing references any more. */
  expiredFiles: string[];
  /** Files of attempts that came to nothing, unfinished ones included. */
  orphans: string[];
}

/**
 * Expires a table's snapshots, branches and tags by their age and removes the files that no snapshot left references, then those of failed
 * attempts. Only files under the table's own location are ever deleted.
 * @throws LakegateError `conflict` when somebody commits again and again meanwhile
 */
export async function sweepTable(ports: GatePorts, target: TableTarget, options: SweepOptions): Promise<SweepReport> {
  const table = target.identifier.namespace.concat(target.identifier.name).join('.');
  for (;;) {
    const before = await target.catalog.loadTable(target.identifier);
    const plan = planExpiry(before.metadata, ports.now(), options);
    const report = { table, branches: plan.refsToRemove, snapshots: plan.snapshotsToRemove.map(String) };
    const updates = asUpdates(plan);
    if (options.dryRun) {
      return { ...report, expiredFiles: [], orphans: await orphansOf(ports, before, options.orphansOlderThanMs) };
    }
    try {
      const after =
        updates.length > 0
          ? await target.catalog.commit(
              before,
              [{ type: 'assert-table-uuid', uuid: before.metadata.tableUuid }],
              updates,
            )
          : before;
      const expiredFiles =
        updates.length > 0 ? await deleteExpiredFiles(ports.io, before.metadata, after.metadata) : [];
      const orphans = await orphansOf(ports, after, options.orphansOlderThanMs);
      await ports.store.delete(orphans);
      return { ...report, expiredFiles, orphans };
    } catch (error) {
      if (!isKind(error, 'conflict')) throw error;
      await ports.sleep(20 + ports.random() * 100);
    }
  }
}

async function orphansOf(ports: GatePorts, table: LoadedTable, olderThanMs: number): Promise<string[]> {
  const folder = `${table.metadata.location.replace(/\/+$/, '')}/`;
  return [
    ...(await planOrphans(ports.io, table, olderThanMs)),
    ...(await unfinishedUnder(ports.store, folder, olderThanMs)),
  ];
}

async function unfinishedUnder(store: ObjectStore, folder: string, olderThanMs: number): Promise<string[]> {
  const urls: string[] = [];
  for await (const url of store.unfinished?.(folder, olderThanMs) ?? []) urls.push(url);
  return urls;
}

/**
 * Removes what killed writers left unfinished under a folder that is no table's: the delivery records, the raw area.
 * @param olderThanMs as `orphansOlderThanMs`
 * @returns what was removed, or would be
 */
export async function sweepUnfinished(
  store: ObjectStore,
  folder: string,
  { olderThanMs, dryRun }: { olderThanMs: number; dryRun: boolean },
): Promise<string[]> {
  const urls = await unfinishedUnder(store, folder, olderThanMs);
  if (!dryRun) await store.delete(urls);
  return urls;
}
