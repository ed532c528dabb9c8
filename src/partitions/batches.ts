import pLimit from 'p-limit';
import { LakegateError } from '../errors.ts';
import type { ItemFault } from './ports.ts';

export interface BatchesOptions<T> {
  /** Most items of a request. */
  size: number;
  valuesOf(item: T): readonly string[];
  call(batch: readonly T[]): Promise<ItemFault[]>;
  /** Whether a fault means that what was asked for is so already. */
  isDone(fault: ItemFault): boolean;
  /** Whether the same item may be taken if it is sent again. */
  isRetryable(fault: ItemFault): boolean;
  /** Waits before faults are sent again. @param attempt from 1 */
  pause(attempt: number): Promise<void>;
  /** Whether there is no time left to send more. */
  outOfTime(): boolean;
}

/** What became of the items. */
export interface BatchesResult<T> {
  done: T[];
  /** Those that were so already. */
  already: T[];
  faults: ItemFault[];
  /** Not sent, or not answered: the time was over, or a request failed as a whole. */
  left: T[];
  /** Sent, while the answer does not tell whether they were taken. */
  untold: T[];
  /** Why a request failed as a whole; those after it were not sent. */
  error?: LakegateError;
}

/** How often an item is sent that Glue says it may take later, the first time included. */
const ATTEMPTS = 5;

/** Requests about one table at the same time. */
const AT_ONCE = 4;

/**
 * Sends many items in as few requests as may be, some of them at the same time, and reads from each answer which were taken: Glue answers a request
 * of a hundred with the faults of single ones. What may be taken later is sent again.
 */
export async function runBatches<T>(items: readonly T[], options: BatchesOptions<T>): Promise<BatchesResult<T>> {
  const { size, valuesOf, call, isDone, isRetryable, pause, outOfTime } = options;
  const result: BatchesResult<T> = { done: [], already: [], faults: [], left: [], untold: [] };
  const limit = pLimit(AT_ONCE);
  let toSend = [...items];
  for (let attempt = 1; toSend.length > 0; attempt += 1) {
    const again: T[] = [];
    const send = async (batch: readonly T[]): Promise<void> => {
      if (result.error !== undefined || outOfTime()) {
        result.left.push(...batch);
        return;
      }
      let faults: ItemFault[];
      try {
        faults = await call(batch);
      } catch (error) {
        if (!(error instanceof LakegateError)) throw error;
        result.left.push(...batch);
        // Out of time is no failure of the request.
        if (!(error.retryable && outOfTime())) result.error ??= error;
        return;
      }
      const byValues = new Map(faults.map((fault) => [JSON.stringify(fault.values), fault]));
      const sent = new Set(batch.map((item) => JSON.stringify(valuesOf(item))));
      // A fault that names none of these partitions may be any one's: those without a fault of their own were taken, or were not.
      const stray = faults.filter(({ values }) => !sent.has(JSON.stringify(values)));
      result.faults.push(...stray);
      for (const item of batch) {
        const fault = byValues.get(JSON.stringify(valuesOf(item)));
        if (fault === undefined && stray.length === 0) result.done.push(item);
        else if (fault === undefined) result.untold.push(item);
        else if (isDone(fault)) result.already.push(item);
        else if (attempt < ATTEMPTS && isRetryable(fault)) again.push(item);
        else result.faults.push(fault);
      }
    };
    const batches = Array.from({ length: Math.ceil(toSend.length / size) }, (_, i) =>
      toSend.slice(i * size, (i + 1) * size),
    );
    await Promise.all(batches.map((batch) => limit(() => send(batch))));
    if (result.error !== undefined || (again.length > 0 && outOfTime())) {
      result.left.push(...again);
      return result;
    }
    if (again.length > 0) await pause(attempt);
    toSend = again;
  }
  return result;
}
