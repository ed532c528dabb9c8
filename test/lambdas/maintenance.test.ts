import { type MaintenanceAnswer, maintain } from '../../lambdas/maintenance/maintain.ts';
import { type Mode, parseRequest } from '../../lambdas/maintenance/request.ts';
import { claim } from '../../src/gate/claim.ts';
import { deliverObjects } from '../../src/gate/deliver.ts';
import { dropOf } from '../../src/gate/identity.ts';
import { orders, parquet } from '../faults/lake.ts';
import { closeStages, memoryBuckets, type TestStage, type TestStageOptions, testStage } from './stage.ts';

afterEach(closeStages);

const HOUR = 60 * 60_000;
const DAY = 24 * HOUR;
const START = Date.UTC(2026, 10, 12);

/** A stage whose clock is in hand. */
async function stageWithClock(options: TestStageOptions = {}) {
  const clock = { now: START };
  const now = () => clock.now;
  const test = await testStage({ store: memoryBuckets(now), ...options, lake: { now, ...options.lake } });
  return { test, clock };
}

function run(
  { stage: { lake, config }, observer }: TestStage,
  mode: Mode,
  { remainingMs = () => 900_000, ...request }: { remainingMs?: () => number; lookbackHours?: number } = {},
): Promise<MaintenanceAnswer> {
  return maintain({ lake, config, observer, remainingMs }, { mode, ...request });
}

const clean = (from = 0) => parquet(orders(from, 3));

/** As the event of it would have been delivered. */
async function deliverEvent(
  { stage: { lake } }: TestStage,
  event: Awaited<ReturnType<TestStage['put']>>,
): Promise<void> {
  const { key, size, etag } = event.detail.object;
  await deliverObjects(lake.ports, lake.config, [{ url: `s3://raw-bucket/${key}`, size, etag }]);
}

describe('reconcile', () => {
  test('delivers what no event told of, says so, and leaves alone what has a record', async () => {
    const { test, clock } = await stageWithClock();
    await deliverEvent(test, await test.put('orders/told.parquet', clean()));
    await test.put('orders/untold.parquet', clean(10));
    await test.put('orders/_SUCCESS', '');
    await test.put('elsewhere/x.csv', 'a\n');
    clock.now += 2 * HOUR;
    await test.put('orders/young.parquet', clean(20));
    const { reconciled } = await run(test, 'reconcile');
    expect(reconciled).toMatchObject({ listed: 5, looked: 4, missed: { published: 1 }, unrouted: 1, complete: true });
    const told = test.told.filter(({ event }) => event.startsWith('drop.'));
    expect(told.map((detail) => [detail.event, 'file' in detail && detail.file])).toEqual([
      ['drop.unrouted', 's3://raw-bucket/elsewhere/x.csv'],
      ['drop.missed', 's3://raw-bucket/orders/untold.parquet'],
    ]);
    expect(test.total('DropsMissed')).toBe(1);
  });

  test('goes on from where the last run came to, and looks a little further back', async () => {
    const { test, clock } = await stageWithClock();
    await deliverEvent(test, await test.put('orders/a.parquet', clean()));
    clock.now += 6 * HOUR;
    await run(test, 'reconcile');
    clock.now += 8 * HOUR;
    await test.put('orders/b.parquet', clean(10));
    clock.now += 2 * HOUR;
    expect((await run(test, 'reconcile')).reconciled).toMatchObject({ listed: 2, looked: 1, missed: { published: 1 } });
    expect((await run(test, 'reconcile', { lookbackHours: 48 })).reconciled).toMatchObject({ looked: 2, missed: {} });
  });

  test('what is older than the lookback is left alone', async () => {
    const { test, clock } = await stageWithClock();
    await test.put('orders/a.parquet', clean());
    clock.now += 8 * DAY;
    expect((await run(test, 'reconcile')).reconciled).toMatchObject({ listed: 1, looked: 0 });
    expect((await run(test, 'reconcile', { lookbackHours: 24 * 9 })).reconciled?.missed).toEqual({ published: 1 });
  });

  test('a version that an event told of without its version id is not taken for another', async () => {
    const { test, clock } = await stageWithClock();
    await deliverEvent(test, await test.put('orders/a.parquet', clean()));
    const { head } = test.stage.lake.ports.store;
    test.stage.lake.ports.store.head = async (url) => {
      const found = await head(url);
      return found && { ...found, version: 'v1' };
    };
    clock.now += 2 * HOUR;
    expect((await run(test, 'reconcile')).reconciled).toMatchObject({ looked: 1, missed: {} });
  });

  test('stops in time and goes on behind the last key that is done, whenever it is stopped', async () => {
    const keys = Array.from({ length: 5 }, (_, index) => `orders/${index}.parquet`);
    for (let asked = 1; asked < 12; asked += 1) {
      const { test, clock } = await stageWithClock();
      for (const [index, key] of keys.entries()) await test.put(key, clean(index * 10));
      clock.now += 2 * HOUR;
      let calls = 0;
      await run(test, 'reconcile', { remainingMs: () => (++calls > asked ? 1_000 : 900_000) }).catch(() => undefined);
      for (let round = 0; round < 3; round += 1) {
        await run(test, 'resume');
        await run(test, 'reconcile');
      }
      const states: string[] = [];
      for await (const { record } of test.stage.lake.ports.records.list(() => undefined)) states.push(record.state);
      expect(states).toEqual(keys.map(() => 'published'));
    }
  });
});

describe('resume', () => {
  test('takes up what a dead run left', async () => {
    const { test, clock } = await stageWithClock();
    const { key, size, etag } = (await test.put('orders/a.parquet', clean())).detail.object;
    const dead = { ...test.stage.lake.ports, holder: { host: 'lambda dead', pid: 1, started: '' } };
    await claim(dead, dropOf(`s3://raw-bucket/${key}`, { size, etag }), { name: 'shop.orders', catalog: 'local' });
    expect((await run(test, 'resume')).resumed).toEqual({});
    clock.now += HOUR;
    expect((await run(test, 'resume')).resumed).toEqual({ published: 1 });
    expect(test.total('DeliveriesResumed')).toBe(1);
  });

  test('tells people of what they were not told', async () => {
    let works = false;
    const { test, clock } = await stageWithClock({
      put: (entries) => entries.map(() => (works ? undefined : 'InternalFailure')),
    });
    await deliverEvent(test, await test.put('orders/a.parquet', parquet(orders(0, 3, [1]))));
    expect(test.told).toEqual([]);
    works = true;
    clock.now += HOUR;
    await run(test, 'resume');
    expect(test.told).toMatchObject([{ event: 'delivery.rejected' }]);
  });
});

describe('expire', () => {
  test('kept branches and old snapshots go, with their files', async () => {
    const { test, clock } = await stageWithClock();
    await deliverEvent(test, await test.put('orders/a.parquet', clean()));
    await deliverEvent(test, await test.put('orders/bad.parquet', parquet(orders(5, 3, [1]))));
    clock.now += DAY;
    expect((await run(test, 'expire')).expired).toMatchObject({ tables: 1, branches: 0, failed: [] });
    clock.now += 20 * DAY;
    await deliverEvent(test, await test.put('orders/b.parquet', clean(10)));
    const { expired } = await run(test, 'expire');
    expect(expired).toMatchObject({ tables: 1, branches: 1, failed: [] });
    expect(expired!.snapshots).toBeGreaterThan(0);
    expect(expired!.files).toBeGreaterThan(0);
    expect(test.total('BranchesExpired')).toBe(1);
  });

  test('a table whose files may not be deleted is left', async () => {
    const { test } = await stageWithClock({ table: { properties: { 'gc.enabled': 'false' } } });
    await deliverEvent(test, await test.put('orders/a.parquet', clean()));
    expect((await run(test, 'expire')).expired).toMatchObject({ tables: 0, left: ['shop.orders'], failed: [] });
  });

  test('a table that fails is an error, after the rest was done', async () => {
    const { test } = await stageWithClock();
    await deliverEvent(test, await test.put('orders/a.parquet', clean()));
    test.stage.lake.ports.catalog('local').loadTable = () => Promise.reject(new Error('broken'));
    await expect(run(test, 'all')).rejects.toMatchObject({
      kind: 'unavailable',
      message: expect.stringMatching(/shop.orders/),
    });
    expect(test.total('MaintenanceTasksFailed')).toBe(1);
    expect(test.lines.find(({ event }) => event === 'maintenance-done')).toMatchObject({
      reconciled: { complete: true },
    });
  });

  test('no time: nothing is touched', async () => {
    const { test } = await stageWithClock();
    await deliverEvent(test, await test.put('orders/a.parquet', clean()));
    let calls = 0;
    const remainingMs = () => (++calls > 1 ? 0 : 900_000);
    expect((await run(test, 'expire', { remainingMs })).expired).toMatchObject({ tables: 0 });
  });
});

describe('plan-optimize', () => {
  test('statements for the Glue tables that are there', async () => {
    const { test } = await stageWithClock();
    await deliverEvent(test, await test.put('orders/a.parquet', clean()));
    expect((await run(test, 'plan-optimize')).tables).toEqual([]);
    const { catalogs } = test.stage.lake.config;
    catalogs.local = { type: 'glue', warehouse: 's3://lake-bucket/warehouse/' };
    expect((await run(test, 'plan-optimize')).tables).toEqual([
      {
        database: 'shop',
        table: 'orders',
        optimize: 'OPTIMIZE shop.orders REWRITE DATA USING BIN_PACK',
        vacuum: 'VACUUM shop.orders',
      },
    ]);
  });
});

describe('parseRequest', () => {
  test.each([
    [{ mode: 'resume' }, { mode: 'resume' }],
    [{ source: 'aws.events', detail: {} }, { mode: 'all' }],
    [undefined, { mode: 'all' }],
    [
      { mode: 'reconcile', lookbackHours: 3 },
      { mode: 'reconcile', lookbackHours: 3 },
    ],
  ])('%j', (event, request) => {
    expect(parseRequest(event)).toEqual(request);
  });

  test.each([[{ mode: 'sweep' }], [{ mode: 'reconcile', lookbackHours: 'x' }], [{ lookbackHours: -1 }]])(
    '%j is refused',
    (event) => {
      expect(() => parseRequest(event)).toThrow(expect.objectContaining({ kind: 'usage' }));
    },
  );
});
