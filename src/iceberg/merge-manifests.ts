import type { ManifestEntry, ManifestFile, TableMetadata } from './model.ts';
import { type SnapshotDraft, writeManifest } from './snapshot-draft.ts';
import { isLive, visitEntries } from './table-io.ts';

/** Keeping manifest lists short, so that a publish costs the same after two thousand deliveries as after one. */

const DEFAULT_MIN_COUNT = 100;
const DEFAULT_TARGET_BYTES = 8 * 1024 * 1024;

/**
 * Whether so many data manifests of one spec are due to be merged
 * (table properties `commit.manifest-merge.enabled` and `commit.manifest.min-count-to-merge`).
 */
export function mergeDue(metadata: TableMetadata, manifests: readonly ManifestFile[]): boolean {
  return dueSpecs(metadata, manifests).length > 0;
}

/**
 * Merges small data manifests carried from the parent: their live entries go into one manifest as `existing`, with the
 * snapshot ids and sequence numbers they have. Newest first, a manifest joins while the result stays under
 * `commit.manifest.target-size-bytes` and it is no larger than all newer ones together: an entry is then rewritten a
 * logarithmic number of times over the table's life, not once per merge.
 * @param carried manifests that the new snapshot takes over, newest first
 * @param ownCount manifests of the new snapshot itself, which count but stay as they are
 */
export async function mergeManifests(
  draft: SnapshotDraft,
  carried: readonly ManifestFile[],
  own: readonly ManifestFile[],
): Promise<ManifestFile[]> {
  let result = [...carried];
  for (const specId of dueSpecs(draft.metadata, [...own, ...carried])) {
    const group = mergeable(draft.metadata, result, specId);
    if (group.length < 2) continue;
    const entries = new Map<ManifestFile, ManifestEntry[]>();
    await visitEntries(draft.io, group, (manifest, found) => {
      entries.set(manifest, found.filter(isLive));
      return true;
    });
    const merged = group.flatMap((manifest) =>
      entries.get(manifest)!.map((entry): ManifestEntry => ({ ...entry, status: 'existing' })),
    );
    const members = new Set(group);
    result = result.filter((manifest) => !members.has(manifest));
    if (merged.length > 0) result.unshift(writeManifest(draft, specId, 'data', merged));
  }
  return result;
}

function dueSpecs(metadata: TableMetadata, manifests: readonly ManifestFile[]): number[] {
  const { properties } = metadata;
  if (properties['commit.manifest-merge.enabled'] === 'false') return [];
  const minCount = positive(properties['commit.manifest.min-count-to-merge'], DEFAULT_MIN_COUNT);
  const counts = new Map<number, number>();
  for (const { content, partitionSpecId } of manifests) {
    if (content === 'data') counts.set(partitionSpecId, (counts.get(partitionSpecId) ?? 0) + 1);
  }
  return [...counts].filter(([, count]) => count >= minCount).map(([specId]) => specId);
}

function mergeable(metadata: TableMetadata, manifests: readonly ManifestFile[], specId: number): ManifestFile[] {
  const target = positive(metadata.properties['commit.manifest.target-size-bytes'], DEFAULT_TARGET_BYTES);
  const group: ManifestFile[] = [];
  let bytes = 0;
  // Newest first; a manifest that is too large for what is newer is no reason to skip smaller ones behind it.
  const newestFirst = manifests.toSorted((a, b) => b.sequenceNumber - a.sequenceNumber);
  for (const manifest of newestFirst) {
    if (manifest.content !== 'data' || manifest.partitionSpecId !== specId || manifest.keyMetadata !== undefined)
      continue;
    const { manifestLength } = manifest;
    if (bytes + manifestLength > target || (group.length > 1 && manifestLength > bytes)) continue;
    group.push(manifest);
    bytes += manifestLength;
  }
  return group;
}

function positive(text: string | undefined, otherwise: number): number {
  const value = Number(text);
  return text !== undefined && Number.isFinite(value) && value > 0 ? value : otherwise;
}
