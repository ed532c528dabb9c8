import type { Catalog, LoadedTable, TableIdentifier } from '../catalogs/catalog.ts';
import { isKind, LakegateError } from '../errors.ts';
import { snapshotById } from './ancestry.ts';
import type { Plan } from './plan.ts';
import type { TableIO } from './table-io.ts';

const FIRST_DELAY_MS = 20;
const LONGEST_DELAY_MS = 1000;

export interface CommitOptions {
  io: TableIO;
  /** Whether the table shows that the work is done, by this process or another (a branch, a delivery's mark on main). */
  happened: (table: LoadedTable) => boolean;
  /** When to give up, milliseconds since the epoch on `io.now`'s clock. At least one attempt is made. */
  deadlineMs: number;
  sleep: (ms: number) => Promise<void>;
  /** From 0 up to 1. */
  random: () => number;
}

export interface CommitResult {
  /** The table after the commit, or as it was found when there was nothing to do. */
  table: LoadedTable;
  /** The plan that was committed. Undefined: nothing was left to do. */
  plan?: Plan;
  /** Commits that were asked for. */
  attempts: number;
}

/**
 * Plans and commits until it succeeds: on a conflict what the attempt wrote is deleted, the table is loaded again and the
 * plan is made anew. After a lost answer the table is asked first, and nothing is deleted, because that commit may still
 * arrive. A second attempt is safe beside a late first one as long as both require the same refs.
 * A conflict that `plan` itself finds is given up on once the table is freshly loaded: no waiting will mend it.
 * @param first the table as last loaded; undefined: load it
 * @throws LakegateError `conflict` | `unknown_outcome` | `unavailable` at the deadline; whatever `plan` or the catalogue throws otherwise
 */
export async function commitWithRetry(
  catalog: Catalog,
  identifier: TableIdentifier,
  first: LoadedTable | undefined,
  plan: (table: LoadedTable) => Promise<Plan | undefined>,
  options: CommitOptions,
): Promise<CommitResult> {
  let table = first ?? (await catalog.loadTable(identifier));
  let fresh = first === undefined;
  for (let attempts = 0; ; ) {
    let planned: Plan | undefined;
    try {
      planned = await plan(table);
    } catch (error) {
      if (fresh || !isKind(error, 'conflict', 'not_found', 'exists')) throw error;
      table = await catalog.loadTable(identifier);
      fresh = true;
      if (options.happened(table)) return { table, attempts };
      continue;
    }
    if (planned === undefined) return { table, attempts };
    attempts += 1;
    try {
      return { table: await catalog.commit(table, planned.requirements, planned.updates), plan: planned, attempts };
    } catch (error) {
      if (!isKind(error, 'conflict', 'unknown_outcome', 'unavailable')) {
        // An answer of any other kind of ours refuses the commit; a bug's leaves open how far it came.
        if (error instanceof LakegateError && error.kind !== 'internal') await discard(options.io, planned.written);
        throw error;
      }
      table = await reload(catalog, identifier, options, error);
      fresh = true;
      if (landed(table, planned)) return { table, plan: planned, attempts };
      // Somebody else may have done this very work. What was written is this attempt's alone, whoever won.
      if (error.kind === 'conflict') await discard(options.io, planned.written);
      if (options.happened(table)) return { table, attempts };
      await pause(options, attempts, error);
    }
  }
}

/** Whether the table has what the plan adds; snapshot ids are random, so no other commit can have put them there. */
function landed(table: LoadedTable, plan: Plan): boolean {
  return plan.updates.some(
    (update) =>
      update.action === 'add-snapshot' && snapshotById(table.metadata, update.snapshot.snapshotId) !== undefined,
  );
}

async function reload(
  catalog: Catalog,
  identifier: TableIdentifier,
  options: CommitOptions,
  cause: LakegateError,
): Promise<LoadedTable> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await catalog.loadTable(identifier);
    } catch (error) {
      if (!isKind(error, 'unavailable')) throw error;
      await pause(options, attempt, cause);
    }
  }
}

/** Waits before attempt n + 1, longer each time. @throws the last error when the deadline would be over by then */
async function pause(options: CommitOptions, attempt: number, error: LakegateError): Promise<void> {
  const longest = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** (attempt - 1));
  const delay = longest * (0.5 + options.random() / 2);
  if (options.io.now() + delay < options.deadlineMs) return options.sleep(delay);
  throw new LakegateError(error.kind, `${error.message} (Given up at the deadline, after ${attempt} attempts.)`, {
    context: { ...error.context, attempts: attempt },
    cause: error,
  });
}

/** Best effort: a file that stays is an orphan, which the sweep finds. */
async function discard(io: TableIO, urls: readonly string[]): Promise<void> {
  await io.store.delete(urls).catch(() => undefined);
}
