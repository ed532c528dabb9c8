import { LakegateError } from '../errors.ts';
import { ancestorsOf, MAIN, snapshotById } from './ancestry.ts';
import type { SnapshotRef, TableMetadata, TableUpdate } from './model.ts';

/** What an expiry takes out of the metadata. */
export interface ExpiryPlan {
  refsToRemove: string[];
  snapshotsToRemove: bigint[];
}

/** Replace the table's properties for one run; a ref's own settings still win, as in Iceberg Java. */
export interface ExpiryOverrides {
  /** Snapshots younger than this are kept. Milliseconds. */
  maxSnapshotAgeMs?: number;
  /** At least this many of a branch's newest snapshots are kept; 1 or more. */
  minSnapshotsToKeep?: number;
  /** Branches and tags whose snapshot is older than this go; main never. Milliseconds. */
  maxRefAgeMs?: number;
}

const FIVE_DAYS_MS = 432_000_000;

/**
 * Which refs and snapshots the retention policy lets go (spec: "Snapshot Retention Policy"; Java: RemoveSnapshots). Main stays, and
 * so do: every ref younger than its max-ref-age, the snapshot it is at, of a branch its ancestors as far back as age or count
 * keep them, and unreferenced snapshots younger than the table's max-snapshot-age.
 * @param nowMs milliseconds since the epoch, UTC
 * @throws LakegateError `invalid` when the table's gc.enabled is false or a retention property is not a number
 */
export function planExpiry(metadata: TableMetadata, nowMs: number, overrides: ExpiryOverrides = {}): ExpiryPlan {
  if (metadata.properties['gc.enabled'] === 'false') {
    throw new LakegateError(
      'invalid',
      `Table at ${metadata.location}: gc.enabled is false, since its files may belong to another table too, so nothing may expire. Set it to true if the table owns its files.`,
      { context: { location: metadata.location } },
    );
  }
  const maxSnapshotAgeMs =
    overrides.maxSnapshotAgeMs ?? numberProperty(metadata, 'history.expire.max-snapshot-age-ms', FIVE_DAYS_MS);
  const minSnapshotsToKeep =
    overrides.minSnapshotsToKeep ?? numberProperty(metadata, 'history.expire.min-snapshots-to-keep', 1);
  const maxRefAgeMs =
    overrides.maxRefAgeMs ?? numberProperty(metadata, 'history.expire.max-ref-age-ms', Number.POSITIVE_INFINITY);

  const refsToRemove: string[] = [];
  const keptRefs: SnapshotRef[] = [];
  for (const [name, ref] of Object.entries(metadata.refs)) {
    const head = snapshotById(metadata, ref.snapshotId);
    const young = head !== undefined && nowMs - head.timestampMs <= (ref.maxRefAgeMs ?? maxRefAgeMs);
    if (name === MAIN || young) keptRefs.push(ref);
    else refsToRemove.push(name);
  }

  const kept = keptSnapshots(metadata, keptRefs, (ref) => ({
    count: ref.minSnapshotsToKeep ?? minSnapshotsToKeep,
    sinceMs: nowMs - (ref.maxSnapshotAgeMs ?? maxSnapshotAgeMs),
  }));
  const referenced = reachableSnapshots(metadata, keptRefs);
  const snapshotsToRemove = metadata.snapshots
    .filter(
      ({ snapshotId, timestampMs }) =>
        !kept.has(snapshotId) && (referenced.has(snapshotId) || timestampMs < nowMs - maxSnapshotAgeMs),
    )
    .map(({ snapshotId }) => snapshotId);
  return { refsToRemove, snapshotsToRemove };
}

/** The plan as a commit's updates; none when there is nothing to expire. */
export function asUpdates(plan: ExpiryPlan): TableUpdate[] {
  const updates: TableUpdate[] = plan.refsToRemove.map((ref) => ({ action: 'remove-snapshot-ref', ref }));
  if (plan.snapshotsToRemove.length > 0) {
    updates.push({ action: 'remove-snapshots', snapshotIds: plan.snapshotsToRemove });
  }
  return updates;
}

/**
 * What the refs keep: each the snapshot it is at, and a branch at least its newest `count` snapshots and all down to the first
 * older than `sinceMs`.
 */
function keptSnapshots(
  metadata: TableMetadata,
  refs: readonly SnapshotRef[],
  rule: (ref: SnapshotRef) => { count: number; sinceMs: number },
): Set<bigint> {
  const kept = new Set<bigint>();
  /** By age: where a walk with the same age has gone on from, so that many branches off main do not each walk all of main. */
  const walked = new Map<number, Set<bigint>>();
  for (const ref of refs) {
    kept.add(ref.snapshotId);
    if (ref.type === 'tag') continue;
    const { count, sinceMs } = rule(ref);
    const before = walked.get(sinceMs) ?? new Set();
    walked.set(sinceMs, before);
    let seen = 0;
    for (const { snapshotId, timestampMs } of ancestorsOf(metadata, ref.snapshotId)) {
      const counted = seen++ < Math.max(1, count);
      if (!counted && (timestampMs < sinceMs || before.has(snapshotId))) break;
      kept.add(snapshotId);
      before.add(snapshotId);
    }
  }
  return kept;
}

/** Tags' snapshots, and branches' with all their ancestors. Where two branches meet the rest is in already: one pass in all. */
function reachableSnapshots(metadata: TableMetadata, refs: readonly SnapshotRef[]): Set<bigint> {
  const reachable = new Set<bigint>();
  for (const ref of refs) {
    if (ref.type === 'tag') continue;
    for (const { snapshotId } of ancestorsOf(metadata, ref.snapshotId)) {
      if (reachable.has(snapshotId)) break;
      reachable.add(snapshotId);
    }
  }
  for (const ref of refs) reachable.add(ref.snapshotId);
  return reachable;
}

function numberProperty(metadata: TableMetadata, name: string, fallback: number): number {
  if (!Object.hasOwn(metadata.properties, name)) return fallback;
  const text = metadata.properties[name] ?? '';
  if (/^\d+$/.test(text)) return Number(text);
  throw new LakegateError(
    'invalid',
    `Table at ${metadata.location}: the property ${name} should be a whole number of 0 or more, found ${JSON.stringify(text)}. Set it again.`,
    { context: { location: metadata.location, property: name } },
  );
}
