import pLimit from 'p-limit';
import { LakegateError } from '../errors.ts';
import type { ObjectStore } from '../storage/store.ts';
import { commitTable, tableState } from './commit-table.ts';
import { copyPart } from './copy-part.ts';
import type { OutputPlan, SplitPlan, TablePlan } from './model.ts';
import { outcomeOf, type TableOutcome } from './outcome.ts';

/** A plan done in pieces, by machines that share nothing but the store: any piece may be done twice, at once, or be killed and done again. */

/** What an item reads at most, bytes: a Lambda has a quarter of an hour. */
export const ITEM_BYTES = 2 * 1024 ** 3;

/**
 * Groups a plan's parts into items of work.
 * @param itemBytes bytes of source that an item may read; a part that is larger is an item of its own
 * @returns numbers of parts, every part once
 */
export function planItems(plan: SplitPlan, itemBytes = ITEM_BYTES): number[][] {
  const items: number[][] = [];
  let bytes = 0;
  for (const part of plan.parts) {
    const own = part.outputs.reduce((sum, { output }) => sum + output.bytes, 0);
    const item = items.at(-1);
    if (item === undefined || bytes + own > itemBytes) {
      items.push([part.number]);
      bytes = own;
    } else {
      item.push(part.number);
      bytes += own;
    }
  }
  return items;
}

/** Outputs of a part: how many were made now, and how many were there. */
export interface PartOutcome {
  made: number;
  already: number;
  /** Bytes of chunks in those made now. */
  bytes: number;
}

/**
 * Makes the outputs of a part that are not there yet, each whole or not at all.
 * @throws LakegateError `invalid` for a part that the plan does not have, `not_found` when a source was replaced, and what stores throw
 */
export async function copyPlannedPart(store: ObjectStore, plan: SplitPlan, partNumber: number): Promise<PartOutcome> {
  const part = plan.parts[partNumber];
  if (part === undefined) {
    const found = `expected the number of a part from 0 to ${plan.parts.length - 1}, found ${partNumber}`;
    throw new LakegateError('invalid', `${found}. Take the numbers from the same plan.`, { context: { partNumber } });
  }
  const there = await Promise.all(part.outputs.map(({ table, output }) => isMade(store, table, output)));
  const outputs = part.outputs.filter((_, index) => !there[index]);
  if (outputs.length > 0) await copyPart(store, { ...part, outputs });
  return {
    made: outputs.length,
    already: part.outputs.length - outputs.length,
    bytes: outputs.reduce((sum, { output }) => sum + output.bytes, 0),
  };
}

/** Whether an output lies among the unfinished table's, or in its place already. Its name is of this plan alone. */
async function isMade(store: ObjectStore, table: TablePlan, { name }: OutputPlan): Promise<boolean> {
  if ((await store.head(`${table.staging}${name}`)) !== undefined) return true;
  return (await store.head(`${table.folder}${name}`)) !== undefined;
}

/**
 * Commits a table whose outputs are all there.
 * @returns what became of it: `failed` with the reason when outputs are missing or its folder cannot be used; it has its old data then
 * @throws LakegateError `invalid` for a table that the plan does not have; `conflict` and `unavailable`, which pass by themselves: call it again
 */
export async function commitPlanned(store: ObjectStore, plan: SplitPlan, tableName: string): Promise<TableOutcome> {
  const left = plan.left.find(({ table }) => table === tableName);
  if (left !== undefined) return { ...left, outcome: 'left' };
  const table = plan.tables.find((each) => each.table.name === tableName);
  if (table === undefined) {
    throw new LakegateError(
      'invalid',
      `the plan has no table ${JSON.stringify(tableName)}. Take names from the plan.`,
      {
        context: { table: tableName },
      },
    );
  }
  try {
    const { committed, missing } = await tableState(store, table);
    if (committed) return outcomeOf(table, 'already');
    if (missing.length > 0) return outcomeOf(table, new Error(missingOutputs(table, missing)));
    await commitTable(store, table);
    return outcomeOf(table, 'written');
  } catch (error) {
    if (error instanceof LakegateError && !error.retryable) return outcomeOf(table, error);
    throw error;
  }
}

function missingOutputs({ outputs, staging }: TablePlan, missing: readonly OutputPlan[]): string {
  return `${missing.length} of ${outputs.length} files are not made, such as ${staging}${missing[0]!.name}: copy the parts that failed, and commit again`;
}

/** Tables that are committed side by side. */
const TABLES_AT_ONCE = 8;

/** `commitPlanned` for every table of a plan, in its order, those left last. One table's fault stops no other. */
export async function commitAllPlanned(store: ObjectStore, plan: SplitPlan): Promise<TableOutcome[]> {
  const limit = pLimit(TABLES_AT_ONCE);
  const committed = await Promise.all(
    plan.tables.map((table) =>
      limit(() =>
        commitPlanned(store, plan, table.table.name).catch((error): TableOutcome => outcomeOf(table, error as Error)),
      ),
    ),
  );
  return [...committed, ...plan.left.map(({ table, reason }): TableOutcome => ({ table, outcome: 'left', reason }))];
}
