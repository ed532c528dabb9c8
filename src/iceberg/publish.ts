import type { LoadedTable } from '../catalogs/catalog.ts';
import { LakegateError } from '../errors.ts';
import { isAncestor, MAIN } from './ancestry.ts';
import { BASE_KEY, headSnapshot } from './append.ts';
import { checkKept, type KeptBranch, keepBranches } from './keep.ts';
import { mergeDue, mergeManifests } from './merge-manifests.ts';
import type { DataFile, Snapshot, TableMetadata, TableUpdate } from './model.ts';
import { finishOverwrite, replacedBy } from './overwrite.ts';
import { moveBranch, type Plan, planWithWrites, refAsSeen, sameTable } from './plan.ts';
import { DELIVERIES_KEY } from './published.ts';
import { draftSnapshot, finishSnapshot, type SnapshotDraft, schemaToWrite } from './snapshot-draft.ts';
import {
  isBranchAlone,
  listFiles,
  loadStaged,
  pinnedSnapshot,
  type StagedSnapshot,
  stagedFiles,
} from './staged-snapshot.ts';
import { summarize } from './summary.ts';
import { hasLiveFiles, loadManifests, type TableIO } from './table-io.ts';

export interface Publication {
  branch: string;
  /** The snapshot that was audited; the branch must still be at it. */
  auditedSnapshotId: bigint;
  /** Failed deliveries, each to be kept on a branch of its own. */
  keep: readonly KeptBranch[];
  /** Paths of failed deliveries' files that are not kept at all. */
  discard?: ReadonlySet<string>;
  /** Marks for the summary of the snapshot that main gets. A fast-forward has the staged snapshot's. */
  summary: Readonly<Record<string, string>>;
  /** The schema of main's new snapshot; one of `extraUpdates` may add it. Default: the table's current one. */
  schemaId?: number;
  /** Further changes for the same commit; left out when nothing passes, because main stays as it is then. */
  extraUpdates?: readonly TableUpdate[];
}

/**
 * Plans publishing a staged snapshot in one commit. Main gets the files that are neither kept nor discarded: by moving it to
 * the staged snapshot when that is its child and all pass, otherwise by a new snapshot on main's head that lists the same
 * files. Files that another commit put on main meanwhile stay. The staged branch is removed, and its snapshot with it
 * unless something else leads there.
 * @throws LakegateError `conflict` when the branch is gone or moved on, `unsupported` for a branch that lakegate did not
 * stage and that is not a plain append, `invalid` when `keep` and `discard` do not fit the staged files
 */
export async function planPublish(io: TableIO, table: LoadedTable, publication: Publication): Promise<Plan> {
  const { metadata } = table;
  const { branch, auditedSnapshotId, keep, discard = new Set<string>() } = publication;
  const snapshot = pinnedSnapshot(table, branch, auditedSnapshotId);
  const staged = await loadStaged(io, snapshot);
  const kept = checkKept(metadata, staged, publication);
  const passes = ({ filePath }: DataFile) => !kept.has(filePath) && !discard.has(filePath);
  const head = headSnapshot(metadata, MAIN);
  if (keep.length === 0 && discard.size === 0 && canFastForward(metadata, head, staged, publication)) {
    return fastForward(metadata, publication, snapshot);
  }
  const publishes = keep.length + discard.size === 0 || stagedFiles(staged).some(({ file }) => passes(file));
  if (publishes) checkReplayable(metadata, staged, branch);
  return planWithWrites(io, async (writes) => {
    const updates: TableUpdate[] = [];
    const requirements = [sameTable(metadata), refAsSeen(metadata, branch)];
    const listed = new Set<string>();
    let published: Snapshot | undefined;
    if (publishes) {
      const extraUpdates = publication.extraUpdates ?? [];
      const draft = draftSnapshot(io, writes, metadata, schemaToWrite(metadata, publication.schemaId, extraUpdates));
      published = await republish(draft, head, staged, passes, publication.summary, listed);
      updates.push(...extraUpdates, { action: 'add-snapshot', snapshot: published });
      updates.push(moveBranch(metadata, MAIN, published.snapshotId));
      requirements.push(refAsSeen(metadata, MAIN));
    }
    const branches = keepBranches(io, writes, metadata, staged, publication, publishes ? 1 : 0, listed);
    updates.push(...branches.updates);
    requirements.push(...branches.requirements);
    if (!branches.takesBranch) updates.push({ action: 'remove-snapshot-ref', ref: branch });
    const obsolete: string[] = [];
    if (!branches.takesSnapshot && isBranchAlone(metadata, branch, snapshot.snapshotId)) {
      updates.push({ action: 'remove-snapshots', snapshotIds: [snapshot.snapshotId] });
      const own = staged.own.map(({ manifest }) => manifest.manifestPath);
      obsolete.push(snapshot.manifestList, ...own.filter((path) => !listed.has(path)));
    }
    return { requirements, updates, obsolete, ...(published === undefined ? {} : { snapshot: published }) };
  });
}

function canFastForward(
  metadata: TableMetadata,
  head: Snapshot | undefined,
  { snapshot, carried, own }: StagedSnapshot,
  { summary, schemaId }: Publication,
): boolean {
  // Descending from main's head is not enough: after a rollback, what was rolled back lies between, and would come back.
  const isChild = head?.snapshotId === snapshot.parentSnapshotId;
  const manifests = [...own.map(({ manifest }) => manifest), ...carried];
  const deliveries = summary[DELIVERIES_KEY] ?? snapshot.summary[DELIVERIES_KEY];
  return (
    isChild &&
    deliveries === snapshot.summary[DELIVERIES_KEY] &&
    (schemaId === undefined || schemaId === snapshot.schemaId) &&
    !mergeDue(metadata, manifests)
  );
}

function fastForward(metadata: TableMetadata, publication: Publication, snapshot: Snapshot): Plan {
  const { branch, extraUpdates = [] } = publication;
  return {
    requirements: [sameTable(metadata), refAsSeen(metadata, MAIN), refAsSeen(metadata, branch)],
    updates: [
      ...extraUpdates,
      moveBranch(metadata, MAIN, snapshot.snapshotId),
      { action: 'remove-snapshot-ref', ref: branch },
    ],
    written: [],
    obsolete: [],
    snapshot,
  };
}

/** The staged files on main's head; an overwrite replaces what main has now. */
async function republish(
  draft: SnapshotDraft,
  head: Snapshot | undefined,
  staged: StagedSnapshot,
  passes: (file: DataFile) => boolean,
  marks: Readonly<Record<string, string>>,
  listed: Set<string>,
): Promise<Snapshot> {
  const base = head === undefined ? [] : (await loadManifests(draft.io, head)).filter(hasLiveFiles);
  const { manifests, added } = listFiles(draft, staged, passes);
  for (const { manifestPath } of manifests) listed.add(manifestPath);
  const replace = replacedBy(staged.snapshot);
  if (replace !== undefined) return finishOverwrite(draft, head, base, manifests, added, replace, marks);
  const carried = await mergeManifests(draft, base, manifests);
  const summary = summarize({ operation: 'append', added, removed: [], previous: head?.summary, marks });
  return finishSnapshot(draft, head, [...manifests, ...carried], summary);
}

/** @throws LakegateError `unsupported` when listing the staged snapshot's own files again would not repeat what it does */
function checkReplayable(metadata: TableMetadata, { snapshot, own }: StagedSnapshot, branch: string): void {
  const { operation } = snapshot.summary;
  const plain = own.every(({ manifest, other }) => manifest.content === 'data' && other.length === 0);
  const parent = snapshot.parentSnapshotId;
  // Lakegate marks what it stages on main. Of others' branches the parent must have been main's, as far as is still known.
  const parentWasMain =
    parent === undefined ||
    snapshot.summary[BASE_KEY] === MAIN ||
    (metadata.currentSnapshotId !== undefined && isAncestor(metadata, parent, metadata.currentSnapshotId)) ||
    metadata.snapshotLog.some(({ snapshotId }) => snapshotId === parent);
  if ((replacedBy(snapshot) !== undefined || (operation === 'append' && plain)) && parentWasMain) return;
  throw new LakegateError(
    'unsupported',
    `Branch ${branch} of table ${metadata.location} cannot be published beside what main has now: snapshot ${snapshot.snapshotId} ` +
      (parentWasMain
        ? `is an ${operation} that changes files of its parent`
        : 'builds on other snapshots of the branch') +
      '. Stage the delivery again from main.',
    { context: { location: metadata.location, branch, snapshotId: snapshot.snapshotId, operation } },
  );
}
