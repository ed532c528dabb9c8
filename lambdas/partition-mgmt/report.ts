import type { PartitionFailure, PartitionsFailed } from '../../src/notify/notifier.ts';
import type { DatabaseResult, TableResult } from '../../src/partitions/result.ts';
import type { Tally } from '../../src/partitions/tally.ts';
import { METRICS } from '../metric-names.ts';
import type { Observer } from '../observer.ts';

/** A log line for each table with which something was done or is wrong, one for the database, and the metrics of both. */
export function reportDatabase(observer: Observer, result: DatabaseResult): void {
  const { database, mode, totals, continuation, record } = result;
  for (const table of result.tables) {
    const facts = factsOf(database, table);
    if (table.outcome === 'failed') observer.error('partition-table-failed', facts);
    else if (table.errors.count > 0) observer.error('partitions-refused', facts);
    else if (table.rejected.count + table.gone.count + table.moved.count + table.drifted > 0)
      observer.warn('partitions-differ', facts);
    else if (table.created + table.removed + table.updated > 0) observer.info('partitions-synced', facts);
  }
  const { tally, ...sums } = totals;
  observer.info('database-synced', { database, mode, ...sums, ...tally, continuation, record });
  observer.measure({
    [METRICS.partitionsCreated]: totals.created,
    [METRICS.partitionsRemoved]: totals.removed,
    [METRICS.partitionsUpdated]: totals.updated,
    [METRICS.partitionsRejected]: totals.rejected,
    [METRICS.partitionErrors]: totals.errors,
    [METRICS.partitionTablesFailed]: totals.failed,
    ...requestMetrics(tally),
  });
}

/** Metrics of the requests that were made. */
export function requestMetrics({ glue, s3, throttled }: Tally) {
  return { [METRICS.glueCalls]: glue, [METRICS.s3Lists]: s3, [METRICS.glueThrottled]: throttled };
}

/** What a log line says of a table: only what there is. */
function factsOf(database: string, result: TableResult): Record<string, unknown> {
  const { table, mode, error, created, already, removed, updated, drifted } = result;
  const counts = { created, already, removed, updated, drifted };
  const lists = { gone: result.gone, rejected: result.rejected, moved: result.moved, errors: result.errors };
  return {
    database,
    table,
    mode,
    ...(error && { error: error.message, kind: error.kind }),
    ...Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0)),
    ...Object.fromEntries(Object.entries(lists).filter(([, { count }]) => count > 0)),
  };
}

/**
 * What people are to be told of a database: one event for each table, naming the first partitions that Glue did not take with its reasons, or why
 * the table could not be looked at.
 */
export function failuresOf(
  { database, tables }: Pick<DatabaseResult, 'database' | 'tables'>,
  at: string,
): PartitionsFailed[] {
  return tables.flatMap((result) => {
    const failures: PartitionFailure[] = result.errors.first.map(({ values, code, message }) => ({
      values,
      reason: `${code}: ${message}`,
    }));
    if (result.outcome === 'failed' && result.error) failures.unshift({ reason: result.error.message });
    if (failures.length === 0) return [];
    const count = Math.max(result.errors.count, failures.length);
    return [{ event: 'partitions.failed' as const, database, table: result.table, count, failures, at }];
  });
}
