import type { BatchAnswer, DirectAnswer } from '../../lambdas/wap-audit/audit-drops.ts';
import { auditDrops } from '../../lambdas/wap-audit/audit-drops.ts';
import { LakegateError } from '../../src/errors.ts';
import { claim } from '../../src/gate/claim.ts';
import { dropOf } from '../../src/gate/identity.ts';
import { liveFiles } from '../../src/iceberg/published.ts';
import type { ObjectStore } from '../../src/storage/store.ts';
import { batch, created, notification, sns, TEST_EVENT } from '../events/samples.ts';
import { orders, parquet } from '../faults/lake.ts';
import { closeStages, memoryBuckets, type TestStage, testStage } from './stage.ts';

afterEach(closeStages);

const clean = (from = 0) => parquet(orders(from, 3));
const withNulls = () => parquet(orders(0, 3, [1]));

async function audit(test: TestStage, event: unknown, remainingMs = () => 300_000): Promise<string[]> {
  const { lake, config } = test.stage;
  const answer = await auditDrops({ lake, config, observer: test.observer, remainingMs }, event);
  return (answer as BatchAnswer).batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
}

async function direct(test: TestStage, event: unknown): Promise<DirectAnswer> {
  const { lake, config } = test.stage;
  const ports = { lake, config, observer: test.observer, remainingMs: () => 300_000 };
  return (await auditDrops(ports, event)) as DirectAnswer;
}

async function filesOnMain({ stage: { lake } }: TestStage): Promise<number> {
  const catalog = lake.ports.catalog('local');
  const table = await catalog.findTable({ namespace: ['shop'], name: 'orders' });
  return table === undefined ? 0 : (await liveFiles(lake.ports.io, table, 'main')).size;
}

const outcomes = ({ lines }: TestStage) =>
  lines
    .filter(({ event }) => /^(delivery|drop)-/.test(event))
    .map(({ event, state }) => [event, state].filter(Boolean).join(' '));

describe('a batch of the queue', () => {
  test('clean drops are published, bad ones rejected, both are told and none comes again', async () => {
    const test = await testStage();
    const events = [await test.put('orders/a.parquet', clean()), await test.put('orders/b.parquet', withNulls())];
    expect(await audit(test, batch(events))).toEqual([]);
    expect(await filesOnMain(test)).toBe(1);
    expect(test.told.map(({ event }) => event).sort()).toEqual(['delivery.published', 'delivery.rejected']);
    expect(test.total('DeliveriesPublished')).toBe(1);
    expect(test.total('DeliveriesRejected')).toBe(1);
    expect(test.total('RowsPublished')).toBe(3);
    expect(test.total('BytesPublished')).toBe(clean().length);
    expect(test.measures.filter(({ table }) => table === 'shop.orders')).toHaveLength(1);
  });

  test('keys with spaces, +, %, unicode go through both kinds of events', async () => {
    const test = await testStage();
    const keys = ['orders/a b.parquet', 'orders/a+b.parquet', 'orders/a%20b.parquet', 'orders/ä-日-😀.parquet'];
    const events = [];
    for (const [index, key] of keys.entries()) {
      const event = await test.put(key, clean(index * 10));
      const { size, etag } = event.detail.object;
      events.push(event, notification([{ key, size, etag }]), sns(event).toQueue);
    }
    expect(await audit(test, batch(events))).toEqual([]);
    expect(await filesOnMain(test)).toBe(keys.length);
    expect(test.told.map((detail) => 'file' in detail && detail.file).sort()).toEqual(
      keys.map((key) => `s3://raw-bucket/${key}`).sort(),
    );
  });

  test('a repeated event is the same delivery, in one batch and in a later one', async () => {
    const test = await testStage();
    const event = await test.put('orders/a.parquet', clean());
    expect(await audit(test, batch([event, event]))).toEqual([]);
    expect(test.total('DeliveriesPublished')).toBe(1);
    expect(outcomes(test)).toEqual(['delivery-ended published']);
    expect(await audit(test, batch([event]))).toEqual([]);
    expect(await filesOnMain(test)).toBe(1);
    expect(test.told).toHaveLength(1);
    expect(test.total('DeliveriesRepeated')).toBe(1);
  });

  test('messages that are not understood fail; others go on, and what is no drop succeeds', async () => {
    const test = await testStage();
    const event = await test.put('orders/a.parquet', clean());
    const bodies = ['{', event, TEST_EVENT, created({ key: 'x', type: 'Object Deleted' }), { hello: 'world' }];
    expect(await audit(test, batch(bodies))).toEqual(['m0', 'm4']);
    expect(await filesOnMain(test)).toBe(1);
    expect(test.total('EventsMalformed')).toBe(2);
  });

  test('a message with several drops fails if one of them has to come again', async () => {
    const inner = memoryBuckets();
    const store = refusing(inner, (url) => url.includes('/deliveries/'), 1);
    const test = await testStage({ store });
    const [a, b] = [await test.put('orders/a.parquet', clean()), await test.put('orders/b.parquet', clean(10))];
    const both = notification([a, b].map(({ detail: { object } }) => object));
    expect(await audit(test, batch([both]))).toEqual(['m0']);
    expect(await audit(test, batch([both]))).toEqual([]);
    expect(await filesOnMain(test)).toBe(2);
  });

  test('what no table claims is told once and does not come again', async () => {
    const test = await testStage();
    const events = [await test.put('elsewhere/a.csv', 'a\n1\n'), await test.put('orders/_SUCCESS', '')];
    expect(await audit(test, batch([...events, events[0]!]))).toEqual([]);
    expect(test.told).toMatchObject([{ event: 'drop.unrouted', file: 's3://raw-bucket/elsewhere/a.csv' }]);
    expect(test.total('DropsUnrouted')).toBe(1);
    expect(outcomes(test)).toEqual(['drop-unrouted', 'drop-unrouted']);
  });

  test('a corrupt file ends as errored, and does not come again', async () => {
    const test = await testStage();
    const event = await test.put('orders/a.parquet', 'PAR1 this is no Parquet file PAR1');
    expect(await audit(test, batch([event]))).toEqual([]);
    expect(outcomes(test)).toEqual(['delivery-ended errored']);
    expect(test.lines.find(({ event: name }) => name === 'delivery-ended')?.level).toBe('error');
  });

  test('no time left: nothing is begun, and everything comes again', async () => {
    const test = await testStage();
    const events = [await test.put('orders/a.parquet', clean()), await test.put('orders/b.parquet', clean(10))];
    const left = [20_000];
    expect(await audit(test, batch(events), () => left.pop() ?? 1_000)).toEqual(['m0', 'm1']);
    expect(outcomes(test)).toEqual(['delivery-postponed', 'delivery-postponed']);
    expect(await audit(test, batch(events))).toEqual([]);
    expect(await filesOnMain(test)).toBe(2);
  });

  test('a killed run keeps others out no longer than an invocation may take, so its event finds the lease over when it comes back', async () => {
    const { stage, config } = await testStage();
    expect(stage.lake.ports.leaseMs).toBe(config.stage.gate.timeout * 1000);
  });

  test('time runs out on the way: what was begun is given back and taken up at once by the next run', async () => {
    const event = { key: 'orders/a.parquet', bytes: clean() };
    for (let asked = 2; asked < 14; asked += 2) {
      const test = await testStage();
      const put = await test.put(event.key, event.bytes);
      let calls = 0;
      const failed = await audit(test, batch([put]), () => (++calls > asked ? 1_000 : 300_000));
      if (failed.length > 0) expect(await audit(test, batch([put]))).toEqual([]);
      expect(await filesOnMain(test)).toBe(1);
    }
  });

  test('another runner has it: it comes again', async () => {
    const test = await testStage();
    const event = await test.put('orders/a.parquet', clean());
    const other = await testStage({ store: test.store, lake: { host: 'lambda other' } });
    const { ports } = other.stage.lake;
    const { size, etag } = event.detail.object;
    await claim(ports, dropOf('s3://raw-bucket/orders/a.parquet', { size, etag }), {
      name: 'shop.orders',
      catalog: 'local',
    });
    expect(await audit(test, batch([event]))).toEqual(['m0']);
    expect(outcomes(test)).toEqual(['delivery-busy']);
  });

  test('a bus that takes nothing leaves the delivery to be told by the next event', async () => {
    let works = false;
    const test = await testStage({ put: (entries) => entries.map(() => (works ? undefined : 'InternalFailure')) });
    const event = await test.put('orders/a.parquet', withNulls());
    await audit(test, batch([event]));
    expect(test.told).toEqual([]);
    works = true;
    await audit(test, batch([event]));
    expect(test.told).toMatchObject([{ event: 'delivery.rejected' }]);
  });
});

describe('outside a queue', () => {
  test('direct invocation answers what became of each', async () => {
    const test = await testStage();
    await test.put('orders/a.parquet', clean());
    await test.put('orders/b.parquet', withNulls());
    const drops = ['orders/a.parquet', 'orders/b.parquet', 'orders/none', 'x/y'].map((key) => `s3://raw-bucket/${key}`);
    const { deliveries } = await direct(test, { drops });
    expect(deliveries.map(({ outcome }) => outcome)).toEqual(['published', 'rejected', 'gone', 'unrouted']);
  });

  test('a bare event of EventBridge, and a notification of S3', async () => {
    const test = await testStage();
    const event = await test.put('orders/a.parquet', clean());
    expect((await direct(test, event)).deliveries).toMatchObject([{ outcome: 'published' }]);
    const { size, etag } = event.detail.object;
    const again = await direct(test, notification([{ key: 'orders/a.parquet', size, etag }]));
    expect(again.deliveries).toMatchObject([{ outcome: 'published' }]);
    expect(await filesOnMain(test)).toBe(1);
    expect((await direct(test, TEST_EVENT)).deliveries).toEqual([]);
  });

  test('what has to come again is an error, so that Lambda repeats it', async () => {
    const test = await testStage({ store: refusing(memoryBuckets(), (url) => url.includes('/deliveries/'), 1) });
    const event = await test.put('orders/a.parquet', clean());
    await expect(direct(test, event)).rejects.toMatchObject({ kind: 'unavailable' });
    await direct(test, event);
    expect(await filesOnMain(test)).toBe(1);
  });

  test('drops outside the raw bucket are not read', async () => {
    const test = await testStage();
    const { deliveries } = await direct(test, { drops: ['file:///etc/passwd', 's3://other-bucket/orders/a.parquet'] });
    expect(deliveries.map(({ outcome }) => outcome)).toEqual(['unrouted', 'unrouted']);
  });
});

/** A store that does not answer the first times something is created. */
function refusing(inner: ObjectStore, concerns: (url: string) => boolean, times: number): ObjectStore {
  let left = times;
  return {
    ...inner,
    async create(url, bytes) {
      if (concerns(url) && left > 0) {
        left -= 1;
        throw new LakegateError('unavailable', `no answer about ${url}`);
      }
      return inner.create(url, bytes);
    },
  };
}
