import pLimit from 'p-limit';
import { parseIdentifier } from '../catalogs/identifier.ts';
import type { LakeConfig, TableConfig } from '../config/model.ts';
import { isKind } from '../errors.ts';
import type { ExpectedObject } from '../storage/store.ts';
import { settledTogether } from './alone.ts';
import { type Claim, claim, isHeld, isoTime } from './claim.ts';
import type { DeliveryRecord, DeliveryState, Drop } from './delivery.ts';
import { withHeartbeat } from './heartbeat.ts';
import { deliveryId, dropOf } from './identity.ts';
import { tellLater } from './notify.ts';
import type { DeliveryOutcome, GatePorts, TableTarget } from './ports.ts';
import { route, tableOf } from './route.ts';
import { settleBatch } from './settle-batch.ts';
import { isTimeOver } from './time-left.ts';

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

/** An object that was heard of, by an event, a listing or a person; the version that was meant, where it was told. */
export interface SeenObject extends Partial<ExpectedObject> {
  url: string;
  /** When it was put, by the store's clock; milliseconds since the epoch, UTC. */
  at?: number;
}

/** As `deliverObjects`, in the versions that are there now. @param urls objects under the raw area */
export async function deliver(
  ports: GatePorts,
  config: LakeConfig,
  urls: readonly string[],
  options: DeliverOptions = {},
): Promise<DeliveryOutcome[]> {
  return deliverObjects(
    ports,
    config,
    urls.map((url) => ({ url })),
    options,
  );
}

/**
 * Takes objects all the way: routed, claimed, staged, audited, published or kept aside, told, recorded. Deliveries of one table share two commits; a
 * fault of one never holds back another. Where size and ETag were told, no request asks for them, and that version is taken or none: one that is
 * not there any more ends as errored.
 * @param objects repeated ones are taken once
 * @returns one outcome for each, in the order given
 */
export async function deliverObjects(
  ports: GatePorts,
  config: LakeConfig,
  objects: readonly SeenObject[],
  options: DeliverOptions = {},
): Promise<DeliveryOutcome[]> {
  const limit = pLimit(CONCURRENCY);
  const asked = new Map<string, Promise<DeliveryOutcome | RoutedDrop>>();
  const located = await Promise.all(
    objects.map((object) => {
      if (object.etag !== undefined) return locate(ports, config, object, options);
      const found = asked.get(object.url) ?? limit(() => locate(ports, config, object, options));
      asked.set(object.url, found);
      return found;
    }),
  );
  const routed = located.filter((result) => 'table' in result);
  const outcomes = new Map<string, DeliveryOutcome>();
  for (const [name, own] of Map.groupBy(routed, ({ table }) => table.name)) {
    const drops = own.map(({ drop }) => drop);
    const delivered = await deliverDrops(ports, config, own[0]!.table, drops, options);
    for (const [index, drop] of drops.entries()) outcomes.set(`${name} ${deliveryId(drop)}`, delivered[index]!);
  }
  return located.map((result) =>
    'table' in result ? outcomes.get(`${result.table.name} ${deliveryId(result.drop)}`)! : result,
  );
}

interface RoutedDrop {
  table: TableConfig;
  drop: Drop;
}

/** Which table the object is for and which version of it is meant, or why it goes no further. */
async function locate(
  ports: GatePorts,
  config: LakeConfig,
  { url, size, etag, version, at }: SeenObject,
  { table }: DeliverOptions,
): Promise<DeliveryOutcome | RoutedDrop> {
  const routed = table ? ({ kind: 'table', table } as const) : route(config, url);
  if (routed.kind === 'unrouted') return { kind: 'unrouted', drop: url, reason: routed.reason };
  if (size !== undefined && etag !== undefined) {
    const known = { size, etag, ...(version === undefined ? {} : { version }) };
    const drop = dropOf(url, known);
    return { table: routed.table, drop: at === undefined ? drop : { ...drop, putAt: isoTime(at) } };
  }
  try {
    const object = await ports.store.head(url);
    return object ? { table: routed.table, drop: dropOf(url, object) } : { kind: 'gone', drop: url };
  } catch (error) {
    // A name that the store refuses can be no object's.
    if (isKind(error, 'invalid')) return { kind: 'unrouted', drop: url, reason: error.message };
    return { kind: 'unclaimed', drop: url, error };
  }
}

/**
 * Takes object versions of one table all the way, as `deliverObjects`; the objects themselves may have been replaced or deleted since.
 * @returns an outcome for each, in the order given
 */
export async function deliverDrops(
  ports: GatePorts,
  config: LakeConfig,
  table: TableConfig,
  drops: readonly Drop[],
  { restart = [] }: Pick<DeliverOptions, 'restart'> = {},
): Promise<DeliveryOutcome[]> {
  const catalogName = table.catalog ?? config.defaultCatalog;
  const target: TableTarget = { identifier: parseIdentifier(table.name), catalog: ports.catalog(catalogName) };
  const limit = pLimit(CONCURRENCY);
  const outcomes = new Map<string, DeliveryOutcome>();
  const distinct = [...new Map(drops.map((drop) => [deliveryId(drop), drop])).entries()];
  // Replacing deliveries build on one another: in the order in which they were put, and each is settled before the next is staged.
  const replaces = table.mode !== 'append';
  if (replaces) distinct.sort(([, { putAt: a = '' }], [, { putAt: b = '' }]) => (a < b ? -1 : a > b ? 1 : 0));
  const size = replaces ? 1 : BATCH_LIMIT;
  const claimOne = async (id: string, drop: Drop, batch: string): Promise<Claim | undefined> => {
    if (isTimeOver(ports)) {
      outcomes.set(id, { kind: 'postponed', drop: drop.url });
      return undefined;
    }
    try {
      const owner = { name: table.name, catalog: catalogName };
      return await claim(ports, drop, owner, { restart, batch });
    } catch (error) {
      // Those that were claimed go on: their leases are held, and nobody else may take them up.
      outcomes.set(id, { kind: 'unclaimed', drop: drop.url, error });
      return undefined;
    }
  };
  const batches = await Promise.all(
    chunks(distinct, size).map(async (chunk) => {
      const batch = ports.io.uuid();
      const claims = await Promise.all(chunk.map(([id, drop]) => limit(() => claimOne(id, drop, batch))));
      return claims.filter((claimed) => claimed !== undefined);
    }),
  );
  const claims = batches.flat();
  for (const claimed of claims) {
    if (claimed.kind === 'busy') {
      outcomes.set(claimed.record.id, { kind: 'busy', drop: claimed.record.drop.url, record: claimed.record });
    }
  }
  // People could not be told of it when it ended; a repeated event may be all that ever comes of it.
  const before = claims.flatMap((claimed) => (claimed.kind === 'already' ? [claimed.record] : []));
  const untold = new Map((await tellUntold(ports, config, before)).map((record) => [record.id, record]));
  for (const record of before) {
    outcomes.set(record.id, { kind: 'already', drop: record.drop.url, record: untold.get(record.id) ?? record });
  }
  const owned = claims.flatMap((claimed) => (claimed.kind === 'claimed' ? [claimed.delivery] : []));
  if (owned.length > 0) ports.onStep({ step: 'claimed', ids: owned.map(({ id }) => id) });
  await withHeartbeat(owned, ports.leaseMs / 3, async () => {
    for (const batch of batches) {
      const own = batch.flatMap((claimed) => (claimed.kind === 'claimed' ? [claimed.delivery] : []));
      for (const group of settledTogether(own)) {
        const settled = await settleBatch(ports, table, target, group);
        for (const [index, outcome] of settled.entries()) outcomes.set(group[index]!.id, outcome);
      }
    }
  });
  return drops.map((drop) => outcomes.get(deliveryId(drop))!);
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}

/**
 * Tells people of those deliveries of whose ending they could not be told.
 * @returns the records of those they were told of
 */
export async function tellUntold(
  ports: GatePorts,
  config: LakeConfig,
  records: readonly DeliveryRecord[],
): Promise<DeliveryRecord[]> {
  const untold = records.filter((record) => record.notification === 'pending' && !isHeld(ports, record));
  return tellLater(ports, untold, ({ table }) => tableOf(config, table));
}
