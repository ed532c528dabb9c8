import { gunzipSync, gzipSync } from 'node:zlib';
import { isKind } from '../errors.ts';
import type { ObjectStore } from '../storage/store.ts';

/**
 * What is known to be registered in a database, from what earlier runs saw and did: one small object, so that a run can tell what is new from
 * the folders alone. It is knowledge and no truth: without it, or with an outdated one, a run asks Glue again and nothing is lost.
 */
export interface DatabaseState {
  tables: Map<string, TableState>;
  /** Of the object it was read from; undefined when there was none that could be read. */
  etag?: string;
}

export interface TableState {
  /** The table as it was then: what is known holds for the same table (`CatalogTable.created`) of the same location, layout and keys only. */
  created: string;
  location: string;
  layout: string;
  keys: string;
  /** Registered partitions by folder, relative to the location, ending in `/`; and the schema they have (`schemaOf`), empty where it is not known. */
  partitions: Map<string, string>;
}

/** The object's form: folders by schema. */
interface Stored {
  version: 1;
  tables: Record<string, Omit<TableState, 'partitions'> & { partitions: Record<string, string[]> }>;
}

export function stateUrl(root: string, database: string): string {
  return `${root}state/${encodeURIComponent(database)}.json.gz`;
}

/** The state of a database; an empty one where there is none, or none that can be read. @throws LakegateError `unavailable` */
export async function loadState(store: ObjectStore, url: string): Promise<DatabaseState> {
  try {
    const { bytes, etag } = await store.read(url);
    return { tables: decode(bytes) ?? new Map(), etag };
  } catch (error) {
    if (isKind(error, 'not_found')) return { tables: new Map() };
    throw error;
  }
}

/**
 * Writes what one run knows. Where another run wrote meanwhile, its tables are kept but for those that this run looked at: at worst a partition
 * is forgotten, and registering it again is answered "already there".
 * @param changed tables that this run looked at; undefined for one that is gone
 */
export async function saveState(
  store: ObjectStore,
  url: string,
  before: DatabaseState,
  changed: ReadonlyMap<string, TableState | undefined>,
): Promise<void> {
  let base = before;
  for (let attempt = 0; attempt < SAVE_ATTEMPTS; attempt += 1) {
    const tables = new Map(base.tables);
    for (const [name, state] of changed) {
      if (state === undefined) tables.delete(name);
      else tables.set(name, state);
    }
    const bytes = encode(tables);
    const written =
      base.etag === undefined ? await store.create(url, bytes) : await store.replace(url, bytes, base.etag);
    if (written !== undefined) return;
    base = await loadState(store, url);
  }
}

/** Runs of one database are rare enough that two losses in a row mean something else is wrong; the next run finds out. */
const SAVE_ATTEMPTS = 4;

function encode(tables: ReadonlyMap<string, TableState>): Uint8Array {
  const stored: Stored = { version: 1, tables: {} };
  for (const name of [...tables.keys()].sort()) {
    const { partitions, ...rest } = tables.get(name)!;
    const bySchema: Record<string, string[]> = {};
    for (const [prefix, schema] of partitions) {
      bySchema[schema] ??= [];
      bySchema[schema].push(prefix);
    }
    for (const prefixes of Object.values(bySchema)) prefixes.sort();
    stored.tables[name] = { ...rest, partitions: bySchema };
  }
  return gzipSync(JSON.stringify(stored), { level: 6 });
}

/** @returns undefined for anything that is no state of this version: it is as good as none */
function decode(bytes: Uint8Array): Map<string, TableState> | undefined {
  try {
    const stored = JSON.parse(gunzipSync(bytes, { maxOutputLength: LARGEST_BYTES }).toString('utf8')) as Stored;
    if (stored.version !== 1) return undefined;
    const tables = new Map<string, TableState>();
    for (const [name, { created, location, layout, keys, partitions }] of Object.entries(stored.tables)) {
      const known = new Map<string, string>();
      for (const [schema, prefixes] of Object.entries(partitions)) {
        for (const prefix of prefixes) {
          if (typeof prefix !== 'string' || !prefix.endsWith('/')) return undefined;
          known.set(prefix, schema);
        }
      }
      tables.set(name, {
        created: String(created),
        location: String(location),
        layout: String(layout),
        keys: String(keys),
        partitions: known,
      });
    }
    return tables;
  } catch {
    return undefined;
  }
}

/** A state larger than this is not believed: a thousand tables of a hundred thousand partitions are far less. */
const LARGEST_BYTES = 512 * 1024 * 1024;
