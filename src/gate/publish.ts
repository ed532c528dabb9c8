import type { LoadedTable } from '../catalogs/catalog.ts';
import type { Decision } from './delivery.ts';
import type { GatePorts, TableTarget } from './ports.ts';
import type { StagedChange } from './schema-change.ts';
import { stagingOf } from './staging-of.ts';

export interface StagedDelivery {
  id: string;
  /** Paths of its data files. */
  files: readonly string[];
  /** Columns the table takes on for it. */
  change?: StagedChange;
}

export interface Settlement {
  branch: string;
  auditedSnapshotId: bigint;
  passing: readonly StagedDelivery[];
  failing: readonly StagedDelivery[];
  /** Staged, but another runner's by now: neither published nor kept from here. */
  abandoned?: readonly StagedDelivery[];
  onFailure: 'keep_branch' | 'discard';
  keepBranchMs: number;
  /** Looks at main as it is just before it is moved. @throws what keeps the batch from it */
  checkMain?(current: LoadedTable): Promise<void>;
  /** A person's word, for the snapshot's summary. */
  decision?: Decision;
}

export interface Settled {
  table: LoadedTable;
  /** Snapshots that put the passing deliveries on main, by delivery. */
  published: Map<string, bigint>;
  /** Kept branches and their snapshots, by failing delivery. */
  kept: Map<string, { branch: string; snapshotId: bigint }>;
}

/**
 * Settles a staged batch in one commit: what passed goes to main, what failed to branches of its own (or nowhere), the staging branch goes.
 * Does nothing for what an earlier attempt or another runner has settled: a delivery that is on main is not put there again.
 * @throws LakegateError `conflict` when the branch was moved or removed by somebody else
 */
export async function settleStaged(
  ports: GatePorts,
  target: TableTarget,
  loaded: LoadedTable,
  settlement: Settlement,
): Promise<Settled> {
  return stagingOf(ports, target).settle(loaded, settlement);
}
