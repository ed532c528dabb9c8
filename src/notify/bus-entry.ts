import { createHash } from 'node:crypto';
import { EVENT_SOURCE } from './event-source.ts';
import type { DomainEvent } from './notifier.ts';
import { shorten } from './printable.ts';

/** An entry of EventBridge's PutEvents. */
export interface BusEntry {
  EventBusName: string;
  Source: string;
  DetailType: string;
  Detail: string;
  Time: Date;
  Resources: string[];
}

/** What the `detail` of an event on the bus holds: the domain event, and what it can be told by when it comes twice. */
export type BusDetail = DomainEvent & {
  version: 1;
  eventId: string;
  /** Rule results left out, because the event would have been too large. */
  resultsOmitted?: number;
};

/**
 * Bytes of all entries of one request. EventBridge documented 256 KB for years ("Calculating PutEvents event entry size") and takes more now;
 * queues and functions behind a bus wrap what they get, so room is left.
 */
export const MAX_REQUEST_BYTES = 240_000;

/** Entries of one request (PutEvents, API reference). */
export const MAX_ENTRIES = 10;

/** Texts of an event are cut to this where it is too large. */
const MAX_TEXT = 2_000;

/**
 * The id that an event is known by when it is repeated: by a retried request, by the bus, or by a runner that took over from one that died
 * after telling. Made from what happened and not from when it was said.
 * @returns 32 hex digits
 */
export function eventId(event: DomainEvent): string {
  const { at: _at, ...what } = event;
  return createHash('sha256')
    .update(JSON.stringify(Object.entries(what).sort(([a], [b]) => (a < b ? -1 : 1))))
    .digest('hex')
    .slice(0, 32);
}

/** The event as an entry for the bus, cut where it would be too large: rule results from the end, then long texts. */
export function busEntry(event: DomainEvent, bus: string): BusEntry {
  return {
    EventBusName: bus,
    Source: EVENT_SOURCE,
    DetailType: event.event,
    Detail: JSON.stringify(fitted({ version: 1, eventId: eventId(event), ...event })),
    Time: new Date(event.at),
    Resources: [],
  };
}

/** Bytes that count towards the limit of a request. */
export function entryBytes(entry: BusEntry): number {
  return Buffer.byteLength(entry.Detail) + Buffer.byteLength(entry.DetailType) + Buffer.byteLength(entry.Source) + 14;
}

/** Splits entries into requests that EventBridge takes, in order. */
export function requests(entries: readonly BusEntry[]): BusEntry[][] {
  const result: BusEntry[][] = [];
  let room = 0;
  for (const entry of entries) {
    const bytes = entryBytes(entry);
    const last = result.at(-1);
    if (last === undefined || last.length === MAX_ENTRIES || bytes > room) {
      result.push([entry]);
      room = MAX_REQUEST_BYTES - bytes;
    } else {
      last.push(entry);
      room -= bytes;
    }
  }
  return result;
}

function fitted(detail: BusDetail): BusDetail {
  if (fits(detail)) return detail;
  const short = JSON.parse(JSON.stringify(detail), (_key, value) =>
    typeof value === 'string' ? shorten(value, MAX_TEXT) : value,
  ) as BusDetail;
  if (short.event === 'delivery.published') return withFewer(short, short.addedColumns ?? [], 'addedColumns');
  if (short.event === 'pipeline.failed') return withFewer(short, short.failures, 'failures');
  return 'results' in short ? withFewer(short, short.results, 'results') : short;
}

/** The detail with as many of the list's items as fit. */
function withFewer(
  detail: BusDetail,
  items: readonly unknown[],
  field: 'results' | 'addedColumns' | 'failures',
): BusDetail {
  const keeping = (count: number) =>
    ({
      ...detail,
      [field]: items.slice(0, count),
      ...(field === 'results' && { resultsOmitted: items.length - count }),
    }) as BusDetail;
  if (fits(detail)) return detail;
  let most = 0;
  for (let step = 2 ** Math.ceil(Math.log2(items.length + 1)); step >= 1; step /= 2) {
    if (most + step <= items.length && fits(keeping(most + step))) most += step;
  }
  return keeping(most);
}

function fits(detail: BusDetail): boolean {
  return Buffer.byteLength(JSON.stringify(detail)) <= MAX_REQUEST_BYTES - 1_000;
}
