/** Folders that are known to be partitions, as a tree: what a listing is held against. */
export interface KnownFolder {
  /** By folder name. Leaves have none. */
  readonly children: Map<string, KnownFolder>;
}

/** @param prefixes of partitions, relative to the table, each ending in `/` */
export function knownFolders(prefixes: Iterable<string>): KnownFolder {
  const root: KnownFolder = { children: new Map() };
  for (const prefix of prefixes) {
    let folder = root;
    for (const name of prefix.slice(0, -1).split('/')) {
      let child = folder.children.get(name);
      if (child === undefined) {
        child = { children: new Map() };
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

/** The partition under a folder that sorts last. */
export function lastUnder(folder: KnownFolder, prefix: string): string {
  let last = '';
  for (const name of folder.children.keys()) if (name > last) last = name;
  return last === '' ? prefix : lastUnder(folder.children.get(last)!, `${prefix}${last}/`);
}
