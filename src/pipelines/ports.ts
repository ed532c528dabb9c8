import type { Notifier } from '../notify/notifier.ts';
import type { SqlEngine } from '../rules/rule.ts';
import type { ObjectStore } from '../storage/store.ts';
import type { TableCatalog } from '../tables/table-catalog.ts';

/** What the steps of a pipeline meet of the world, in a function and on a laptop alike. */
export interface PipelinePorts {
  store: ObjectStore;
  /** Glue's tables. Absent where there is no Glue: tables are made and audited, and not registered. */
  catalog?: TableCatalog;
  /**
   * Has the catalogue show one snapshot of a registered table; doing it again changes nothing.
   * @throws LakegateError naming the partition and Glue's reason
   */
  addSnapshot(table: SnapshotPartition): Promise<void>;
  notifier: Notifier;
  /**
   * Whether the execution that a lock names still runs. One that nobody knows any more does not.
   * @throws LakegateError `unavailable` where that cannot be told
   */
  executionRunning(execution: string): Promise<boolean>;
  /** Runs rules of kind `sql`; absent: they cannot be checked. */
  sql?: SqlEngine;
  /** Milliseconds since the epoch, UTC. */
  now(): number;
}

/** A snapshot of a table, as Glue has it: the partition `snapshot_dt=<date>`. */
export interface SnapshotPartition {
  database: string;
  table: string;
  /** `YYYY-MM-DD`. */
  date: string;
  /** URL of its files' folder, ending in `/`. */
  folder: string;
}
