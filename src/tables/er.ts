import { LakegateError } from '../errors.ts';
import { createTableAs } from './athena-statements.ts';
import type { CatalogedTable } from './table-catalog.ts';
import { buildingName, buildVersion, cleanVersions, type TableVersion, type VersionPorts } from './table-version.ts';

export interface ErRequest {
  database: string;
  /** The partitioned identity table: `part_addressable_ids`. */
  source: string;
  /** `part_addressable_ids_er` */
  table: string;
  /** Folder of the table's versions, URL ending in `/`. */
  folder: string;
  key: string;
  /** `YYYY-MM-DD`, the snapshot it is of: several would give a row's id more than once. */
  snapshot: string;
  /** Folder of this run's version (`versionAt`). */
  version: string;
  /** How long versions that were replaced are kept. Milliseconds. */
  keepMs: number;
}

/**
 * What makes the table that Entity Resolution reads: `row_id` and the key, both the key. It takes a table with files of its own, and no view. Pure.
 * @throws LakegateError `invalid` where the source lacks the key or its snapshots
 */
export function planEr(source: CatalogedTable, request: ErRequest): TableVersion {
  const { database, table, folder, key, snapshot, version } = request;
  for (const [columns, name] of [
    [source.columns, key],
    [source.partitionKeys, 'snapshot_dt'],
  ] as const) {
    if (columns.some((column) => column.name === name)) continue;
    const what = columns === source.columns ? 'column' : 'partition key';
    throw new LakegateError('invalid', `${database}.${source.name} has no ${what} ${name}`);
  }
  const building = buildingName(table, version);
  const location = `${folder}${version}/`;
  return {
    database,
    table,
    building,
    folder,
    location,
    comment: `Entity Resolution table created from snapshot_dt=${snapshot}`,
    statement: createTableAs({
      database,
      table: building,
      location,
      columns: [{ name: key, as: 'row_id' }, { name: key }],
      source: { database, table: source.name },
      where: { column: 'snapshot_dt', value: snapshot },
    }),
  };
}

/**
 * Makes the table anew, of one snapshot, and swaps it in; readers have the old one until then. Contract-tested, as `bucketTables`.
 * @param ports.now milliseconds since the epoch, UTC
 * @throws LakegateError `not_found` where there is no source; `invalid`; of the runner, the catalogue and the store
 */
export async function refreshEr(
  ports: VersionPorts & { now(): number },
  request: ErRequest,
): Promise<{ table: string; snapshot: string; location: string; cleaned: string[] }> {
  const { database, source, table, snapshot, keepMs } = request;
  const found = await ports.catalog.get(database, source);
  if (found === undefined) {
    throw new LakegateError('not_found', `there is no table ${database}.${source}. \`tables register\` makes it`);
  }
  const version = planEr(found, request);
  await buildVersion(ports, version);
  const cleaned = await cleanVersions(ports, version, { now: ports.now(), keepMs });
  return { table: `${database}.${table}`, snapshot, location: version.location, cleaned };
}
