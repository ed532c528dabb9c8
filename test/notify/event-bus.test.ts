import type { BusDetail, BusEntry } from '../../src/notify/bus-entry.ts';
import { eventId, MAX_REQUEST_BYTES, requests } from '../../src/notify/bus-entry.ts';
import { createEventBusNotifier } from '../../src/notify/event-bus.ts';
import type { DeliveryStopped, DomainEvent } from '../../src/notify/notifier.ts';

const published = (id: string): DomainEvent => ({
  event: 'delivery.published',
  id,
  table: 'sales.orders',
  file: `s3://raw/orders/${id}.parquet`,
  rows: 3,
  snapshotId: '9007199254740993',
  at: '2026-11-12T00:00:00.000Z',
});

const rejected = (results: number, text = 'x'): DeliveryStopped => ({
  event: 'delivery.rejected',
  id: 'a1',
  table: 'sales.orders',
  file: 's3://raw/orders/a.csv',
  at: '2026-11-12T00:00:00.000Z',
  results: Array.from({ length: results }, (_, index) => ({
    rule: 'not_null' as const,
    column: `column_${index}`,
    outcome: 'failed' as const,
    expected: 'no nulls',
    found: text,
  })),
});

/** A bus that answers each request as told, and keeps what it took. */
function bus(answer: (entries: readonly BusEntry[], request: number) => (string | undefined)[]) {
  const asked: number[] = [];
  const taken: BusDetail[] = [];
  const notifier = createEventBusNotifier({
    bus: 'lake-dev',
    sleep: async () => undefined,
    random: () => 0.5,
    put: async (entries) => {
      asked.push(entries.length);
      const codes = answer(entries, asked.length);
      for (const [index, entry] of entries.entries()) {
        if (codes[index] === undefined) taken.push(JSON.parse(entry.Detail) as BusDetail);
      }
      return codes;
    },
  });
  return { notifier, asked, taken };
}

const all = (entries: readonly BusEntry[]) => entries.map(() => undefined);
const ids = (taken: readonly BusDetail[]) => taken.map((detail) => ('id' in detail ? detail.id : '?'));

test('an entry names lakegate, the event and the bus', async () => {
  const entries: BusEntry[] = [];
  const { notifier, taken } = bus((asked) => {
    entries.push(...asked);
    return all(asked);
  });
  await notifier.notify([published('a')]);
  expect(entries).toMatchObject([{ EventBusName: 'lake-dev', Source: 'lakegate', DetailType: 'delivery.published' }]);
  expect(taken).toEqual([{ version: 1, eventId: eventId(published('a')), ...published('a') }]);
});

test('ten entries a request', async () => {
  const { notifier, asked, taken } = bus(all);
  await notifier.notify(Array.from({ length: 23 }, (_, index) => published(`d${index}`)));
  expect(asked).toEqual([10, 10, 3]);
  expect(taken).toHaveLength(23);
});

test('only what was refused is put again', async () => {
  const { notifier, asked, taken } = bus((entries, request) =>
    entries.map((_, index) => (request === 1 && index === 1 ? 'ThrottlingException' : undefined)),
  );
  await notifier.notify([published('a'), published('b'), published('c')]);
  expect(asked).toEqual([3, 1]);
  expect(ids(taken)).toEqual(['a', 'c', 'b']);
});

test('what is refused again and again is an error; later requests are made all the same', async () => {
  const events = Array.from({ length: 12 }, (_, index) => published(`d${index}`));
  const { notifier, taken } = bus((entries) =>
    entries.map(({ Detail }) => (Detail.includes('"d0"') ? 'InternalFailure' : undefined)),
  );
  await expect(notifier.notify(events)).rejects.toMatchObject({
    kind: 'unavailable',
    message: expect.stringMatching(/InternalFailure/),
  });
  expect(taken).toHaveLength(11);
});

test('a request that fails whole is an error', async () => {
  const { notifier } = bus(() => {
    throw new Error('no route');
  });
  await expect(notifier.notify([published('a')])).rejects.toMatchObject({
    kind: 'unavailable',
    message: expect.stringMatching(/no route/),
  });
});

test('what is too large is cut: results from the end, counted', async () => {
  const { notifier, taken } = bus(all);
  await notifier.notify([rejected(3_000, 'ä'.repeat(100))]);
  const [detail] = taken as [BusDetail & DeliveryStopped];
  expect(Buffer.byteLength(JSON.stringify(detail))).toBeLessThanOrEqual(MAX_REQUEST_BYTES);
  expect(detail.results.length).toBeGreaterThan(500);
  expect(detail.resultsOmitted).toBe(3_000 - detail.results.length);
  expect(detail.results[0]).toEqual(rejected(1, 'ä'.repeat(100)).results[0]);
});

test('long texts are cut before results are', async () => {
  const { notifier, taken } = bus(all);
  await notifier.notify([rejected(2, '日'.repeat(200_000))]);
  const [detail] = taken as [BusDetail & DeliveryStopped];
  expect(detail.results.map(({ found }) => found.length)).toEqual([2_000, 2_000]);
});

test('large events go in requests of their own', () => {
  const entry = (bytes: number): BusEntry => ({
    EventBusName: 'b',
    Source: 'lakegate',
    DetailType: 'delivery.rejected',
    Detail: 'x'.repeat(bytes),
    Time: new Date(0),
    Resources: [],
  });
  const sizes = requests([entry(100_000), entry(100_000), entry(100_000), entry(10)]).map((request) => request.length);
  expect(sizes).toEqual([2, 2]);
});

describe('eventId', () => {
  test('does not change with the time it is said, nor the order of fields', () => {
    const again = Object.fromEntries(Object.entries(rejected(1)).reverse()) as unknown as DomainEvent;
    expect(eventId({ ...again, at: '2027-01-01T00:00:00Z' })).toBe(eventId(rejected(1)));
  });

  test('changes with what happened', () => {
    expect(eventId(rejected(1))).not.toBe(eventId(rejected(2)));
    expect(eventId(published('a'))).not.toBe(eventId({ ...published('a'), snapshotId: '2' } as DomainEvent));
  });
});
