import type { LoadedTable } from '../catalogs/catalog.ts';
import { ancestorsOf, headOf, MAIN, snapshotById } from '../iceberg/ancestry.ts';
import { commitWithRetry } from '../iceberg/commit.ts';
import { deleteExpiredFiles } from '../iceberg/expire-files.ts';
import { DELIVERIES_KEY, idsIn, REMOVED_DELIVERIES_KEY } from '../iceberg/published.ts';
import { planDropBranch } from '../iceberg/refs.ts';
import { commitOptions } from './commit-options.ts';
import type { GatePorts, TableTarget } from './ports.ts';
import { settleRefs } from './ref-settle.ts';
import { stageOnRef } from './ref-stage.ts';
import { sweepRefs } from './ref-sweep.ts';
import { schemaOf } from './schema-change.ts';
import type { Publication, Staging } from './staging.ts';

/** Staging on branches of the table itself: what is staged, kept and published lies in one metadata file, which each commit swaps. */
export function refStaging(ports: GatePorts, target: TableTarget): Staging {
  return {
    stage: (loaded, request) => stageOnRef(ports, target, loaded, request),
    settle: (loaded, settlement) => settleRefs(ports, target, loaded, settlement),
    async kept({ metadata }, branch) {
      const snapshotId = headOf(metadata, branch);
      const snapshot = snapshotId === undefined ? undefined : snapshotById(metadata, snapshotId);
      return snapshot && { snapshotId: snapshot.snapshotId, schema: schemaOf(metadata, snapshot) };
    },
    drop: (loaded, branch) => dropRef(ports, target, loaded, branch),
    publications,
    sweep: (options) => sweepRefs(ports, target, options),
  };
}

async function* publications({ metadata }: LoadedTable): AsyncGenerator<Publication> {
  for (const snapshot of ancestorsOf(metadata, headOf(metadata, MAIN))) {
    const deliveries = idsIn(snapshot, DELIVERIES_KEY);
    const removed = idsIn(snapshot, REMOVED_DELIVERIES_KEY);
    if (deliveries.length + removed.length > 0) yield { deliveries, removed, snapshot: async () => snapshot };
  }
}

async function dropRef(ports: GatePorts, target: TableTarget, loaded: LoadedTable, branch: string): Promise<void> {
  let before = loaded;
  const { table: after } = await commitWithRetry(
    target.catalog,
    target.identifier,
    loaded,
    async (table) => {
      before = table;
      return headOf(table.metadata, branch) === undefined ? undefined : planDropBranch(table, branch);
    },
    { ...commitOptions(ports), happened: (table) => headOf(table.metadata, branch) === undefined },
  );
  if (headOf(before.metadata, branch) === undefined) return;
  await deleteExpiredFiles(ports.io, before.metadata, after.metadata);
}
