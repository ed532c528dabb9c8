import type { Snapshot, TableMetadata } from './model.ts';

/** The branch that readers see. */
export const MAIN = 'main';

/** A time at which the table's current snapshot changed. */
export interface HistoryEntry {
  snapshot: Snapshot;
  /** Milliseconds since the epoch, UTC. */
  madeCurrentAt: number;
  /** False for a snapshot that was rolled back: the current one does not descend from it. */
  isCurrentAncestor: boolean;
}

/** By the array of snapshots, which every commit replaces and none changes in place. */
const indexes = new WeakMap<readonly Snapshot[], Map<bigint, Snapshot>>();

/** The snapshot of that id, or undefined when the table has none (any more). Constant time after the first call. */
export function snapshotById(metadata: TableMetadata, snapshotId: bigint): Snapshot | undefined {
  let index = indexes.get(metadata.snapshots);
  if (index === undefined) {
    index = new Map(metadata.snapshots.map((snapshot) => [snapshot.snapshotId, snapshot]));
    indexes.set(metadata.snapshots, index);
  }
  return index.get(snapshotId);
}

/** The snapshot id that a branch or tag is at, or undefined when there is no such ref. Any string is safe to ask for. */
export function headOf(metadata: TableMetadata, ref: string): bigint | undefined {
  return Object.hasOwn(metadata.refs, ref) ? metadata.refs[ref]?.snapshotId : undefined;
}

/**
 * The snapshot and its ancestors, newest first. Ends at the first parent that is not in the metadata (expired), and at a
 * snapshot that was already given (damaged metadata).
 * @param snapshotId undefined, as for an empty branch, gives none
 */
export function* ancestorsOf(metadata: TableMetadata, snapshotId: bigint | undefined): Generator<Snapshot, void> {
  const seen = new Set<bigint>();
  for (let next = snapshotId; next !== undefined && !seen.has(next); ) {
    const snapshot = snapshotById(metadata, next);
    if (snapshot === undefined) return;
    seen.add(next);
    yield snapshot;
    next = snapshot.parentSnapshotId;
  }
}

/** Whether `ancestorId` is `ofId` or one of its ancestors, as far as the metadata still knows them. */
export function isAncestor(metadata: TableMetadata, ancestorId: bigint, ofId: bigint): boolean {
  for (const snapshot of ancestorsOf(metadata, ofId)) {
    if (snapshot.snapshotId === ancestorId) return true;
  }
  return false;
}

/** The table's history, oldest first: what its snapshot log says, without entries whose snapshot has gone. */
export function history(metadata: TableMetadata): HistoryEntry[] {
  const current = new Set<bigint>();
  for (const snapshot of ancestorsOf(metadata, metadata.currentSnapshotId)) current.add(snapshot.snapshotId);
  return metadata.snapshotLog.flatMap(({ snapshotId, timestampMs }) => {
    const snapshot = snapshotById(metadata, snapshotId);
    if (snapshot === undefined) return [];
    return [{ snapshot, madeCurrentAt: timestampMs, isCurrentAncestor: current.has(snapshotId) }];
  });
}
