import pLimit from 'p-limit';
import { LakegateError } from '../errors.ts';
import type { ObjectStore } from '../storage/store.ts';
import { commitTable, tableState } from './commit-table.ts';
import { copyPart } from './copy-part.ts';
import { type KnownSources, knownSources } from './known-sources.ts';
import type { Part, SplitPlan, TablePlan } from './model.ts';
import { outcomeOf, type TableOutcome } from './outcome.ts';
import { stagingOf } from './place-outputs.ts';

export type { TableOutcome };

export interface SplitProgress {
  /** Bytes of chunks there are to copy, told once. */
  total(bytes: number): void;
  copied(bytes: number): void;
}

/**
 * Runs a plan: makes what is missing, then commits each table whose outputs are all there. One table's fault is recorded and the others go on. A
 * run that was broken off at any instant is finished by the same call again, without redoing what is done.
 * @param sources what planning has read, in the same process
 * @returns an outcome for each table, in the plan's order, those left last
 */
export async function runSplit(
  store: ObjectStore,
  plan: SplitPlan,
  progress?: SplitProgress,
  sources: KnownSources = knownSources(),
): Promise<TableOutcome[]> {
  const faults = new Map<TablePlan, unknown>();
  const attempt = async (tables: readonly TablePlan[], work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      for (const table of tables) faults.set(table, error);
    }
  };
  await removeUnfinished(store, plan);
  const committed = new Set<TablePlan>();
  const missing = new Map<TablePlan, Set<string>>();
  await eachTable(plan.tables, (table) =>
    attempt([table], async () => {
      const state = await tableState(store, table);
      if (state.committed) committed.add(table);
      missing.set(table, new Set(state.missing.map(({ name }) => name)));
    }),
  );
  const open = plan.parts.flatMap((part): Part[] => {
    const outputs = part.outputs.filter(({ table, output }) => missing.get(table)?.has(output.name));
    return outputs.length === 0 ? [] : [{ ...part, outputs }];
  });
  progress?.total(open.reduce((sum, part) => sum + bytesOf(part), 0));
  for (const part of open) {
    await copyOrSingly(part, { store, faults, sources });
    progress?.copied(bytesOf(part));
  }
  await eachTable(
    plan.tables.filter((table) => !faults.has(table) && !committed.has(table)),
    (table) => attempt([table], () => commitTable(store, table)),
  );
  const outcomes = plan.tables.map((table) =>
    outcomeOf(table, asError(faults.get(table)) ?? (committed.has(table) ? 'already' : 'written')),
  );
  return [...outcomes, ...plan.left.map(({ table, reason }): TableOutcome => ({ table, outcome: 'left', reason }))];
}

/** No copy that gets on leaves a file alone for so long. */
const LEFT_ALONE_MS = 3_600_000;

/** What copies left that were killed in the middle of their writes: on a disk as much as a table has, and nobody goes on with it. */
async function removeUnfinished(store: ObjectStore, { target }: SplitPlan): Promise<void> {
  // Buckets have a rule for uploads that were not completed, and looking for them a right of its own.
  if (!target.startsWith('file:')) return;
  const left: string[] = [];
  for await (const url of store.unfinished?.(stagingOf(target), LEFT_ALONE_MS) ?? []) left.push(url);
  await store.delete(left);
}

/** Looking and committing are small requests, or waits for a disk: several at once. */
const TABLES_AT_ONCE = 32;

async function eachTable(tables: readonly TablePlan[], act: (table: TablePlan) => Promise<void>): Promise<void> {
  const limit = pLimit(TABLES_AT_ONCE);
  await Promise.all(tables.map((table) => limit(() => act(table))));
}

interface Run {
  store: ObjectStore;
  /** Tables that are given up, and why. */
  faults: Map<TablePlan, unknown>;
  sources: KnownSources;
}

/** Copies a part. Where that fails, its tables are taken one by one: what is wrong with one of them keeps none of the others back. */
async function copyOrSingly(part: Part, run: Run): Promise<void> {
  const { store, faults, sources } = run;
  const outputs = part.outputs.filter(({ table }) => !faults.has(table));
  if (outputs.length === 0) return;
  try {
    await copyPart(store, { ...part, outputs }, sources);
  } catch (error) {
    if (outputs.length === 1) {
      faults.set(outputs[0]!.table, error);
      return;
    }
    for (const output of outputs) await copyOrSingly({ ...part, outputs: [output] }, run);
  }
}

/**
 * Writes `metadata/snapshot_dt.txt`, which says what snapshot the tables are of.
 * @throws LakegateError of the store, `conflict` when another run writes it at the same moment
 */
export async function writeSnapshotDate(store: ObjectStore, target: string, date: string): Promise<void> {
  const url = `${target}metadata/snapshot_dt.txt`;
  const bytes = new TextEncoder().encode(`${date}\n`);
  if ((await store.create(url, bytes)) !== undefined) return;
  const present = await store.read(url);
  if (new TextDecoder().decode(present.bytes).trim() === date) return;
  if ((await store.replace(url, bytes, present.etag)) !== undefined) return;
  throw new LakegateError('conflict', `${url} was changed by another run at the same moment. Run this again.`, {
    context: { url },
  });
}

function bytesOf({ outputs }: Part): number {
  return outputs.reduce((sum, { output }) => sum + output.bytes, 0);
}

function asError(fault: unknown): Error | undefined {
  return fault === undefined || fault instanceof Error ? fault : new Error(String(fault));
}
