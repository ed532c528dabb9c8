import type { BucketedPipeline } from '../config/pipelines-model.ts';
import { LakegateError } from '../errors.ts';
import { planBucketing } from '../tables/bucket.ts';
import type { TableCatalog } from '../tables/table-catalog.ts';
import { abandonVersion, type TableVersion, versionAt } from '../tables/table-version.ts';
import type { TableNext } from './model.ts';
import type { SourceWork } from './work.ts';

/**
 * Plans a bucketed table's new version, which Athena makes of the staged one, and notes it.
 * @param staged name of the staged table in Glue
 * @throws LakegateError `invalid` for a table that cannot be bucketed; of the store and the catalogue
 */
export async function beginBucketing(
  work: SourceWork,
  catalog: TableCatalog,
  pipeline: BucketedPipeline,
  table: string,
  staged: string,
): Promise<TableNext> {
  const { source, versions } = work;
  const { database, stagedPrefix } = pipeline;
  const present = await catalog.get(database, staged);
  if (present === undefined) throw new LakegateError('not_found', `there is no table ${database}.${staged}`);
  const [planned] = planBucketing([present], {
    stagedDatabase: database,
    stagedPrefix,
    finalDatabase: database,
    finalPrefix: pipeline.tablePrefix,
    base: versions,
    buckets: { column: source.key, count: pipeline.bucketCount },
    only: [],
    version: versionAt(work.ports.now()),
    concurrency: 1,
    keepMs: pipeline.keepMs,
    maxColumns: pipeline.maxColumns,
    tooWide: pipeline.tooWide,
  });
  if (planned?.version === undefined) {
    throw new LakegateError('invalid', planned?.reason ?? `${staged} cannot be bucketed`);
  }
  return beginVersion(work, catalog, table, 'bucket', planned.version, planned.cut);
}

/**
 * Notes a version that a statement is to make. What an earlier attempt of this run noted is taken away: its statement was not begun, or is not followed
 * any more.
 * @param table as the run calls it
 */
export async function beginVersion(
  { ports, run, source, found }: SourceWork,
  catalog: TableCatalog,
  table: string,
  job: 'bucket' | 'er',
  version: TableVersion,
  cut: readonly string[],
): Promise<TableNext> {
  const before = await run.table(source.name, table);
  if (before?.state === 'pending' && before.version !== undefined) {
    await abandonVersion({ store: ports.store, catalog }, before.version);
  }
  await abandonVersion({ store: ports.store, catalog }, version);
  const { database, statement, location } = version;
  await run.writeTable(source.name, table, {
    state: 'pending',
    job,
    registered: version.table,
    location,
    statement,
    rows: found.rows,
    version,
    ...(cut.length > 0 && { cut: [...cut] }),
  });
  return { kind: 'athena', statement, database };
}
