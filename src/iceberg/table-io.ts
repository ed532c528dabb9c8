import type { ObjectStore } from '../storage/store.ts';
import { type DecodedManifest, decodeManifest } from './manifest.ts';
import { decodeManifestList, UNKNOWN_COUNT } from './manifest-list.ts';
import type { ManifestEntry, ManifestFile, Snapshot } from './model.ts';

/** What reading and writing a table's files takes from the outside. */
export interface TableIO {
  store: ObjectStore;
  /** Milliseconds since the epoch, UTC. */
  now(): number;
  uuid(): string;
  /** A random positive 63-bit id. */
  snapshotId(): bigint;
}

/** Reads that are under way at once: enough to hide a store's round trips, few enough for its rate limits. */
const CONCURRENT_READS = 16;
/** Entries (of manifests and manifest lists) that are kept in memory: about 100 MB with ten columns of statistics. */
const CACHED_ENTRIES = 50_000;

interface Cache {
  manifests: Map<string, Promise<DecodedManifest>>;
  lists: Map<string, Promise<ManifestFile[]>>;
  /** Entries held, by path, oldest use first: what to drop. */
  weights: Map<string, number>;
  total: number;
}

/** Manifests and manifest lists never change once written, so a path is read once per process as long as it fits. */
const caches = new WeakMap<ObjectStore, Cache>();

/**
 * The manifests of a snapshot, from its manifest list.
 * @throws LakegateError `not_found` | `corrupt` | `unsupported` | `unavailable`
 */
export async function loadManifests(io: TableIO, snapshot: Snapshot): Promise<ManifestFile[]> {
  const url = snapshot.manifestList;
  const cache = cacheOf(io.store);
  return cached(cache, cache.lists, url, async () => {
    const manifests = decodeManifestList((await io.store.read(url)).bytes, url);
    return Promise.all(manifests.map((manifest) => withCounts(io, manifest)));
  });
}

/**
 * The entries of a manifest with snapshot id and sequence numbers inherited (spec: "Sequence Number Inheritance").
 * @throws LakegateError `not_found` | `corrupt` | `unsupported` | `unavailable`
 */
export async function loadEntries(io: TableIO, manifest: ManifestFile): Promise<ManifestEntry[]> {
  const { entries } = await loadManifest(io, manifest);
  return entries.map((entry) => inherit(entry, manifest));
}

/** A manifest as it is written, nothing inherited. Throws as `loadEntries`. */
export async function loadManifest(io: TableIO, manifest: ManifestFile): Promise<DecodedManifest> {
  const url = manifest.manifestPath;
  const cache = cacheOf(io.store);
  return cached(cache, cache.manifests, url, async () => decodeManifest((await io.store.read(url)).bytes, url));
}

/** Files that are in the table by these entries: added or carried on, not deleted. */
export function isLive(entry: ManifestEntry): boolean {
  return entry.status !== 'deleted';
}

/** Whether a manifest has anything but deleted entries; one that has not is listed by the snapshot that wrote it only. */
export function hasLiveFiles(manifest: ManifestFile): boolean {
  return manifest.addedFilesCount + manifest.existingFilesCount > 0;
}

/**
 * Calls `visit` with each manifest's inherited entries, several reads at once, in no particular order.
 * Stops reading further manifests as soon as `visit` gives false.
 */
export async function visitEntries(
  io: TableIO,
  manifests: readonly ManifestFile[],
  visit: (manifest: ManifestFile, entries: ManifestEntry[]) => boolean | undefined,
): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < manifests.length) {
      const manifest = manifests[next++]!;
      if (visit(manifest, await loadEntries(io, manifest)) === false) next = manifests.length;
    }
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENT_READS, manifests.length) }, worker));
}

/** Puts what was just written into the cache: the process that stages is mostly the one that publishes. */
export function rememberManifest(io: TableIO, url: string, manifest: DecodedManifest): void {
  const cache = cacheOf(io.store);
  cache.manifests.set(url, Promise.resolve(manifest));
  weigh(cache, url, manifest.entries.length);
}

/** As `rememberManifest`, for a manifest list. */
export function rememberManifestList(io: TableIO, url: string, manifests: ManifestFile[]): void {
  const cache = cacheOf(io.store);
  cache.lists.set(url, Promise.resolve(manifests));
  weigh(cache, url, manifests.length);
}

function inherit(entry: ManifestEntry, manifest: ManifestFile): ManifestEntry {
  // Entries from before format version 2 have no sequence number at all, and their manifests have number 0.
  const inherits = entry.status === 'added' || manifest.sequenceNumber === 0;
  const own = inherits ? manifest.sequenceNumber : undefined;
  const sequenceNumber = entry.sequenceNumber ?? own;
  const fileSequenceNumber = entry.fileSequenceNumber ?? own;
  return {
    status: entry.status,
    snapshotId: entry.snapshotId ?? manifest.addedSnapshotId,
    ...(sequenceNumber === undefined ? {} : { sequenceNumber }),
    ...(fileSequenceNumber === undefined ? {} : { fileSequenceNumber }),
    dataFile: entry.dataFile,
  };
}

/** Version 1 writers may leave counts out; they are counted then, because a manifest taken for empty would be lost. */
async function withCounts(io: TableIO, manifest: ManifestFile): Promise<ManifestFile> {
  const counts = [manifest.addedFilesCount, manifest.existingFilesCount, manifest.deletedFilesCount];
  const rows = [manifest.addedRowsCount, manifest.existingRowsCount, manifest.deletedRowsCount];
  if (![...counts, ...rows].includes(UNKNOWN_COUNT)) return manifest;
  const { entries } = await loadManifest(io, manifest);
  return { ...manifest, ...countEntries(entries) };
}

/** The counters of a manifest list's entry over these entries. */
export function countEntries(entries: readonly ManifestEntry[]) {
  const files = { added: 0, existing: 0, deleted: 0 };
  const rows = { added: 0, existing: 0, deleted: 0 };
  for (const { status, dataFile } of entries) {
    files[status] += 1;
    rows[status] += dataFile.recordCount;
  }
  return {
    addedFilesCount: files.added,
    existingFilesCount: files.existing,
    deletedFilesCount: files.deleted,
    addedRowsCount: rows.added,
    existingRowsCount: rows.existing,
    deletedRowsCount: rows.deleted,
  };
}

function cacheOf(store: ObjectStore): Cache {
  let cache = caches.get(store);
  if (cache === undefined) {
    cache = { manifests: new Map(), lists: new Map(), weights: new Map(), total: 0 };
    caches.set(store, cache);
  }
  return cache;
}

async function cached<T extends ManifestFile[] | DecodedManifest>(
  cache: Cache,
  part: Map<string, Promise<T>>,
  url: string,
  load: () => Promise<T>,
): Promise<T> {
  let reading = part.get(url);
  if (reading === undefined) {
    reading = load();
    part.set(url, reading);
  }
  try {
    const value = await reading;
    weigh(cache, url, Array.isArray(value) ? value.length : value.entries.length);
    return value;
  } catch (error) {
    part.delete(url);
    throw error;
  }
}

/** Marks a path as used just now and drops the least recently used ones beyond the bound. */
function weigh(cache: Cache, url: string, entries: number): void {
  forget(cache, url);
  cache.weights.set(url, entries + 1);
  cache.total += entries + 1;
  for (const oldest of cache.weights.keys()) {
    if (cache.total <= CACHED_ENTRIES) break;
    forget(cache, oldest);
    cache.manifests.delete(oldest);
    cache.lists.delete(oldest);
  }
}

function forget(cache: Cache, url: string): void {
  cache.total -= cache.weights.get(url) ?? 0;
  cache.weights.delete(url);
}
