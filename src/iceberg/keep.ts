import { LakegateError } from '../errors.ts';
import { headOf, snapshotById } from './ancestry.ts';
import { BASE_KEY } from './append.ts';
import type { Snapshot, TableMetadata, TableRequirement, TableUpdate } from './model.ts';
import { replacedBy } from './overwrite.ts';
import { newBranch, refAsSeen, type Writes } from './plan.ts';
import { draftSnapshot, finishSnapshot, schemaToWrite } from './snapshot-draft.ts';
import { listFiles, type StagedSnapshot, stagedFiles } from './staged-snapshot.ts';
import { summarize } from './summary.ts';
import { hasLiveFiles, type TableIO } from './table-io.ts';

/** A failed delivery that is kept aside. */
export interface KeptBranch {
  /** May be the staged branch itself. */
  branch: string;
  /** Paths of its files, as staged. */
  files: ReadonlySet<string>;
  /** Marks for its snapshot's summary. */
  summary: Readonly<Record<string, string>>;
  /** Age after which expiry removes the branch. */
  maxRefAgeMs?: number;
}

interface Kept {
  updates: TableUpdate[];
  requirements: TableRequirement[];
  /** Whether a kept branch has the staged branch's name. */
  takesBranch: boolean;
  /** Whether a kept branch is at the staged snapshot itself. */
  takesSnapshot: boolean;
}

/**
 * Checks what is kept and discarded against what is staged, and gives the kept paths.
 * @throws LakegateError `invalid` when a path is not staged or named twice, or an overwrite would be taken in parts,
 * `exists` when the name of a kept branch is taken
 */
export function checkKept(
  metadata: TableMetadata,
  staged: StagedSnapshot,
  { branch, keep, discard }: { branch: string; keep: readonly KeptBranch[]; discard?: ReadonlySet<string> },
): Set<string> {
  const paths = new Set(stagedFiles(staged).map(({ file }) => file.filePath));
  const seen = new Set<string>();
  for (const path of [...keep.flatMap(({ files }) => [...files]), ...(discard ?? [])]) {
    const fault = seen.has(path) ? 'is named twice' : paths.has(path) ? undefined : 'is not staged';
    if (fault !== undefined) {
      throw new LakegateError(
        'invalid',
        `Branch ${branch} of table ${metadata.location} cannot be published: the file to keep or discard ${path} ${fault}.`,
        { context: { location: metadata.location, branch, path } },
      );
    }
    seen.add(path);
  }
  const names = new Set<string>();
  for (const { branch: name } of keep) {
    if (names.has(name) || (name !== branch && headOf(metadata, name) !== undefined)) {
      throw new LakegateError(
        'exists',
        `Table ${metadata.location} already has a ref ${name}: the delivery cannot be kept there.`,
        {
          context: { location: metadata.location, branch: name },
        },
      );
    }
    names.add(name);
  }
  if (replacedBy(staged.snapshot) !== undefined && seen.size > 0 && seen.size < paths.size) {
    throw new LakegateError(
      'invalid',
      `Branch ${branch} of table ${metadata.location} is an overwrite, which is published or kept whole: ${seen.size} of its ${paths.size} files were to be kept aside.`,
      { context: { location: metadata.location, branch } },
    );
  }
  return new Set(keep.flatMap(({ files }) => [...files]));
}

/**
 * The kept branches of a publish commit, each a snapshot on the staged snapshot's own parent with just its files. A
 * delivery that is all of the staged snapshot, marks included, keeps that snapshot: nothing is written then.
 * @param nth snapshots that the commit adds before these
 * @param listed collects the manifests that these snapshots list
 */
export function keepBranches(
  io: TableIO,
  writes: Writes,
  metadata: TableMetadata,
  staged: StagedSnapshot,
  { branch, keep }: { branch: string; keep: readonly KeptBranch[] },
  nth: number,
  listed: Set<string>,
): Kept {
  const result: Kept = { updates: [], requirements: [], takesBranch: false, takesSnapshot: false };
  const total = stagedFiles(staged).length;
  let drafted = nth;
  for (const kept of keep) {
    let { snapshot } = staged;
    if (isWhole(kept, snapshot, total)) {
      result.takesSnapshot = true;
    } else {
      snapshot = keepFiles(io, writes, metadata, staged, kept, drafted++, listed);
      result.updates.push({ action: 'add-snapshot', snapshot });
    }
    result.updates.push(newBranch(kept.branch, snapshot.snapshotId, kept.maxRefAgeMs));
    if (kept.branch === branch) result.takesBranch = true;
    else result.requirements.push(refAsSeen(metadata, kept.branch));
  }
  return result;
}

/** An overwrite is kept whole whatever its marks: its snapshot cannot be put together again from added files alone. */
function isWhole(kept: KeptBranch, snapshot: Snapshot, total: number): boolean {
  if (kept.files.size !== total) return false;
  const sameMarks = Object.entries(kept.summary).every(([key, value]) => snapshot.summary[key] === value);
  return sameMarks || replacedBy(snapshot) !== undefined;
}

function keepFiles(
  io: TableIO,
  writes: Writes,
  metadata: TableMetadata,
  staged: StagedSnapshot,
  kept: KeptBranch,
  nth: number,
  listed: Set<string>,
): Snapshot {
  const draft = draftSnapshot(io, writes, metadata, schemaToWrite(metadata, staged.snapshot.schemaId), nth);
  const { manifests, added } = listFiles(draft, staged, ({ filePath }) => kept.files.has(filePath));
  for (const { manifestPath } of manifests) listed.add(manifestPath);
  const parentId = staged.snapshot.parentSnapshotId;
  const parent = parentId === undefined ? undefined : snapshotById(metadata, parentId);
  const previous = parentId === undefined ? undefined : (parent?.summary ?? { operation: 'append' as const });
  const base = staged.snapshot.summary[BASE_KEY];
  const marks = base === undefined ? kept.summary : { ...kept.summary, [BASE_KEY]: base };
  const summary = summarize({ operation: 'append', added, removed: [], previous, marks });
  return finishSnapshot(draft, parent, [...manifests, ...staged.carried.filter(hasLiveFiles)], summary);
}
