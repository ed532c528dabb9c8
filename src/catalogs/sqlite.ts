import { isKind, LakegateError } from '../errors.ts';
import { newTableMetadata } from '../iceberg/create.ts';
import { checkRequirements } from '../iceberg/requirements.ts';
import { applyUpdates } from '../iceberg/updates.ts';
import type { ObjectStore } from '../storage/store.ts';
import type { Catalog, LoadedTable, TableIdentifier } from './catalog.ts';
import { checkIdentifier, compareIdentifiers, formatIdentifier } from './identifier.ts';
import { openMetadataFiles } from './metadata-files.ts';
import { nextMetadataLocation, supersededFiles, withPredecessor } from './metadata-log.ts';
import { catalogRowsOnDemand } from './sqlite-on-demand.ts';
import { openCatalogRows } from './sqlite-rows.ts';
import { parseSqliteUri } from './sqlite-uri.ts';

export interface SqliteCatalogOptions {
  /** The name people call the catalogue by. */
  name: string;
  /** PyIceberg's uri: `sqlite:////abs/path.db`. */
  uri: string;
  /** `catalog_name` in the rows: the name PyIceberg users load it by. */
  catalogName: string;
  /** URL or absolute path under which tables without a location of their own lie; empty: none. */
  warehouse: string;
  /** A database that is not there is made by the first table that goes into it, not by opening the catalogue. */
  onDemand?: boolean;
  store: ObjectStore;
  /** Milliseconds since the epoch, UTC. */
  clock: () => number;
  /** A new random UUID at each call. */
  uuid: () => string;
}

/** How often a load begins again because the file it was led to was superseded and deleted meanwhile. */
const LOAD_ATTEMPTS = 3;

/**
 * The catalogue in a SQLite file, in the layout of PyIceberg's SqlCatalog, which may write to it at the same time.
 * @throws LakegateError `config` for a uri that is none, `unavailable` when the file cannot be opened
 */
export function openSqliteCatalog(options: SqliteCatalogOptions): Catalog {
  const { name, catalogName, warehouse, store, clock, uuid } = options;
  const rows = (options.onDemand ? catalogRowsOnDemand : openCatalogRows)(
    parseSqliteUri(options.uri, process.cwd()),
    catalogName,
  );
  const files = openMetadataFiles(store);

  async function findTable(identifier: TableIdentifier): Promise<LoadedTable | undefined> {
    let missing = '';
    for (let attempt = 0; attempt < LOAD_ATTEMPTS; attempt += 1) {
      const metadataLocation = rows.metadataLocation(identifier);
      if (metadataLocation === undefined) return undefined;
      const metadata = metadataLocation === '' ? undefined : await files.read(metadataLocation);
      if (metadata !== undefined) return { identifier, metadataLocation, metadata };
      missing = metadataLocation;
    }
    throw new LakegateError(
      'corrupt',
      `Table ${formatIdentifier(identifier)}: the catalogue ${name} says its metadata is "${missing}", but there is no such file. Restore the file, or drop the table and register it again.`,
      { context: { table: formatIdentifier(identifier), metadataLocation: missing } },
    );
  }

  function defaultLocation(table: TableIdentifier): string {
    const namespace = rows.namespaceLocation(table.namespace);
    if (namespace) return `${namespace.replace(/\/+$/, '')}/${table.name}`;
    if (warehouse !== '') return `${warehouse.replace(/\/+$/, '')}/${table.namespace.join('.')}/${table.name}`;
    throw new LakegateError(
      'config',
      `Table ${formatIdentifier(table)}: the catalogue ${name} has no warehouse, so there is no place for it. Set "warehouse", or give the table a location.`,
      { context: { catalog: name } },
    );
  }

  /** Removes a metadata file that was written in vain: only where it is certain that the catalogue does not point to it. */
  async function takeBack(location: string, error: unknown): Promise<never> {
    if (isKind(error, 'conflict', 'exists', 'unavailable')) await files.discard([location]);
    throw error;
  }

  return {
    name,
    findTable,
    async loadTable(identifier) {
      const table = await findTable(identifier);
      if (table !== undefined) return table;
      throw missingTable(identifier, name, rows.list());
    },
    async createTable(identifier, definition) {
      checkIdentifier(identifier);
      if (rows.metadataLocation(identifier) !== undefined) throw tableExists(identifier, name);
      const location = definition.location?.replace(/\/+$/, '') || defaultLocation(identifier);
      const metadata = newTableMetadata({ ...definition, location, uuid: uuid(), nowMs: clock() });
      const metadataLocation = nextMetadataLocation(metadata, undefined, uuid());
      await files.write(metadataLocation, metadata);
      try {
        if (!rows.insert(identifier, metadataLocation)) throw tableExists(identifier, name);
      } catch (error) {
        return takeBack(metadataLocation, error);
      }
      return { identifier, metadataLocation, metadata };
    },
    async commit(base, requirements, updates) {
      const { identifier } = base;
      // Seen early, a lost race costs no file.
      const current = rows.metadataLocation(identifier);
      if (current !== base.metadataLocation) throw movedOn(base, name, current);
      checkRequirements(base.metadata, requirements);
      if (updates.length === 0) return base;
      const metadata = withPredecessor(applyUpdates(base.metadata, updates, clock()), base);
      const metadataLocation = nextMetadataLocation(metadata, base.metadataLocation, uuid());
      await files.write(metadataLocation, metadata);
      try {
        if (!rows.swap(identifier, base.metadataLocation, metadataLocation)) {
          throw movedOn(base, name, rows.metadataLocation(identifier));
        }
      } catch (error) {
        return takeBack(metadataLocation, error);
      }
      const superseded = supersededFiles(base.metadata, metadata);
      if (superseded.length > 0) await files.discard(superseded);
      return { identifier, metadataLocation, metadata };
    },
    async listTables(namespace) {
      const own = namespace?.join('.');
      const wanted = rows.list().filter((table) => own === undefined || table.namespace.join('.') === own);
      return wanted.sort(compareIdentifiers);
    },
    async dropTable(identifier) {
      if (!rows.remove(identifier)) throw missingTable(identifier, name, rows.list());
    },
    close: rows.close,
  };
}

function missingTable(table: TableIdentifier, catalog: string, present: TableIdentifier[]): LakegateError {
  const names = present.sort(compareIdentifiers).map(formatIdentifier);
  const some = names.slice(0, 10).join(', ') + (names.length > 10 ? `, … (${names.length} in all)` : '');
  return new LakegateError(
    'not_found',
    `There is no table ${formatIdentifier(table)} in the catalogue ${catalog}. ${names.length === 0 ? 'It has no tables yet.' : `It has: ${some}.`}`,
    { context: { table: formatIdentifier(table), catalog } },
  );
}

function tableExists(table: TableIdentifier, catalog: string): LakegateError {
  return new LakegateError(
    'exists',
    `Cannot create ${formatIdentifier(table)}: the catalogue ${catalog} already has a table or view of this name. Load it, or choose another name.`,
    { context: { table: formatIdentifier(table), catalog } },
  );
}

function movedOn(base: LoadedTable, catalog: string, current: string | undefined): LakegateError {
  const table = formatIdentifier(base.identifier);
  const found = current === undefined ? 'the table was dropped or renamed' : `found ${current}`;
  return new LakegateError(
    'conflict',
    `Cannot commit to ${table} in the catalogue ${catalog}: somebody else was first. Expected the table at ${base.metadataLocation}, ${found}. Reload it and try again.`,
    { context: { table, expected: base.metadataLocation, found: current } },
  );
}
