/** Folders that are known to be partitions, as a tree: what a listing is held against. */
export interface KnownFolder {
  /** By folder name. Leaves have none. */
  readonly children: Map<string, KnownFolder>;
}

/** What a folder without known folders has; there may be millions of those. */
const NONE: Map<string, KnownFolder> = new Map();

/** @param prefixes of partitions, relative to the table, each ending in `/` */
export function knownFolders(prefixes: Iterable<string>): KnownFolder {
  const root: { children: Map<string, KnownFolder> } = { children: NONE };
  for (const prefix of prefixes) {
    let folder = root;
    for (const name of prefix.slice(0, -1).split('/')) {
      let child = folder.children.get(name);
      if (child === undefined) {
        child = { children: NONE };
        if (folder.children === NONE) folder.children = new Map();
        folder.children.set(name, child);
      }
      folder = child;
    }
  }
  return root;
}

/** Every partition under a folder. @param prefix of the folder itself, ending in `/`, or empty */
export function* partitionsUnder(folder: KnownFolder, prefix: string): Generator<string> {
  if (folder.children.size === 0) {
    if (prefix !== '') yield prefix;
    return;
  }
  for (const [name, child] of folder.children) yield* partitionsUnder(child, `${prefix}${name}/`);
}

/**
 * The order in which a store lists folders: by the UTF-8 bytes of their keys, the slash at the end included, so that `a-b/` comes before `a/`.
 * @param a, b names of folders without their slash
 */
export function compareFolders(a: string, b: string): number {
  if (a === b) return 0;
  // Only beyond U+D7FF does the order of JavaScript's strings differ from that of their bytes.
  if (HIGH.test(a) || HIGH.test(b)) return Buffer.compare(Buffer.from(`${a}/`), Buffer.from(`${b}/`));
  if (b.startsWith(a)) return '/' < b.charAt(a.length) ? -1 : 1;
  if (a.startsWith(b)) return a.charAt(b.length) < '/' ? -1 : 1;
  return a < b ? -1 : 1;
}

/** The same order for whole ways from the table to a folder, each ending in `/`. */
export function comparePrefixes(a: string, b: string): number {
  if (a === b) return 0;
  if (HIGH.test(a) || HIGH.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : 1;
}

const HIGH = /[\ud800-\uffff]/;

/** The folders under one, as a store lists them. */
export function sortedNames(folder: KnownFolder): string[] {
  return [...folder.children.keys()].sort(compareFolders);
}
