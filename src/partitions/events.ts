import type { PartitionsConfig } from '../config/partitions-model.ts';
import { LakegateError } from '../errors.ts';
import { folderUrl } from './folder-url.ts';
import { type Layout, templateLayout } from './layout.ts';
import type { FoundPartition, RejectedPrefix } from './model.ts';
import type { CatalogTable, ItemFault, PartitionPorts } from './ports.ts';
import { type Some, some } from './result.ts';
import { settingsOf, type TableSettings } from './settings.ts';
import { createTableIndex, type TableIndex } from './table-index.ts';
import { newTally, type Tally } from './tally.ts';
import { isHiddenFolder } from './walk.ts';
import { createPartitions, isOutOfTime, isPassing } from './write.ts';

/** What became of one table's part of some events. */
export interface EventTableResult {
  database: string;
  table: string;
  created: number;
  /** Registered already, as the catalogue said or as this process remembers. */
  already: number;
  rejected: Some<RejectedPrefix>;
  /** Partitions that Glue did not take, and that would not be taken later either. */
  errors: Some<ItemFault>;
  /** Why the table failed as a whole. */
  error?: { kind: string; message: string; retryable: boolean };
}

export interface EventsResult {
  tables: EventTableResult[];
  /** Folders that no managed table lies at, each once. */
  unknown: Some<string>;
  /** Objects that make no partition: markers, and files of writers under way. */
  ignored: number;
  /** URLs of objects whose partition may be registered if the event comes again. */
  again: string[];
  /** Why it was not known which tables objects belong to, each once. */
  reasons: Some<string>;
  tally: Tally;
}

/** Registers partitions as objects appear, remembering what it did for as long as the process lives. */
export interface PartitionEvents {
  /** @param urls of objects that were created, `s3://bucket/key`, keys literal. Nothing is thrown but for a bug */
  apply(urls: readonly string[]): Promise<EventsResult>;
}

/** Partitions of which it is remembered that they are registered; those of earlier are asked for again. */
const REMEMBERED = 100_000;
/** Somebody may have taken a partition out meanwhile. Where lakegate itself does that, nothing is remembered. */
const REMEMBERED_MS = 15 * 60_000;

/** @param index default: one of its own */
export function createPartitionEvents(
  ports: PartitionPorts,
  config: PartitionsConfig,
  index: TableIndex = createTableIndex(ports, config),
): PartitionEvents {
  /** By table and folder: when it was registered. */
  const registered = new Map<string, number>();
  return { apply: (urls) => applyEvents(ports, config, index, registered, urls) };
}

interface Share {
  table: CatalogTable;
  layout: Layout | undefined;
  /** Milliseconds for which a partition that was registered is taken to be so still. */
  rememberedMs: number;
  result: EventTableResult;
  rejected: RejectedPrefix[];
  /** By folder. */
  partitions: Map<string, { partition: FoundPartition; urls: string[] }>;
}

async function applyEvents(
  ports: PartitionPorts,
  config: PartitionsConfig,
  index: TableIndex,
  registered: Map<string, number>,
  urls: readonly string[],
): Promise<EventsResult> {
  const tally = newTally();
  const shares = new Map<string, Share>();
  const unknown = new Set<string>();
  const again: string[] = [];
  const reasons = new Set<string>();
  let ignored = 0;
  for (const given of new Set(urls)) {
    const url = given.replace(/^s3[an]:/i, 's3:');
    if (isNoData(url)) {
      ignored += 1;
      continue;
    }
    // Each would be one more request that there is no time to answer.
    if (isOutOfTime(ports)) {
      again.push(given);
      continue;
    }
    let tables: CatalogTable[];
    try {
      tables = await index.find(url, tally);
    } catch (error) {
      if (!(error instanceof LakegateError)) throw error;
      reasons.add(error.message);
      again.push(given);
      continue;
    }
    if (tables.length === 0) unknown.add(url.slice(0, url.lastIndexOf('/') + 1));
    for (const table of tables) {
      const key = `${table.database}.${table.name}`;
      let share = shares.get(key);
      if (share === undefined) {
        share = shareOf(table, settingsOf(config, table.database, table.name));
        shares.set(key, share);
      }
      if (!place(share, url, given)) ignored += 1;
    }
  }
  await Promise.all(
    [...shares.values()].map(async (share) => {
      const failed = await register(ports, index, registered, share, tally);
      again.push(...failed);
    }),
  );
  const tables = [...shares.values()].map(({ result, rejected }) => ({ ...result, rejected: some(rejected) }));
  return {
    tables,
    unknown: some([...unknown]),
    ignored,
    again: [...new Set(again)],
    reasons: some([...reasons]),
    tally,
  };
}

/** Folder markers, and files that readers of a table pass over: `_SUCCESS`, `.part-0.crc`, `part-0.crc`, `day_$folder$`. */
function isNoData(url: string): boolean {
  const name = url.slice(url.lastIndexOf('/') + 1);
  return name === '' || /^[._]/.test(name) || name.endsWith('.crc') || name.endsWith('_$folder$');
}

function shareOf(table: CatalogTable, settings: TableSettings): Share {
  const result: EventTableResult = {
    database: table.database,
    table: table.name,
    created: 0,
    already: 0,
    rejected: some([]),
    errors: some([]),
  };
  const rememberedMs = settings.remove ? 0 : REMEMBERED_MS;
  const share: Share = { table, layout: undefined, rememberedMs, result, rejected: [], partitions: new Map() };
  try {
    share.layout = templateLayout(settings.layout, table.keys);
  } catch (error) {
    result.error = told(error);
  }
  return share;
}

/** Puts an object with its partition. @returns false for an object that makes none, because it is a writer's own */
function place(share: Share, url: string, given: string): boolean {
  const { table, layout, partitions, rejected } = share;
  if (layout === undefined) return true;
  const folders = url
    .slice(folderUrl(table.location ?? '').length)
    .split('/')
    .slice(0, -1);
  if (folders.some(isHiddenFolder)) return false;
  const prefix = folders
    .slice(0, layout.depth)
    .map((name) => `${name}/`)
    .join('');
  const known = partitions.get(prefix);
  if (known !== undefined) {
    known.urls.push(given);
    return true;
  }
  if (rejected.some((other) => other.prefix === prefix)) return true;
  const parsed =
    folders.length < layout.depth
      ? { fault: `expected ${layout.depth} levels of folders, found ${folders.length}` }
      : layout.parse(prefix);
  if ('fault' in parsed) rejected.push({ prefix, reason: parsed.fault });
  else partitions.set(prefix, { partition: { values: parsed.values, prefix }, urls: [given] });
  return true;
}

/** @returns URLs whose partitions may be registered later */
async function register(
  ports: PartitionPorts,
  index: TableIndex,
  registered: Map<string, number>,
  { table, result, partitions, rememberedMs }: Share,
  tally: Tally,
): Promise<string[]> {
  const root = folderUrl(table.location ?? '');
  const keyOf = (prefix: string) => `${table.database}.${table.name}\0${root}${prefix}`;
  const since = ports.now() - rememberedMs;
  const fresh = [...partitions.values()].filter(({ partition: { prefix } }) => {
    const at = registered.get(keyOf(prefix));
    return at === undefined || at <= since;
  });
  result.already = partitions.size - fresh.length;
  if (fresh.length === 0) return [];
  const written = await createPartitions(
    ports,
    table,
    root,
    fresh.map(({ partition }) => partition),
    tally,
  );
  result.created = written.done.length;
  result.already += written.already.length;
  const [passing, lasting] = [written.faults.filter(isPassing), written.faults.filter((fault) => !isPassing(fault))];
  result.errors = some(lasting);
  for (const { prefix } of [...written.done, ...written.already]) remember(registered, keyOf(prefix), ports.now());
  if (written.error !== undefined) {
    // The table may be another one by now, or gone.
    index.forget(table.database);
    result.error = told(written.error);
  }
  const later = new Set(passing.map(({ values }) => JSON.stringify(values)));
  for (const { values, prefix } of fresh.map(({ partition }) => partition)) {
    if (later.has(JSON.stringify(values))) written.left.push({ values, prefix });
  }
  return [...written.left, ...written.untold].flatMap(({ prefix }) => partitions.get(prefix)?.urls ?? []);
}

function remember(registered: Map<string, number>, key: string, at: number): void {
  registered.delete(key);
  registered.set(key, at);
  if (registered.size <= REMEMBERED) return;
  const [oldest] = registered.keys();
  registered.delete(oldest!);
}

function told(error: unknown): NonNullable<EventTableResult['error']> {
  if (!(error instanceof LakegateError)) throw error;
  const { kind, message, retryable } = error;
  return { kind, message, retryable };
}
