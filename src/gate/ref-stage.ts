import type { LoadedTable } from '../catalogs/catalog.ts';
import { LakegateError } from '../errors.ts';
import { snapshotById } from '../iceberg/ancestry.ts';
import { planAppend } from '../iceberg/append.ts';
import { commitWithRetry } from '../iceberg/commit.ts';
import type { TableMetadata } from '../iceberg/model.ts';
import { planOverwrite } from '../iceberg/overwrite.ts';
import type { Plan } from '../iceberg/plan.ts';
import { DELIVERIES_KEY, idsIn } from '../iceberg/published.ts';
import { planDropBranch } from '../iceberg/refs.ts';
import { commitOptions } from './commit-options.ts';
import { batchBranchOf } from './identity.ts';
import type { GatePorts, TableTarget } from './ports.ts';
import { checkFitted, STAGING_BRANCH } from './schema-change.ts';
import type { Staged, StageRequest } from './stage.ts';

/** A batch's branch that was left behind by a killed run goes after a day; a single delivery's stays as long as a kept one. */
const BATCH_BRANCH_MS = 24 * 60 * 60 * 1000;

/** `stage` on a branch of the table: one commit, in which the branches of earlier attempts go. */
export async function stageOnRef(
  ports: GatePorts,
  target: TableTarget,
  loaded: LoadedTable,
  request: StageRequest,
): Promise<Staged> {
  const branch = batchBranchOf(request.ids);
  const deliveries = request.ids.join(',');
  const { table, plan } = await commitWithRetry(
    target.catalog,
    target.identifier,
    loaded,
    async (current): Promise<Plan> => {
      await request.checkHeld();
      checkFitted(loaded.metadata, current.metadata);
      const schema = request.schemaFor(current.metadata);
      const staging = {
        branch,
        dataFiles: request.dataFiles,
        summary: { [DELIVERIES_KEY]: deliveries },
        schemaId: schema.schemaId,
        extraUpdates: schema.updates,
        maxRefAgeMs: request.ids.length === 1 ? request.config.keepBranchMs : BATCH_BRANCH_MS,
      };
      const stale = staleBranches(current.metadata, branch, new Set(request.ids));
      const base = withoutBranches(current, stale);
      const { mode } = request.config;
      const planned =
        mode === 'append'
          ? await planAppend(ports.io, base, staging)
          : await planOverwrite(ports.io, base, {
              ...staging,
              replace: mode === 'overwrite' ? 'table' : 'partitions',
            });
      return stale.reduce((plan, name) => replacing(current, plan, name), planned);
    },
    { ...commitOptions(ports), happened: () => false },
  );
  const snapshot = plan?.snapshot && snapshotById(table.metadata, plan.snapshot.snapshotId);
  if (!snapshot) throw new LakegateError('internal', `staging on ${branch} gave no snapshot`, { context: { branch } });
  return { table, branch, snapshot };
}

/** Branches that hold any of the deliveries, and one of the new branch's own name. */
function staleBranches(metadata: TableMetadata, branch: string, ids: ReadonlySet<string>): string[] {
  return Object.entries(metadata.refs).flatMap(([name, { type, snapshotId }]) => {
    if (type !== 'branch' || !STAGING_BRANCH.test(name)) return [];
    const snapshot = snapshotById(metadata, snapshotId);
    const holds = snapshot !== undefined && idsIn(snapshot, DELIVERIES_KEY).some((id) => ids.has(id));
    return holds || name === branch ? [name] : [];
  });
}

/** The table as it will be when the branches of the earlier attempts have gone. */
function withoutBranches(table: LoadedTable, names: readonly string[]): LoadedTable {
  if (names.length === 0) return table;
  const refs = Object.fromEntries(Object.entries(table.metadata.refs).filter(([name]) => !names.includes(name)));
  return { ...table, metadata: { ...table.metadata, refs } };
}

/** Drops an earlier attempt's branch first; only while it is still where it was seen. */
function replacing(table: LoadedTable, plan: Plan, stale: string): Plan {
  const drop = planDropBranch(table, stale);
  return {
    ...plan,
    requirements: [
      ...plan.requirements.filter(
        (requirement) => !(requirement.type === 'assert-ref-snapshot-id' && requirement.ref === stale),
      ),
      ...drop.requirements,
    ],
    updates: [...drop.updates, ...plan.updates],
  };
}
