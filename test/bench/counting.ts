import { readFileSync } from 'node:fs';
import type { Catalog } from '../../src/catalogs/catalog.ts';
import type { ObjectStore } from '../../src/storage/store.ts';

/** Requests to the object store and the catalogue, by what was asked. They do not depend on the machine. */
export interface Requests {
  store: Record<string, number>;
  catalog: Record<string, number>;
}

/** A store that counts what it is asked. A ranged read is one request; so is opening, which S3 answers with a HEAD, unless the version is known. */
export function countingStore(store: ObjectStore, requests: Requests): ObjectStore {
  const count = (name: string): void => {
    requests.store[name] = (requests.store[name] ?? 0) + 1;
  };
  return new Proxy(store, {
    get(target, name: keyof ObjectStore) {
      const method = target[name] as (...args: unknown[]) => unknown;
      return async (...args: unknown[]) => {
        if (name !== 'open' || args[1] === undefined) count(name);
        const result = await method.apply(target, args);
        if (name !== 'open') return result;
        const reader = result as Awaited<ReturnType<ObjectStore['open']>>;
        return {
          ...reader,
          url: reader.url,
          byteLength: reader.byteLength,
          cheapSeeks: reader.cheapSeeks,
          read: (start: number, end: number) => {
            count('range');
            return reader.read(start, end);
          },
          close: () => reader.close(),
        };
      };
    },
  });
}

export function countingCatalog(catalog: Catalog, requests: Requests): Catalog {
  return new Proxy(catalog, {
    get(target, name: keyof Catalog) {
      const member = target[name];
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => {
        requests.catalog[name] = (requests.catalog[name] ?? 0) + 1;
        return (member as (...args: unknown[]) => unknown).apply(target, args);
      };
    },
  });
}

/** Bytes this process has read and written through system calls (Linux), and its peak memory. */
export function processCosts(): { bytesRead: number; bytesWritten: number; peakBytes: number } {
  const io = Object.fromEntries(
    readFileSync('/proc/self/io', 'utf8')
      .trim()
      .split('\n')
      .map((line) => line.split(': ') as [string, string]),
  );
  return {
    bytesRead: Number(io.rchar),
    bytesWritten: Number(io.wchar),
    peakBytes: process.resourceUsage().maxRSS * 1024,
  };
}
