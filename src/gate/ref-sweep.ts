import type { LoadedTable } from '../catalogs/catalog.ts';
import { isKind } from '../errors.ts';
import { asUpdates, planExpiry } from '../iceberg/expire.ts';
import { deleteExpiredFiles, planOrphans } from '../iceberg/expire-files.ts';
import type { GatePorts, TableTarget } from './ports.ts';
import type { SweepOptions, SweepReport } from './sweep.ts';

/** `sweepTable` where branches are the table's: branches, snapshots and tags expire in one commit. */
export async function sweepRefs(ports: GatePorts, target: TableTarget, options: SweepOptions): Promise<SweepReport> {
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
  const unfinished: string[] = [];
  for await (const url of ports.store.unfinished?.(folder, olderThanMs) ?? []) unfinished.push(url);
  return [...(await planOrphans(ports.io, table, olderThanMs)), ...unfinished];
}
