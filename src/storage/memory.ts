import { LakegateError } from '../errors.ts';
import type { ExpectedObject, ObjectInfo, ObjectStore } from './store.ts';
import { compareKeys, pathOf, splitPrefix } from './urls.ts';

interface StoredObject {
  readonly bytes: Uint8Array;
  readonly etag: string;
  readonly lastModified: number;
}

/**
 * The object store in the process's memory, `memory:/a/b`: for tests, and for a trial without a disk. Every operation is atomic, because none
 * waits between looking and changing.
 * @param now the clock behind `lastModified`, milliseconds since the epoch
 */
export function createMemoryStore(now: () => number = Date.now): ObjectStore {
  const objects = new Map<string, StoredObject>();
  let versions = 0;

  function put(key: string, bytes: Uint8Array): { etag: string } {
    versions += 1;
    const etag = `m${versions}`;
    // Copied, as a disk would: what the caller does to its buffer afterwards is its own affair.
    objects.set(key, { bytes: Uint8Array.from(bytes), etag, lastModified: now() });
    return { etag };
  }

  /** Puts the object unless one of the same size is there. */
  function putOnce(key: string, bytes: Uint8Array, url: string): void {
    const present = objects.get(key);
    if (present === undefined) {
      put(key, bytes);
    } else if (present.bytes.byteLength !== bytes.byteLength) {
      throw new LakegateError(
        'exists',
        `${url} already exists with ${present.bytes.byteLength} bytes, expected ${bytes.byteLength}: another object has this name. Delete it or choose another name.`,
        { context: { url } },
      );
    }
  }

  function get(url: string, expected?: ExpectedObject): StoredObject {
    const object = objects.get(keyOf(url));
    if (object === undefined) throw new LakegateError('not_found', `There is no object ${url}.`, { context: { url } });
    if (expected === undefined || expected.etag === object.etag) return object;
    throw new LakegateError(
      'not_found',
      `${url} was replaced: expected version ${expected.etag}, found ${object.etag}. Look at it again and take what is there now.`,
      { context: { url, expected: expected.etag, found: object.etag } },
    );
  }

  return {
    async head(url) {
      const object = objects.get(keyOf(url));
      return object === undefined ? undefined : infoOf(url, object);
    },
    async open(url, expected) {
      const { bytes } = get(url, expected);
      return {
        url,
        byteLength: bytes.byteLength,
        cheapSeeks: true,
        read: async (start, end) => bytes.slice(Math.max(0, start), Math.max(0, end)),
        close: async () => undefined,
      };
    },
    async read(url) {
      const { bytes, etag } = get(url);
      return { bytes: bytes.slice(), etag };
    },
    async create(url, bytes) {
      const key = keyOf(url);
      return objects.has(key) ? undefined : put(key, bytes);
    },
    async replace(url, bytes, etag) {
      const key = keyOf(url);
      return objects.get(key)?.etag === etag ? put(key, bytes) : undefined;
    },
    async copy(from, to, expected) {
      putOnce(keyOf(to), get(from, expected).bytes, to);
    },
    async writer(url) {
      const key = keyOf(url);
      let parts: Uint8Array[] = [];
      return {
        async write(bytes) {
          parts.push(Uint8Array.from(bytes));
        },
        async finish() {
          const whole = Buffer.concat(parts);
          parts = [];
          putOnce(key, whole, url);
          return { size: whole.byteLength };
        },
        async abort() {
          parts = [];
        },
      };
    },
    async delete(urls) {
      for (const url of urls) objects.delete(keyOf(url));
    },
    async *list(prefix) {
      const { folder, stem } = splitPrefix(prefix);
      const root = pathOf(folder, 'memory');
      const keys = [...objects.keys()].filter((key) => key.startsWith(root + stem)).sort(compareKeys);
      for (const key of keys) {
        const object = objects.get(key);
        if (object !== undefined) yield infoOf(folder + key.slice(root.length), object);
      }
    },
  };
}

function infoOf(url: string, object: StoredObject): ObjectInfo {
  return { url, size: object.bytes.byteLength, etag: object.etag, lastModified: object.lastModified };
}

function keyOf(url: string): string {
  const path = pathOf(url, 'memory');
  if (!path.endsWith('/')) return path;
  throw new LakegateError('invalid', `"${url}" names a folder; expected the URL of one object.`, { context: { url } });
}
