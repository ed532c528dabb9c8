import pLimit from 'p-limit';
import { parseIdentifier } from '../catalogs/identifier.ts';
import type { LakeConfig, TableConfig } from '../config/model.ts';
import { isKind, LakegateError } from '../errors.ts';
import { type ClaimedDelivery, claim, isHeld, isTerminal } from './claim.ts';
import type { DeliveryRecord, DeliveryState, Drop } from './delivery.ts';
import { withHeartbeat } from './heartbeat.ts';
import { tellPeople } from './notify.ts';
import type { DeliveryOutcome, GatePorts, TableTarget } from './ports.ts';
import { finishPublished } from './recover.ts';
import { route, tableOf } from './route.ts';
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
  const order = new Map([...new Set(urls)].map((url, index) => [url, index]));
  await Promise.all(
    [...order.keys()].map((url) =>
      limit(async () => {
        const found = await locate(ports, config, url, options.table);
        if ('kind' in found) {
          outcomes.set(url, found);
          return;
        }
        const group = byTable.get(found.table.name) ?? { table: found.table, drops: [] };
        group.drops.push(found.drop);
        byTable.set(found.table.name, group);
      }),
    ),
  );
  for (const { table, drops } of byTable.values()) {
    // Heads answer in any order; a table's deliveries are taken in the order given.
    drops.sort((a, b) => order.get(a.url)! - order.get(b.url)!);
    for (const outcome of await deliverDrops(ports, config, table, drops, options)) outcomes.set(outcome.drop, outcome);
  }
  return urls.map((url) => outcomes.get(url)!);
}

/** Which version of the object is there and which table it is for, or why it goes no further. */
async function locate(
  ports: GatePorts,
  config: LakeConfig,
  url: string,
  given: TableConfig | undefined,
): Promise<DeliveryOutcome | { table: TableConfig; drop: Drop }> {
  const routed = given ? ({ kind: 'table', table: given } as const) : route(config, url);
  if (routed.kind === 'unrouted') return { kind: 'unrouted', drop: url, reason: routed.reason };
  try {
    const object = await ports.store.head(url);
    if (!object) return { kind: 'gone', drop: url };
    return { table: routed.table, drop: { url, version: object.etag, size: object.size } };
  } catch (error) {
    // A name that the store refuses can be no object's.
    if (isKind(error, 'invalid')) return { kind: 'unrouted', drop: url, reason: error.message };
    return { kind: 'unclaimed', drop: url, error };
  }
}

/**
 * Takes object versions of one table all the way, as `deliver`; the objects themselves may have been replaced or deleted since.
 * @returns an outcome for each, in no particular order
 */
export async function deliverDrops(
  ports: GatePorts,
  config: LakeConfig,
  table: TableConfig,
  drops: readonly Drop[],
  options: Pick<DeliverOptions, 'restart'> = {},
): Promise<DeliveryOutcome[]> {
  const catalogName = table.catalog ?? config.defaultCatalog;
  const target: TableTarget = { identifier: parseIdentifier(table.name), catalog: ports.catalog(catalogName) };
  const limit = pLimit(CONCURRENCY);
  const outcomes: DeliveryOutcome[] = [];
  const owned: ClaimedDelivery[] = [];
  const before: DeliveryRecord[] = [];
  await Promise.all(
    drops.map((drop) =>
      limit(async () => {
        try {
          const claimed = await claim(ports, drop, { name: table.name, catalog: catalogName }, options.restart);
          if (claimed.kind === 'claimed') owned.push(claimed.delivery);
          else if (claimed.kind === 'already') before.push(claimed.record);
          else outcomes.push({ kind: 'busy', drop: drop.url, record: claimed.record });
        } catch (error) {
          // Those that were claimed go on: their leases are held, and nobody else may take them up.
          outcomes.push({ kind: 'unclaimed', drop: drop.url, error });
        }
      }),
    ),
  );
  // The runner that stopped one may have died before it told anybody; a repeated event may be all that ever comes of it.
  const untold = new Map((await tellUntold(ports, config, before)).map((record) => [record.id, record]));
  for (const record of before)
    outcomes.push({ kind: 'already', drop: record.drop.url, record: untold.get(record.id) ?? record });
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

/**
 * Tells people of those deliveries that were stopped by a runner that died before it could.
 * @returns the records of those they were told of
 */
export async function tellUntold(
  ports: GatePorts,
  config: LakeConfig,
  records: readonly DeliveryRecord[],
): Promise<DeliveryRecord[]> {
  const untold = records.filter((record) => record.notification === 'pending' && !isHeld(ports, record));
  return tellPeople(ports, untold, ({ table }) => tableOf(config, table));
}

async function settleBatch(
  ports: GatePorts,
  table: TableConfig,
  target: TableTarget,
  batch: readonly ClaimedDelivery[],
): Promise<DeliveryOutcome[]> {
  let faults = new Map<string, unknown>();
  try {
    const open = await finishPublished(ports, table, target, batch);
    faults = await runBatch(ports, table, target, open);
  } catch (error) {
    faults = new Map(batch.map(({ id }) => [id, error]));
  }
  const outcomes = await Promise.all(batch.map((delivery) => outcomeOf(delivery, faults.get(delivery.id))));
  const ended = outcomes.flatMap((outcome) => (outcome.kind === 'ended' ? [outcome.record] : []));
  const told = new Map((await tellPeople(ports, ended, () => table)).map((record) => [record.id, record]));
  if (ended.length > 0) ports.onStep({ step: 'notified', ids: ended.map(({ id }) => id) });
  return outcomes.map((outcome) =>
    outcome.kind === 'ended' ? { ...outcome, record: told.get(outcome.record.id) ?? outcome.record } : outcome,
  );
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
