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

/**
 * Makes one runner the delivery's owner: creates the record, or takes over one whose lease ran out or whose holder died.
 * @param states terminal states from which this claim may start again (a retry asked for by a person)
 */
export async function claim(
  ports: ClaimPorts,
  drop: Drop,
  table: { name: string; catalog: string },
  states: readonly DeliveryState[] = [],
): Promise<Claim> {
  const id = deliveryId(drop);
  const fresh: DeliveryRecord = {
    version: 1,
    id,
    table: table.name,
    catalog: table.catalog,
    drop,
    state: 'received',
    history: [{ state: 'received', at: isoTime(ports.now()) }],
    lease: newLease(ports),
    attempts: 1,
    bytes: drop.size,
  };
  for (;;) {
    const made = await ports.records.create(fresh);
    if (made) return { kind: 'claimed', delivery: createClaimed(ports, made) };
    const found = await ports.records.load(id);
    if (!found) continue;
    const { record } = found;
    if (isTerminal(record.state) && !states.includes(record.state)) return { kind: 'already', record };
    if (isHeld(ports, record)) return { kind: 'busy', record };
    const taken = await ports.records.replace(found, {
      ...withoutVerdict(record),
      state: 'received',
      history: [...record.history, { state: 'received', at: isoTime(ports.now()), detail: 'taken up again' }],
      lease: newLease(ports),
      attempts: record.attempts + 1,
    });
    if (taken) return { kind: 'claimed', delivery: createClaimed(ports, taken) };
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
  readonly record: DeliveryRecord;
  /** Changes noted now and written with the next `save`. */
  note(state: StateChange['state'], detail?: string): void;
  /** Writes the record. @throws LakegateError `conflict` when another runner took the delivery over */
  save(change: Partial<DeliveryRecord>): Promise<DeliveryRecord>;
  /** Puts the lease's end off. @throws as `save` */
  renew(): Promise<void>;
}

function createClaimed(ports: ClaimPorts, first: VersionedRecord): ClaimedDelivery {
  let current = first;
  let pending: Promise<unknown> = Promise.resolve();
  const noted: StateChange[] = [];
  const write = async (change: Partial<DeliveryRecord>): Promise<DeliveryRecord> => {
    const history = [...current.record.history, ...noted.splice(0)];
    const next: DeliveryRecord = { ...current.record, ...change, history };
    // One that people are still to be told of stays this runner's until then, so that others do not tell them too.
    if (isTerminal(next.state) && next.notification !== 'pending') delete next.lease;
    const replaced = await ports.records.replace(current, next);
    if (!replaced) {
      throw new LakegateError('conflict', `delivery ${current.record.id} was taken over by another runner meanwhile`, {
        context: { id: current.record.id },
        retryable: false,
      });
    }
    current = replaced;
    return next;
  };
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = pending.then(work);
    pending = result.catch(() => undefined);
    return result;
  };
  return {
    id: first.record.id,
    get record() {
      return current.record;
    },
    note(state, detail) {
      noted.push({ state, at: isoTime(ports.now()), ...(detail === undefined ? {} : { detail }) });
    },
    save: (change) => inTurn(() => write(change)),
    renew: () =>
      inTurn(async () => {
        if (isTerminal(current.record.state)) return;
        await write({ lease: newLease(ports) });
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
