import type { PartitionsConfig } from '../../src/config/partitions-model.ts';
import { isoTime } from '../../src/gate/claim.ts';
import type { Notifier } from '../../src/notify/notifier.ts';
import type { PartitionPorts } from '../../src/partitions/ports.ts';
import type { DatabaseResult } from '../../src/partitions/result.ts';
import { syncDatabase } from '../../src/partitions/sync.ts';
import type { Observer } from '../observer.ts';
import { failuresOf, reportDatabase } from './report.ts';
import type { DatabaseItem, DatabaseOutcome } from './request.ts';

export interface WorkPorts {
  partitions: PartitionPorts;
  config: PartitionsConfig;
  notifier: Notifier;
  observer: Observer;
}

/**
 * Looks after one database for as long as the invocation lasts.
 * @returns the item as the state machine hands it in again; its `continuation` is null when there is nothing left
 * @throws LakegateError `unavailable` when the database cannot be looked at now
 */
export async function workOn(ports: WorkPorts, item: DatabaseItem): Promise<DatabaseItem> {
  const { partitions, config, notifier, observer } = ports;
  const { database, sync, continuation } = item;
  const result = await syncDatabase(partitions, config, {
    database,
    mode: sync,
    ...(continuation !== null && { continuation }),
  });
  reportDatabase(observer, result);
  const failures = failuresOf(result, isoTime(partitions.now()));
  // The log, the metrics and the run's record have them all the same, and the notifier has said what the bus did not take.
  if (failures.length > 0) await notifier.notify(failures).catch(() => undefined);
  return { ...item, continuation: result.continuation ?? null, outcome: summed(item.outcome, result) };
}

function summed(before: DatabaseOutcome | null, { database, totals }: DatabaseResult): DatabaseOutcome {
  const { tally } = totals;
  return {
    database,
    tables: (before?.tables ?? 0) + totals.synced + totals.skipped + totals.failed,
    created: (before?.created ?? 0) + totals.created,
    removed: (before?.removed ?? 0) + totals.removed,
    updated: (before?.updated ?? 0) + totals.updated,
    rejected: (before?.rejected ?? 0) + totals.rejected,
    errors: (before?.errors ?? 0) + totals.errors,
    failedTables: (before?.failedTables ?? 0) + totals.failed,
    glue: (before?.glue ?? 0) + tally.glue,
    s3: (before?.s3 ?? 0) + tally.s3,
    throttled: (before?.throttled ?? 0) + tally.throttled,
  };
}
