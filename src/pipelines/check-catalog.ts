import { isKind, LakegateError } from '../errors.ts';
import { checkReplaceable } from '../tables/register.ts';
import type { CatalogedTable, TableCatalog } from '../tables/table-catalog.ts';
import type { MappedSource } from './check-source.ts';
import { glueName, type NamedPipeline, SNAPSHOT_KEY } from './work.ts';

/**
 * What of Glue would stop a run at its end: a database that is not there, a table of somebody else's under a name that is wanted, two tables of one
 * name. Nothing is changed.
 * @param whole whether these are all tables of the pipeline
 * @returns faults, a sentence each
 * @throws LakegateError where that cannot be looked at now
 */
export async function checkCatalog(
  catalog: TableCatalog,
  pipeline: NamedPipeline,
  sources: readonly MappedSource[],
  whole: boolean,
): Promise<string[]> {
  const faults: string[] = [];
  const owners = new Map<string, string>();
  for (const { source, tables } of sources) {
    for (const table of tables) {
      const name = glueName(pipeline, table);
      const owner = owners.get(name);
      if (owner !== undefined) faults.push(`${name}: ${owner} and ${source.name} would both make it`);
      owners.set(name, source.name);
    }
  }
  const partitioned = pipeline.name === 'partitioned';
  const keys = partitioned ? [SNAPSHOT_KEY] : [];
  const wanted = new Map([...owners.keys()].map((name) => [name, keys]));
  if (pipeline.name === 'bucketed' && pipeline.bucketing === 'ctas') {
    for (const { tables } of sources) {
      for (const table of tables) wanted.set(`${pipeline.stagedPrefix}${table}`.toLowerCase(), []);
    }
  }
  const er = partitioned ? pipeline.entityResolution : undefined;
  if (er !== undefined) {
    wanted.set(er.table, []);
    if (whole && !owners.has(er.source)) {
      faults.push(`entity_resolution: no source makes ${er.source}: expected one of ${[...owners.keys()].join(', ')}`);
    }
  }
  let present: CatalogedTable[];
  try {
    present = await catalog.list(pipeline.database, '');
  } catch (error) {
    if (!isKind(error, 'not_found')) throw error;
    return [...faults, `there is no Glue database ${pipeline.database}: make it, or name another in lake.yaml`];
  }
  for (const table of present) {
    const partitionKeys = wanted.get(table.name);
    if (partitionKeys === undefined) continue;
    try {
      checkReplaceable(pipeline.database, table, { partitionKeys });
    } catch (error) {
      if (!(error instanceof LakegateError)) throw error;
      faults.push(error.message);
    }
  }
  return faults;
}

/** A version's table while it is built: `bucketed_ibe_01__20260131t060000z`. */
const BUILDING = /^(.+)__\d{8}t\d{6}z$/;

/**
 * Takes the tables out of Glue that a run left which was ended while Athena built them. Nobody reads them; their files go with the other old versions.
 * To be called by who holds the pipeline's lock.
 */
export async function removeBuildings(
  catalog: TableCatalog,
  pipeline: NamedPipeline,
  sources: readonly MappedSource[],
): Promise<void> {
  const own = new Set(versionedTables(pipeline, sources));
  if (own.size === 0) return;
  for (const { name } of await catalog.list(pipeline.database, '')) {
    if (own.has(BUILDING.exec(name)?.[1] ?? '')) await catalog.remove(pipeline.database, name);
  }
}

/** Tables that Athena makes a new version of each time. */
function versionedTables(pipeline: NamedPipeline, sources: readonly MappedSource[]): string[] {
  if (pipeline.name === 'partitioned') return pipeline.entityResolution ? [pipeline.entityResolution.table] : [];
  if (pipeline.bucketing === 'direct') return [];
  return sources.flatMap(({ tables }) => tables.map((table) => glueName(pipeline, table)));
}
