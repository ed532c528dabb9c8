import type { ObjectStore } from '../storage/store.ts';

/** Bytes kept for each store: the manifests and lists of some batches. */
const KEPT_BYTES = 32 * 1024 * 1024;

interface Kept {
  /** By URL, oldest first. */
  files: Map<string, Uint8Array>;
  total: number;
}

/**
 * Metadata files that this process has just written, byte for byte as the store has taken them: a file of unique name that was created and
 * acknowledged is what every reader of the store will see, so reading it back would only cost a request.
 */
const keptByStore = new WeakMap<ObjectStore, Kept>();

/** To be called when the store has acknowledged the file, not before. */
export function rememberWritten(store: ObjectStore, url: string, bytes: Uint8Array): void {
  let kept = keptByStore.get(store);
  if (kept === undefined) {
    kept = { files: new Map(), total: 0 };
    keptByStore.set(store, kept);
  }
  kept.files.set(url, bytes);
  kept.total += bytes.byteLength;
  for (const [oldest, { byteLength }] of kept.files) {
    if (kept.total <= KEPT_BYTES) break;
    kept.files.delete(oldest);
    kept.total -= byteLength;
  }
}

/** The whole file as the store has it. Throws as `ObjectStore.read`. */
export async function readWritten(store: ObjectStore, url: string): Promise<Uint8Array> {
  return keptByStore.get(store)?.files.get(url) ?? (await store.read(url)).bytes;
}
