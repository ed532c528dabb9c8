import pLimit from 'p-limit';
import { type KnownFolder, lastUnder, partitionsUnder } from './known.ts';
import type { Layout } from './layout.ts';
import type { FoundPrefixes } from './model.ts';

/** Lists folders, never the objects in them. */
export interface FolderLister {
  /**
   * Names of the folders directly under one, in key order, page by page.
   * @param prefix relative to the table's location, ending in `/`, or empty
   * @param after only names that sort after this folder, all of it passed over
   */
  folders(prefix: string, after?: string): AsyncIterable<string[]>;
}

export interface WalkOptions {
  layout: Layout;
  /** When a partition's period begins, milliseconds since the epoch; undefined where its folder tells no time. */
  timeOf(prefix: string): number | undefined;
  known: KnownFolder;
  /**
   * What is older than the newest known partition by more than this is taken to be as it is known, and not listed. Milliseconds; undefined: the
   * whole table is listed.
   */
  lookbackMs?: number;
  /** Listings at the same time. */
  atOnce: number;
}

/** What a walk saw. */
export interface Walk extends FoundPrefixes {
  /** `partitions` holds those that were not known; these were known and are not there any more. */
  gone: string[];
  /** Known ones that were seen, or taken to be there. */
  unchanged: number;
  /** Whether every folder was looked at. */
  complete: boolean;
}

/** Folders that writers use for themselves: `_temporary`, `.hive-staging`, `_spark_metadata`. */
const HIDDEN = /^[._]/;

/**
 * Finds the partitions that a table's folders hold, level by level, by delimiter. Folders whose partitions are all known and older than the
 * look-back are passed over, and listings start after them (`StartAfter`).
 */
export async function walk(lister: FolderLister, options: WalkOptions): Promise<Walk> {
  const { layout, known, lookbackMs } = options;
  const limit = pLimit(options.atOnce);
  const result: Walk = { partitions: [], rejected: [], gone: [], unchanged: 0, complete: true };

  async function visit(level: number, prefix: string, folder: KnownFolder | undefined): Promise<void> {
    const old = folder === undefined ? undefined : oldChildren(folder, prefix, options);
    const passedOver = new Set(old?.names);
    if (passedOver.size > 0) result.complete = false;
    const below: (() => Promise<void>)[] = [];
    const seen = new Set<string>();
    await limit(async () => {
      for await (const names of lister.folders(prefix, old?.after)) {
        for (const name of names) {
          seen.add(name);
          const own = `${prefix}${name}/`;
          const child = folder?.children.get(name);
          if (child === undefined && !accepts(level, name, own)) continue;
          if (level + 1 < layout.depth) below.push(() => visit(level + 1, own, child));
          else if (child === undefined) take(own);
          else result.unchanged += 1;
        }
      }
    });
    for (const [name, child] of folder?.children ?? []) {
      if (seen.has(name)) continue;
      const own = [...partitionsUnder(child, `${prefix}${name}/`)];
      if (passedOver.has(name)) result.unchanged += own.length;
      else result.gone.push(...own);
    }
    await Promise.all(below.map((visitChild) => visitChild()));
  }

  function accepts(level: number, name: string, prefix: string): boolean {
    const fault = layout.levelFault(level, name);
    if (fault === undefined) return true;
    if (!HIDDEN.test(name)) result.rejected.push({ prefix, reason: fault });
    return false;
  }

  function take(prefix: string): void {
    const parsed = layout.parse(prefix);
    if ('fault' in parsed) result.rejected.push({ prefix, reason: parsed.fault });
    else result.partitions.push({ values: parsed.values, prefix });
  }

  await visit(0, '', known);
  if (lookbackMs === undefined) result.complete = true;
  return result;
}

/**
 * Children whose newest partition is older than the look-back, as far as they come first in key order: a listing can start after them. None
 * where the folders tell no time, or not in the order in which they sort.
 */
function oldChildren(
  folder: KnownFolder,
  prefix: string,
  { lookbackMs, timeOf }: WalkOptions,
): { names: string[]; after: string } | undefined {
  if (lookbackMs === undefined || folder.children.size === 0) return undefined;
  const newest = timeOf(lastUnder(folder, prefix));
  if (newest === undefined) return undefined;
  const names = [...folder.children.keys()].sort();
  // Times rise with the names, so the first recent one is found by halving.
  let [low, high] = [0, names.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const name = names[middle]!;
    const time = timeOf(lastUnder(folder.children.get(name)!, `${prefix}${name}/`));
    if (time !== undefined && time < newest - lookbackMs) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? undefined : { names: names.slice(0, low), after: names[low - 1]! };
}
