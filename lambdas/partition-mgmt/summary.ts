import type { SyncMode } from '../../src/partitions/result.ts';
import { METRICS } from '../metric-names.ts';
import type { Observer } from '../observer.ts';
import type { DatabaseOutcome, FailedDatabase } from './request.ts';

/** What a run of the state machine came to. */
export interface RunSummary extends Omit<DatabaseOutcome, 'database'> {
  sync: SyncMode;
  databases: number;
  /** Names of the databases that were given up. */
  failed: string[];
}

const SUMS = [
  'tables',
  'created',
  'removed',
  'updated',
  'rejected',
  'errors',
  'failedTables',
  'glue',
  's3',
  'throttled',
] as const;

/** Sums up an execution: one log line, and the number of databases that were given up as a metric. */
export function summarize(
  observer: Observer,
  {
    sync,
    outcomes,
    execution,
  }: { sync: SyncMode; outcomes: readonly (DatabaseOutcome | FailedDatabase)[]; execution: string },
): RunSummary {
  const ended = outcomes.filter((outcome): outcome is DatabaseOutcome => !('error' in outcome));
  const failed = outcomes.filter((outcome): outcome is FailedDatabase => 'error' in outcome);
  const sums = Object.fromEntries(
    SUMS.map((name) => [name, ended.reduce((sum, outcome) => sum + outcome[name], 0)]),
  ) as Record<(typeof SUMS)[number], number>;
  const summary = { sync, databases: outcomes.length, failed: failed.map(({ database }) => database), ...sums };
  observer[failed.length > 0 ? 'error' : 'info']('partition-run', {
    ...summary,
    execution,
    reasons: Object.fromEntries(failed.map(({ database, error }) => [database, error])),
  });
  observer.measure({ [METRICS.databasesFailed]: failed.length });
  return summary;
}
