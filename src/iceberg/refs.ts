import type { LoadedTable } from '../catalogs/catalog.ts';
import { LakegateError } from '../errors.ts';
import { ancestorsOf, isAncestor, MAIN, snapshotById } from './ancestry.ts';
import { headSnapshot } from './append.ts';
import type { TableMetadata } from './model.ts';
import { moveBranch, type Plan, refAsSeen, sameTable } from './plan.ts';

/**
 * Plans moving main back to an earlier snapshot of its own.
 * @throws LakegateError `not_found` when the table has no such snapshot, `invalid` when main never descended from it
 */
export function planRollback(table: LoadedTable, snapshotId: bigint): Plan {
  const { metadata } = table;
  const snapshot = snapshotById(metadata, snapshotId);
  if (snapshot === undefined) throw noSnapshot(metadata, snapshotId);
  const head = headSnapshot(metadata, MAIN);
  if (head === undefined || !isAncestor(metadata, snapshotId, head.snapshotId)) {
    throw new LakegateError(
      'invalid',
      `Snapshot ${snapshotId} of table ${metadata.location} is not an ancestor of main's head ${head?.snapshotId}. Choose one from main's history.`,
      { context: { location: metadata.location, snapshotId } },
    );
  }
  return {
    requirements: [sameTable(metadata), refAsSeen(metadata, MAIN)],
    updates: snapshotId === head.snapshotId ? [] : [moveBranch(metadata, MAIN, snapshotId)],
    written: [],
    obsolete: [],
    snapshot,
  };
}

/**
 * Plans a tag.
 * @param options.maxRefAgeMs age after which expiry removes the tag; undefined: the table's setting
 * @throws LakegateError `not_found` for an unknown snapshot, `exists` when the name is taken
 */
export function planTag(
  table: LoadedTable,
  name: string,
  snapshotId: bigint,
  options: { maxRefAgeMs?: number } = {},
): Plan {
  const { metadata } = table;
  const snapshot = snapshotById(metadata, snapshotId);
  if (snapshot === undefined) throw noSnapshot(metadata, snapshotId);
  const taken = Object.hasOwn(metadata.refs, name) ? metadata.refs[name] : undefined;
  if (taken !== undefined) {
    throw new LakegateError(
      'exists',
      `Table ${metadata.location} already has a ${taken.type} ${name}, at snapshot ${taken.snapshotId}. Choose another name.`,
      { context: { location: metadata.location, name } },
    );
  }
  return {
    requirements: [sameTable(metadata), { type: 'assert-ref-snapshot-id', ref: name, snapshotId: undefined }],
    updates: [{ action: 'set-snapshot-ref', ref: name, value: { type: 'tag', snapshotId, ...options } }],
    written: [],
    obsolete: [],
    snapshot,
  };
}

/**
 * Plans dropping a branch with the snapshots that are its alone: not reached from another ref, and never main's, because
 * main may have been rolled back from them. Their files are for `expiredFiles` to find.
 * @throws LakegateError `not_found` when there is no such branch, `invalid` for main or a tag
 */
export function planDropBranch(table: LoadedTable, branch: string): Plan {
  const { metadata } = table;
  const ref = Object.hasOwn(metadata.refs, branch) ? metadata.refs[branch] : undefined;
  if (ref === undefined) {
    throw new LakegateError(
      'not_found',
      `Table ${metadata.location} has no branch ${branch}; it has ${Object.keys(metadata.refs).join(', ') || 'none'}.`,
      { context: { location: metadata.location, branch } },
    );
  }
  if (branch === MAIN || ref.type !== 'branch') {
    const what = branch === MAIN ? 'main is the table itself' : `${branch} is a tag`;
    throw new LakegateError('invalid', `Only side branches can be dropped; ${what}.`, { context: { branch } });
  }
  const needed = new Set(metadata.snapshotLog.map(({ snapshotId }) => snapshotId));
  for (const [name, { snapshotId }] of Object.entries(metadata.refs)) {
    if (name === branch) continue;
    for (const ancestor of ancestorsOf(metadata, snapshotId)) needed.add(ancestor.snapshotId);
  }
  const parents = new Set(metadata.snapshots.map(({ parentSnapshotId }) => parentSnapshotId));
  const own: bigint[] = [];
  for (const { snapshotId } of ancestorsOf(metadata, ref.snapshotId)) {
    const continued = parents.has(snapshotId) && own.length === 0;
    if (needed.has(snapshotId) || continued) break;
    own.push(snapshotId);
  }
  return {
    requirements: [sameTable(metadata), refAsSeen(metadata, branch)],
    updates: [
      { action: 'remove-snapshot-ref', ref: branch },
      ...(own.length === 0 ? [] : [{ action: 'remove-snapshots', snapshotIds: own } as const]),
    ],
    written: [],
    obsolete: [],
  };
}

function noSnapshot(metadata: TableMetadata, snapshotId: bigint): LakegateError {
  return new LakegateError(
    'not_found',
    `Table ${metadata.location} has no snapshot ${snapshotId}; it may have expired. Choose one from the table's history.`,
    { context: { location: metadata.location, snapshotId } },
  );
}
