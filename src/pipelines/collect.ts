import pLimit from 'p-limit';
import { isKind, LakegateError } from '../errors.ts';
import { caughtReason } from '../notify/caught.ts';
import { tableState } from '../tables/commit-table.ts';
import type { TablePlan } from '../tables/model.ts';
import { readPlan } from '../tables/plan-document.ts';
import type { SourceWork } from './work.ts';

const TABLES_AT_ONCE = 8;

/**
 * Which tables of a source are there, whole. All others are noted as failed.
 * @param error why the split failed, as the state machine caught it; null where it did not
 * @throws LakegateError `corrupt` for a plan or a result that is broken, and what stores throw
 */
export async function collect(work: SourceWork, error: string | null): Promise<{ tables: string[] }> {
  const why = error === null ? undefined : caughtReason(error);
  return { tables: work.pipeline.engine === 'copy' ? await copied(work, why) : await splitBySpark(work, why) };
}

/** What was copied lies beside its place yet: it gets there once it was audited. */
async function copied(work: SourceWork, why: string | undefined): Promise<string[]> {
  const { ports, run, source, found } = work;
  const plan = await planOf(work);
  if (plan === undefined) {
    for (const table of found.tables)
      await run.failTable(source.name, table, 'split', why ?? 'the copy was not planned');
    return [];
  }
  for (const { table, reason } of plan.left) {
    await run.failTable(source.name, table, 'split', `it cannot be copied: ${reason}. The engine spark can`);
  }
  const noted = (await run.failures(source.name)).find(({ job }) => job === 'split')?.reason;
  const limit = pLimit(TABLES_AT_ONCE);
  const whole = await Promise.all(
    plan.tables.map((table) =>
      limit(async () => {
        const reason = await missing(ports.store, table);
        if (reason === undefined) return [table.table.name];
        await run.failTable(source.name, table.table.name, 'split', why ?? noted ?? reason);
        return [];
      }),
    ),
  );
  return whole.flat();
}

async function planOf({ ports, run, source }: SourceWork) {
  try {
    return await readPlan(ports.store, run.planUrl(source.name));
  } catch (error) {
    if (isKind(error, 'not_found')) return undefined;
    throw error;
  }
}

/** What a table lacks; undefined where it is whole. */
async function missing(store: SourceWork['ports']['store'], table: TablePlan): Promise<string | undefined> {
  try {
    const state = await tableState(store, table);
    const [first] = state.missing;
    if (state.committed || first === undefined) return undefined;
    return `${state.missing.length} of ${table.outputs.length} files were not made, such as ${table.staging}${first.name}`;
  } catch (error) {
    if (error instanceof LakegateError && !error.retryable) return error.message;
    throw error;
  }
}

async function splitBySpark(work: SourceWork, why: string | undefined): Promise<string[]> {
  const { run, source, found } = work;
  const result = await run.splitResult(source.name);
  const failAll = async (reason: string) => {
    for (const table of found.tables) await run.failTable(source.name, table, 'split', reason);
    return [];
  };
  if (result === undefined) {
    return failAll(why ?? `the Spark job left no result in ${run.splitUrl(source.name)}: expected one of its end`);
  }
  if (result.snapshot !== null && result.snapshot !== found.snapshot) {
    return failAll(`the Spark job split snapshot_dt=${result.snapshot}: expected ${found.snapshot}`);
  }
  const outcomes = new Map(result.tables.map((table) => [table.table, table]));
  const whole: string[] = [];
  for (const table of found.tables) {
    const outcome = outcomes.get(table);
    if (outcome?.outcome === 'held') whole.push(table);
    else {
      const unheld =
        outcome?.outcome === 'written'
          ? 'the Spark job put it into its place before its audit: it is older than this function. Deploy the stage again'
          : undefined;
      const reason = unheld ?? outcome?.reason ?? result.error ?? why ?? 'the Spark job says nothing of it';
      await run.failTable(source.name, table, 'split', reason);
    }
  }
  return whole;
}
