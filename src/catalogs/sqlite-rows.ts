import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { TableIdentifier } from './catalog.ts';
import { isConstraint, sqliteFault } from './sqlite-fault.ts';
import type { SqliteLocation } from './sqlite-uri.ts';

/** The rows of one catalogue name in PyIceberg's SQL layout. Rows of other catalogues, and views, are never touched. */
export interface CatalogRows {
  /** The table's current metadata file; undefined without a table, empty when its row names none. */
  metadataLocation(table: TableIdentifier): string | undefined;
  list(): TableIdentifier[];
  /** The namespace's `location` property. */
  namespaceLocation(namespace: readonly string[]): string | undefined;
  /** Adds a table, and its namespace where missing. False: the name is taken, nothing was changed. */
  insert(table: TableIdentifier, metadataLocation: string): boolean;
  /** Moves a table's pointer. False: it was not at `from`, nothing was changed. */
  swap(table: TableIdentifier, from: string, to: string): boolean;
  /** False: there was no such table. */
  remove(table: TableIdentifier): boolean;
  close(): void;
}

/** The tables as SQLAlchemy creates them for PyIceberg 0.12 (schema version "v1"). */
const LAYOUT = `
CREATE TABLE IF NOT EXISTS iceberg_tables (
	catalog_name VARCHAR(255) NOT NULL, 
	table_namespace VARCHAR(255) NOT NULL, 
	table_name VARCHAR(255) NOT NULL, 
	metadata_location VARCHAR(1000), 
	previous_metadata_location VARCHAR(1000), 
	iceberg_type VARCHAR(5), 
	PRIMARY KEY (catalog_name, table_namespace, table_name)
);
CREATE TABLE IF NOT EXISTS iceberg_namespace_properties (
	catalog_name VARCHAR(255) NOT NULL, 
	namespace VARCHAR(255) NOT NULL, 
	property_key VARCHAR(255) NOT NULL, 
	property_value VARCHAR(1000) NOT NULL, 
	PRIMARY KEY (catalog_name, namespace, property_key)
);`;

/**
 * Opens (or makes) the database. Every change is one short transaction, so that other writers wait no longer than they must.
 * All methods @throw LakegateError `unavailable` | `corrupt`, those that write `unknown_outcome`
 */
export function openCatalogRows({ path, busyTimeoutMs }: SqliteLocation, catalogName: string): CatalogRows {
  const attempt = <T>(doing: string, writing: boolean, run: () => T): T => {
    try {
      return run();
    } catch (error) {
      throw sqliteFault(error, doing, path, writing);
    }
  };
  const { db, typed } = attempt('open tables', false, () => openDatabase(path, busyTimeoutMs));

  // Catalogues older than iceberg_type hold tables only. Rows without a type are tables, too.
  const isTable = typed ? "AND (iceberg_type = 'TABLE' OR iceberg_type IS NULL)" : '';
  const oneTable = `WHERE catalog_name = ? AND table_namespace = ? AND table_name = ? ${isTable}`;
  const select = db.prepare(`SELECT metadata_location FROM iceberg_tables ${oneTable}`);
  const selectAll = db.prepare(
    `SELECT table_namespace, table_name FROM iceberg_tables WHERE catalog_name = ? ${isTable}`,
  );
  const selectProperty = db.prepare(
    'SELECT property_value FROM iceberg_namespace_properties WHERE catalog_name = ? AND namespace = ? AND property_key = ?',
  );
  const selectNamespace = db.prepare(
    'SELECT 1 FROM iceberg_namespace_properties WHERE catalog_name = ? AND namespace = ? LIMIT 1',
  );
  const insertNamespace = db.prepare("INSERT INTO iceberg_namespace_properties VALUES (?, ?, 'exists', 'true')");
  const insertTable = db.prepare(
    typed
      ? "INSERT INTO iceberg_tables (catalog_name, table_namespace, table_name, metadata_location, iceberg_type) VALUES (?, ?, ?, ?, 'TABLE')"
      : 'INSERT INTO iceberg_tables (catalog_name, table_namespace, table_name, metadata_location) VALUES (?, ?, ?, ?)',
  );
  const update = db.prepare(
    `UPDATE iceberg_tables SET metadata_location = ?, previous_metadata_location = ? ${oneTable} AND metadata_location = ?`,
  );
  const deleteTable = db.prepare(`DELETE FROM iceberg_tables ${oneTable}`);

  const spaceOf = (namespace: readonly string[]) => namespace.join('.');
  const keyOf = (table: TableIdentifier): [string, string, string] => [
    catalogName,
    spaceOf(table.namespace),
    table.name,
  ];

  return {
    metadataLocation: (table) =>
      attempt('look up a table', false, () => {
        const row = select.get(...keyOf(table));
        return row === undefined ? undefined : String(row.metadata_location ?? '');
      }),
    list: () =>
      attempt('list tables', false, () =>
        selectAll.all(catalogName).map((row) => ({
          namespace: String(row.table_namespace).split('.'),
          name: String(row.table_name),
        })),
      ),
    namespaceLocation: (namespace) =>
      attempt('look up a namespace', false, () => {
        const value = selectProperty.get(catalogName, spaceOf(namespace), 'location')?.property_value;
        return typeof value === 'string' ? value : undefined;
      }),
    insert: (table, metadataLocation) =>
      attempt('create a table', true, () => {
        db.exec('BEGIN IMMEDIATE');
        try {
          const space = spaceOf(table.namespace);
          if (selectNamespace.get(catalogName, space) === undefined) insertNamespace.run(catalogName, space);
          insertTable.run(...keyOf(table), metadataLocation);
          db.exec('COMMIT');
          return true;
        } catch (error) {
          if (db.isTransaction) db.exec('ROLLBACK');
          if (isConstraint(error)) return false;
          throw error;
        }
      }),
    swap: (table, from, to) =>
      attempt('commit', true, () => Number(update.run(to, from, ...keyOf(table), from).changes) === 1),
    remove: (table) => attempt('drop a table', true, () => Number(deleteTable.run(...keyOf(table)).changes) === 1),
    close: () => {
      if (db.isOpen) db.close();
    },
  };
}

function openDatabase(path: string, busyTimeoutMs: number): { db: DatabaseSync; typed: boolean } {
  if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true });
  const db = new DatabaseSync(path, { timeout: busyTimeoutMs });
  try {
    const present = db.prepare(
      "SELECT name FROM sqlite_master WHERE name IN ('iceberg_tables', 'iceberg_namespace_properties')",
    );
    if (present.all().length < 2) db.exec(`BEGIN IMMEDIATE; ${LAYOUT} COMMIT;`);
    const columns = db.prepare('PRAGMA table_info(iceberg_tables)').all();
    return { db, typed: columns.some((column) => column.name === 'iceberg_type') };
  } catch (error) {
    db.close();
    throw error;
  }
}
