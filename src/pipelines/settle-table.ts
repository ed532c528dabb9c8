import { LakegateError } from '../errors.ts';
import { caughtReason } from '../notify/caught.ts';
import type { TableCatalog } from '../tables/table-catalog.ts';
import { abandonVersion, cleanVersions, swapIn, type TableVersion } from '../tables/table-version.ts';
import type { TableRecord } from './documents.ts';
import { checkLock, checkTable, type SourceWork } from './work.ts';

type Pending = Extract<TableRecord, { state: 'pending' }>;

/**
 * After a table's statement: swaps the version in that it made, and removes old ones. Where the statement failed, what it left is removed; readers keep
 * the version that they have.
 * @param error why the statement failed, as the state machine caught it; null where it did not
 * @throws LakegateError what is worth another try; `usage` for a table that no statement was planned for; `conflict` when the run has ended
 */
export async function settleStep(work: SourceWork, table: string, error: string | null): Promise<{ settled: boolean }> {
  checkTable(work, table);
  return settle(work, table, error);
}

/** `settleStep` for a table that is known to be of the run, or `ER`. */
export async function settle(work: SourceWork, table: string, error: string | null): Promise<{ settled: boolean }> {
  const { ports, run, source } = work;
  await checkLock(work);
  const record = await run.table(source.name, table);
  if (record?.state === 'done') return { settled: true };
  if (record?.state === 'failed') return { settled: false };
  if (record === undefined || ports.catalog === undefined) {
    throw new LakegateError('usage', `table: no statement was planned for ${JSON.stringify(table)} in ${run.folder}`);
  }
  try {
    if (error === null) {
      await run.writeTable(source.name, table, await finished(work, ports.catalog, record));
      return { settled: true };
    }
    if (record.version !== undefined) await abandonVersion({ ...ports, catalog: ports.catalog }, record.version);
    await run.failTable(source.name, table, record.job, caughtReason(error));
  } catch (fault) {
    if (!(fault instanceof LakegateError) || fault.retryable) throw fault;
    await run.failTable(source.name, table, record.job, fault.message);
  }
  return { settled: false };
}

async function finished(work: SourceWork, catalog: TableCatalog, record: Pending): Promise<TableRecord> {
  const { registered, location, rows, cut, version } = record;
  const uncleaned = version && (await swapAndClean(work, catalog, version));
  return {
    state: 'done',
    registered,
    outcome: record.job === 'prepare' ? 'repaired' : 'written',
    location,
    rows,
    ...(cut !== undefined && { cut }),
    ...(uncleaned !== undefined && { uncleaned }),
  };
}

/** @returns why old versions are still there: that does not take back the new one */
async function swapAndClean(
  { ports, pipeline }: SourceWork,
  catalog: TableCatalog,
  version: TableVersion,
): Promise<string | undefined> {
  const { store } = ports;
  await swapIn({ catalog }, version);
  const keepMs = pipeline.name === 'bucketed' ? pipeline.keepMs : (pipeline.entityResolution?.keepMs ?? 0);
  try {
    await cleanVersions({ store, catalog }, version, { now: ports.now(), keepMs });
    return undefined;
  } catch (error) {
    if (!(error instanceof LakegateError)) throw error;
    return error.message;
  }
}
