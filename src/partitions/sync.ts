import pLimit from 'p-limit';
import type { PartitionsConfig } from '../config/partitions-model.ts';
import type { CatalogTable, PartitionPorts } from './ports.ts';
import { type Continuation, type DatabaseResult, type SyncMode, type TableResult, totalsOf } from './result.ts';
import { saveRecord } from './run-record.ts';
import { isManaged, settingsOf } from './settings.ts';
import { loadState, saveState, stateUrl, type TableState } from './state.ts';
import { syncTable } from './sync-table.ts';
import { newTally, type Tally } from './tally.ts';
import { isOutOfTime } from './write.ts';

export interface SyncRequest {
  database: string;
  mode: SyncMode;
  /** Only tables of these names. Default: all. */
  tables?: readonly string[];
  /** Says what would be done, and does nothing. */
  dryRun?: boolean;
  /** In place of what lake.yaml says. */
  remove?: boolean;
  updateSchema?: boolean;
  /** What an earlier run handed back. */
  continuation?: Continuation;
  /** Hears of each table when it is done, and how many there are. */
  onTable?(result: TableResult, of: number): void;
}

/** Tables of one database that are worked on at the same time. Their requests to Glue share one pace. */
const TABLES_AT_ONCE = 16;

/** Listings of S3 at the same time, over all tables. S3 bears thousands of requests a second under each prefix. */
const LISTINGS_AT_ONCE = 32;

/** A table that got nothing done in this many runs in a row would keep all those after it from their turn. */
const STALLED = 3;

/** Names of the databases whose partitions are managed, in order. @throws LakegateError `unavailable` */
export async function managedDatabases(
  ports: Pick<PartitionPorts, 'catalog'>,
  config: PartitionsConfig,
  tally: Tally = newTally(),
): Promise<string[]> {
  const names: string[] = [];
  for await (const page of ports.catalog.databases(tally))
    names.push(...page.filter((name) => isManaged(config, name)));
  return names.sort();
}

/**
 * Makes the catalogue show the folders of all managed tables of a database. One table's failure stops no other, and stands in the result. Ends
 * before `ports.remainingMs` is over, and says where to go on.
 * @throws LakegateError `unavailable`, `not_found` where the tables cannot be listed, or what is known of them cannot be read
 */
export async function syncDatabase(
  ports: PartitionPorts,
  config: PartitionsConfig,
  request: SyncRequest,
): Promise<DatabaseResult> {
  const { database, mode, continuation, dryRun = false } = request;
  const own = newTally();
  const url = stateUrl(config.state, database);
  const [state, listed] = await Promise.all([loadState(ports.store, url), tablesOf(ports, database, own)]);
  const due = listed.filter(
    ({ name }) =>
      (request.tables?.includes(name) ?? true) && (continuation === undefined || compare(name, continuation.from) >= 0),
  );
  const changed = new Map<string, TableState | undefined>();
  if (request.tables === undefined) {
    const there = new Set(listed.map(({ name }) => name));
    for (const name of state.tables.keys()) if (!there.has(name)) changed.set(name, undefined);
  }
  const limit = pLimit(LISTINGS_AT_ONCE);
  const results = new Map<string, TableResult>();
  // Where a run got nowhere with its first table, that one has the time of the next to itself: sixteen would share it again.
  const turns = pLimit(continuation !== undefined && continuation.stalled > 0 ? 1 : TABLES_AT_ONCE);
  await Promise.all(
    due.map((table) =>
      turns(async () => {
        if (isOutOfTime(ports)) return;
        const before = state.tables.get(table.name);
        const settings = settingsOf(config, database, table.name);
        const { result, state: after } = await syncTable(ports, table, {
          mode,
          settings: {
            ...settings,
            remove: request.remove ?? settings.remove,
            updateSchema: request.updateSchema ?? settings.updateSchema,
          },
          dryRun,
          evenAll: request.remove === true && request.tables !== undefined,
          state: before,
          limit,
        });
        results.set(table.name, result);
        if (after !== undefined && !isSame(before, after)) changed.set(table.name, after);
        if (result.skip !== undefined && before !== undefined) changed.set(table.name, undefined);
        request.onTable?.(result, due.length);
      }),
    ),
  );
  const next = continued(request, due, results, changed);
  const tables = [...results.values()].sort((a, b) => compare(a.table, b.table));
  const result: DatabaseResult = {
    database,
    mode,
    tables,
    totals: totalsOf(tables, own),
    ...(next !== undefined && { continuation: next }),
  };
  if (dryRun) return result;
  const [record] = await Promise.all([
    saveRecord(ports, config, result),
    changed.size > 0 && saveState(ports.store, url, state, changed),
  ]);
  return record === undefined ? result : { ...result, record };
}

async function tablesOf(ports: PartitionPorts, database: string, tally: Tally): Promise<CatalogTable[]> {
  const tables: CatalogTable[] = [];
  for await (const page of ports.catalog.tables(database, tally)) tables.push(...page);
  return tables.sort((a, b) => compare(a.name, b.name));
}

/** Where to go on. A table that several runs got nowhere with is given up, so that the others have their turn. */
function continued(
  { database, mode, continuation }: SyncRequest,
  due: readonly CatalogTable[],
  results: Map<string, TableResult>,
  changed: ReadonlyMap<string, unknown>,
): Continuation | undefined {
  const isOpen = ({ name }: CatalogTable) => (results.get(name)?.outcome ?? 'unfinished') === 'unfinished';
  const open = due.filter(isOpen);
  const [first] = open;
  if (first === undefined) return undefined;
  const stalled = continuation?.from === first.name && !changed.has(first.name) ? continuation.stalled + 1 : 0;
  if (stalled < STALLED) return { database, mode, from: first.name, stalled };
  const given = results.get(first.name);
  if (given !== undefined) {
    const message = `${database}.${first.name}: the time of ${stalled} runs was not enough to list it. Give the function more time, or split the table`;
    results.set(first.name, { ...given, outcome: 'failed', error: { kind: 'unavailable', message, retryable: false } });
  }
  const next = due[due.indexOf(first) + 1];
  return next === undefined ? undefined : { database, mode, from: next.name, stalled: 0 };
}

function isSame(before: TableState | undefined, after: TableState): boolean {
  if (before?.created !== after.created) return false;
  if (before.location !== after.location || before.layout !== after.layout || before.keys !== after.keys) return false;
  const [then, now] = [before.partitions.texts(), after.partitions.texts()];
  return then === now || (then.size === now.size && [...now].every(([schema, text]) => then.get(schema) === text));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
