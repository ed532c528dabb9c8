import { isKind, LakegateError } from '../errors.ts';
import type { ObjectStore } from '../storage/store.ts';
import { type BatchOutcome, createBatchOutcomes } from './batch-outcomes.ts';
import type { DeliveryRecord } from './delivery.ts';

/** A record together with the etag that the next change must match. */
export interface VersionedRecord {
  record: DeliveryRecord;
  etag: string;
}

/**
 * The ledger: one JSON object per delivery under one prefix, changed by compare-and-swap only. Deliveries that were claimed together end together,
 * in their batch's outcome; what is read here has both put together.
 */
export interface DeliveryRecords {
  load(id: string): Promise<VersionedRecord | undefined>;
  /** Undefined: there is one already. */
  create(record: DeliveryRecord): Promise<VersionedRecord | undefined>;
  /** Undefined: somebody else changed it first. */
  replace(current: VersionedRecord, record: DeliveryRecord): Promise<VersionedRecord | undefined>;
  /**
   * Writes the last words on deliveries of one batch, all at once, for those records that still point to the batch. Where somebody else closed it
   * first, nothing is written.
   * @returns whether these are the batch's outcome
   */
  closeBatch(batch: string, records: readonly DeliveryRecord[]): Promise<boolean>;
  /** Closes a batch whose runner seems dead, so that it cannot end deliveries all at once any more; one that is closed stays as it is. */
  sealBatch(batch: string): Promise<void>;
  /** Every record, in id order. One that cannot be read must not hide the others: it is told to `onUnreadable` and passed over. */
  list(onUnreadable: (fault: LakegateError) => void): AsyncIterable<VersionedRecord>;
  /** All ids with the time of their records' last change, milliseconds since the epoch by the store's clock; no record is read for it. */
  changes(): Promise<{ id: string; changed: number }[]>;
  /** All ids, those whose records changed last first; no record is read for it. */
  idsByChange(): Promise<string[]>;
  /** Ids that start with the given hex digits, at most `limit`. */
  idsStartingWith(prefix: string, limit: number): Promise<string[]>;
}

const ID = /^[0-9a-f]{1,20}$/;

/**
 * @param prefix URL ending in `/` under which the records lie
 * @throws (from its methods) LakegateError `corrupt` for an object that is no record, `usage` for an id that cannot be one
 */
export function createRecords(store: ObjectStore, prefix: string): DeliveryRecords {
  const urlOf = (id: string): string => {
    if (!ID.test(id))
      throw new LakegateError('usage', `${JSON.stringify(id)} is no delivery id: expected up to 20 hex digits`);
    return `${prefix}${id}.json`;
  };
  // An underscore sorts between digits and letters and begins no id: listings of records pass it over.
  const outcomes = createBatchOutcomes(store, `${prefix}_batches/`);
  const load = async (id: string): Promise<VersionedRecord | undefined> => {
    const url = urlOf(id);
    try {
      const { bytes, etag } = await store.read(url);
      const record = decode(bytes, url);
      const outcome = record.batch === undefined ? undefined : await outcomes.load(record.batch);
      return { record: outcome ? joined(record, outcome) : record, etag };
    } catch (error) {
      if (error instanceof LakegateError && error.kind === 'not_found') return undefined;
      throw error;
    }
  };
  async function changes(): Promise<{ id: string; changed: number }[]> {
    const found: { id: string; changed: number }[] = [];
    for await (const { url, lastModified } of store.list(prefix)) {
      const id = idIn(url, prefix);
      if (id !== undefined) found.push({ id, changed: lastModified });
    }
    return found;
  }
  return {
    load,
    async create(record) {
      const made = await store.create(urlOf(record.id), encode(record));
      return made && { record, etag: made.etag };
    },
    async replace(current, record) {
      const made = await store.replace(urlOf(record.id), encode(record), current.etag);
      return made && { record, etag: made.etag };
    },
    async closeBatch(batch, records) {
      const { records: written } = await outcomes.close(batch, records);
      // Whoever else closes a batch puts nothing in: these are ours, though the answer to an earlier try may have been lost.
      return written.length > 0;
    },
    async sealBatch(batch) {
      await outcomes.close(batch, []);
    },
    async *list(onUnreadable) {
      for await (const object of store.list(prefix)) {
        const id = idIn(object.url, prefix);
        if (id === undefined) continue;
        try {
          const found = await load(id);
          if (found) yield found;
        } catch (error) {
          if (!isKind(error, 'corrupt')) throw error;
          onUnreadable(error);
        }
      }
    },
    changes,
    async idsByChange() {
      return (await changes()).sort((a, b) => b.changed - a.changed).map(({ id }) => id);
    },
    async idsStartingWith(start, limit) {
      const ids: string[] = [];
      for await (const object of store.list(urlOf(start).slice(0, -'.json'.length))) {
        const id = idIn(object.url, prefix);
        if (id !== undefined) ids.push(id);
        if (ids.length >= limit) break;
      }
      return ids;
    },
  };
}

/** A record that points to a closed batch: as the outcome has it, or its runner's for as long as the lease lasts. */
function joined(record: DeliveryRecord, { records }: BatchOutcome): DeliveryRecord {
  const ended = records.find(({ id, attempts }) => id === record.id && attempts === record.attempts);
  if (ended) return ended;
  const { batch: _batch, ...open } = record;
  return open;
}

function idIn(url: string, prefix: string): string | undefined {
  const match = /^([0-9a-f]{20})\.json$/.exec(url.slice(prefix.length));
  return match?.[1];
}

function encode(record: DeliveryRecord): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(record, undefined, 1)}\n`);
}

function decode(bytes: Uint8Array, url: string): DeliveryRecord {
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new LakegateError('corrupt', `delivery record ${url} is not JSON`, { context: { url }, cause });
  }
  const record = parsed as DeliveryRecord;
  if (record?.version !== 1 || typeof record.id !== 'string' || !Array.isArray(record.history)) {
    throw new LakegateError('corrupt', `${url} is not a delivery record of version 1`, { context: { url } });
  }
  return record;
}
