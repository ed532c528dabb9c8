import { LakegateError } from '../errors.ts';
import type { ObjectStore } from '../storage/store.ts';
import type { DeliveryRecord } from './delivery.ts';

/** Outcomes kept in memory: whoever reads one delivery of a batch mostly reads its fellows. */
const CACHED = 16;

const BATCH = /^[0-9a-zA-Z-]{1,64}$/;

/** How the deliveries of a batch stood when their runner was done with them. */
export interface BatchOutcome {
  version: 1;
  batch: string;
  /** Of those not named here the batch says nothing: their own records count. */
  records: DeliveryRecord[];
}

/**
 * One object for each batch, created once and never changed: by the runner when it is done, or, with nothing in it, by whoever takes over a
 * delivery from a runner that seems dead, who so keeps it from having the last word.
 */
export interface BatchOutcomes {
  /** Undefined: the batch is not closed. */
  load(batch: string): Promise<BatchOutcome | undefined>;
  /**
   * Closes the batch.
   * @returns the outcome the batch has now: the given one, or what somebody else closed it with before
   */
  close(batch: string, records: readonly DeliveryRecord[]): Promise<BatchOutcome>;
}

/**
 * @param prefix URL ending in `/` under which the outcomes lie
 * @throws (from its methods) LakegateError `corrupt` for an object that is no outcome, `invalid` for a name that cannot be a batch's
 */
export function createBatchOutcomes(store: ObjectStore, prefix: string): BatchOutcomes {
  /** Least recently used first. */
  const cached = new Map<string, BatchOutcome>();
  /** Reads under way: fellows are mostly looked up at the same time. */
  const reading = new Map<string, Promise<BatchOutcome | undefined>>();

  const urlOf = (batch: string): string => {
    if (BATCH.test(batch)) return `${prefix}${batch}.json`;
    throw new LakegateError('invalid', `${JSON.stringify(batch)} is no name of a batch`, { context: { batch } });
  };

  function remember(outcome: BatchOutcome): BatchOutcome {
    cached.delete(outcome.batch);
    cached.set(outcome.batch, outcome);
    for (const oldest of cached.keys()) {
      if (cached.size <= CACHED) break;
      cached.delete(oldest);
    }
    return outcome;
  }

  async function load(batch: string): Promise<BatchOutcome | undefined> {
    const known = cached.get(batch);
    if (known !== undefined) return remember(known);
    const read = reading.get(batch) ?? readOutcome(batch).finally(() => reading.delete(batch));
    reading.set(batch, read);
    return read;
  }

  async function readOutcome(batch: string): Promise<BatchOutcome | undefined> {
    const url = urlOf(batch);
    try {
      return remember(decode((await store.read(url)).bytes, url));
    } catch (error) {
      if (error instanceof LakegateError && error.kind === 'not_found') return undefined;
      throw error;
    }
  }

  return {
    load,
    async close(batch, records) {
      const outcome: BatchOutcome = { version: 1, batch, records: [...records] };
      const bytes = new TextEncoder().encode(`${JSON.stringify(outcome, undefined, 1)}\n`);
      if (await store.create(urlOf(batch), bytes)) return remember(outcome);
      const there = await load(batch);
      if (there !== undefined) return there;
      throw new LakegateError('unavailable', `the outcome of batch ${batch} is there and is not: ask again`, {
        context: { batch },
      });
    },
  };
}

function decode(bytes: Uint8Array, url: string): BatchOutcome {
  let outcome: BatchOutcome;
  try {
    outcome = JSON.parse(new TextDecoder().decode(bytes)) as BatchOutcome;
  } catch (cause) {
    throw new LakegateError('corrupt', `the outcome of a batch ${url} is not JSON`, { context: { url }, cause });
  }
  if (outcome?.version === 1 && Array.isArray(outcome.records)) return outcome;
  throw new LakegateError('corrupt', `${url} is not the outcome of a batch, version 1`, { context: { url } });
}
