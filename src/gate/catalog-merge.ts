import {
  type CatalogBranch,
  type CatalogBranches,
  type CommitWords,
  TABLE_PROPERTY,
  tableProperty,
} from '../catalogs/branches.ts';
import type { Catalog, LoadedTable, TableIdentifier } from '../catalogs/catalog.ts';
import { formatIdentifier } from '../catalogs/identifier.ts';
import { isKind, LakegateError } from '../errors.ts';
import type { TableUpdate } from '../iceberg/model.ts';
import { DELIVERIES_KEY } from '../iceberg/published.ts';
import { SNAPSHOT_PROPERTY } from './catalog-history.ts';
import { mainOf } from './catalog-stage.ts';
import { DECISION_KEYS } from './decision-keys.ts';
import type { GatePorts } from './ports.ts';

/** What a merge says of the deliveries it puts on main: main's history is read from it. @param snapshot summary and id of what main gets */
export function wordsOf(
  table: TableIdentifier,
  snapshotId: bigint,
  summary: Readonly<Record<string, string>>,
): CommitWords {
  const ids = summary[DELIVERIES_KEY] ?? '';
  const said = DECISION_KEYS.flatMap((key) => (summary[key] === undefined ? [] : [[key, summary[key]]]));
  return {
    message: `lakegate: ${ids.split(',').length} deliveries to ${formatIdentifier(table)}`,
    properties: {
      [TABLE_PROPERTY]: tableProperty(table),
      [SNAPSHOT_PROPERTY]: String(snapshotId),
      [DELIVERIES_KEY]: ids,
      ...Object.fromEntries(said),
    },
  };
}

/**
 * Merges a branch, and finds out what became of it where the answer is lost.
 * @param since where the branch started from main
 * @throws LakegateError `conflict` | `unknown_outcome` as `CatalogBranches.merge`
 */
export async function mergeForCertain(
  branches: CatalogBranches,
  table: TableIdentifier,
  from: CatalogBranch,
  since: string | undefined,
  words: CommitWords,
): Promise<void> {
  try {
    await branches.merge(from, words);
  } catch (error) {
    if (!isKind(error, 'unknown_outcome')) throw error;
    for await (const { properties } of branches.history(table, since)) {
      if (properties[SNAPSHOT_PROPERTY] === words.properties[SNAPSHOT_PROPERTY]) return;
    }
    throw error;
  }
}

/**
 * Main as a catalogue whose commits are made on a new branch and merged: so a commit carries as many properties as it needs, and is refused
 * whenever the table was changed meanwhile, by whomever.
 */
export function mergingCatalog(ports: GatePorts, main: Catalog, branches: CatalogBranches): Catalog {
  const loadedFrom = new WeakMap<LoadedTable, CatalogBranch>();
  return {
    ...main,
    async loadTable(identifier) {
      const head = await mainOf(branches);
      const table = await branches.at(head).loadTable(identifier);
      loadedFrom.set(table, head);
      return table;
    },
    async commit(base, requirements, updates) {
      const head = loadedFrom.get(base) ?? (await mainOf(branches));
      const branch = await branches.create(`wap-publish-${ports.io.uuid()}`, head);
      let after: LoadedTable;
      let done: CatalogBranch | undefined;
      try {
        after = await branches.at(branch).commit(base, requirements, updates);
        done = await branches.find(branch.name);
      } catch (error) {
        await dropQuietly(branches, branch.name);
        // Main has not been touched yet, whatever became of the branch.
        if (!isKind(error, 'unknown_outcome')) throw error;
        throw new LakegateError('conflict', error.message, { context: { ...error.context }, cause: error });
      }
      if (done === undefined) throw gone(branch.name);
      const { snapshotId, summary } = addedSnapshot(updates);
      try {
        await mergeForCertain(
          branches,
          base.identifier,
          done,
          head.hash,
          wordsOf(base.identifier, snapshotId, summary),
        );
      } catch (error) {
        if (isKind(error, 'conflict')) await dropQuietly(branches, branch.name);
        throw error;
      }
      await dropQuietly(branches, branch.name);
      return after;
    },
  };
}

/** Best effort: what stays is found by the sweep. */
export async function dropQuietly(branches: CatalogBranches, name: string): Promise<void> {
  try {
    const branch = await branches.find(name);
    if (branch !== undefined) await branches.drop(branch);
  } catch (error) {
    if (!(error instanceof LakegateError)) throw error;
  }
}

function addedSnapshot(updates: readonly TableUpdate[]): { snapshotId: bigint; summary: Record<string, string> } {
  for (const update of updates) if (update.action === 'add-snapshot') return update.snapshot;
  throw new LakegateError('internal', 'a commit that publishes adds no snapshot');
}

function gone(branch: string): LakegateError {
  return new LakegateError('conflict', `the branch ${branch} was dropped by somebody else: publish again`, {
    context: { branch },
  });
}
