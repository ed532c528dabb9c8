import type { LoadedTable } from '../catalogs/catalog.ts';
import { LakegateError } from '../errors.ts';
import { MAIN, snapshotById } from './ancestry.ts';
import type { DataFile, ManifestEntry, Snapshot, TableMetadata, TableUpdate } from './model.ts';
import { specById } from './partition-type.ts';
import { newBranch, type Plan, planWithWrites, refAsSeen, sameTable } from './plan.ts';
import { draftSnapshot, finishSnapshot, schemaToWrite, writeManifest } from './snapshot-draft.ts';
import { summarize } from './summary.ts';
import { hasLiveFiles, loadManifests, type TableIO } from './table-io.ts';

/** Summary key of a staged snapshot: the branch it was staged on, so that its own files are known to be all that it adds. */
export const BASE_KEY = 'lakegate.base';

/** Data files to put on a new branch. */
export interface StagedFiles {
  branch: string;
  dataFiles: readonly DataFile[];
  /** Marks for the snapshot's summary, beside the counters. */
  summary: Readonly<Record<string, string>>;
  /** The schema of the files; one of `extraUpdates` may add it. Default: the table's current one. */
  schemaId?: number;
  /** The spec of the files' partition tuples. Default: the table's default spec. */
  specId?: number;
  /** Further changes for the same commit, made before the snapshot is added. */
  extraUpdates?: readonly TableUpdate[];
  /** Age after which expiry removes the branch. */
  maxRefAgeMs?: number;
  /** The branch to build on. Default: main. */
  baseRef?: string;
}

/**
 * Plans an append onto a new branch: one manifest for all the files, the base's manifests carried forward, the base's head
 * as parent (none while the base does not exist). Costs two writes and one read, whatever the table's size.
 * @throws LakegateError `exists` when the branch exists, `invalid` for a tuple that does not fit the spec
 */
export async function planAppend(io: TableIO, table: LoadedTable, files: StagedFiles): Promise<Plan> {
  const { metadata } = table;
  const { branch, dataFiles, baseRef = MAIN, extraUpdates = [] } = files;
  const specId = files.specId ?? metadata.defaultSpecId;
  checkStageable(metadata, files);
  const parent = headSnapshot(metadata, baseRef);
  const carried = parent === undefined ? [] : (await loadManifests(io, parent)).filter(hasLiveFiles);
  return planWithWrites(io, async (writes) => {
    const draft = draftSnapshot(io, writes, metadata, schemaToWrite(metadata, files.schemaId, extraUpdates));
    const own = dataFiles.length === 0 ? [] : [writeManifest(draft, specId, 'data', addedEntries(dataFiles))];
    const summary = summarize({
      operation: 'append',
      added: dataFiles.map((file) => ({ file, specId })),
      removed: [],
      previous: parent?.summary,
      marks: { ...files.summary, [BASE_KEY]: baseRef },
    });
    const snapshot = finishSnapshot(draft, parent, [...own, ...carried], summary);
    return {
      requirements: [sameTable(metadata), refAsSeen(metadata, branch), refAsSeen(metadata, baseRef)],
      updates: [
        ...extraUpdates,
        { action: 'add-snapshot', snapshot },
        newBranch(branch, snapshot.snapshotId, files.maxRefAgeMs),
      ],
      obsolete: [],
      snapshot,
    };
  });
}

/** Entries that inherit their ids from whichever snapshot lists them. */
export function addedEntries(dataFiles: readonly DataFile[]): ManifestEntry[] {
  return dataFiles.map((dataFile) => ({ status: 'added', dataFile }));
}

/** The snapshot a ref points to; undefined when there is no such ref. @throws LakegateError `corrupt` */
export function headSnapshot(metadata: TableMetadata, ref: string): Snapshot | undefined {
  const at = Object.hasOwn(metadata.refs, ref) ? metadata.refs[ref] : undefined;
  if (at === undefined) return undefined;
  const snapshot = snapshotById(metadata, at.snapshotId);
  if (snapshot !== undefined) return snapshot;
  throw new LakegateError(
    'corrupt',
    `Ref ${ref} of table ${metadata.location} points to snapshot ${at.snapshotId}, which the table does not have.`,
    { context: { location: metadata.location, ref, snapshotId: at.snapshotId } },
  );
}

/** @throws LakegateError `exists` | `invalid` */
export function checkStageable(metadata: TableMetadata, files: StagedFiles): void {
  const { branch, dataFiles } = files;
  const taken = Object.hasOwn(metadata.refs, branch) ? metadata.refs[branch] : undefined;
  if (taken !== undefined) {
    throw new LakegateError(
      'exists',
      `Table ${metadata.location} already has a ${taken.type} ${branch}, at snapshot ${taken.snapshotId}. ` +
        'Publish or drop it, or stage under another name.',
      { context: { location: metadata.location, branch } },
    );
  }
  const spec = specById(metadata, files.specId ?? metadata.defaultSpecId);
  const misfit = dataFiles.find(({ partition }) => partition.length !== spec.fields.length);
  if (misfit !== undefined) {
    throw new LakegateError(
      'invalid',
      `${misfit.filePath} has ${misfit.partition.length} partition values; spec ${spec.specId} has ${spec.fields.length} fields.`,
      { context: { file: misfit.filePath, specId: spec.specId } },
    );
  }
}
