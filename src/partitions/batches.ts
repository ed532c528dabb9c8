import { isKind, type LakegateError } from '../errors.ts';
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
  /** Why a request failed as a whole; those after it were not sent. */
  error?: LakegateError;
}

/** How often an item is sent that Glue says it may take later, the first time included. */
const ATTEMPTS = 5;

/**
 * Sends many items in as few requests as may be, and reads from each answer which were taken: Glue answers a request of a hundred with the faults
 * of single ones. What may be taken later is sent again.
 */
export async function runBatches<T>(items: readonly T[], options: BatchesOptions<T>): Promise<BatchesResult<T>> {
  const result: BatchesResult<T> = { done: [], already: [], faults: [], left: [] };
  let toSend = [...items];
  for (let attempt = 1; toSend.length > 0; attempt += 1) {
    const again: T[] = [];
    for (let start = 0; start < toSend.length; start += options.size) {
      const batch = toSend.slice(start, start + options.size);
      if (options.outOfTime()) {
        result.left.push(...toSend.slice(start), ...again);
        return result;
      }
      let faults: ItemFault[];
      try {
        faults = await options.call(batch);
      } catch (error) {
        if (!isFault(error)) throw error;
        result.left.push(...toSend.slice(start), ...again);
        // Out of time is no failure of the request.
        return options.outOfTime() && error.retryable ? result : { ...result, error };
      }
      const byValues = new Map(faults.map((fault) => [JSON.stringify(fault.values), fault]));
      for (const item of batch) {
        const fault = byValues.get(JSON.stringify(options.valuesOf(item)));
        if (fault === undefined) result.done.push(item);
        else if (options.isDone(fault)) result.already.push(item);
        else if (attempt < ATTEMPTS && options.isRetryable(fault)) again.push(item);
        else result.faults.push(fault);
      }
    }
    toSend = again;
    if (again.length > 0) await options.pause(attempt);
  }
  return result;
}

function isFault(error: unknown): error is LakegateError {
  return isKind(error, 'unavailable', 'not_found', 'invalid', 'config', 'conflict', 'unsupported', 'exists');
}
