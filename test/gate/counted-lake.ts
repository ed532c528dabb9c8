/** A lake in memory whose store answers as S3 does and whose requests are written down, one line each. */
import type { Catalog } from '../../src/catalogs/catalog.ts';
import { composeLake, type Lake } from '../../src/compose.ts';
import type { TableConfig } from '../../src/config/model.ts';
import { LakegateError } from '../../src/errors.ts';
import { createMemoryStore } from '../../src/storage/memory.ts';
import type { ExpectedObject, ObjectStore } from '../../src/storage/store.ts';
import { lakeConfig } from '../faults/lake.ts';

/** What a request is about, by where the object lies. */
const KINDS: readonly (readonly [RegExp, string])[] = [
  [/\/records\/_batches\//, 'batch outcome'],
  [/\/records\//, 'record'],
  [/\/raw\//, 'drop'],
  [/\.metadata\.json$/, 'table metadata'],
  [/\/snap-[^/]*\.avro$/, 'manifest list'],
  [/\.avro$/, 'manifest'],
  [/\/data\//, 'data file'],
];

/** Keys that S3 lists with one request, and deletes with one. */
const PAGE = 1000;

function kindOf(url: string): string {
  return KINDS.find(([pattern]) => pattern.test(url))?.[1] ?? url;
}

/**
 * The store as S3 would be asked: what is opened in a known version costs no HEAD, a copy is one request, ranges, pages and batches of deletes are
 * one each. Local caches of the process hang on this object, so that a new one stands for a cold process.
 */
function countedStore(inner: ObjectStore, requests: string[]): ObjectStore {
  const asked = (method: string, url: string) => requests.push(`${method} ${kindOf(url)}`);
  const check = async (url: string, expected: ExpectedObject): Promise<void> => {
    if ((await inner.head(url))?.etag === expected.etag) return;
    throw new LakegateError('not_found', `${url} is not there in the expected version`, { context: { url } });
  };
  return {
    async head(url) {
      asked('HEAD', url);
      return inner.head(url);
    },
    async open(url, expected) {
      if (expected === undefined) asked('HEAD', url);
      const reader = await inner.open(url);
      return {
        ...reader,
        cheapSeeks: false,
        async read(start, end, room) {
          asked('GET range', url);
          if (expected !== undefined) await check(url, expected);
          return reader.read(start, end, room);
        },
      };
    },
    async read(url) {
      asked('GET', url);
      return inner.read(url);
    },
    async create(url, bytes) {
      asked('PUT', url);
      return inner.create(url, bytes);
    },
    async replace(url, bytes, etag) {
      asked('PUT', url);
      return inner.replace(url, bytes, etag);
    },
    async copy(from, to, expected) {
      if (expected === undefined) asked('HEAD', from);
      else await check(from, expected);
      asked('COPY', from);
      await inner.copy(from, to);
    },
    async writer(url) {
      const writer = await inner.writer(url);
      return {
        ...writer,
        async finish() {
          asked('PUT', url);
          return writer.finish();
        },
      };
    },
    async delete(urls) {
      for (let start = 0; start < urls.length; start += PAGE) requests.push('DELETE');
      return inner.delete(urls);
    },
    async *list(prefix) {
      let listed = 0;
      for await (const object of inner.list(prefix)) {
        if (listed % PAGE === 0) requests.push('LIST');
        listed += 1;
        yield object;
      }
      if (listed === 0) requests.push('LIST');
    },
  };
}

function countedCatalog(inner: Catalog, requests: string[]): Catalog {
  const asked = (what: string) => requests.push(`catalogue ${what}`);
  return {
    ...inner,
    async findTable(table) {
      asked('load');
      return inner.findTable(table);
    },
    async loadTable(table) {
      asked('load');
      return inner.loadTable(table);
    },
    async createTable(table, definition) {
      asked('create');
      return inner.createTable(table, definition);
    },
    async commit(base, requirements, updates) {
      asked('commit');
      return inner.commit(base, requirements, updates);
    },
  };
}

export interface CountedLake {
  /** The bytes, past all counting. */
  store: ObjectStore;
  /** Opens the lake as a new process does, with nothing in memory. */
  open(): Promise<{ lake: Lake; requests: string[] }>;
}

/** @param folder where the catalogue's file lies, absolute path */
export function countedLake(folder: string, table: Partial<TableConfig> = {}): CountedLake {
  const store = createMemoryStore();
  const base = lakeConfig(folder, table);
  const warehouse = 'memory:/warehouse/';
  const local = { ...base.catalogs.local!, warehouse } as (typeof base.catalogs)[string];
  const config = { ...base, raw: 'memory:/raw/', warehouse, records: 'memory:/records/', catalogs: { local } };
  return {
    store,
    async open() {
      const requests: string[] = [];
      const counted = countedStore(store, requests);
      const notifier = { notify: async () => void requests.push('(people are told)') };
      const lake = await composeLake(config, { env: {}, cwd: '/', store: counted, notifier });
      const { catalog } = lake.ports;
      const catalogs = new Map<string, Catalog>();
      lake.ports.catalog = (name) => {
        const known = catalogs.get(name) ?? countedCatalog(catalog(name), requests);
        catalogs.set(name, known);
        return known;
      };
      return { lake, requests };
    },
  };
}
