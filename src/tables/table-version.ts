import { LakegateError } from '../errors.ts';
import type { ObjectStore } from '../storage/store.ts';
import { tableInput } from './glue-table-input.ts';
import { checkReplaceable } from './register.ts';
import type { StatementRunner, TableCatalog } from './table-catalog.ts';

/** A new version of a table, built beside the one that readers have. */
export interface TableVersion {
  database: string;
  /** The table that readers know. */
  table: string;
  /** The table that the statement makes, of the same database: gone once its files are the readers' table's. */
  building: string;
  /** Folder of all versions, URL ending in `/`. */
  folder: string;
  /** Folder of this one. */
  location: string;
  statement: string;
  comment: string;
}

export interface VersionPorts {
  store: ObjectStore;
  catalog: TableCatalog;
  athena: StatementRunner;
}

const VERSION = /^v=(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/;

/** Name of a version's folder. @param at milliseconds since the epoch, UTC */
export function versionAt(at: number): string {
  return `v=${new Date(at).toISOString().replace(/[-:]|\.\d+/g, '')}`;
}

/** Whether a text is the name of a version's folder. */
export function isVersion(text: string): boolean {
  return timeOf(text) !== undefined;
}

/** What a version's table is called while it is built. */
export function buildingName(table: string, version: string | undefined): string {
  return version === undefined ? `${table}__new` : `${table}__${version.slice(2).toLowerCase()}`;
}

/**
 * Makes a version by its statement and puts it into the readers' table's place. A fault leaves that table as it was, and the files of what was begun
 * are removed.
 * @throws LakegateError `exists` where its folder is not empty; of the runner, the catalogue and the store
 */
export async function buildVersion(ports: VersionPorts, version: TableVersion): Promise<void> {
  const { database, building, location, statement } = version;
  for await (const { url } of ports.store.list(location)) {
    throw new LakegateError('exists', `expected nothing in ${location} before ${building} is made, found ${url}`);
  }
  // A run that was killed may have left it in the catalogue. Its files lie in another version's folder, or none.
  await ports.catalog.remove(database, building);
  try {
    await ports.athena.run(statement, database);
  } catch (error) {
    await abandonVersion(ports, version).catch(() => undefined);
    throw error;
  }
  await swapIn(ports, version);
}

/**
 * Removes what a statement left that did not run to its end: Athena leaves files of a CTAS that failed (user guide, "Considerations and limitations for
 * CTAS queries"). The readers' table is not touched, nor is a version that it is at.
 */
export async function abandonVersion(
  { store, catalog }: Pick<VersionPorts, 'store' | 'catalog'>,
  { database, table, building, location }: Pick<TableVersion, 'database' | 'table' | 'building' | 'location'>,
): Promise<void> {
  await catalog.remove(database, building);
  if (!isAt((await catalog.get(database, table))?.location, location)) await deleteFolder(store, location);
}

/**
 * Gives the readers' table the columns, buckets and files of the version that was built, in one update; it is made where there is none. Doing it again
 * changes nothing.
 * @throws LakegateError `not_found` where the version was not built, `exists` where the table is of another kind, `conflict`
 */
export async function swapIn(
  { catalog }: Pick<VersionPorts, 'catalog'>,
  { database, table, building, location, comment }: Omit<TableVersion, 'statement' | 'folder'>,
): Promise<void> {
  const [built, before] = await Promise.all([catalog.get(database, building), catalog.get(database, table)]);
  if (built === undefined) {
    if (isAt(before?.location, location)) return;
    throw new LakegateError(
      'not_found',
      `there is no ${database}.${building}: its statement did not run to its end. Run this again`,
    );
  }
  const [column] = built.bucketColumns;
  const definition = {
    name: table,
    location,
    columns: built.columns,
    partitionKeys: built.partitionKeys,
    comment,
    ...(column !== undefined && { buckets: { column, count: built.buckets } }),
  };
  if (before === undefined) await catalog.create(database, tableInput(definition));
  else {
    checkReplaceable(database, before, definition);
    await catalog.update(database, tableInput(definition, before.parameters), before.version);
  }
  await catalog.remove(database, building);
}

/**
 * Removes versions that nobody reads any more: those that were replaced more than `keepMs` ago, by what the next version's name says; but never the one
 * the table is at, nor a newer one, which may be being built. The version that was replaced just now is still read, however old it is.
 * @param now milliseconds since the epoch, UTC
 * @returns names of the versions that are gone
 */
export async function cleanVersions(
  { store, catalog }: Pick<VersionPorts, 'store' | 'catalog'>,
  { database, table, folder }: Pick<TableVersion, 'database' | 'table' | 'folder'>,
  { now, keepMs }: { now: number; keepMs: number },
): Promise<string[]> {
  const present = await catalog.get(database, table);
  // Without a table there is no telling which version is read.
  if (present?.location === undefined || !present.location.startsWith(folder)) return [];
  const names = new Set<string>();
  for await (const { url } of store.list(folder)) names.add(url.slice(folder.length).split('/')[0]!);
  const current = timeOf(present.location.slice(folder.length).replace(/\/+$/, ''));
  if (current === undefined) return [];
  const versions = [...names]
    .map((name) => ({ name, at: timeOf(name) ?? Number.POSITIVE_INFINITY }))
    .filter(({ at }) => at <= current)
    .sort((a, b) => a.at - b.at);
  const old = versions.flatMap(({ name, at }, index) =>
    at < current && (versions[index + 1]?.at ?? current) < now - keepMs ? [name] : [],
  );
  for (const name of old) {
    await catalog.remove(database, buildingName(table, name));
    await deleteFolder(store, `${folder}${name}/`);
  }
  return old.sort();
}

function isAt(location: string | undefined, folder: string): boolean {
  return location?.replace(/\/*$/, '/') === folder;
}

function timeOf(name: string): number | undefined {
  const [, year, month, day, hour, minute, second] = VERSION.exec(name) ?? [];
  if (year === undefined) return undefined;
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(time) ? undefined : time;
}

const DELETED_AT_ONCE = 1000;

async function deleteFolder(store: ObjectStore, folder: string): Promise<void> {
  let urls: string[] = [];
  for await (const { url } of store.list(folder)) {
    urls.push(url);
    if (urls.length < DELETED_AT_ONCE) continue;
    await store.delete(urls);
    urls = [];
  }
  await store.delete(urls);
}
