import { compareFolders, type KnownFolder, partitionsUnder, sortedNames } from './known.ts';
import type { Head } from './known-head.ts';
import type { Layout } from './layout.ts';
import type { FoundPrefixes } from './model.ts';
import type { Period } from './partition-time.ts';

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
  known: KnownFolder;
  /** Known folders at the beginning of the table that are left out of `known`, because all are past the look-back. */
  head?: Head;
  /**
   * What is older than the newest known partition beside it by more than this is taken to be as it is known, and not listed. Milliseconds;
   * undefined: the whole table is listed.
   */
  lookbackMs?: number;
  /**
   * The time it is. A folder that begins later (`dt=9999-12-31`) is not taken for the newest one while others are there: all that is filled today
   * would be past the look-back.
   */
  now?: number;
  /** Makes a listing when its turn comes. */
  limit: <T>(work: () => Promise<T>) => Promise<T>;
}

/** What a walk saw. */
export interface Walk extends FoundPrefixes {
  /** `partitions` holds those that were not known; these were known and are not there any more. */
  gone: string[];
  /** Known ones that were seen, or taken to be there. */
  unchanged: number;
  /** Folders of partitions that a listing named. None, where some are known: the place may be empty, and it may be the wrong one. */
  seen: number;
  /** Whether every folder was looked at. */
  complete: boolean;
}

/** Folders that writers use for themselves (`_temporary`, `.hive-staging`, `_spark_metadata`); `_day=1` is a partition, as Spark has it. */
export function isHiddenFolder(name: string): boolean {
  return name.startsWith('.') || (name.startsWith('_') && !name.includes('='));
}

/** Known folders that one listing goes through: a little less than five pages, so that some new ones do not make it six. */
const RANGE = 4_750;

/**
 * Finds the partitions that a table's folders hold, level by level, by delimiter. Folders whose time is past the look-back are passed over, and
 * listings start after them (`StartAfter`). Levels of many known folders are listed in ranges at the same time.
 */
export async function walk(lister: FolderLister, options: WalkOptions): Promise<Walk> {
  const { layout, known, head, limit } = options;
  const result: Walk = { partitions: [], rejected: [], gone: [], unchanged: 0, seen: 0, complete: true };
  let fault: { error: unknown } | undefined;

  /** Lets the listings that are under way end: a fault that nobody waits for yet would end the process. */
  async function unlessFailed(work: () => Promise<void>): Promise<void> {
    if (fault !== undefined) return;
    await work().catch((error: unknown) => {
      fault ??= { error };
    });
  }

  async function visit(level: number, prefix: string, folder: KnownFolder | undefined): Promise<void> {
    const {
      old,
      after = level === 0 ? head?.after : undefined,
      cuts,
    } = folder === undefined ? WHOLE : divide(folder, prefix, options);
    const below: Promise<void>[] = [];
    const seen = new Set<string>();
    const see = (name: string): void => {
      seen.add(name);
      const own = `${prefix}${name}/`;
      const child = folder?.children.get(name);
      if (child === undefined && !accepts(level, name, own)) return;
      if (old.has(name)) passOver(own, child!);
      else if (level + 1 < layout.depth) below.push(visit(level + 1, own, child));
      else if (child === undefined) take(own);
      else {
        result.unchanged += 1;
        result.seen += 1;
      }
    };
    const starts = [after, ...cuts];
    await Promise.all(
      starts.map((from, i) =>
        unlessFailed(() =>
          limit(async () => {
            const until = starts[i + 1];
            for await (const names of lister.folders(prefix, from)) {
              for (const name of names) {
                if (until !== undefined && compareFolders(name, until) > 0) return;
                see(name);
              }
              if (fault !== undefined) return;
            }
          }),
        ),
      ),
    );
    for (const [name, child] of folder?.children ?? []) {
      if (seen.has(name)) continue;
      const own = `${prefix}${name}/`;
      if (after !== undefined && compareFolders(name, after) <= 0) passOver(own, child);
      else result.gone.push(...partitionsUnder(child, own));
    }
    await Promise.all(below);
  }

  function passOver(prefix: string, folder: KnownFolder): void {
    for (const _ of partitionsUnder(folder, prefix)) result.unchanged += 1;
    result.complete = false;
  }

  function accepts(level: number, name: string, prefix: string): boolean {
    if (isHiddenFolder(name)) return false;
    const fault = name === '' ? 'expected a name between two slashes, found nothing' : layout.levelFault(level, name);
    if (fault !== undefined) result.rejected.push({ prefix, reason: fault });
    return fault === undefined;
  }

  function take(prefix: string): void {
    const parsed = layout.parse(prefix);
    if ('fault' in parsed) result.rejected.push({ prefix, reason: parsed.fault });
    else {
      result.partitions.push({ values: parsed.values, prefix });
      result.seen += 1;
    }
  }

  if (head !== undefined) {
    result.unchanged += head.count;
    result.complete = false;
  }
  await visit(0, '', known);
  if (fault !== undefined) throw fault.error;
  // Listings end in any order.
  result.partitions.sort(byPrefix);
  result.rejected.sort(byPrefix);
  return result;
}

function byPrefix(a: { prefix: string }, b: { prefix: string }): number {
  return a.prefix < b.prefix ? -1 : 1;
}

interface Division {
  /** Names of folders that are past the look-back. */
  old: ReadonlySet<string>;
  /** The listing starts after this one: it and all before it are old. */
  after: string | undefined;
  /** Names that listings at the same time end at, the next one starting after it. */
  cuts: string[];
}

const WHOLE: Division = { old: new Set(), after: undefined, cuts: [] };

/** What of a known folder has to be listed, and in which parts. */
function divide(folder: KnownFolder, prefix: string, { layout, lookbackMs, now }: WalkOptions): Division {
  if (folder.children.size === 0) return WHOLE;
  const periods = lookbackMs === undefined ? undefined : periodsOf(folder, prefix, layout);
  if (periods === undefined && folder.children.size < 2 * RANGE) return WHOLE;
  const names = sortedNames(folder);
  const horizon = periods && newestStart(folder, prefix, layout, periods, now) - lookbackMs!;
  const isOld = (name: string) => horizon !== undefined && (periods?.get(name)?.end ?? horizon + 1) <= horizon;
  // Names need not sort as their times do (months 1, 10, 11, 2): only what is old without a gap can be started after.
  const recent = names.findIndex((name) => !isOld(name));
  const listed = names.slice(recent);
  const cuts = listed.filter((_, i) => (i + 1) % RANGE === 0 && i + 1 + RANGE <= listed.length);
  return { old: new Set(names.filter(isOld)), after: recent > 0 ? names[recent - 1] : undefined, cuts };
}

/**
 * The periods of the folders directly under one; undefined where none tells a time of its own, such as regions, each of which is as new as its own
 * folders are.
 */
function periodsOf(folder: KnownFolder, prefix: string, layout: Layout): Map<string, Period> | undefined {
  const above = prefix === '' ? undefined : layout.period(prefix);
  const periods = new Map<string, Period>();
  for (const name of folder.children.keys()) {
    const period = layout.period(`${prefix}${name}/`);
    if (period !== undefined && !(period.start === above?.start && period.end === above.end)) periods.set(name, period);
  }
  return periods.size === 0 ? undefined : periods;
}

/** When the newest known period under a folder begins, of those that have begun; of all, where none has. */
function newestStart(
  folder: KnownFolder,
  prefix: string,
  layout: Layout,
  periods: ReadonlyMap<string, Period>,
  now = Number.POSITIVE_INFINITY,
): number {
  let newest: { name: string; start: number } | undefined;
  for (const [name, { start }] of periods) {
    if (newest === undefined || (newest.start > now ? start < newest.start : start > newest.start && start <= now))
      newest = { name, start };
  }
  const { name, start } = newest!;
  const [child, own] = [folder.children.get(name)!, `${prefix}${name}/`];
  const below = child.children.size === 0 ? undefined : periodsOf(child, own, layout);
  return below === undefined ? start : newestStart(child, own, layout, below, now);
}
