import type { LoadedTable } from '../catalogs/catalog.ts';
import { LakegateError } from '../errors.ts';
import { MAIN } from './ancestry.ts';
import { addedEntries, BASE_KEY, checkStageable, headSnapshot, type StagedFiles } from './append.ts';
import { compareValues, deserializeValue } from './bounds.ts';
import type { PartitionColumn } from './manifest-schema.ts';
import type { DataFile, FieldSummary, ManifestFile, PrimitiveType, Snapshot, Value } from './model.ts';
import { partitionColumns, partitionKey, schemaForSpec, specById } from './partition-type.ts';
import { newBranch, type Plan, planWithWrites, refAsSeen, sameTable } from './plan.ts';
import { removeFromManifests } from './rewrite-manifests.ts';
import { draftSnapshot, finishSnapshot, type SnapshotDraft, schemaToWrite, writeManifest } from './snapshot-draft.ts';
import { type ChangedFile, summarize } from './summary.ts';
import { hasLiveFiles, loadManifests, type TableIO } from './table-io.ts';

/** What the new files replace: all of the table, or the partitions they are in. */
export type Replaced = 'table' | 'partitions';

/** Summary key under which an overwrite says what it replaces, so that publishing can replace it on a main that has moved. */
export const REPLACE_KEY = 'lakegate.replace';

/** What the snapshot's files replace, when lakegate staged it as an overwrite. */
export function replacedBy(snapshot: Snapshot): Replaced | undefined {
  const mark = snapshot.summary[REPLACE_KEY];
  return mark === 'table' || mark === 'partitions' ? mark : undefined;
}

/**
 * Plans an overwrite on a new branch. Otherwise as `planAppend`.
 * @throws LakegateError `exists` | `invalid` as planAppend, `unsupported` for 'partitions' where files of another spec are live
 */
export async function planOverwrite(
  io: TableIO,
  table: LoadedTable,
  files: StagedFiles & { replace: Replaced },
): Promise<Plan> {
  const { metadata } = table;
  const { branch, dataFiles, baseRef = MAIN, extraUpdates = [], replace } = files;
  const specId = files.specId ?? metadata.defaultSpecId;
  checkStageable(metadata, files);
  const parent = headSnapshot(metadata, baseRef);
  const base = parent === undefined ? [] : (await loadManifests(io, parent)).filter(hasLiveFiles);
  return planWithWrites(io, async (writes) => {
    const draft = draftSnapshot(io, writes, metadata, schemaToWrite(metadata, files.schemaId, extraUpdates));
    const own = dataFiles.length === 0 ? [] : [writeManifest(draft, specId, 'data', addedEntries(dataFiles))];
    const added = dataFiles.map((file) => ({ file, specId }));
    const snapshot = await finishOverwrite(draft, parent, base, own, added, replace, {
      ...files.summary,
      [BASE_KEY]: baseRef,
    });
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

/**
 * The overwrite of `base` by files that are listed already.
 * @param base the parent's manifests
 * @param own manifests of the added files
 */
export async function finishOverwrite(
  draft: SnapshotDraft,
  parent: Snapshot | undefined,
  base: readonly ManifestFile[],
  own: readonly ManifestFile[],
  added: readonly ChangedFile[],
  replace: Replaced,
  marks: Readonly<Record<string, string>>,
): Promise<Snapshot> {
  const replaced = replace === 'table' ? await replaceTable(draft, base) : await replacePartitions(draft, base, added);
  const summary = summarize({
    operation: 'overwrite',
    added,
    removed: replaced.removed,
    previous: parent?.summary,
    marks: { ...marks, [REPLACE_KEY]: replace },
  });
  return finishSnapshot(draft, parent, [...own, ...replaced.manifests], summary);
}

/** Delete files go with the data they apply to. */
async function replaceTable(draft: SnapshotDraft, base: readonly ManifestFile[]) {
  return removeFromManifests(draft, base, { mayHold: () => true, removes: () => true });
}

/**
 * Delete files of the replaced partitions are carried on: they apply by path, or to older sequence numbers, so they do
 * nothing to the new files.
 */
async function replacePartitions(draft: SnapshotDraft, base: readonly ManifestFile[], added: readonly ChangedFile[]) {
  const { metadata } = draft;
  const specId = added[0]?.specId ?? metadata.defaultSpecId;
  const other = base.find((manifest) => manifest.content === 'data' && manifest.partitionSpecId !== specId);
  if (other !== undefined) {
    throw new LakegateError(
      'unsupported',
      `Table ${metadata.location} cannot have partitions of spec ${specId} overwritten: it has live files under spec ${other.partitionSpecId} ` +
        `(${other.manifestPath}), whose partitions are cut otherwise. Overwrite the whole table, or rewrite those files under spec ${specId} first.`,
      { context: { location: metadata.location, specId, otherSpecId: other.partitionSpecId } },
    );
  }
  const tuples = added.map(({ file }) => file.partition);
  const keys = new Set(tuples.map(partitionKey));
  const spec = specById(metadata, specId);
  const columns = partitionColumns(spec, schemaForSpec(metadata, spec, draft.schema));
  return removeFromManifests(draft, base, {
    mayHold: ({ content, partitions }) =>
      content === 'data' && tuples.some((tuple) => mayHoldTuple(columns, partitions, tuple)),
    removes: ({ dataFile }) => keys.has(partitionKey(dataFile.partition)),
  });
}

/** Whether a manifest with these field summaries may list a file of the partition. */
function mayHoldTuple(
  columns: readonly PartitionColumn[],
  summaries: readonly FieldSummary[] | undefined,
  tuple: DataFile['partition'],
): boolean {
  if (summaries === undefined || summaries.length !== columns.length) return true;
  return columns.every(({ type }, index) => mayHoldValue(type as PrimitiveType, summaries[index]!, tuple[index]));
}

function mayHoldValue(type: PrimitiveType, summary: FieldSummary, value: Value | undefined): boolean {
  if (value === undefined) return summary.containsNull;
  if (Number.isNaN(value)) return summary.containsNan !== false;
  const { lowerBound, upperBound } = summary;
  if (lowerBound !== undefined && compareValues(type, value, deserializeValue(type, lowerBound)) < 0) return false;
  return upperBound === undefined || compareValues(type, value, deserializeValue(type, upperBound)) <= 0;
}
