import { isKind } from '../errors.ts';
import type { ObjectStore } from '../storage/store.ts';

/** How far repeated work came, from one run to the next: one small object. */
export interface Progress<T> {
  /** Undefined before the first run, and where the object is damaged: the work then begins anew. */
  load(): Promise<T | undefined>;
  /** Runs that overlap do the same work; the later word stands. */
  save(value: T): Promise<void>;
}

/** @param isValid whether what the object holds is what it should be */
export function createProgress<T>(
  store: ObjectStore,
  url: string,
  isValid: (value: unknown) => value is T,
): Progress<T> {
  const read = async (): Promise<{ bytes: Uint8Array; etag: string } | undefined> => {
    try {
      return await store.read(url);
    } catch (error) {
      if (isKind(error, 'not_found')) return undefined;
      throw error;
    }
  };
  return {
    async load() {
      const found = await read();
      if (found === undefined) return undefined;
      try {
        const value: unknown = JSON.parse(new TextDecoder().decode(found.bytes));
        return isValid(value) ? value : undefined;
      } catch {
        return undefined;
      }
    },
    async save(value) {
      const bytes = new TextEncoder().encode(`${JSON.stringify(value)}\n`);
      const found = await read();
      if (found === undefined) await store.create(url, bytes);
      else await store.replace(url, bytes, found.etag);
    },
  };
}
