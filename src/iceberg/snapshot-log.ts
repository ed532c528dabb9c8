import { snapshotById } from './ancestry.ts';
import type { SnapshotLogEntry, TableMetadata } from './model.ts';

/**
 * The snapshot log of a commit, made true again (Java: TableMetadata.Builder.updateSnapshotLog). Where a snapshot was removed, the
 * entries before it go too: with a gap, reading as of a time in it would give a snapshot that was not current then. Snapshots
 * that main only passed through inside the commit were never visible and are left out.
 * @param removed whether the commit removed snapshots
 * @param passed snapshots that the commit added and set main to, the final one included
 */
export function trimSnapshotLog(
  metadata: TableMetadata,
  removed: boolean,
  passed: ReadonlySet<bigint>,
): SnapshotLogEntry[] {
  const { snapshotLog, currentSnapshotId } = metadata;
  const visible =
    passed.size === 0
      ? snapshotLog
      : snapshotLog.filter(({ snapshotId }) => snapshotId === currentSnapshotId || !passed.has(snapshotId));
  if (!removed) return visible;
  const gap = visible.findLastIndex(({ snapshotId }) => snapshotById(metadata, snapshotId) === undefined);
  return gap === -1 ? visible : visible.slice(gap + 1);
}
