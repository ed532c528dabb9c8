import { awaitGate, identify } from '../../src/cli/await-gate.ts';
import type { Lake } from '../../src/compose.ts';
import { loadStages } from '../../src/config/load.ts';
import { LakegateError } from '../../src/errors.ts';
import type { DeliveryRecord, DeliveryState } from '../../src/gate/delivery.ts';
import { deliveryId, dropOf } from '../../src/gate/identity.ts';
import { createMemoryStore } from '../../src/storage/memory.ts';

const [CONFIG] = loadStages(
  'tables: { sales.orders: { from: orders/ } }\nstages: { dev: { account: "111111111111", region: eu-west-1 } }',
  '/lake/lake.yaml',
) as [Lake['config']];

const URL_A = 'memory:/raw/orders/a.parquet';

/** A stage whose gate says of each look what is given, in turn. */
async function stage(looks: (DeliveryState | 'nothing' | Error)[], versioned = false) {
  const store = createMemoryStore();
  await store.create(URL_A, Buffer.from('rows'));
  const head = store.head;
  const object = (await head(URL_A))!;
  const event = dropOf(URL_A, object);
  const id = deliveryId(event);
  let now = 0;
  const clock = () => now;
  const steps: string[] = [];
  let look = 0;
  const load = async (asked: string) => {
    if (asked !== id) return undefined;
    const state = looks[Math.min(look++, looks.length - 1)]!;
    if (state instanceof Error) throw state;
    if (state === 'nothing') return undefined;
    return { record: { id, state, drop: event } as DeliveryRecord, etag: '' };
  };
  const withVersions = { ...store, head: async (url: string) => ({ ...(await head(url))!, version: 'v1' }) };
  const lake = {
    config: CONFIG,
    ports: { store: versioned ? withVersions : store, records: { load } },
  } as unknown as Lake;
  const wait = (isNew = true) =>
    awaitGate(lake, [{ url: URL_A, isNew }], {
      clock,
      sleep: async (ms) => {
        now += ms;
      },
      onStep: ({ step }) => void steps.push(step),
    });
  return { lake, id, wait, steps, waited: () => now };
}

test('waits until the gate has ended it, and tells of the way there', async () => {
  const { wait, steps, id } = await stage(['nothing', 'received', 'staged', 'staged', 'published']);
  expect(await wait()).toMatchObject([{ kind: 'ended', drop: URL_A, record: { id, state: 'published' } }]);
  expect(steps).toEqual(['claimed', 'staged', 'recorded']);
});

test('what lay there and has ended is known at once; what lay there and is under way is waited for', async () => {
  const before = await stage(['rejected']);
  expect(await before.wait(false)).toMatchObject([{ kind: 'already', record: { state: 'rejected' } }]);
  expect(before.waited()).toBe(0);
  const underWay = await stage(['staged', 'published']);
  expect(await underWay.wait(false)).toMatchObject([{ kind: 'ended' }]);
});

test.each<[DeliveryState | 'nothing', boolean]>([
  ['nothing', false],
  ['staged', true],
])('after as long as a batch may take it is no longer waited for: %s', async (state, hasRecord) => {
  const { wait, waited, id } = await stage([state]);
  const [outcome] = await wait();
  expect(outcome).toMatchObject({ kind: 'waiting', id });
  expect('record' in outcome!).toBe(hasRecord);
  const { batchWindow, timeout } = CONFIG.stage!.gate;
  expect(waited()).toBeGreaterThanOrEqual((batchWindow + timeout) * 1000 + 60_000);
});

test('an answer that does not come is asked for again, a refusal ends it', async () => {
  const gone = await stage([new LakegateError('unavailable', 'throttled'), 'published']);
  expect(await gone.wait()).toMatchObject([{ kind: 'ended' }]);
  const refused = await stage([new LakegateError('config', 'denied')]);
  await expect(refused.wait()).rejects.toThrow('denied');
});

test('a gate that was told no version knows the object by its ETag', async () => {
  const { wait, id } = await stage(['published'], true);
  expect(await wait()).toMatchObject([{ kind: 'ended', record: { id } }]);
});

test('without waiting: new ones are dropped, those that lay there are what became of them', async () => {
  const { lake, id } = await stage(['published']);
  const outcomes = await identify(lake, [
    { url: URL_A, isNew: true },
    { url: URL_A, isNew: false },
    { url: 'memory:/raw/orders/none', isNew: false },
  ]);
  expect(outcomes).toMatchObject([{ kind: 'dropped', id }, { kind: 'already' }, { kind: 'gone' }]);
  const never = await stage(['nothing']);
  expect(await identify(never.lake, [{ url: URL_A, isNew: false }])).toMatchObject([{ kind: 'waiting' }]);
});
