import { LakegateError } from '../errors.ts';
import { repairTable } from '../tables/athena-statements.ts';
import { findTables } from '../tables/find-tables.ts';
import { type RegisterOutcome, registerTable } from '../tables/register.ts';
import type { TableCatalog } from '../tables/table-catalog.ts';
import { markOf, notChecked } from './audit-reason.ts';
import { auditTable } from './audit-table.ts';
import { beginBucketing } from './bucket-table.ts';
import type { TableRecord } from './documents.ts';
import type { PipelineJob, TableNext } from './model.ts';
import { LEFT_DAYS } from './staged-left.ts';
import { tableFiles } from './table-files.ts';
import { checkLock, checkTable, glueName, type SourceWork } from './work.ts';

/** Nothing is to be done before a table is settled. */
export const NOTHING: TableNext = { kind: 'none', statement: null, database: null };

/**
 * Audits a table's files of this snapshot, puts them into their place and registers the table over them. A table that does not pass keeps its old data.
 * What failed is noted, and named by the run's end.
 * @returns what Athena has to do before the table is settled
 * @throws LakegateError what is worth another try; `usage` for a table that is not of the run; `conflict` when the run has ended
 */
export async function registerStep(work: SourceWork, table: string): Promise<{ next: TableNext }> {
  checkTable(work, table);
  await checkLock(work);
  const { run, source } = work;
  const before = await run.table(source.name, table);
  // The same call, come again: the table has had its turn.
  if (before?.state === 'done' || before?.state === 'failed') return { next: NOTHING };
  let job: PipelineJob = 'audit';
  const doing = (next: PipelineJob) => {
    job = next;
  };
  try {
    return { next: await register(work, table, doing) };
  } catch (error) {
    if (!(error instanceof LakegateError) || error.retryable) throw error;
    const audit = job === 'audit' && notChecked(`the table ${glueName(work.pipeline, table)}`, error.message);
    if (audit) await run.failTable(source.name, table, job, audit.reason, audit.mark);
    else await run.failTable(source.name, table, job, error.message);
    return { next: NOTHING };
  }
}

async function register(work: SourceWork, table: string, doing: (job: PipelineJob) => void): Promise<TableNext> {
  const { ports, pipeline, run, source, found, target } = work;
  const made = await tableFiles(work, table);
  const { folder, files, rows } = made;
  const name = glueName(pipeline, table);
  const verdict = await auditTable(ports, pipeline, { name, folder, files, key: source.key, rows });
  if (verdict.outcome !== 'passed') {
    const left = await made.beside?.refuse(verdict.outcome === 'failed');
    const where = left === undefined ? '' : ` Its files are in ${left} until the next run, ${LEFT_DAYS} days at most.`;
    await run.failTable(source.name, table, 'audit', `${verdict.reason ?? verdict.outcome}${where}`, markOf(verdict));
    return NOTHING;
  }
  doing('split');
  // The audit took its time: whoever took the pipeline over meanwhile makes the same files anew.
  await checkLock(work);
  await made.beside?.commit();
  const done = (outcome: string, registered?: RegisterOutcome): TableRecord => ({
    state: 'done',
    outcome,
    location: registered?.location ?? folder,
    rows,
    ...(registered !== undefined && { registered: registered.table }),
    ...(registered?.cut !== undefined && { cut: registered.cut }),
  });
  if (ports.catalog === undefined) {
    await run.writeTable(source.name, table, done('made'));
    return NOTHING;
  }
  doing('register');
  const ctas = pipeline.name === 'bucketed' && pipeline.bucketing === 'ctas';
  const registered =
    (await besideNewer(work, ports.catalog, name)) ??
    (await inGlue(work, ports.catalog, table, ctas ? `${pipeline.stagedPrefix}${table}` : name));
  if (ctas) {
    doing('bucket');
    return beginBucketing(work, ports.catalog, pipeline, table, registered.table);
  }
  if (pipeline.name === 'partitioned') {
    const { database } = pipeline;
    doing('prepare');
    if (pipeline.prepare === 'msck') {
      const statement = repairTable(registered.table);
      const { cut } = registered;
      await run.writeTable(source.name, table, {
        state: 'pending',
        job: 'prepare',
        registered: registered.table,
        location: registered.location,
        statement,
        rows,
        ...(cut !== undefined && { cut }),
      });
      return { kind: 'athena', statement, database };
    }
    const date = found.snapshot;
    await ports.addSnapshot({
      database,
      table: registered.table,
      date,
      folder: `${target}${table}/snapshot_dt=${date}/`,
    });
  }
  await run.writeTable(source.name, table, done(registered.outcome, registered));
  return NOTHING;
}

/** The table that has a newer snapshot's columns: an older one only adds its partition to it. Undefined where there is none. */
async function besideNewer(
  { pipeline, found }: SourceWork,
  catalog: TableCatalog,
  name: string,
): Promise<RegisterOutcome | undefined> {
  if (found.newer === undefined) return undefined;
  const table = await catalog.get(pipeline.database, name);
  return table?.location === undefined
    ? undefined
    : { table: name, outcome: 'unchanged', location: table.location, columns: table.columns.length };
}

/** Registers a table over its folder. @param name in Glue */
async function inGlue(
  { ports, pipeline, source, found, target }: SourceWork,
  catalog: TableCatalog,
  table: string,
  name: string,
): Promise<RegisterOutcome> {
  const { store } = ports;
  const folders = await findTables(store, target, found.snapshot, `${table}/`);
  const folder = folders.find((each) => each.location === `${target}${table}/`);
  if (folder === undefined) {
    throw new LakegateError('not_found', `there are no files of snapshot_dt=${found.snapshot} in ${target}${table}/`);
  }
  const direct = pipeline.name === 'bucketed' && pipeline.bucketing === 'direct';
  return registerTable({ store, catalog }, folder, name.toLowerCase(), found.snapshot, {
    database: pipeline.database,
    // A staged table may be wider than the one that is made of it.
    maxColumns: direct || pipeline.name === 'partitioned' ? pipeline.maxColumns : Number.MAX_SAFE_INTEGER,
    tooWide: pipeline.tooWide,
    ...(direct && { buckets: { column: source.key, count: pipeline.bucketCount } }),
  });
}
