import pLimit from 'p-limit';
import type { LakeConfig } from '../config/model.ts';
import { isoTime } from '../gate/claim.ts';
import { deliverObjects } from '../gate/deliver.ts';
import { deliveryId, dropOf } from '../gate/identity.ts';
import type { DeliveryOutcome, GatePorts } from '../gate/ports.ts';
import { isNoData, route, tableOf } from '../gate/route.ts';
import type { DomainEvent } from '../notify/notifier.ts';
import type { ObjectInfo } from '../storage/store.ts';

/** How far the listing of the raw area came. Times are milliseconds since the epoch. */
export interface ReconcileState {
  version: 1;
  /** Objects put before this were looked at. */
  through: number;
  /** A listing that was stopped: it looks at objects put up to `until`, and goes on behind the key `after`. */
  underWay?: { until: number; after: string };
}

export function isReconcileState(value: unknown): value is ReconcileState {
  const state = value as ReconcileState | null;
  return state?.version === 1 && Number.isFinite(state.through);
}

export interface ReconcileOptions {
  /** Objects younger than this are left to their events, which may be on the way. Milliseconds. */
  settleMs: number;
  /** Objects older than this are not looked at. Milliseconds. */
  lookbackMs: number;
  /**
   * What was put this long before the last run's end is looked at again: an upload in parts has the time of its beginning, and comes into
   * sight at its end. Milliseconds.
   */
  overlapMs: number;
}

export interface ReconcileReport {
  /** Objects listed, and those of them in the span of time looked at. */
  listed: number;
  looked: number;
  /** What became of drops that no event told of. */
  outcomes: DeliveryOutcome[];
  /** The first of the drops that no table claims, and how many there are. */
  unrouted: { url: string; reason: string }[];
  unroutedCount: number;
  /** For the next run; `underWay` where this one was stopped. */
  state: ReconcileState;
}

/** Drops that no event told of, delivered together. */
const CHUNK = 200;
const HEADS_AT_ONCE = 16;
const UNROUTED_SHOWN = 100;

/**
 * Lists the raw area against the delivery records: S3 may be asked not to send its events, and rules may be switched off. What no record knows
 * is delivered, and people are told that it came that way; of what no table claims they are told too. Of an object that was replaced only the
 * newest version is seen.
 * @param before the state that the last run gave back
 */
export async function reconcile(
  ports: GatePorts,
  config: LakeConfig,
  { settleMs, lookbackMs, overlapMs }: ReconcileOptions,
  before: ReconcileState | undefined,
): Promise<ReconcileReport> {
  const now = ports.now();
  const until = before?.underWay?.until ?? now - settleMs;
  const since = Math.max(now - lookbackMs, (before?.through ?? 0) - overlapMs);
  const after = before?.underWay?.after;
  const known = new Set(await ports.records.idsByChange());
  const report: ReconcileReport = {
    listed: 0,
    looked: 0,
    outcomes: [],
    unrouted: [],
    unroutedCount: 0,
    state: { version: 1, through: until },
  };
  let chunk: ObjectInfo[] = [];
  /** Behind which key a next run has to go on: all up to it has a record, or needs none. */
  let done = after;
  let last = after;
  let stopped = false;
  const flush = async (): Promise<boolean> => {
    const outcomes = await deliverMissing(ports, config, chunk, known);
    report.outcomes.push(...outcomes);
    chunk = [];
    // One that was not even begun has no record that would be found again.
    if (outcomes.some(({ kind }) => kind === 'postponed' || kind === 'unclaimed')) return false;
    done = last;
    return true;
  };
  for await (const object of ports.store.list(config.raw)) {
    if (after !== undefined && !isBehind(object.url, after)) continue;
    stopped = (ports.remainingMs?.() ?? 1) <= 0;
    if (stopped) break;
    report.listed += 1;
    last = object.url;
    if (object.lastModified <= since || object.lastModified > until) continue;
    report.looked += 1;
    const routed = route(config, object.url);
    if (routed.kind === 'unrouted') {
      if (isNoData(config, object.url)) continue;
      report.unroutedCount += 1;
      if (report.unrouted.length < UNROUTED_SHOWN) {
        report.unrouted.push({ url: object.url, reason: routed.reason });
      }
      continue;
    }
    chunk.push(object);
    stopped = chunk.length === CHUNK && !(await flush());
    if (stopped) break;
  }
  if (!(await flush()) || stopped) {
    const through = before?.through ?? since;
    report.state = { version: 1, through, ...(done !== undefined && { underWay: { until, after: done } }) };
  }
  await tell(ports, config, report);
  return report;
}

/** Keys come in the order of their bytes in UTF-8. */
function isBehind(url: string, after: string): boolean {
  return Buffer.compare(Buffer.from(url), Buffer.from(after)) > 0;
}

async function deliverMissing(
  ports: GatePorts,
  config: LakeConfig,
  objects: readonly ObjectInfo[],
  known: ReadonlySet<string>,
): Promise<DeliveryOutcome[]> {
  const limit = pLimit(HEADS_AT_ONCE);
  const isKnown = (object: ObjectInfo) => known.has(deliveryId(dropOf(object.url, object)));
  // A listing tells no versions, so it knows drops of buckets that keep none; the others are asked for.
  const heads = await Promise.all(
    objects.filter((object) => !isKnown(object)).map(({ url }) => limit(() => ports.store.head(url))),
  );
  const missing = heads.filter((object) => object !== undefined).filter((object) => !isKnown(object));
  if (missing.length === 0) return [];
  return deliverObjects(
    ports,
    config,
    missing.map((object) => ({ ...object, at: object.lastModified })),
  );
}

/** What no event told of, and what no table claims. A bus that does not take it says so itself; log and metrics have it all the same. */
async function tell(ports: GatePorts, config: LakeConfig, report: ReconcileReport): Promise<void> {
  const at = isoTime(ports.now());
  const events: DomainEvent[] = report.unrouted.map(({ url, reason }) => ({
    event: 'drop.unrouted',
    file: url,
    reason,
    at,
  }));
  for (const outcome of report.outcomes) {
    if (!('record' in outcome) || outcome.kind === 'already' || outcome.kind === 'busy') continue;
    const { table, drop } = outcome.record;
    const { owner, channel } = tableOf(config, table) ?? {};
    events.push({
      event: 'drop.missed',
      table,
      file: drop.url,
      at,
      ...(owner !== undefined && { owner }),
      ...(channel !== undefined && { channel }),
    });
  }
  if (events.length > 0) await ports.notifier.notify(events).catch(() => undefined);
}
