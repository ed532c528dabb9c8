import { LakegateError } from '../errors.ts';
import { createFileStore } from './file.ts';
import { createMemoryStore } from './memory.ts';
import type { S3StoreOptions } from './s3.ts';
import { isTableBucket, S3_SCHEMES } from './s3-url.ts';
import type { ExpectedObject, ObjectStore } from './store.ts';
import { schemeOf } from './urls.ts';

/** How much of an object is in memory at a time when it is copied from one store to another. */
const COPY_CHUNK_BYTES = 8 * 1024 * 1024;

export interface StoresOptions {
  s3?: S3StoreOptions;
}

/**
 * All stores behind one port: each URL goes to the store of its scheme (`file:` and bare absolute paths, `memory:`, `s3:` as also `s3a:` and
 * `s3n:`). Copies within a store stay inside it; between stores the bytes pass through, a chunk at a time. The AWS SDK is loaded when the
 * first URL of S3 comes. Buckets of S3 Tables take bytes only: copies into them pass through, deletes in them are left to S3, and they list nothing.
 * Every operation @throws LakegateError `unsupported` for a scheme without a store
 */
export function createStores(options: StoresOptions = {}): ObjectStore {
  const file = createFileStore();
  const memory = createMemoryStore();
  const s3 = once(async () => (await import('./s3.ts')).createS3Store(options.s3));
  const stores = new Map<string, () => ObjectStore | Promise<ObjectStore>>([
    ['file', () => file],
    ['memory', () => memory],
    ...S3_SCHEMES.map((scheme) => [scheme, s3] as const),
  ]);

  function openerOf(url: string): () => ObjectStore | Promise<ObjectStore> {
    const scheme = schemeOf(url);
    const opener = stores.get(scheme);
    if (opener !== undefined) return opener;
    throw new LakegateError(
      'unsupported',
      `Cannot reach ${url}: there is no store for "${scheme}:". Expected one of: file:, memory:, s3:, or an absolute path.`,
      { context: { url, scheme } },
    );
  }
  const storeOf = async (url: string) => openerOf(url)();

  async function copy(from: string, to: string, expected?: ExpectedObject): Promise<void> {
    const [source, target] = [await storeOf(from), await storeOf(to)];
    await (source === target && !isTableBucket(to)
      ? source.copy(from, to, expected)
      : copyAcross({ store: source, url: from, expected }, { store: target, url: to }));
  }

  return {
    head: async (url) => (await storeOf(url)).head(url),
    open: async (url, expected) => (await storeOf(url)).open(url, expected),
    read: async (url) => (await storeOf(url)).read(url),
    create: async (url, bytes) => (await storeOf(url)).create(url, bytes),
    replace: async (url, bytes, etag) => (await storeOf(url)).replace(url, bytes, etag),
    writer: async (url) => (await storeOf(url)).writer(url),
    copy,
    async move(from, to, expected) {
      const [source, target] = [await storeOf(from), await storeOf(to)];
      if (source === target && source.move !== undefined) return source.move(from, to, expected);
      await copy(from, to, expected);
      await source.delete([from]);
    },
    async delete(urls) {
      const byStore = Map.groupBy(
        urls.filter((url) => !isTableBucket(url)),
        openerOf,
      );
      for (const [open, own] of byStore) await (await open()).delete(own);
    },
    async *list(prefix) {
      if (isTableBucket(prefix)) return;
      yield* (await storeOf(prefix)).list(prefix);
    },
    async *unfinished(prefix, olderThanMs) {
      if (isTableBucket(prefix)) return;
      yield* (await storeOf(prefix)).unfinished?.(prefix, olderThanMs) ?? [];
    },
  };
}

/** Makes a thing when it is first asked for, and gives the same one from then on. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

async function copyAcross(
  { store: source, url: from, expected }: { store: ObjectStore; url: string; expected?: ExpectedObject },
  { store: target, url: to }: { store: ObjectStore; url: string },
): Promise<void> {
  const reader = await source.open(from, expected);
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
