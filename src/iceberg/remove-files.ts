import type { LoadedTable } from '../catalogs/catalog.ts';
import { LakegateError } from '../errors.ts';
import { MAIN } from './ancestry.ts';
import { headSnapshot } from './append.ts';
import { moveBranch, type Plan, planWithWrites, refAsSeen, sameTable } from './plan.ts';
import { removeFromManifests } from './rewrite-manifests.ts';
import { draftSnapshot, finishSnapshot, schemaToWrite } from './snapshot-draft.ts';
import { summarize } from './summary.ts';
import { hasLiveFiles, loadManifests, type TableIO } from './table-io.ts';

/** Paths that an error message lists before it says how many more. */
const LISTED = 5;

/**
 * Plans a delete commit on main that takes exactly these data files out: one delivery rolled back. The files themselves
 * stay for the older snapshots.
 * @param paths as the manifests name them
 * @param summary marks for the snapshot's summary
 * @throws LakegateError `not_found` when a path is not live on main, `invalid` for no paths
 */
export async function planRemoveFiles(
  io: TableIO,
  table: LoadedTable,
  { paths, summary: marks }: { paths: ReadonlySet<string>; summary: Readonly<Record<string, string>> },
): Promise<Plan> {
  const { metadata } = table;
  if (paths.size === 0) throw new LakegateError('invalid', 'No data files are named that should be taken out of main.');
  const head = headSnapshot(metadata, MAIN);
  if (head === undefined) throw missing(metadata.location, [...paths]);
  const base = (await loadManifests(io, head)).filter(hasLiveFiles);
  return planWithWrites(io, async (writes) => {
    const draft = draftSnapshot(io, writes, metadata, schemaToWrite(metadata));
    // Every data manifest is looked at: a path that was registered twice must go from both.
    const { manifests, removed } = await removeFromManifests(draft, base, {
      mayHold: ({ content }) => content === 'data',
      removes: ({ dataFile }) => paths.has(dataFile.filePath),
    });
    const found = new Set(removed.map(({ file }) => file.filePath));
    if (found.size < paths.size)
      throw missing(
        metadata.location,
        [...paths].filter((path) => !found.has(path)),
      );
    const summary = summarize({ operation: 'delete', added: [], removed, previous: head.summary, marks });
    const snapshot = finishSnapshot(draft, head, manifests, summary);
    return {
      requirements: [sameTable(metadata), refAsSeen(metadata, MAIN)],
      updates: [{ action: 'add-snapshot', snapshot }, moveBranch(metadata, MAIN, snapshot.snapshotId)],
      obsolete: [],
      snapshot,
    };
  });
}

function missing(location: string, paths: string[]): LakegateError {
  const more = paths.length > LISTED ? ` and ${paths.length - LISTED} more` : '';
  return new LakegateError(
    'not_found',
    `Not live on main of table ${location}: ${paths.slice(0, LISTED).join(', ')}${more}. They were removed already, or another engine's ` +
      "compaction rewrote them into files that also hold other deliveries' rows. Take the rows out with a DELETE instead.",
    { context: { location, paths } },
  );
}
