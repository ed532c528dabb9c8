import pLimit from 'p-limit';
import { parseIdentifier } from '../catalogs/identifier.ts';
import type { LakeConfig, TableConfig } from '../config/model.ts';
import { isKind, LakegateError } from '../errors.ts';
import { findPublished } from '../iceberg/published.ts';
import { type ClaimedDelivery, claim, isTerminal } from './claim.ts';
import type { DeliveryRecord, DeliveryState, Drop } from './delivery.ts';
import { withHeartbeat } from './heartbeat.ts';
import { tellPeople } from './notify.ts';
import type { DeliveryOutcome, GatePorts, TableTarget } from './ports.ts';
import { route } from './route.ts';
import { runBatch } from './run-batch.ts';
import { recordEnding } from './settle.ts';

/** Deliveries that share two commits. A snapshot names them all in its summary, so the number is bounded. */
export const BATCH_LIMIT = 500;

/** Objects and records handled at the same time. */
const CONCURRENCY = 8;

export interface DeliverOptions {
  /** Terminal states from which a delivery starts again: a retry that a person asked for. */
  restart?: readonly DeliveryState[];
  /** Deliver to this table whatever the object's folder says. */
  table?: TableConfig;
}

/**
 * Takes drops all the way: routed, claimed, staged, audited, published or kept aside, recorded, told. Deliveries of one table share two commits;
 * a fault of one never holds back another.
 * @param urls objects under the raw area; repeated ones are taken once
 * @returns one outcome for each url, in the order given
 */
export async function deliver(
  ports: GatePorts,
  config: LakeConfig,
  urls: readonly string[],
  options: DeliverOptions = {},
): Promise<DeliveryOutcome[]> {
  const outcomes = new Map<string, DeliveryOutcome>();
  const byTable = new Map<string, { table: TableConfig; drops: Drop[] }>();
  const limit = pLimit(CONCURRENCY);
  await Promise.all(
    [...new Set(urls)].map((url) =>
      limit(async () => {
        const routed = options.table ? ({ kind: 'table', table: options.table } as const) : route(config, url);
        if (routed.kind === 'unrouted') {
          outcomes.set(url, { kind: 'unrouted', drop: url, reason: routed.reason });
          return;
        }
        const object = await ports.store.head(url);
        if (!object) {
          outcomes.set(url, { kind: 'gone', drop: url });
          return;
        }
        const group = byTable.get(routed.table.name) ?? { table: routed.table, drops: [] };
        group.drops.push({ url, version: object.etag, size: object.size });
        byTable.set(routed.table.name, group);
      }),
    ),
  );
  for (const { table, drops } of byTable.values()) {
    // Heads answer in any order; a table's deliveries are taken in the order given.
    drops.sort((a, b) => urls.indexOf(a.url) - urls.indexOf(b.url));
    for (const outcome of await deliverToTable(ports, config, table, drops, options))
      outcomes.set(outcome.drop, outcome);
  }
  return urls.map((url) => outcomes.get(url)!);
}

async function deliverToTable(
  ports: GatePorts,
  config: LakeConfig,
  table: TableConfig,
  drops: readonly Drop[],
  options: DeliverOptions,
): Promise<DeliveryOutcome[]> {
  const catalogName = table.catalog ?? config.defaultCatalog;
  const target: TableTarget = { identifier: parseIdentifier(table.name), catalog: ports.catalog(catalogName) };
  const limit = pLimit(CONCURRENCY);
  const outcomes: DeliveryOutcome[] = [];
  const owned: ClaimedDelivery[] = [];
  await Promise.all(
    drops.map((drop) =>
      limit(async () => {
        const claimed = await claim(ports, drop, { name: table.name, catalog: catalogName }, options.restart);
        if (claimed.kind === 'claimed') owned.push(claimed.delivery);
        else outcomes.push({ kind: claimed.kind, drop: drop.url, record: claimed.record });
      }),
    ),
  );
  if (owned.length === 0) return outcomes;
  const order = new Map(drops.map((drop, index) => [drop.url, index]));
  owned.sort((a, b) => order.get(a.record.drop.url)! - order.get(b.record.drop.url)!);
  ports.onStep({ step: 'claimed', ids: owned.map(({ id }) => id) });

  // Replacing deliveries build on one another, so each is settled before the next is staged.
  const size = table.mode === 'append' ? BATCH_LIMIT : 1;
  await withHeartbeat(owned, ports.leaseMs / 3, async () => {
    for (let start = 0; start < owned.length; start += size) {
      const batch = owned.slice(start, start + size);
      outcomes.push(...(await settleBatch(ports, table, target, batch)));
    }
  });
  return outcomes;
}

async function settleBatch(
  ports: GatePorts,
  table: TableConfig,
  target: TableTarget,
  batch: readonly ClaimedDelivery[],
): Promise<DeliveryOutcome[]> {
  let faults = new Map<string, unknown>();
  try {
    const open = await finishPublished(ports, target, batch);
    faults = await runBatch(ports, table, target, open);
  } catch (error) {
    faults = new Map(batch.map(({ id }) => [id, error]));
  }
  const outcomes = await Promise.all(batch.map((delivery) => outcomeOf(delivery, faults.get(delivery.id))));
  const ended = outcomes.flatMap((outcome) => (outcome.kind === 'ended' ? [outcome.record] : []));
  await tellPeople(ports, ended, () => table);
  if (ended.length > 0) ports.onStep({ step: 'notified', ids: ended.map(({ id }) => id) });
  return outcomes;
}

/**
 * Deliveries that were taken over may be on main already: the runner before was killed between the commit and the record. They get their record.
 * @returns the deliveries that are not on main
 */
async function finishPublished(
  ports: GatePorts,
  target: TableTarget,
  batch: readonly ClaimedDelivery[],
): Promise<ClaimedDelivery[]> {
  if (batch.every(({ record }) => record.attempts === 1)) return [...batch];
  const loaded = await target.catalog.findTable(target.identifier);
  const open: ClaimedDelivery[] = [];
  for (const delivery of batch) {
    const snapshot = loaded && findPublished(loaded, delivery.id);
    if (!snapshot) {
      open.push(delivery);
      continue;
    }
    const detail = `snapshot ${snapshot.snapshotId}, found on main by a later attempt`;
    await delivery.save(recordEnding(delivery, { kind: 'published', snapshotId: snapshot.snapshotId, detail }));
  }
  if (open.length < batch.length) ports.onStep({ step: 'recorded', ids: batch.map(({ id }) => id) });
  return open;
}

/** A delivery that did not end was interrupted: its lease is given back so that the next run can take it up at once. */
async function outcomeOf(delivery: ClaimedDelivery, fault: unknown): Promise<DeliveryOutcome> {
  const drop = delivery.record.drop.url;
  if (isTerminal(delivery.record.state)) return { kind: 'ended', drop, record: delivery.record };
  const error = fault ?? new LakegateError('internal', `delivery ${delivery.id} was left without an ending`);
  if (isKind(error, 'internal') || !(error instanceof LakegateError) || !error.retryable) {
    // The same thing would happen again: it ends here, for a person to look at, rather than going round for ever.
    const reason = error instanceof Error ? error.message : String(error);
    const record = await saveQuietly(delivery, recordEnding(delivery, { kind: 'errored', reason }));
    return record ? { kind: 'ended', drop, record } : { kind: 'busy', drop, record: delivery.record };
  }
  delivery.note('received', `interrupted: ${error.message}`);
  await saveQuietly(delivery, { lease: undefined });
  return { kind: 'interrupted', drop, record: delivery.record, error };
}

/** The record cannot be written where the store is down or another runner has it: then the lease runs out and the next attempt finishes. */
async function saveQuietly(
  delivery: ClaimedDelivery,
  change: Partial<DeliveryRecord>,
): Promise<DeliveryRecord | undefined> {
  try {
    return await delivery.save(change);
  } catch {
    return undefined;
  }
}
