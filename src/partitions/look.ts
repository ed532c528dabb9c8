import { type FolderLister, isHiddenFolder } from './walk.ts';

/**
 * Some folders at the deepest level of a table, for a proposal of its layout: the first and the last names of each level, since names of the
 * same form change most between those.
 * @param depth levels that are gone down at most; folders that have none under them end earlier
 */
export async function lookAtFolders(lister: FolderLister, depth: number): Promise<string[]> {
  let level = [''];
  for (let i = 0; i < depth; i += 1) {
    const below: string[] = [];
    for (const prefix of level) {
      const names = await firstPage(lister, prefix);
      below.push(...ends(names).map((name) => `${prefix}${name}/`));
    }
    if (below.length === 0) return i === 0 ? [] : level;
    level = ends(below);
  }
  return level;
}

/** Names looked at from each end of a level. */
const ENDS = 25;

function ends(names: readonly string[]): string[] {
  return names.length <= 2 * ENDS ? [...names] : [...names.slice(0, ENDS), ...names.slice(-ENDS)];
}

async function firstPage(lister: FolderLister, prefix: string): Promise<string[]> {
  for await (const names of lister.folders(prefix)) return names.filter((name) => name !== '' && !isHiddenFolder(name));
  return [];
}
