import { LakegateError } from '../errors.ts';
import { planEr } from '../tables/er.ts';
import { versionAt } from '../tables/table-version.ts';
import { beginVersion } from './bucket-table.ts';
import type { TableNext } from './model.ts';
import { NOTHING } from './register-table.ts';
import { ER } from './run-files.ts';
import { settle } from './settle-table.ts';
import { checkLock, glueName, type SourceWork } from './work.ts';

/**
 * Which of a source's tables Entity Resolution's is made of in this run; undefined where that is none of them.
 */
export function erTable({ pipeline, found }: Pick<SourceWork, 'pipeline' | 'found'>): string | undefined {
  const er = pipeline.name === 'partitioned' ? pipeline.entityResolution : undefined;
  // It is of one snapshot, the newest.
  if (found.newer !== undefined) return undefined;
  return er && found.tables.find((table) => glueName(pipeline, table) === er.source);
}

/**
 * Plans Entity Resolution's table of the snapshot that was registered just now. Nothing is to be done where this source does not have the table that it
 * is made of, or that one failed: its failure is told, and the old version stays.
 * @throws LakegateError what is worth another try; `conflict` when the run has ended
 */
export async function erStep(work: SourceWork): Promise<{ next: TableNext }> {
  const { ports, pipeline, source, run, found, versions } = work;
  const table = erTable(work);
  if (table === undefined || pipeline.name !== 'partitioned' || ports.catalog === undefined) return { next: NOTHING };
  await checkLock(work);
  if ((await run.table(source.name, table))?.state !== 'done') return { next: NOTHING };
  const er = pipeline.entityResolution!;
  try {
    const present = await ports.catalog.get(pipeline.database, er.source);
    if (present === undefined)
      throw new LakegateError('not_found', `there is no table ${pipeline.database}.${er.source}`);
    const version = planEr(present, {
      database: pipeline.database,
      source: er.source,
      table: er.table,
      folder: `${versions}${er.table}/`,
      key: source.key,
      snapshot: found.snapshot,
      version: versionAt(ports.now()),
      keepMs: er.keepMs,
    });
    return { next: await beginVersion(work, ports.catalog, ER, 'er', version, []) };
  } catch (error) {
    if (!(error instanceof LakegateError) || error.retryable) throw error;
    await run.failTable(source.name, ER, 'er', error.message);
    return { next: NOTHING };
  }
}

/** After the statement, as `settleStep`. */
export function settleEr(work: SourceWork, error: string | null): Promise<{ settled: boolean }> {
  return settle(work, ER, error);
}
