import type { LoadedTable } from '../catalogs/catalog.ts';
import { LakegateError } from '../errors.ts';
import { headOf, snapshotById } from './ancestry.ts';
import type { DataFile, ManifestEntry, ManifestFile, Snapshot, TableMetadata } from './model.ts';
import { relistManifest, type SnapshotDraft, writeManifest } from './snapshot-draft.ts';
import type { ChangedFile } from './summary.ts';
import { loadManifest, loadManifests, type TableIO } from './table-io.ts';

/** A staged snapshot taken apart: what it adds itself, and what it carries from its parent. */
export interface StagedSnapshot {
  snapshot: Snapshot;
  /** Manifests carried from the parent. */
  carried: ManifestFile[];
  /** Its own manifests with the entries they add, as written. */
  own: { manifest: ManifestFile; added: ManifestEntry[]; other: ManifestEntry[] }[];
}

/**
 * The snapshot that was audited, if the branch is still there and still at it.
 * @throws LakegateError `conflict` otherwise
 */
export function pinnedSnapshot(table: LoadedTable, branch: string, auditedSnapshotId: bigint): Snapshot {
  const { metadata } = table;
  const at = headOf(metadata, branch);
  const snapshot = at === auditedSnapshotId ? snapshotById(metadata, auditedSnapshotId) : undefined;
  if (snapshot !== undefined) return snapshot;
  const found =
    at === undefined ? 'there is no such branch (it was published, dropped or has expired)' : `it is at snapshot ${at}`;
  throw new LakegateError(
    'conflict',
    `Branch ${branch} of table ${metadata.location} cannot be published: expected it at the audited snapshot ${auditedSnapshotId}, but ${found}. ` +
      'Nothing was changed. Stage and audit the delivery again if it is not on main.',
    { context: { location: metadata.location, branch, auditedSnapshotId, found: at } },
  );
}

/** Reads what a staged snapshot adds: one manifest list and its own manifests, mostly from the cache. */
export async function loadStaged(io: TableIO, snapshot: Snapshot): Promise<StagedSnapshot> {
  const manifests = await loadManifests(io, snapshot);
  const isOwn = ({ addedSnapshotId }: ManifestFile) => addedSnapshotId === snapshot.snapshotId;
  const own = await Promise.all(
    manifests.filter(isOwn).map(async (manifest) => {
      const { entries } = await loadManifest(io, manifest);
      return {
        manifest,
        added: entries.filter(({ status }) => status === 'added'),
        other: entries.filter(({ status }) => status !== 'added'),
      };
    }),
  );
  return { snapshot, carried: manifests.filter((manifest) => !isOwn(manifest)), own };
}

/** The data files that the staged snapshot adds, with their specs. */
export function stagedFiles(staged: StagedSnapshot): ChangedFile[] {
  return staged.own.flatMap(({ manifest, added }) =>
    added.map(({ dataFile }) => ({ file: dataFile, specId: manifest.partitionSpecId })),
  );
}

/**
 * Lists the chosen files of a staged snapshot as the drafted snapshot's own. A manifest with no other files is listed
 * again as it is, where its entries inherit their ids; otherwise one with just these files is written.
 */
export function listFiles(
  draft: SnapshotDraft,
  staged: StagedSnapshot,
  chosen: (file: DataFile) => boolean,
): { manifests: ManifestFile[]; added: ChangedFile[] } {
  const manifests: ManifestFile[] = [];
  const added: ChangedFile[] = [];
  for (const { manifest, added: entries, other } of staged.own) {
    const passing = entries.filter(({ dataFile }) => chosen(dataFile));
    if (passing.length === 0) continue;
    const specId = manifest.partitionSpecId;
    added.push(...passing.map(({ dataFile }) => ({ file: dataFile, specId })));
    const whole = passing.length === entries.length && other.length === 0 && entries.every(inheritsAll);
    manifests.push(
      whole
        ? relistManifest(draft, manifest)
        : writeManifest(
            draft,
            specId,
            manifest.content,
            passing.map(({ dataFile }) => ({ status: 'added', dataFile })),
          ),
    );
  }
  return { manifests, added };
}

/** Whether nothing but the branch itself leads to its snapshot, so that publishing may remove the snapshot. */
export function isBranchAlone(metadata: TableMetadata, branch: string, snapshotId: bigint): boolean {
  const otherRef = Object.entries(metadata.refs).some(
    ([name, ref]) => name !== branch && ref.snapshotId === snapshotId,
  );
  const sequenceNumber = snapshotById(metadata, snapshotId)?.sequenceNumber ?? 0;
  const continued = metadata.snapshots.some(({ parentSnapshotId: parent, sequenceNumber: later }) => {
    if (parent === undefined) return false;
    // A later one whose parent has expired may have come from it by way of that parent, and list its manifests still.
    return parent === snapshotId || (later > sequenceNumber && snapshotById(metadata, parent) === undefined);
  });
  // Main may have been rolled back from it, and people may want to go there again.
  const wasMain = metadata.snapshotLog.some((entry) => entry.snapshotId === snapshotId);
  return !otherRef && !continued && !wasMain;
}

function inheritsAll(entry: ManifestEntry): boolean {
  return entry.snapshotId === undefined && entry.sequenceNumber === undefined && entry.fileSequenceNumber === undefined;
}
