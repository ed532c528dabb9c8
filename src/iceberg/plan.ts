import { LakegateError } from '../errors.ts';
import { headOf } from './ancestry.ts';
import type { Snapshot, SnapshotRef, TableMetadata, TableRequirement, TableUpdate } from './model.ts';
import type { TableIO } from './table-io.ts';
import { rememberWritten } from './written-files.ts';

/** A commit that is ready to be asked for. */
export interface Plan {
  requirements: TableRequirement[];
  updates: TableUpdate[];
  /** Files written for it: to be deleted if the commit is refused. */
  written: string[];
  /** Files that nothing references once the commit is done: to be deleted then. */
  obsolete: string[];
  /** The snapshot it puts at the head of its branch, or of main. */
  snapshot?: Snapshot;
}

/** Files being written for a plan, all at once. */
export interface Writes {
  /** Starts writing a new file. */
  put(url: string, bytes: Uint8Array): void;
}

/**
 * Runs `make`, which starts writes, and waits for all of them. If anything fails, what was written is deleted again.
 * @throws what `make` or a write throws
 */
export async function planWithWrites(
  io: TableIO,
  make: (writes: Writes) => Promise<Omit<Plan, 'written'>>,
): Promise<Plan> {
  const written: string[] = [];
  const running: Promise<void>[] = [];
  const put = (url: string, bytes: Uint8Array) => {
    written.push(url);
    const writing = createNew(io, url, bytes);
    // Awaited below; until then a failure must not count as unhandled.
    writing.catch(() => undefined);
    running.push(writing);
  };
  try {
    const plan = await make({ put });
    await Promise.all(running);
    return { ...plan, written };
  } catch (error) {
    await Promise.allSettled(running);
    // Best effort: the sweep removes what is left, and the first fault is the one to report.
    await io.store.delete(written).catch(() => undefined);
    throw error;
  }
}

async function createNew(io: TableIO, url: string, bytes: Uint8Array): Promise<void> {
  if (await io.store.create(url, bytes)) {
    rememberWritten(io.store, url, bytes);
  } else {
    throw new LakegateError(
      'exists',
      `${url} already exists; a new file of the table must have a new name. Try again.`,
      {
        context: { url },
      },
    );
  }
}

/** That the table is the same one, not another created under its name. */
export function sameTable(metadata: TableMetadata): TableRequirement {
  return { type: 'assert-table-uuid', uuid: metadata.tableUuid };
}

/** That a ref is where `metadata` has it, or still does not exist. */
export function refAsSeen(metadata: TableMetadata, ref: string): TableRequirement {
  return { type: 'assert-ref-snapshot-id', ref, snapshotId: headOf(metadata, ref) };
}

/** Moves a branch, its retention settings kept. */
export function moveBranch(metadata: TableMetadata, ref: string, snapshotId: bigint): TableUpdate {
  return { action: 'set-snapshot-ref', ref, value: { ...metadata.refs[ref], type: 'branch', snapshotId } };
}

/** Creates a branch. @param maxRefAgeMs age of its head after which expiry removes it; undefined: the table's setting */
export function newBranch(ref: string, snapshotId: bigint, maxRefAgeMs: number | undefined): TableUpdate {
  const value: SnapshotRef = { type: 'branch', snapshotId };
  if (maxRefAgeMs !== undefined) value.maxRefAgeMs = maxRefAgeMs;
  return { action: 'set-snapshot-ref', ref, value };
}
