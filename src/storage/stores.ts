import { LakegateError } from '../errors.ts';
import { createFileStore } from './file.ts';
import { createMemoryStore } from './memory.ts';
import type { ObjectStore } from './store.ts';
import { schemeOf } from './urls.ts';

/** How much of an object is in memory at a time when it is copied from one store to another. */
const COPY_CHUNK_BYTES = 8 * 1024 * 1024;

/**
 * All stores behind one port: each URL goes to the store of its scheme (`file:` and bare absolute paths, `memory:`). Copies within a scheme
 * stay inside that store; between schemes the bytes pass through, a chunk at a time.
 * Every operation @throws LakegateError `unsupported` for a scheme without a store
 */
export function createStores(): ObjectStore {
  const stores = new Map<string, ObjectStore>([
    ['file', createFileStore()],
    ['memory', createMemoryStore()],
  ]);

  function storeOf(url: string): ObjectStore {
    const scheme = schemeOf(url);
    const store = stores.get(scheme);
    if (store !== undefined) return store;
    throw new LakegateError(
      'unsupported',
      `Cannot reach ${url}: there is no store for "${scheme}:". Expected one of: ${[...stores.keys()].map((known) => `${known}:`).join(', ')}, or an absolute path.`,
      { context: { url, scheme } },
    );
  }

  return {
    head: async (url) => storeOf(url).head(url),
    open: async (url) => storeOf(url).open(url),
    read: async (url) => storeOf(url).read(url),
    create: async (url, bytes) => storeOf(url).create(url, bytes),
    replace: async (url, bytes, etag) => storeOf(url).replace(url, bytes, etag),
    writer: async (url) => storeOf(url).writer(url),
    async copy(from, to) {
      const source = storeOf(from);
      const target = storeOf(to);
      await (source === target ? source.copy(from, to) : copyAcross(source, from, target, to));
    },
    async delete(urls) {
      const byStore = Map.groupBy(urls, storeOf);
      for (const [store, own] of byStore) await store.delete(own);
    },
    async *list(prefix) {
      yield* storeOf(prefix).list(prefix);
    },
    async *unfinished(prefix, olderThanMs) {
      yield* storeOf(prefix).unfinished?.(prefix, olderThanMs) ?? [];
    },
  };
}

async function copyAcross(source: ObjectStore, from: string, target: ObjectStore, to: string): Promise<void> {
  const reader = await source.open(from);
  try {
    const present = await target.head(to);
    if (present?.size === reader.byteLength) return;
    if (present !== undefined) {
      throw new LakegateError(
        'exists',
        `${to} already exists with ${present.size} bytes, expected ${reader.byteLength}: another object has this name. Delete it or choose another name.`,
        { context: { from, to } },
      );
    }
    const writer = await target.writer(to);
    try {
      for (let start = 0; start < reader.byteLength; start += COPY_CHUNK_BYTES) {
        await writer.write(await reader.read(start, start + COPY_CHUNK_BYTES));
      }
      await writer.finish();
    } catch (error) {
      await writer.abort();
      throw error;
    }
  } finally {
    await reader.close();
  }
}
