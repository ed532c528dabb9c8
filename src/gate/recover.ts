import type { TableConfig } from '../config/model.ts';
import { isKind } from '../errors.ts';
import type { Snapshot } from '../iceberg/model.ts';
import { publishedSnapshots } from '../iceberg/published.ts';
import type { AuditVerdict } from '../rules/rule.ts';
import { addedFiles, auditFiles } from './audit.ts';
import type { ClaimedDelivery } from './claim.ts';
import type { GatePorts, TableTarget } from './ports.ts';
import { fitTarget, schemaOf } from './schema-change.ts';
import { recordEnding } from './settle.ts';

/**
 * Deliveries that were taken over may be on main already: the runner before was killed between the commit and the record. They get their record.
 * @returns the deliveries that are not on main
 */
export async function finishPublished(
  ports: GatePorts,
  table: TableConfig,
  target: TableTarget,
  batch: readonly ClaimedDelivery[],
): Promise<ClaimedDelivery[]> {
  const again = batch.filter(({ record }) => record.attempts > 1);
  if (again.length === 0) return [...batch];
  const loaded = await target.catalog.findTable(target.identifier).catch((error) => {
    // A table that cannot be worked on at all is for the run itself to report.
    if (isKind(error, 'unsupported', 'corrupt')) return undefined;
    throw error;
  });
  if (!loaded) return [...batch];
  const published = publishedSnapshots(loaded, new Set(again.map(({ id }) => id)));
  for (const delivery of again) {
    const snapshot = published.get(delivery.id);
    if (!snapshot) continue;
    const columns = { ...fitTarget(loaded.metadata), schema: schemaOf(loaded.metadata, snapshot) };
    const { files, verdict } = await evidence(ports, table, columns, snapshot, delivery);
    const detail = `snapshot ${snapshot.snapshotId}, found on main by a later attempt`;
    const ending = { kind: 'published', snapshotId: snapshot.snapshotId, detail } as const;
    await delivery.save({ ...recordEnding(delivery, { ...ending, ...(verdict ? { verdict } : {}) }), files });
  }
  if (published.size > 0) ports.onStep({ step: 'recorded', ids: [...published.keys()] });
  return batch.filter(({ id }) => !published.has(id));
}

/** What the record would have said: the delivery's files, as the commit names them, and what the audit says of them. */
async function evidence(
  ports: GatePorts,
  table: TableConfig,
  columns: Parameters<typeof auditFiles>[2],
  snapshot: Snapshot,
  { id, record }: ClaimedDelivery,
): Promise<{ files: string[]; verdict?: AuditVerdict }> {
  const added = await addedFiles(ports.store, snapshot);
  const files = [...added.keys()].filter((path) => isFileOf(id, record.drop.url, path));
  const verdict = await auditFiles(ports, table.rules, columns, added, files).catch(() => undefined);
  return verdict ? { files, verdict } : { files };
}

/** Files that lakegate writes are named after their delivery; one that was registered is the dropped object itself. */
function isFileOf(id: string, dropUrl: string, path: string): boolean {
  return path === dropUrl || path.slice(path.lastIndexOf('/') + 1).startsWith(id);
}
