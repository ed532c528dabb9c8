import { promisify } from 'node:util';
import { gunzip as gunzipWith, gzip as gzipWith } from 'node:zlib';
import { isKind } from '../errors.ts';
import type { ObjectStore } from '../storage/store.ts';
import { type KnownPartitions, knownPartitions, textOf } from './known-partitions.ts';

// Off the thread that all requests wait for.
const gzip = promisify(gzipWith);
const gunzip = promisify(gunzipWith);

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
  /** Registered partitions. */
  partitions: KnownPartitions;
}

/**
 * The object's form. Folders by schema, as one text (`textOf`): a run takes apart only what it needs of it. Objects of version 1 had a list of
 * folders in its place.
 */
interface Stored {
  version: 1 | 2;
  tables: Record<string, Omit<TableState, 'partitions'> & { partitions: Record<string, string | string[]> }>;
}

const VERSION = 2;

export function stateUrl(root: string, database: string): string {
  return `${root}state/${encodeURIComponent(database)}.json.gz`;
}

/** The state of a database; an empty one where there is none, or none that can be read. @throws LakegateError `unavailable` */
export async function loadState(store: ObjectStore, url: string): Promise<DatabaseState> {
  try {
    const { bytes, etag } = await store.read(url);
    return { tables: (await decode(bytes)) ?? new Map(), etag };
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
    const bytes = await encode(tables);
    const written =
      base.etag === undefined ? await store.create(url, bytes) : await store.replace(url, bytes, base.etag);
    if (written !== undefined) return;
    base = await loadState(store, url);
  }
}

/** Runs of one database are rare enough that two losses in a row mean something else is wrong; the next run finds out. */
const SAVE_ATTEMPTS = 4;

async function encode(tables: ReadonlyMap<string, TableState>): Promise<Uint8Array> {
  const stored: Stored = { version: VERSION, tables: {} };
  for (const name of [...tables.keys()].sort()) {
    const { partitions, ...rest } = tables.get(name)!;
    stored.tables[name] = { ...rest, partitions: Object.fromEntries([...partitions.texts()].sort(bySchema)) };
  }
  return gzip(JSON.stringify(stored), { level: 6 });
}

function bySchema([a]: [string, string], [b]: [string, string]): number {
  return a < b ? -1 : 1;
}

/** @returns undefined for anything that is no state that can be read: it is as good as none */
async function decode(bytes: Uint8Array): Promise<Map<string, TableState> | undefined> {
  try {
    const unpacked = await gunzip(bytes, { maxOutputLength: LARGEST_BYTES });
    const stored = JSON.parse(unpacked.toString('utf8')) as Stored;
    if (stored.version !== 1 && stored.version !== VERSION) return undefined;
    const tables = new Map<string, TableState>();
    for (const [name, { created, location, layout, keys, partitions }] of Object.entries(stored.tables)) {
      const texts = new Map<string, string>();
      for (const [schema, folders] of Object.entries(partitions)) {
        if (typeof folders !== 'string' && !folders.every((folder) => folder.endsWith('/'))) return undefined;
        const text = typeof folders === 'string' ? folders : textOf(folders);
        if (!text.startsWith('/') || !text.endsWith('//')) return undefined;
        texts.set(schema, text);
      }
      tables.set(name, {
        created: String(created),
        location: String(location),
        layout: String(layout),
        keys: String(keys),
        partitions: knownPartitions(texts),
      });
    }
    return tables;
  } catch {
    return undefined;
  }
}

/** A state larger than this is not believed: a thousand tables of a hundred thousand partitions are far less. */
const LARGEST_BYTES = 512 * 1024 * 1024;
