/**
 * The request budget: what a delivery asks of the object store and of the catalogue, written down request by request (docs/adr/0006-request-budget.md has
 * the same table). A request more fails here; one fewer is to be entered in both.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Lake } from '../../src/compose.ts';
import type { TableConfig } from '../../src/config/model.ts';
import { deliverObjects, type SeenObject } from '../../src/gate/deliver.ts';
import type { DeliveryOutcome } from '../../src/gate/ports.ts';
import { orders, parquet } from '../faults/lake.ts';
import { type CountedLake, countedLake } from './counted-lake.ts';

const TOLD = '(people are told)';

/** One clean delivery to a table that has rows, in a process that has just started. */
const COLD = [
  'PUT record', // the claim
  'catalogue load',
  'GET table metadata',
  'GET range drop', // the footer
  'COPY drop',
  'GET manifest list', // the parent's
  'PUT manifest',
  'PUT manifest list',
  'catalogue commit', // staged
  'PUT table metadata',
  'catalogue commit', // published
  'PUT table metadata',
  TOLD,
  'PUT record', // the ending
];

/** What a process that goes on has in memory: its own last commit. */
const IN_MEMORY = ['GET table metadata', 'GET manifest list'];

/** What a delivery of a batch costs by itself; the rest is shared. */
const EACH = { 'PUT record': 1, 'GET range drop': 1, 'COPY drop': 1 };

/** What a batch costs however many it has: one delivery's, with the batch's outcome for its ending. */
const SHARED = COLD.filter((request) => !(request in EACH)).concat('PUT batch outcome');

const folder = mkdtempSync(join(tmpdir(), 'lakegate-budget-'));
const lakes: Lake[] = [];
afterEach(() => {
  for (const lake of lakes.splice(0)) lake.close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let made = 0;
const fresh = (table: Partial<TableConfig>) => countedLake(join(folder, String(made++)), table);

async function open(counted: CountedLake) {
  const opened = await counted.open();
  lakes.push(opened.lake);
  return opened;
}

/** Drops files of one row and more each; gives what the events of a bucket would. */
async function drop({ store }: CountedLake, from: number, count: number, file = goodFile): Promise<SeenObject[]> {
  const urls = Array.from({ length: count }, (_, index) => `memory:/raw/orders/${from + index}.parquet`);
  for (const [index, url] of urls.entries()) await store.create(url, file(from + index));
  return Promise.all(urls.map(async (url) => (await store.head(url))!));
}
const goodFile = (id: number) => parquet(orders(id, 2));
const badFile = (id: number) => parquet(orders(id, 2, [1]));

/** Delivers; gives the requests. */
async function deliveries(
  { lake, requests }: Awaited<ReturnType<CountedLake['open']>>,
  seen: SeenObject[],
  state = 'published',
): Promise<string[]> {
  requests.length = 0;
  const outcomes: DeliveryOutcome[] = await deliverObjects(lake.ports, lake.config, seen);
  const ends = outcomes.map((outcome) => (outcome.kind === 'ended' ? outcome.record.state : outcome.kind));
  expect(new Set(ends)).toEqual(new Set([state]));
  return [...requests];
}

/** A table with some rows, made by a process that has ended. */
async function withRows(table: Partial<TableConfig> = {}): Promise<CountedLake> {
  const counted = fresh(table);
  await deliveries(await open(counted), await drop(counted, 1000, 1));
  return counted;
}

const without = (requests: readonly string[], ...gone: string[]) => requests.filter((one) => !gone.includes(one));
const tally = (requests: readonly string[]) =>
  Object.fromEntries(
    [...Map.groupBy(without(requests, TOLD), (one) => one)].map(([one, all]) => [one, all.length]).sort(),
  );
const total = (requests: readonly string[]) => without(requests, TOLD).length;

describe('one delivery', () => {
  test('in a cold process: 13 requests, 12 where the file is registered', async () => {
    const copied = await withRows();
    expect(await deliveries(await open(copied), await drop(copied, 0, 1))).toEqual(COLD);
    const registered = await withRows({ ingest: 'register' });
    const requests = await deliveries(await open(registered), await drop(registered, 0, 1));
    expect(requests).toEqual(without(COLD, 'COPY drop'));
    expect([total(COLD), total(requests)]).toEqual([13, 12]);
  });

  test('in a warm process: 11 requests, 10 where the file is registered', async () => {
    for (const [ingest, most] of [
      ['copy', 11],
      ['register', 10],
    ] as const) {
      const counted = await withRows({ ingest });
      const opened = await open(counted);
      await deliveries(opened, await drop(counted, 0, 1));
      const requests = await deliveries(opened, await drop(counted, 10, 1));
      expect(requests).toEqual(without(COLD, ...IN_MEMORY, ...(ingest === 'register' ? ['COPY drop'] : [])));
      expect(total(requests)).toBe(most);
    }
  });

  test('that fails the audit: no second commit, but the rows that fail are looked up', async () => {
    const counted = await withRows();
    const requests = await deliveries(await open(counted), await drop(counted, 0, 1, badFile), 'rejected');
    expect(total(requests)).toBe(15);
    expect(requests.filter((one) => one === 'catalogue commit')).toHaveLength(1);
  });

  test('that comes again costs the claim that fails and the record that says why', async () => {
    const counted = await withRows();
    const opened = await open(counted);
    const seen = await drop(counted, 0, 1);
    await deliveries(opened, seen);
    expect(await deliveries(opened, seen, 'already')).toEqual(['PUT record', 'GET record']);
  });
});

describe('a batch of 100', () => {
  const N = 100;
  const budget = (each: Record<string, number>, shared: readonly string[]) => {
    const counts: Record<string, number> = tally(shared);
    for (const [request, count] of Object.entries(each)) counts[request] = count * N + (counts[request] ?? 0);
    return counts;
  };

  test('copied: 3 requests each and 10 for all, 8 in a warm process', async () => {
    const counted = await withRows();
    const opened = await open(counted);
    const cold = await deliveries(opened, await drop(counted, 0, N));
    expect(tally(cold)).toEqual(budget(EACH, SHARED));
    expect(total(cold)).toBe(310);
    const warm = await deliveries(opened, await drop(counted, 2000, N));
    expect(tally(warm)).toEqual(budget(EACH, without(SHARED, ...IN_MEMORY)));
    expect(total(warm)).toBe(308);
  });

  test('registered: 2 requests each and 10 for all', async () => {
    const counted = await withRows({ ingest: 'register' });
    const requests = await deliveries(await open(counted), await drop(counted, 0, N));
    const { 'COPY drop': _copy, ...each } = EACH;
    expect(tally(requests)).toEqual(budget(each, SHARED));
    expect(total(requests)).toBe(210);
  });

  test('that comes again is found ended with two requests each and the outcome once', async () => {
    const counted = await withRows();
    const seen = await drop(counted, 0, N);
    await deliveries(await open(counted), seen);
    const requests = await deliveries(await open(counted), seen, 'already');
    expect(requests.filter((one) => one === 'GET batch outcome')).toHaveLength(1);
    expect(total(requests)).toBe(201);
  });

  test('that is cut short gives all leases back with one request', async () => {
    const counted = await withRows();
    const { lake, requests } = await open(counted);
    const seen = await drop(counted, 0, N);
    let left = 1;
    lake.ports.remainingMs = () => left;
    lake.ports.onStep = ({ step }) => {
      if (step === 'files-ready') left = 0;
    };
    const outcomes = await deliverObjects(lake.ports, lake.config, seen);
    expect(new Set(outcomes.map(({ kind }) => kind))).toEqual(new Set(['interrupted']));
    expect(requests.slice(-1)).toEqual(['PUT batch outcome']);
    expect(tally(requests)).toMatchObject({ 'PUT record': N, 'PUT batch outcome': 1 });
    const again = await deliveries(await open(counted), seen);
    expect(again.filter((one) => one === 'catalogue commit')).toHaveLength(2);
    // The claim that fails, the record, the outcome that gave it back, and the claim over it.
    expect(tally(again)).toMatchObject({ 'PUT record': 2 * N, 'GET record': N, 'GET batch outcome': 1 });
  });
});
