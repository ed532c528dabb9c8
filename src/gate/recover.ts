import type { LoadedTable } from '../catalogs/catalog.ts';
import { parseIdentifier } from '../catalogs/identifier.ts';
import type { TableConfig } from '../config/model.ts';
import { isKind } from '../errors.ts';
import { ancestorsOf, headOf, MAIN } from '../iceberg/ancestry.ts';
import type { Snapshot } from '../iceberg/model.ts';
import { isLive, loadManifests, visitEntries } from '../iceberg/table-io.ts';
import type { AuditVerdict } from '../rules/rule.ts';
import { addedFiles, auditFiles } from './audit.ts';
import type { ClaimedDelivery } from './claim.ts';
import type { GatePorts, TableTarget } from './ports.ts';
import { fitTarget, schemaOf } from './schema-change.ts';
import { type Ending, recordEnding } from './settle.ts';
import { publishedBy } from './staging.ts';
import { stagingOf } from './staging-of.ts';

/**
 * Deliveries that were taken over may be on main already: the runner before was killed between the commit and the record. They get their ending.
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
  const published = await publishedBy(
    stagingOf(ports, target).publications(loaded),
    again.map(({ id }) => id),
  );
  const found = await foundByFiles(
    ports,
    loaded,
    again.filter(({ id }) => !published.has(id)),
  );
  for (const delivery of again) {
    const snapshot = published.get(delivery.id);
    const expired = found.get(delivery.id);
    if (expired) {
      const { ending, files, rows } = expired;
      delivery.end({ ...recordEnding(delivery, ending), files, rows });
    }
    if (!snapshot) continue;
    const columns = { ...fitTarget(loaded.metadata), schema: schemaOf(loaded.metadata, snapshot) };
    const { files, verdict } = await evidence(ports, table, columns, snapshot, delivery);
    const detail = `snapshot ${snapshot.snapshotId}, found on main by a later attempt`;
    const ending = { kind: 'published', snapshotId: snapshot.snapshotId, detail } as const;
    delivery.end({ ...recordEnding(delivery, { ...ending, ...(verdict ? { verdict } : {}) }), files });
  }
  const done = new Set([...published.keys(), ...found.keys()]);
  return batch.filter(({ id }) => !done.has(id));
}

interface FoundFiles {
  ending: Ending;
  files: string[];
  rows: number;
}

/**
 * Deliveries whose snapshot has expired since, so that main's history does not name them any more, but whose files main has. Reads all of
 * main's manifests, but only where a delivery lay open longer than the history goes back.
 */
async function foundByFiles(
  { io }: GatePorts,
  loaded: LoadedTable,
  deliveries: readonly ClaimedDelivery[],
): Promise<Map<string, FoundFiles>> {
  const found = new Map<string, FoundFiles>();
  const history = [...ancestorsOf(loaded.metadata, headOf(loaded.metadata, MAIN))];
  if (deliveries.length === 0 || history.at(-1)?.parentSnapshotId === undefined) return found;
  const detail = 'its files were found on main by a later attempt; its snapshot has expired';
  await visitEntries(io, await loadManifests(io, history[0]!), ({ content }, entries) => {
    for (const { dataFile, snapshotId = 0n } of content === 'data' ? entries.filter(isLive) : []) {
      const owner = deliveries.find(({ id, record }) => isFileOf(id, record.drop.url, dataFile.filePath));
      if (!owner) continue;
      const { files, rows } = found.get(owner.id) ?? { files: [], rows: 0 };
      const ending = { kind: 'published', snapshotId, detail } as const;
      found.set(owner.id, { ending, files: [...files, dataFile.filePath], rows: rows + Number(dataFile.recordCount) });
    }
    return true;
  });
  return found;
}

/** What the record would have said: the delivery's files, as the commit names them, and what the audit says of them. */
async function evidence(
  ports: GatePorts,
  table: TableConfig,
  columns: Parameters<typeof auditFiles>[2],
  snapshot: Snapshot,
  { id, record }: ClaimedDelivery,
): Promise<{ files: string[]; verdict?: AuditVerdict }> {
  const added = await addedFiles(ports.io.store, snapshot);
  const files = [...added.keys()].filter((path) => isFileOf(id, record.drop.url, path));
  const rows = { ...parseIdentifier(table.name), snapshotId: snapshot.snapshotId };
  const verdict = await auditFiles(ports, table.rules, columns, added, files, rows).catch(() => undefined);
  return verdict ? { files, verdict } : { files };
}

/** Files that lakegate writes are named after their delivery; one that was registered is the dropped object itself. */
function isFileOf(id: string, dropUrl: string, path: string): boolean {
  return path === dropUrl || path.slice(path.lastIndexOf('/') + 1).startsWith(id);
}
