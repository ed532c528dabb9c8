import type { Catalog } from '../../src/catalogs/catalog.ts';
import type { Lake } from '../../src/compose.ts';
import type { ObjectStore, ObjectWriter } from '../../src/storage/store.ts';

/**
 * Stands around one call to the outside. It may not let it through, or let it through and then not give the answer.
 * @param name `store.create`, `catalog.commit`, …
 */
export type Around = <T>(name: string, call: () => Promise<T>) => Promise<T>;

/** Calls that change something. */
export const CHANGES = [
  'store.create',
  'store.replace',
  'store.copy',
  'store.writer',
  'store.write',
  'store.finish',
  'store.delete',
  'catalog.createTable',
  'catalog.commit',
] as const;

/** The store with every call put through `around`. */
export function interceptStore(store: ObjectStore, around: Around): ObjectStore {
  return {
    head: (url) => around('store.head', () => store.head(url)),
    open: (url, expected) =>
      around('store.open', async () => {
        const reader = await store.open(url, expected);
        return { ...reader, read: (start, end) => around('store.range', () => reader.read(start, end)) };
      }),
    read: (url) => around('store.read', () => store.read(url)),
    create: (url, bytes) => around('store.create', () => store.create(url, bytes)),
    replace: (url, bytes, etag) => around('store.replace', () => store.replace(url, bytes, etag)),
    copy: (from, to, expected) => around('store.copy', () => store.copy(from, to, expected)),
    async writer(url) {
      let writer: ObjectWriter | undefined;
      try {
        return await around('store.writer', async () => {
          const made = await store.writer(url);
          writer = made;
          return {
            write: (bytes: Uint8Array) => around('store.write', () => made.write(bytes)),
            finish: () => around('store.finish', () => made.finish()),
            abort: () => made.abort(),
          };
        });
      } catch (error) {
        // Nobody else has it to close it.
        await writer?.abort();
        throw error;
      }
    },
    delete: (urls) => around('store.delete', () => store.delete(urls)),
    list: (prefix) => store.list(prefix),
    ...(store.unfinished === undefined ? {} : { unfinished: store.unfinished.bind(store) }),
  };
}

/** The lake with every call to its catalogues put through `around`. */
export function interceptCatalogs(lake: Lake, around: Around): Lake {
  const wrapped = new Map<string, Catalog>();
  const catalog = (name: string): Catalog => {
    const known = wrapped.get(name);
    if (known !== undefined) return known;
    const inner = lake.ports.catalog(name);
    const outer: Catalog = {
      ...inner,
      loadTable: (table) => around('catalog.loadTable', () => inner.loadTable(table)),
      findTable: (table) => around('catalog.findTable', () => inner.findTable(table)),
      createTable: (table, definition) => around('catalog.createTable', () => inner.createTable(table, definition)),
      commit: (base, requirements, updates) =>
        around('catalog.commit', () => inner.commit(base, requirements, updates)),
    };
    wrapped.set(name, outer);
    return outer;
  };
  return { ...lake, ports: { ...lake.ports, catalog } };
}
