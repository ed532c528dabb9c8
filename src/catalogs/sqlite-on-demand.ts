import { existsSync } from 'node:fs';
import { type CatalogRows, openCatalogRows } from './sqlite-rows.ts';
import type { SqliteLocation } from './sqlite-uri.ts';

/**
 * The rows of a catalogue whose database is made by the first table that goes into it: looking at a lake, or auditing a file, leaves nothing
 * behind. One that is there is opened at once.
 * @throws as `openCatalogRows`
 */
export function catalogRowsOnDemand(location: SqliteLocation, catalogName: string): CatalogRows {
  let opened: CatalogRows | undefined;
  const open = (): CatalogRows => {
    opened ??= openCatalogRows(location, catalogName);
    return opened;
  };
  const openIfThere = (): CatalogRows | undefined => opened ?? (existsSync(location.path) ? open() : undefined);
  openIfThere();
  return {
    metadataLocation: (table) => openIfThere()?.metadataLocation(table),
    list: () => openIfThere()?.list() ?? [],
    namespaceLocation: (namespace) => openIfThere()?.namespaceLocation(namespace),
    insert: (table, metadataLocation) => open().insert(table, metadataLocation),
    swap: (table, from, to) => open().swap(table, from, to),
    remove: (table) => openIfThere()?.remove(table) ?? false,
    close: () => opened?.close(),
  };
}
