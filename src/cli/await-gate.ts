import pLimit from 'p-limit';
import type { Lake } from '../compose.ts';
import { isKind } from '../errors.ts';
import { isTerminal } from '../gate/claim.ts';
import type { DeliveryRecord } from '../gate/delivery.ts';
import { deliveryId, dropOf, expectedOf } from '../gate/identity.ts';
import type { PlacedDrop } from '../gate/place.ts';
import type { DeliveryOutcome, Step } from '../gate/ports.ts';

/** What is known of a drop that the gate of a stage takes, beside what the gate itself says of one. */
export type StageOutcome =
  | DeliveryOutcome
  /** It lies in the raw bucket; nobody waited. `id`: the delivery that it will be. */
  | { kind: 'dropped'; drop: string; id: string }
  /** The gate did not end it in the time one waits for it. `record`: what it says so far, where it has begun. */
  | { kind: 'waiting'; drop: string; id: string; record?: DeliveryRecord };

/** Records read at the same time. */
const AT_ONCE = 16;

/** The first looks come soon, since a delivery takes seconds; milliseconds. */
const PAUSES_MS = [500, 500, 1_000, 1_000, 2_000];

/** Added to what a batch may take at most: EventBridge's way, the queue, a function that has to start. Milliseconds. */
const WAY_MS = 60_000;

interface Awaited extends PlacedDrop {
  /** The delivery's id; a second one where the event of the drop may have come without its version. */
  ids: readonly string[];
}

export interface AwaitOptions {
  onStep?: (step: Step) => void;
  /** Milliseconds from any fixed point. */
  clock: () => number;
  sleep: (ms: number) => Promise<void>;
}

/**
 * The deliveries that objects of the raw bucket will be; of those that lay there already, what became of them.
 * @returns an outcome for each, in order
 */
export async function identify(
  lake: Pick<Lake, 'config' | 'ports'>,
  placed: readonly PlacedDrop[],
): Promise<StageOutcome[]> {
  const limit = pLimit(AT_ONCE);
  return Promise.all(
    (await awaited(lake.ports.store, placed)).map((drop) =>
      limit(async (): Promise<StageOutcome> => {
        if (!('ids' in drop)) return drop;
        const { url, ids } = drop;
        if (drop.isNew) return { kind: 'dropped', drop: url, id: ids[0]! };
        const record = await firstRecord(lake.ports.records, ids);
        if (record === undefined) return { kind: 'waiting', drop: url, id: ids[0]! };
        return isTerminal(record.state)
          ? { kind: 'already', drop: url, record }
          : { kind: 'waiting', drop: url, id: record.id, record };
      }),
    ),
  );
}

/**
 * Waits until the deployed gate has ended the deliveries of these objects, as long as one batch may take by the stage's sizes.
 * @returns an outcome for each, in order
 */
export async function awaitGate(
  { config, ports }: Pick<Lake, 'config' | 'ports'>,
  placed: readonly PlacedDrop[],
  { onStep = () => undefined, clock, sleep }: AwaitOptions,
): Promise<StageOutcome[]> {
  const { gate } = config.stage!;
  const deadline = clock() + WAY_MS + (gate.batchWindow + gate.timeout) * 1_000;
  const limit = pLimit(AT_ONCE);
  const drops = await awaited(ports.store, placed);
  const outcomes = new Map<Awaited, StageOutcome>();
  const seen = new Map<string, DeliveryRecord>();
  const look = async (drop: Awaited): Promise<void> => {
    const record = await firstRecord(ports.records, drop.ids);
    if (record === undefined) return;
    const before = seen.get(drop.url);
    seen.set(drop.url, record);
    if (before === undefined) onStep({ step: 'claimed', ids: [record.id] });
    if (record.state === 'staged' && before?.state !== 'staged') onStep({ step: 'staged', ids: [record.id] });
    if (!isTerminal(record.state)) return;
    onStep({ step: 'recorded', ids: [record.id] });
    // What lay there already and has ended needs no waiting: no event comes of it any more.
    const kind = !drop.isNew && before === undefined ? 'already' : 'ended';
    outcomes.set(drop, { kind, drop: drop.url, record });
  };
  let open = drops.filter((drop) => 'ids' in drop);
  for (let round = 0; open.length > 0; round += 1) {
    await Promise.all(open.map((drop) => limit(() => look(drop))));
    open = open.filter((drop) => !outcomes.has(drop));
    if (open.length === 0 || clock() >= deadline) break;
    await sleep(PAUSES_MS[Math.min(round, PAUSES_MS.length - 1)]!);
  }
  return drops.map((drop) => {
    if (!('ids' in drop)) return drop;
    const record = seen.get(drop.url);
    return (
      outcomes.get(drop) ?? {
        kind: 'waiting',
        drop: drop.url,
        id: record?.id ?? drop.ids[0]!,
        ...(record && { record }),
      }
    );
  });
}

async function awaited(
  store: Lake['ports']['store'],
  placed: readonly PlacedDrop[],
): Promise<(Awaited | Extract<StageOutcome, { kind: 'gone' }>)[]> {
  const limit = pLimit(AT_ONCE);
  return Promise.all(
    placed.map((drop) =>
      limit(async () => {
        const object = await store.head(drop.url);
        if (object === undefined) return { kind: 'gone', drop: drop.url } as const;
        const own = dropOf(drop.url, object);
        // Amazon's events name the version. Those of other servers may not, and then the gate knows the object by its ETag.
        const { etag } = expectedOf(own);
        return { ...drop, ids: [...new Set([deliveryId(own), deliveryId({ url: drop.url, version: etag })])] };
      }),
    ),
  );
}

async function firstRecord(
  records: Lake['ports']['records'],
  ids: readonly string[],
): Promise<DeliveryRecord | undefined> {
  for (const id of ids) {
    try {
      const found = await records.load(id);
      if (found) return found.record;
    } catch (error) {
      // An answer that does not come is no answer: the next look asks again, until the time is over.
      if (!isKind(error, 'unavailable') || !error.retryable) throw error;
    }
  }
  return undefined;
}
