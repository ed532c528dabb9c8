import type { Lake } from '../../src/compose.ts';
import { isKind, LakegateError } from '../../src/errors.ts';
import { findOpen, isLedgerState } from '../../src/gate/open-deliveries.ts';
import type { DeliveryOutcome, GatePorts } from '../../src/gate/ports.ts';
import { takeUp } from '../../src/gate/resume.ts';
import { sweepUnfinished } from '../../src/gate/sweep.ts';
import { expireTables } from '../../src/maintenance/expire.ts';
import { type OptimizedTable, planOptimize } from '../../src/maintenance/optimize.ts';
import { createProgress } from '../../src/maintenance/progress.ts';
import { isReconcileState, type ReconcileState, reconcile } from '../../src/maintenance/reconcile.ts';
import { lakeTables } from '../../src/maintenance/tables.ts';
import { bookkeeping } from '../bookkeeping.ts';
import { withDeadline } from '../deadline.ts';
import { METRICS } from '../metric-names.ts';
import type { Observer } from '../observer.ts';
import type { StageLakeConfig } from '../stage-config.ts';
import type { MaintenanceRequest } from './request.ts';

export interface MaintenancePorts {
  lake: Lake;
  config: StageLakeConfig;
  observer: Observer;
  /** Milliseconds until Lambda ends the invocation. */
  remainingMs(): number;
}

/** What was done, and where the next run goes on. */
export interface MaintenanceAnswer {
  /** Deliveries taken up again, by what became of them. */
  resumed?: Record<string, number>;
  reconciled?: {
    listed: number;
    looked: number;
    missed: Record<string, number>;
    unrouted: number;
    complete: boolean;
    state: ReconcileState;
  };
  expired?: {
    tables: number;
    branches: number;
    snapshots: number;
    files: number;
    left: string[];
    failed: string[];
    stoppedAfter?: string;
  };
  /** For a Step Functions Map. */
  tables?: OptimizedTable[];
}

/** An event is in the queue for minutes, or hours where there is a jam: what is older should have a record. */
const SETTLE_MS = 60 * 60_000;
const LOOKBACK_MS = 7 * 24 * 60 * 60_000;
/** Uploads in parts that take longer come into sight behind the listing's back. */
const OVERLAP_MS = 3 * 60 * 60_000;
/** Longer than any writer takes from its first file to its commit; Iceberg's own procedures begin at the same age. */
const ORPHANS_OLDER_THAN_MS = 3 * 24 * 60 * 60_000;

/**
 * Does what the request asks for, within the invocation's time; what is left is for the next run.
 * @throws LakegateError `unavailable` when parts of it failed: the others are done all the same
 */
export async function maintain(ports: MaintenancePorts, request: MaintenanceRequest): Promise<MaintenanceAnswer> {
  const { lake, observer } = ports;
  const gate = withDeadline(lake.ports, ports.remainingMs);
  const { mode } = request;
  const answer: MaintenanceAnswer = {};
  const faults: unknown[] = [];
  const task = async (name: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      faults.push(error);
      observer.error('maintenance-task-failed', { task: name, error });
    }
  };
  if (mode === 'resume' || mode === 'all') {
    await task('resume', async () => {
      answer.resumed = await resume(ports, gate);
    });
  }
  if (mode === 'reconcile' || mode === 'all') {
    await task('reconcile', async () => {
      answer.reconciled = await reconcileRaw(ports, gate, request.lookbackHours);
    });
  }
  if (mode === 'expire' || mode === 'all') {
    await task('expire', async () => {
      answer.expired = await expire(ports, gate);
      const [table] = answer.expired.failed;
      if (table !== undefined)
        throw new LakegateError('unavailable', `${table} and perhaps others could not be expired`);
    });
  }
  if (mode === 'plan-optimize') answer.tables = await plan(ports, gate);
  observer.measure({ [METRICS.tasksFailed]: faults.length });
  observer.info('maintenance-done', { mode, ...answer, failed: faults.length });
  if (faults.length > 0) {
    const [cause] = faults;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new LakegateError('unavailable', `maintenance (${mode}): ${faults.length} parts failed, first: ${why}`, {
      cause,
    });
  }
  return answer;
}

async function resume({ lake, observer }: MaintenancePorts, gate: GatePorts): Promise<Record<string, number>> {
  const progress = createProgress(gate.store, `${bookkeeping(lake.config)}maintenance/resumed.json`, isLedgerState);
  const before = await progress.load();
  const found = await findOpen(gate, before, (error) => observer.error('record-unreadable', { error }));
  // Said before they are taken up: what is under way stays named as open, so that a run that is lost loses none of the looking.
  await progress.save(found.state);
  const outcomes = await takeUp(gate, lake.config, found);
  for (const outcome of outcomes) logTakenUp(observer, 'delivery-resumed', outcome);
  observer.measure({ [METRICS.resumed]: outcomes.length });
  return counted(outcomes);
}

async function reconcileRaw(
  { lake, observer }: MaintenancePorts,
  gate: GatePorts,
  lookbackHours: number | undefined,
): Promise<MaintenanceAnswer['reconciled']> {
  const progress = createProgress(
    gate.store,
    `${bookkeeping(lake.config)}maintenance/reconciled.json`,
    isReconcileState,
  );
  const before = lookbackHours === undefined ? await progress.load() : undefined;
  const lookbackMs = lookbackHours === undefined ? LOOKBACK_MS : lookbackHours * 60 * 60_000;
  const report = await reconcile(gate, lake.config, { settleMs: SETTLE_MS, lookbackMs, overlapMs: OVERLAP_MS }, before);
  await progress.save(report.state);
  for (const outcome of report.outcomes) logTakenUp(observer, 'drop-missed', outcome);
  for (const { url, reason } of report.unrouted) observer.warn('drop-unrouted', { drop: url, reason });
  observer.measure({ [METRICS.missed]: report.outcomes.length, [METRICS.unrouted]: report.unroutedCount });
  return {
    listed: report.listed,
    looked: report.looked,
    missed: counted(report.outcomes),
    unrouted: report.unroutedCount,
    complete: report.state.underWay === undefined,
    state: report.state,
  };
}

interface ExpireState {
  after?: string;
}

function isExpireState(value: unknown): value is ExpireState {
  const after = (value as ExpireState | null)?.after;
  return typeof value === 'object' && value !== null && (after === undefined || typeof after === 'string');
}

async function expire(
  { lake, observer }: MaintenancePorts,
  gate: GatePorts,
): Promise<NonNullable<MaintenanceAnswer['expired']>> {
  const progress = createProgress(gate.store, `${bookkeeping(lake.config)}maintenance/expired.json`, isExpireState);
  const { after } = (await progress.load()) ?? {};
  const tables = await lakeTables(gate, lake.config);
  const { swept, left, failed, stoppedAfter } = await expireTables(gate, tables, {
    orphansOlderThanMs: ORPHANS_OLDER_THAN_MS,
    ...(after !== undefined && { after }),
  });
  await progress.save(stoppedAfter === undefined ? {} : { after: stoppedAfter });
  const unfinished = await sweepUnfinished(gate.store, lake.config.records, {
    olderThanMs: ORPHANS_OLDER_THAN_MS,
    dryRun: false,
  });
  const branches = swept.reduce((sum, report) => sum + report.branches.length, 0);
  const snapshots = swept.reduce((sum, report) => sum + report.snapshots.length, 0);
  const files = swept.reduce((sum, { expiredFiles, orphans }) => sum + expiredFiles.length + orphans.length, 0);
  for (const { table, reason } of left) observer.info('table-left', { table, reason });
  for (const { table, error } of failed) observer.error('table-not-expired', { table, error });
  observer.measure({
    [METRICS.branchesExpired]: branches,
    [METRICS.snapshotsExpired]: snapshots,
    [METRICS.filesDeleted]: files + unfinished.length,
  });
  return {
    tables: swept.length,
    branches,
    snapshots,
    files: files + unfinished.length,
    left: left.map(({ table }) => table),
    failed: failed.map(({ table }) => table),
    ...(stoppedAfter !== undefined && { stoppedAfter }),
  };
}

async function plan({ lake, observer }: MaintenancePorts, gate: GatePorts): Promise<OptimizedTable[]> {
  const isGlue = (name: string) => lake.config.catalogs[name]?.type === 'glue';
  const { tables, skipped } = planOptimize(
    (await lakeTables(gate, lake.config, isGlue)).map(({ identifier }) => identifier),
  );
  for (const { table, reason } of skipped) observer.warn('table-not-optimized', { table, reason });
  return tables;
}

function logTakenUp(observer: Observer, event: string, outcome: DeliveryOutcome): void {
  const record = 'record' in outcome ? outcome.record : undefined;
  const error = 'error' in outcome ? outcome.error : undefined;
  const level = error !== undefined && !isKind(error, 'conflict') ? 'warn' : 'info';
  observer[level](event, {
    drop: outcome.drop,
    outcome: outcome.kind,
    ...(record && { deliveryId: record.id, table: record.table, state: record.state }),
    ...(error !== undefined && { error }),
  });
}

/** `{ published: 2, busy: 1 }`: by state where it ended, else by what it is. */
function counted(outcomes: readonly DeliveryOutcome[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const outcome of outcomes) {
    const what = outcome.kind === 'ended' ? outcome.record.state : outcome.kind;
    counts[what] = (counts[what] ?? 0) + 1;
  }
  return counts;
}
