import type { ManifestEntry, ManifestFile } from './model.ts';
import { type SnapshotDraft, writeManifest } from './snapshot-draft.ts';
import type { ChangedFile } from './summary.ts';
import { isLive, visitEntries } from './table-io.ts';

/** Which files a snapshot takes out of its parent's manifests. */
export interface Removal {
  /** Manifests that cannot hold such a file need not be read. */
  mayHold: (manifest: ManifestFile) => boolean;
  removes: (entry: ManifestEntry, manifest: ManifestFile) => boolean;
}

/**
 * The parent's manifests without the removed files: manifests that lose none are carried as they are, what stays of the
 * others is written as `existing`, and the removed files as `deleted`, one manifest for each spec.
 */
export async function removeFromManifests(
  draft: SnapshotDraft,
  manifests: readonly ManifestFile[],
  removal: Removal,
): Promise<{ manifests: ManifestFile[]; removed: ChangedFile[] }> {
  const removed: ChangedFile[] = [];
  const deleted = new Map<string, { manifest: ManifestFile; entries: ManifestEntry[] }>();
  const replacement = new Map<ManifestFile, ManifestFile[]>();
  await visitEntries(draft.io, manifests.filter(removal.mayHold), (manifest, entries) => {
    const live = entries.filter(isLive);
    const gone = new Set(live.filter((entry) => removal.removes(entry, manifest)));
    if (gone.size > 0) {
      const kept = live.filter((entry) => !gone.has(entry)).map((entry) => ({ ...entry, status: 'existing' as const }));
      const { partitionSpecId, content } = manifest;
      replacement.set(manifest, kept.length === 0 ? [] : [writeManifest(draft, partitionSpecId, content, kept)]);
      const key = `${content} ${partitionSpecId}`;
      const group = deleted.get(key) ?? { manifest, entries: [] };
      deleted.set(key, group);
      for (const entry of gone) {
        group.entries.push({ ...entry, status: 'deleted', snapshotId: draft.snapshotId });
        removed.push({ file: entry.dataFile, specId: partitionSpecId });
      }
    }
    return true;
  });
  const tombstones = [...deleted.values()].map(({ manifest, entries }) =>
    writeManifest(draft, manifest.partitionSpecId, manifest.content, entries),
  );
  const kept = manifests.flatMap((manifest) => replacement.get(manifest) ?? [manifest]);
  return { manifests: [...tombstones, ...kept], removed };
}
