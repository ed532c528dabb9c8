import type { LoadedTable } from '../catalogs/catalog.ts';
import type { Schema, Snapshot } from '../iceberg/model.ts';
import type { Settled, Settlement } from './publish.ts';
import type { Staged, StageRequest } from './stage.ts';
import type { SweepOptions, SweepReport } from './sweep.ts';

/** A kept delivery as it lies on its branch. */
export interface KeptDelivery {
  /** Where the branch is now: what was audited, unless somebody wrote to it. */
  snapshotId: bigint;
  /** The columns it was staged under. */
  schema: Schema;
}

/** A commit on main that put deliveries there or took them out. */
export interface Publication {
  deliveries: readonly string[];
  removed: readonly string[];
  /** The snapshot that main got by it. */
  snapshot(): Promise<Snapshot>;
}

/**
 * The staging port: where deliveries of one table wait, unseen by readers of main, until they are audited and settled. Two implementations:
 * branches of the table (Iceberg refs), and branches of the whole catalogue (Nessie, which drops refs without a word). See docs/adr/0005.
 * `loaded` is always the table as main shows it.
 */
export interface Staging {
  /** @see stage */
  stage(loaded: LoadedTable, request: StageRequest): Promise<Staged>;
  /** @see settleStaged */
  settle(loaded: LoadedTable, settlement: Settlement): Promise<Settled>;
  /** What lies on a kept branch; undefined when it is gone. */
  kept(loaded: LoadedTable, branch: string): Promise<KeptDelivery | undefined>;
  /** Drops a branch, and deletes the files that only it referenced where that can be told. A branch that is gone is no fault. */
  drop(loaded: LoadedTable, branch: string): Promise<void>;
  /** Main's commits that name deliveries, newest first, as far back as they are known. */
  publications(loaded: LoadedTable): AsyncIterable<Publication>;
  /** @see sweepTable */
  sweep(options: SweepOptions): Promise<SweepReport>;
}

/** The snapshots that put these deliveries on main; those that are not there, or were taken out again, are left out. */
export async function publishedBy(
  publications: AsyncIterable<Publication>,
  ids: Iterable<string>,
): Promise<Map<string, Snapshot>> {
  const found = new Map<string, Snapshot>();
  const open = new Set(ids);
  if (open.size === 0) return found;
  for await (const publication of publications) {
    for (const id of publication.removed) open.delete(id);
    for (const id of publication.deliveries.filter((delivery) => open.delete(delivery)))
      found.set(id, await publication.snapshot());
    if (open.size === 0) break;
  }
  return found;
}

/** Whether the last that main's commits say of a delivery is that it was taken out. */
export async function isTakenOut(publications: AsyncIterable<Publication>, id: string): Promise<boolean> {
  for await (const { removed, deliveries } of publications) {
    if (removed.includes(id)) return true;
    if (deliveries.includes(id)) return false;
  }
  return false;
}
