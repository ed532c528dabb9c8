import pLimit from 'p-limit';
import { isKind, type LakegateError } from '../errors.ts';
import { isHeld, isTerminal } from './claim.ts';
import type { DeliveryRecord } from './delivery.ts';
import type { GatePorts } from './ports.ts';

/**
 * How far the ledger was looked through for open deliveries. A ledger only grows, and an ending is final but for a person's word, which changes
 * the record: what was looked at needs no second look unless it was open.
 */
export interface LedgerState {
  version: 1;
  /** Records that were last changed up to here were looked at; by the store's clock, milliseconds since the epoch. */
  through: number;
  /** Those of them that had not ended, or could not be read, or of which people are still to be told. */
  open: string[];
}

export function isLedgerState(value: unknown): value is LedgerState {
  const state = value as LedgerState | null;
  return state?.version === 1 && Number.isFinite(state.through) && Array.isArray(state.open);
}

/** What earlier runs left, and how far this one came. */
export interface OpenDeliveries {
  /** Not ended, and nobody has them. */
  open: DeliveryRecord[];
  /** Ended, and people could not be told. */
  untold: DeliveryRecord[];
  state: LedgerState;
}

/** A record's time is that of its writing's beginning: one that was seen later may bear an earlier time. Milliseconds. */
const OVERLAP_MS = 10 * 60_000;

const AT_ONCE = 16;

/** Between two looks at the clock. */
const CHUNK = 256;

/**
 * Finds deliveries that are to be taken up. Reads the records that changed since the last run, oldest first, and those that were open then; with half of
 * the run's time gone it leaves the rest to the next.
 * @param before the state that the last run gave back; undefined: all are looked at
 * @param onUnreadable hears of records that are damaged, at each run
 */
export async function findOpen(
  ports: GatePorts,
  before: LedgerState | undefined,
  onUnreadable: (fault: LakegateError) => void,
): Promise<OpenDeliveries> {
  const since = before === undefined ? Number.NEGATIVE_INFINITY : before.through - OVERLAP_MS;
  const known = new Set(before?.open);
  const changes = (await ports.records.changes()).filter(({ id, changed }) => known.has(id) || changed > since);
  // Those that were open come first: they wait already.
  const due = changes.sort((a, b) => Number(known.has(b.id)) - Number(known.has(a.id)) || a.changed - b.changed);
  const found: OpenDeliveries = {
    open: [],
    untold: [],
    state: { version: 1, through: before?.through ?? 0, open: [] },
  };
  const { state } = found;
  const limit = pLimit(AT_ONCE);
  const begun = ports.remainingMs?.();
  for (let start = 0; start < due.length; start += CHUNK) {
    if (begun !== undefined && ports.remainingMs!() < begun / 2) {
      state.open.push(...due.slice(start).flatMap(({ id }) => (known.has(id) ? [id] : [])));
      break;
    }
    const chunk = due.slice(start, start + CHUNK);
    const looked = await Promise.all(chunk.map(({ id }) => limit(() => look(ports, id, onUnreadable))));
    for (const [index, { id, changed }] of chunk.entries()) {
      const { isOpen, record } = looked[index]!;
      if (isOpen) state.open.push(id);
      if (!known.has(id)) state.through = Math.max(state.through, changed);
      if (record === undefined || isHeld(ports, record)) continue;
      if (!isTerminal(record.state)) found.open.push(record);
      else if (record.notification === 'pending') found.untold.push(record);
    }
  }
  return found;
}

/** @returns whether a later run has to look at it again, and the record where there is something to do about it */
async function look(
  { records }: GatePorts,
  id: string,
  onUnreadable: (fault: LakegateError) => void,
): Promise<{ isOpen: boolean; record?: DeliveryRecord }> {
  try {
    const record = (await records.load(id))?.record;
    const isOpen = record !== undefined && (!isTerminal(record.state) || record.notification === 'pending');
    return isOpen ? { isOpen, record } : { isOpen };
  } catch (error) {
    if (!isKind(error, 'corrupt')) throw error;
    onUnreadable(error);
    return { isOpen: true };
  }
}
