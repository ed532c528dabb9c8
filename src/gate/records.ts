import { isKind, LakegateError } from '../errors.ts';
import type { ObjectStore } from '../storage/store.ts';
import type { DeliveryRecord } from './delivery.ts';

/** A record together with the etag that the next change must match. */
export interface VersionedRecord {
  record: DeliveryRecord;
  etag: string;
}

/** The ledger: one JSON object per delivery under one prefix, changed by compare-and-swap only. */
export interface DeliveryRecords {
  load(id: string): Promise<VersionedRecord | undefined>;
  /** Undefined: there is one already. */
  create(record: DeliveryRecord): Promise<VersionedRecord | undefined>;
  /** Undefined: somebody else changed it first. */
  replace(current: VersionedRecord, record: DeliveryRecord): Promise<VersionedRecord | undefined>;
  /** Every record, in id order. One that cannot be read must not hide the others: it is told to `onUnreadable` and passed over. */
  list(onUnreadable: (fault: LakegateError) => void): AsyncIterable<VersionedRecord>;
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
  const load = async (id: string): Promise<VersionedRecord | undefined> => {
    const url = urlOf(id);
    try {
      const { bytes, etag } = await store.read(url);
      return { record: decode(bytes, url), etag };
    } catch (error) {
      if (error instanceof LakegateError && error.kind === 'not_found') return undefined;
      throw error;
    }
  };
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
    async idsByChange() {
      const found: { id: string; changed: number }[] = [];
      for await (const { url, lastModified } of store.list(prefix)) {
        const id = idIn(url, prefix);
        if (id !== undefined) found.push({ id, changed: lastModified });
      }
      return found.sort((a, b) => b.changed - a.changed).map(({ id }) => id);
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
