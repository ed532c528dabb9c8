import type { LoadedTable } from '../catalogs/catalog.ts';
import type { TableConfig } from '../config/model.ts';
import { LakegateError } from '../errors.ts';
import { headOf, snapshotById } from '../iceberg/ancestry.ts';
import { planAppend } from '../iceberg/append.ts';
import { commitWithRetry } from '../iceberg/commit.ts';
import type { DataFile, Snapshot, TableUpdate } from '../iceberg/model.ts';
import { planOverwrite } from '../iceberg/overwrite.ts';
import type { Plan } from '../iceberg/plan.ts';
import { DELIVERIES_KEY } from '../iceberg/published.ts';
import { commitOptions } from './commit-options.ts';
import { batchBranchOf } from './identity.ts';
import type { GatePorts, TableTarget } from './ports.ts';

/** A batch's branch that was left behind by a killed run goes after a day; a single delivery's stays as long as a kept one. */
const BATCH_BRANCH_MS = 24 * 60 * 60 * 1000;

export interface StageRequest {
  ids: readonly string[];
  dataFiles: readonly DataFile[];
  config: Pick<TableConfig, 'mode' | 'keepBranchMs'>;
  schema: { updates: TableUpdate[]; schemaId: number };
}

export interface Staged {
  table: LoadedTable;
  branch: string;
  snapshot: Snapshot;
}

/**
 * Commits the files of one or more deliveries onto a new branch whose parent is main's head. A branch that an earlier attempt of the same
 * deliveries left is dropped in the same commit.
 * @throws LakegateError `conflict`, context `refit: true`, when the table's columns changed since the files were fitted to them
 */
export async function stage(
  ports: GatePorts,
  target: TableTarget,
  loaded: LoadedTable,
  request: StageRequest,
): Promise<Staged> {
  const branch = batchBranchOf(request.ids);
  const deliveries = request.ids.join(',');
  const staging = {
    branch,
    dataFiles: request.dataFiles,
    summary: { [DELIVERIES_KEY]: deliveries },
    schemaId: request.schema.schemaId,
    maxRefAgeMs: request.ids.length === 1 ? request.config.keepBranchMs : BATCH_BRANCH_MS,
  };
  const { table, plan } = await commitWithRetry(
    target.catalog,
    target.identifier,
    loaded,
    async (current): Promise<Plan> => {
      if (
        current.metadata.lastColumnId !== loaded.metadata.lastColumnId ||
        current.metadata.currentSchemaId !== loaded.metadata.currentSchemaId
      ) {
        throw new LakegateError(
          'conflict',
          `the columns of ${current.metadata.location} changed while deliveries were fitted to them`,
          {
            context: { location: current.metadata.location, refit: true },
          },
        );
      }
      const stale = headOf(current.metadata, branch);
      const base = stale === undefined ? current : withoutBranch(current, branch);
      const planned =
        request.config.mode === 'append'
          ? await planAppend(ports.io, base, { ...staging, extraUpdates: request.schema.updates })
          : await planOverwrite(ports.io, base, {
              ...staging,
              extraUpdates: request.schema.updates,
              replace: request.config.mode === 'overwrite' ? 'table' : 'partitions',
            });
      return stale === undefined ? planned : replacing(planned, branch, stale);
    },
    { ...commitOptions(ports), happened: () => false },
  );
  const snapshot = plan?.snapshot && snapshotById(table.metadata, plan.snapshot.snapshotId);
  if (!snapshot) throw new LakegateError('internal', `staging on ${branch} gave no snapshot`, { context: { branch } });
  return { table, branch, snapshot };
}

/** The table as it will be when the branch of the earlier attempt has gone. */
function withoutBranch(table: LoadedTable, branch: string): LoadedTable {
  const { [branch]: _stale, ...refs } = table.metadata.refs;
  return { ...table, metadata: { ...table.metadata, refs } };
}

/** Drops the earlier attempt's branch first; only while it is still where it was seen. */
function replacing(plan: Plan, branch: string, stale: bigint): Plan {
  return {
    ...plan,
    requirements: [
      ...plan.requirements.filter(
        (requirement) => !(requirement.type === 'assert-ref-snapshot-id' && requirement.ref === branch),
      ),
      { type: 'assert-ref-snapshot-id', ref: branch, snapshotId: stale },
    ],
    updates: [{ action: 'remove-snapshot-ref', ref: branch }, ...plan.updates],
  };
}
