import { LakegateError } from '../errors.ts';
import type { DeliveryRecord, DeliveryState, Drop, LeaseHolder, StateChange } from './delivery.ts';
import { deliveryId } from './identity.ts';
import type { DeliveryRecords, VersionedRecord } from './records.ts';

/** States in which nothing more happens without a person's word. */
const TERMINAL: ReadonlySet<DeliveryState> = new Set(['published', 'rejected', 'errored', 'discarded', 'rolled_back']);

export function isTerminal(state: DeliveryState): boolean {
  return TERMINAL.has(state);
}

export interface ClaimPorts {
  records: DeliveryRecords;
  now(): number;
  holder: LeaseHolder;
  /** Milliseconds a lease lasts; it is renewed while the work goes on. */
  leaseMs: number;
  /** Whether a lease holder is known to be dead (same host, process gone). False where that cannot be told. */
  isDead(holder: LeaseHolder): boolean;
}

export type Claim =
  | { kind: 'claimed'; delivery: ClaimedDelivery }
  /** It has ended before: a repeated event. */
  | { kind: 'already'; record: DeliveryRecord }
  /** Somebody else works on it and is alive as far as one can tell. */
  | { kind: 'busy'; record: DeliveryRecord };

export interface ClaimOptions {
  /** Terminal states from which this claim may start again (a retry asked for by a person). */
  restart?: readonly DeliveryState[];
  /** The batch in whose outcome the delivery may end. A name that nobody else uses, and this run for no other claim of the delivery. */
  batch?: string;
}

/**
 * Makes one runner the delivery's owner: creates the record, or takes over one whose lease ran out or whose holder died. One conditional PUT
 * where the delivery is new.
 */
export async function claim(
  ports: ClaimPorts,
  drop: Drop,
  table: { name: string; catalog: string },
  { restart = [], batch }: ClaimOptions = {},
): Promise<Claim> {
  const id = deliveryId(drop);
  const inBatch = batch === undefined ? {} : { batch };
  const fresh: DeliveryRecord = {
    version: 1,
    id,
    table: table.name,
    catalog: table.catalog,
    drop,
    state: 'received',
    history: [{ state: 'received', at: isoTime(ports.now()) }],
    lease: newLease(ports),
    ...inBatch,
    attempts: 1,
    bytes: drop.size,
  };
  const ours = (record: VersionedRecord, wasDropped: boolean): Claim => ({
    kind: 'claimed',
    delivery: createClaimed(ports, record, wasDropped),
  });
  let wasDropped = false;
  for (;;) {
    const made = await ports.records.create(fresh);
    if (made) return ours(made, false);
    const found = await ports.records.load(id);
    if (!found) continue;
    const { record } = found;
    // The store had taken our claim, and its answer was lost.
    if (batch !== undefined && record.batch === batch) return ours(found, wasDropped);
    if (isTerminal(record.state) && !restart.includes(record.state)) return { kind: 'already', record };
    if (isHeld(ports, record)) return { kind: 'busy', record };
    if (record.batch !== undefined) {
      // Its runner may not be dead but slow. Once the batch is closed it can end this delivery by its record only, which is about to change.
      await ports.records.sealBatch(record.batch);
      continue;
    }
    wasDropped ||= isTerminal(record.state) || record.lease !== undefined;
    const taken = await ports.records.replace(found, {
      ...withoutVerdict(record),
      state: 'received',
      history: [...record.history, { state: 'received', at: isoTime(ports.now()), detail: 'taken up again' }],
      lease: newLease(ports),
      ...inBatch,
      attempts: record.attempts + 1,
    });
    if (taken) return ours(taken, wasDropped);
  }
}

/** Whether a runner has the delivery that is alive as far as one can tell. */
export function isHeld(ports: Pick<ClaimPorts, 'now' | 'isDead'>, { lease }: DeliveryRecord): boolean {
  return lease !== undefined && Date.parse(lease.until) > ports.now() && !ports.isDead(lease.holder);
}

function withoutVerdict(record: DeliveryRecord): DeliveryRecord {
  const { results: _results, reason: _reason, decision: _decision, notification: _notification, ...rest } = record;
  return rest;
}

/** A delivery this runner owns. Its record changes through here only, one change after the other. */
export interface ClaimedDelivery {
  readonly id: string;
  /** With its ending, where it has one, written or not. */
  readonly record: DeliveryRecord;
  /** As it was last written. */
  readonly stored: DeliveryRecord;
  /** Begun before by a runner that neither ended it nor gave it back: it died, and this delivery may be why. Or a person starts it again. */
  readonly wasDropped: boolean;
  /** Changes noted now and written with the ending. */
  note(state: StateChange['state'], detail?: string): void;
  /** Gives it an ending, or gives it back: this runner's last word, not written yet. A second call adds to the first. */
  end(change: Partial<DeliveryRecord>): void;
  /** Writes the last word into the record. @throws LakegateError `conflict` when another runner took the delivery over */
  write(): Promise<void>;
  /** To be told when the last word was written into the batch's outcome: the record itself stays as it is. */
  written(): void;
  /** Writes down that it is taken up by itself, and for which time. @throws as `write` */
  begin(alone: number): Promise<void>;
  /** Puts the lease's end off. @throws as `write` */
  renew(): Promise<void>;
  /** Makes sure that it is still this runner's: renews the lease where it has run out. @throws as `write` */
  hold(): Promise<void>;
}

function createClaimed(ports: ClaimPorts, first: VersionedRecord, wasDropped: boolean): ClaimedDelivery {
  let current = first;
  let ended: DeliveryRecord | undefined;
  let isOver = false;
  let pending: Promise<unknown> = Promise.resolve();
  const noted: StateChange[] = [];
  const replace = async (next: DeliveryRecord): Promise<void> => {
    const replaced = await ports.records.replace(current, next);
    if (!replaced) {
      throw new LakegateError('conflict', `delivery ${current.record.id} was taken over by another runner meanwhile`, {
        context: { id: current.record.id },
        retryable: false,
      });
    }
    current = replaced;
  };
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = pending.then(work);
    pending = result.catch(() => undefined);
    return result;
  };
  const renewed = async (): Promise<void> => {
    if (isOver) return;
    await replace({ ...current.record, lease: newLease(ports) });
  };
  return {
    id: first.record.id,
    wasDropped,
    get record() {
      return ended ?? current.record;
    },
    get stored() {
      return current.record;
    },
    note(state, detail) {
      noted.push({ state, at: isoTime(ports.now()), ...(detail === undefined ? {} : { detail }) });
    },
    end(change) {
      const { lease: _lease, batch: _batch, alone: _alone, ...open } = ended ?? current.record;
      ended = { ...open, ...change, history: [...open.history, ...noted.splice(0)] };
    },
    write: () =>
      inTurn(async () => {
        if (ended === undefined) return;
        await replace(ended);
        isOver = true;
      }),
    written() {
      isOver = true;
    },
    begin: (alone) => inTurn(() => replace({ ...current.record, lease: newLease(ports), alone })),
    renew: () => inTurn(renewed),
    hold: () =>
      inTurn(async () => {
        const { lease } = current.record;
        if (lease === undefined || Date.parse(lease.until) <= ports.now()) await renewed();
      }),
  };
}

function newLease(ports: ClaimPorts): NonNullable<DeliveryRecord['lease']> {
  return { holder: ports.holder, until: isoTime(ports.now() + ports.leaseMs) };
}

/** UTC, ISO 8601, milliseconds. */
export function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
