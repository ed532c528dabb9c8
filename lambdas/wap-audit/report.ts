import type { Lake } from '../../src/compose.ts';
import { isoTime } from '../../src/gate/claim.ts';
import type { DeliveryRecord } from '../../src/gate/delivery.ts';
import type { DeliveryOutcome } from '../../src/gate/ports.ts';
import { isNoData } from '../../src/gate/route.ts';
import { METRICS, type MetricName } from '../metric-names.ts';
import type { Observer } from '../observer.ts';
import type { StageLakeConfig } from '../stage-config.ts';

/** Whether the event has to be delivered again: nothing is decided yet, or nobody knows. */
export function isToComeAgain({ kind }: DeliveryOutcome): boolean {
  return kind === 'interrupted' || kind === 'unclaimed' || kind === 'busy' || kind === 'postponed';
}

/** What became of a drop, and when it was put, where its event told. */
export interface Done {
  outcome: DeliveryOutcome;
  at: number | undefined;
}

/** Each delivery once, however many events of a batch were about it. */
export function distinct(all: readonly Done[]): Done[] {
  const byDelivery = new Map<string, Done>();
  for (const done of all) {
    const { kind, drop } = done.outcome;
    const key = `${kind} ${'record' in done.outcome ? done.outcome.record.id : drop}`;
    if (!byDelivery.has(key)) byDelivery.set(key, done);
  }
  return [...byDelivery.values()];
}

/** A log line for each delivery, and the metrics of all. */
export function report(observer: Observer, config: StageLakeConfig, all: readonly Done[], now: number): void {
  for (const { outcome } of all) logOutcome(observer, outcome);
  // With automatic tables their number is anybody's: no dimension for them.
  const isBounded = config.autoTables === undefined;
  const byTable = Map.groupBy(all, ({ outcome }) =>
    isBounded && 'record' in outcome ? outcome.record.table : undefined,
  );
  for (const [table, group] of byTable) {
    const ended = group.flatMap(({ outcome, at }) =>
      outcome.kind === 'ended' ? [{ record: outcome.record, at }] : [],
    );
    const published = ended.filter(({ record }) => record.state === 'published').map(({ record }) => record);
    const count = (...kinds: DeliveryOutcome['kind'][]) =>
      group.filter(({ outcome }) => kinds.includes(outcome.kind)).length;
    const inState = (state: DeliveryRecord['state']) => ended.filter(({ record }) => record.state === state).length;
    const values: Partial<Record<MetricName, number | number[]>> = {
      [METRICS.published]: published.length,
      [METRICS.rejected]: inState('rejected'),
      [METRICS.errored]: inState('errored'),
      [METRICS.interrupted]: count('interrupted', 'unclaimed'),
      [METRICS.waiting]: count('busy', 'postponed'),
      [METRICS.repeated]: count('already'),
      [METRICS.unrouted]: group.filter(({ outcome }) => outcome.kind === 'unrouted' && !isNoData(config, outcome.drop))
        .length,
      [METRICS.gone]: count('gone'),
      [METRICS.rows]: published.reduce((sum, { rows = 0 }) => sum + rows, 0),
      ...(published.length > 0 && { [METRICS.bytes]: published.reduce((sum, { bytes = 0 }) => sum + bytes, 0) }),
      [METRICS.latency]: ended.flatMap(({ at }) => (at === undefined ? [] : [Math.max(0, now - at)])),
    };
    observer.measure(values, table === undefined ? undefined : { table });
  }
}

function logOutcome(observer: Observer, outcome: DeliveryOutcome): void {
  const { drop } = outcome;
  switch (outcome.kind) {
    case 'ended':
    case 'already': {
      const { id, table, state, rows, bytes, attempts, branch, publishedSnapshotId, reason } = outcome.record;
      const facts = { drop, deliveryId: id, table, state, rows, bytes, attempts, branch, publishedSnapshotId, reason };
      const level = outcome.kind === 'ended' && state === 'errored' ? 'error' : 'info';
      observer[level](outcome.kind === 'ended' ? 'delivery-ended' : 'delivery-repeated', facts);
      return;
    }
    case 'busy':
      observer.info('delivery-busy', { drop, deliveryId: outcome.record.id, lease: outcome.record.lease });
      return;
    case 'interrupted':
      observer.warn('delivery-interrupted', { drop, deliveryId: outcome.record.id, error: outcome.error });
      return;
    case 'unclaimed':
      observer.warn('delivery-unclaimed', { drop, error: outcome.error });
      return;
    case 'postponed':
      observer.info('delivery-postponed', { drop });
      return;
    case 'unrouted':
      observer.warn('drop-unrouted', { drop, reason: outcome.reason });
      return;
    case 'gone':
      observer.warn('drop-gone', { drop });
      return;
  }
}

/**
 * Puts drops that no table claims onto the bus. The log and the metric have them all the same, so a bus that fails here holds nothing up; the
 * notifier has said so by then.
 */
export async function tellUnrouted(lake: Lake, outcomes: readonly DeliveryOutcome[]): Promise<void> {
  const at = isoTime(lake.ports.now());
  const events = outcomes.flatMap((outcome) =>
    outcome.kind === 'unrouted' && !isNoData(lake.config, outcome.drop)
      ? [{ event: 'drop.unrouted', file: outcome.drop, reason: outcome.reason, at } as const]
      : [],
  );
  if (events.length > 0) await lake.ports.notifier.notify(events).catch(() => undefined);
}
