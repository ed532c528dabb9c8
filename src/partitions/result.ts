import type { RejectedPrefix } from './model.ts';
import type { ItemFault } from './ports.ts';
import type { Skip } from './skip.ts';
import { sumTallies, type Tally } from './tally.ts';

/**
 * What a run looks at: `incremental` the folders since the look-back, `full` all folders, `reconcile` all folders and all partitions of the
 * catalogue, so that what others did there is seen.
 */
export type SyncMode = 'incremental' | 'full' | 'reconcile';

/** How many there are, and the first of them. */
export interface Some<T> {
  count: number;
  first: T[];
}

/** What `Some` names. */
const NAMED = 20;

export function some<T>(all: readonly T[]): Some<T> {
  return { count: all.length, first: all.slice(0, NAMED) };
}

/** What became of one table. */
export interface TableResult {
  table: string;
  /** `unfinished`: the time was over; the next run goes on. */
  outcome: 'synced' | 'skipped' | 'failed' | 'unfinished';
  skip?: { reason: Skip['reason'] | 'configured'; text: string };
  /** Why the table failed as a whole. */
  error?: { kind: string; message: string; retryable: boolean };
  layout?: string;
  /** Mode that the table was looked at in: `reconcile` where nothing was known of it. */
  mode?: SyncMode;
  /** Folders that the catalogue did not have. */
  missing: Some<string>;
  /** Registered, while their folder is gone. */
  gone: Some<string>;
  /** Folders that are no partition, and why. */
  rejected: Some<RejectedPrefix>;
  /** Registered under the table's location, at another place than their folder. */
  moved: Some<{ values: string[]; registered: string; folder: string }>;
  /** Partitions that Glue did not take. */
  errors: Some<ItemFault>;
  /** Partitions whose columns are not the table's, as far as is known. */
  drifted: number;
  /** In a dry run, where Athena could work the partitions out by itself: the statement that makes it. */
  projection?: string;
  created: number;
  /** Missing ones that somebody else had registered meanwhile, or that an earlier attempt had. */
  already: number;
  removed: number;
  updated: number;
  unchanged: number;
  tally: Tally;
}

/** A table of which nothing was said yet. */
export function emptyResult(table: string, tally: Tally): TableResult {
  return {
    table,
    outcome: 'synced',
    missing: some([]),
    gone: some([]),
    rejected: some([]),
    moved: some([]),
    errors: some([]),
    drifted: 0,
    created: 0,
    already: 0,
    removed: 0,
    updated: 0,
    unchanged: 0,
    tally,
  };
}

/** Where a run goes on that ended for want of time. Small enough for a state machine to carry. */
export interface Continuation {
  database: string;
  mode: SyncMode;
  /** The first table that is not finished; those before it, in the order of their names, are. */
  from: string;
  /** How often the run came back to this table without having done anything for it. */
  stalled: number;
}

/** What became of a database. */
export interface DatabaseResult {
  database: string;
  mode: SyncMode;
  tables: TableResult[];
  totals: Totals;
  /** Set when the time was over. */
  continuation?: Continuation;
  /** URL of the run's record, where there was something to record. */
  record?: string;
}

/** Sums over tables. */
export interface Totals {
  tables: number;
  synced: number;
  skipped: number;
  failed: number;
  missing: number;
  created: number;
  already: number;
  removed: number;
  updated: number;
  unchanged: number;
  gone: number;
  rejected: number;
  drifted: number;
  /** Partitions that Glue did not take. */
  errors: number;
  tally: Tally;
}

/** @param own requests that were made for no single table */
export function totalsOf(tables: readonly TableResult[], own: Tally): Totals {
  const sum = (of: (result: TableResult) => number) => tables.reduce((total, result) => total + of(result), 0);
  const ended = (outcome: TableResult['outcome']) => tables.filter((result) => result.outcome === outcome).length;
  return {
    tables: tables.length,
    synced: ended('synced'),
    skipped: ended('skipped'),
    failed: ended('failed'),
    missing: sum(({ missing }) => missing.count),
    created: sum(({ created }) => created),
    already: sum(({ already }) => already),
    removed: sum(({ removed }) => removed),
    updated: sum(({ updated }) => updated),
    unchanged: sum(({ unchanged }) => unchanged),
    gone: sum(({ gone }) => gone.count),
    rejected: sum(({ rejected }) => rejected.count),
    drifted: sum(({ drifted }) => drifted),
    errors: sum(({ errors }) => errors.count),
    tally: sumTallies([own, ...tables.map(({ tally }) => tally)]),
  };
}

/** A partition's fault in a sentence that names database, table, values and reason. */
export function describeFault(database: string, table: string, { values, code, message }: ItemFault): string {
  return `${database}.${table} partition ${JSON.stringify(values)}: ${code}: ${message}`;
}
