import { type ClaimPorts, claim } from '../../src/gate/claim.ts';
import type { DeliveryRecord, DeliveryState, LeaseHolder } from '../../src/gate/delivery.ts';
import { deliveryId } from '../../src/gate/identity.ts';
import { createRecords } from '../../src/gate/records.ts';
import { createMemoryStore } from '../../src/storage/memory.ts';

const fail = (fault: Error): never => {
  throw fault;
};

const DROP = { url: 'memory:/raw/orders/a.parquet', version: 'v1', size: 10 };
const TABLE = { name: 'shop.orders', catalog: 'local' };
const LEASE_MS = 60_000;

function ledger() {
  const clock = { ms: Date.UTC(2026, 10, 21) };
  const dead = new Set<number>();
  const records = createRecords(createMemoryStore(), 'memory:/records/');
  const runner = (pid: number): ClaimPorts => ({
    records,
    now: () => clock.ms,
    holder: { host: 'here', pid, started: '1' },
    leaseMs: LEASE_MS,
    isDead: ({ pid: holder }: LeaseHolder) => dead.has(holder),
  });
  const claimed = async (pid: number, states?: DeliveryState[]) => {
    const result = await claim(runner(pid), DROP, TABLE, { restart: states ?? [] });
    if (result.kind !== 'claimed') throw new Error(`it is ${result.kind}`);
    return result.delivery;
  };
  const stored = async () => (await records.load(deliveryId(DROP)))?.record;
  return { clock, dead, runner, claimed, stored, records };
}

const record = (id: string): DeliveryRecord => ({
  version: 1,
  id,
  table: 'a.b',
  catalog: 'local',
  drop: DROP,
  state: 'received',
  history: [],
  attempts: 1,
});

test('of many at once, one has it', async () => {
  const { runner } = ledger();
  const claims = await Promise.all([1, 2, 3, 4, 5].map((pid) => claim(runner(pid), DROP, TABLE)));
  expect(claims.map(({ kind }) => kind).sort()).toEqual(['busy', 'busy', 'busy', 'busy', 'claimed']);
});

test('it is taken over once the lease has run out, or its holder is known to be dead; not before', async () => {
  const { clock, dead, runner, claimed, stored } = ledger();
  await claimed(1);
  clock.ms += LEASE_MS - 1;
  expect((await claim(runner(2), DROP, TABLE)).kind).toBe('busy');
  clock.ms += 1;
  expect((await claimed(2)).record).toMatchObject({ attempts: 2, lease: { holder: { pid: 2 } } });
  expect((await claim(runner(3), DROP, TABLE)).kind).toBe('busy');
  dead.add(2);
  await claimed(3);
  expect(await stored()).toMatchObject({ attempts: 3, lease: { holder: { pid: 3 } }, state: 'received' });
});

test('who was taken over writes nothing any more', async () => {
  const { clock, claimed, stored } = ledger();
  const first = await claimed(1);
  clock.ms += LEASE_MS;
  const second = await claimed(2);
  first.end({ state: 'published' });
  await expect(first.write()).rejects.toMatchObject({ kind: 'conflict', retryable: false });
  await expect(first.hold()).rejects.toMatchObject({ kind: 'conflict' });
  await expect(first.renew()).rejects.toMatchObject({ kind: 'conflict' });
  expect(await stored()).toEqual(second.record);
});

test('a lease that is renewed is kept', async () => {
  const { clock, runner, claimed } = ledger();
  const delivery = await claimed(1);
  for (let n = 0; n < 5; n += 1) {
    clock.ms += LEASE_MS / 2;
    await delivery.renew();
    expect((await claim(runner(2), DROP, TABLE)).kind).toBe('busy');
  }
});

test('changes made at the same time are written one after the other', async () => {
  const { claimed, stored } = ledger();
  const delivery = await claimed(1);
  delivery.note('staged', 'on a branch');
  delivery.end({ rows: 3 });
  delivery.end({ bytes: 4 });
  await Promise.all([delivery.renew(), delivery.write(), delivery.renew()]);
  expect(await stored()).toMatchObject({ rows: 3, bytes: 4, history: [{ state: 'received' }, { state: 'staged' }] });
  expect(await stored()).not.toHaveProperty('lease');
});

test.each<DeliveryState>(['published', 'rejected', 'errored', 'discarded', 'rolled_back'])(
  'one that is %s has ended: a repeated event changes nothing, a person may start it again',
  async (state) => {
    const { runner, claimed, stored, clock } = ledger();
    const delivery = await claimed(1);
    delivery.end({ state, results: [], reason: 'why' });
    expect(delivery).toMatchObject({ record: { state }, stored: { state: 'received' } });
    await delivery.write();
    const ended = await stored();
    expect(ended).not.toHaveProperty('lease');
    clock.ms += 10 * LEASE_MS;
    expect(await claim(runner(2), DROP, TABLE)).toEqual({ kind: 'already', record: ended });
    expect(await stored()).toEqual(ended);
    const again = await claimed(3, [state]);
    expect(again.record).toMatchObject({ state: 'received', attempts: 2 });
    expect(again.record).not.toHaveProperty('reason');
    expect(again.record).not.toHaveProperty('results');
  },
);

test('a lease that has run out is renewed before anything is said of the delivery, one that has not costs nothing', async () => {
  const { clock, claimed, stored } = ledger();
  const delivery = await claimed(1);
  const before = await stored();
  await delivery.hold();
  expect(await stored()).toEqual(before);
  clock.ms += LEASE_MS;
  await delivery.hold();
  expect(Date.parse((await stored())?.lease?.until ?? '')).toBe(clock.ms + LEASE_MS);
});

test('a claim whose answer was lost is not taken for another runner’s', async () => {
  const { runner, records, clock, dead } = ledger();
  const lost: ClaimPorts = {
    ...runner(1),
    records: {
      ...records,
      create: async (record) => void (await records.create(record)),
      replace: async (current, record) => void (await records.replace(current, record)),
    },
  };
  expect(await claim(lost, DROP, TABLE, { batch: 'b1' })).toMatchObject({
    kind: 'claimed',
    delivery: { wasDropped: false, record: { attempts: 1 } },
  });
  expect((await claim(runner(2), DROP, TABLE, { batch: 'b2' })).kind).toBe('busy');
  clock.ms += LEASE_MS;
  dead.add(1);
  expect(await claim(lost, DROP, TABLE, { batch: 'b3' })).toMatchObject({
    kind: 'claimed',
    delivery: { wasDropped: true, record: { attempts: 2, batch: 'b3' } },
  });
});

describe('deliveries claimed in a batch', () => {
  const OTHER = { ...DROP, url: `${DROP.url}2` };

  async function inBatch() {
    const made = ledger();
    const take = async (pid: number, drop: typeof DROP, batch: string) => {
      const result = await claim(made.runner(pid), drop, TABLE, { batch });
      if (result.kind !== 'claimed') throw new Error(`it is ${result.kind}`);
      return result.delivery;
    };
    const load = async (drop: typeof DROP) => (await made.records.load(deliveryId(drop)))?.record;
    return { ...made, take, load, first: await take(1, DROP, 'b1'), second: await take(1, OTHER, 'b1') };
  }

  test('end all at once, and are read as ended', async () => {
    const { records, runner, load, first, second } = await inBatch();
    first.end({ state: 'published', rows: 1 });
    second.end({ state: 'rejected' });
    expect(await records.closeBatch('b1', [first.record, second.record])).toBe(true);
    for (const [drop, state] of [
      [DROP, 'published'],
      [OTHER, 'rejected'],
    ] as const) {
      const record = await load(drop);
      expect(record?.state).toBe(state);
      expect(record).not.toHaveProperty('lease');
      expect(record).not.toHaveProperty('batch');
      expect(await claim(runner(2), drop, TABLE)).toEqual({ kind: 'already', record });
    }
    const listed = [];
    for await (const { record } of records.list(fail)) listed.push(record.state);
    expect(listed.sort()).toEqual(['published', 'rejected']);
    // A decision goes into the record itself from then on.
    const found = await records.load(deliveryId(OTHER));
    await records.replace(found!, { ...found!.record, state: 'discarded' });
    expect((await load(OTHER))?.state).toBe('discarded');
  });

  test('of which one was taken over by another end one by one, save that one', async () => {
    const { records, dead, take, load, first, second } = await inBatch();
    dead.add(1);
    const taken = await take(2, DROP, 'b2');
    expect(taken.record).toMatchObject({ attempts: 2, batch: 'b2' });
    first.end({ state: 'rejected' });
    second.end({ state: 'published' });
    expect(await records.closeBatch('b1', [first.record, second.record])).toBe(false);
    await expect(first.write()).rejects.toMatchObject({ kind: 'conflict' });
    await second.write();
    expect(await load(DROP)).toEqual(taken.record);
    expect((await load(OTHER))?.state).toBe('published');
  });

  test('whose batch is closed without them are their runner’s as long as the lease lasts', async () => {
    const { records, load, runner, take, second, clock } = await inBatch();
    second.end({ state: 'published' });
    await records.closeBatch('b1', [second.record]);
    expect(await load(DROP)).toMatchObject({ lease: { holder: { pid: 1 } } });
    expect((await claim(runner(2), DROP, TABLE, { batch: 'b2' })).kind).toBe('busy');
    clock.ms += LEASE_MS;
    expect(await take(2, DROP, 'b2')).toMatchObject({ wasDropped: true, record: { attempts: 2, batch: 'b2' } });
  });

  test('that are given back are free at once, and need not go alone', async () => {
    const { records, take, first, second } = await inBatch();
    first.end({});
    second.end({ state: 'published' });
    await records.closeBatch('b1', [first.record, second.record]);
    expect(await take(2, DROP, 'b2')).toMatchObject({ wasDropped: false, record: { attempts: 2, batch: 'b2' } });
  });

  test('an outcome that is damaged is told of, and hides no other record', async () => {
    const store = createMemoryStore();
    const records = createRecords(store, 'memory:/records/');
    const base = record('ab'.repeat(10));
    await records.create({ ...base, batch: 'b1' });
    await records.create({ ...base, id: 'cd'.repeat(10) });
    for (const bytes of ['{', '{"version":2}']) {
      await store.delete(['memory:/records/_batches/b1.json']);
      await store.create('memory:/records/_batches/b1.json', new TextEncoder().encode(bytes));
      const faults: string[] = [];
      const listed: string[] = [];
      for await (const { record } of records.list(({ message }) => faults.push(message))) listed.push(record.id);
      expect(listed).toEqual(['cd'.repeat(10)]);
      expect(faults).toEqual([expect.stringContaining('_batches/b1.json')]);
    }
    await expect(records.sealBatch('../b1')).rejects.toMatchObject({ kind: 'invalid' });
  });
});

test('another version of the object, and another object, are other deliveries', async () => {
  const { runner } = ledger();
  const kinds = [];
  for (const drop of [DROP, { ...DROP, version: 'v2' }, { ...DROP, url: `${DROP.url}2` }])
    kinds.push((await claim(runner(1), drop, TABLE)).kind);
  expect(kinds).toEqual(['claimed', 'claimed', 'claimed']);
});

describe('records', () => {
  const ID = 'ab'.repeat(10);

  test('are created once and changed only by who saw them last', async () => {
    const { records } = ledger();
    const made = (await records.create(record(ID)))!;
    expect(await records.create(record(ID))).toBeUndefined();
    const next = await records.replace(made, { ...record(ID), rows: 1 });
    expect(await records.replace(made, { ...record(ID), rows: 2 })).toBeUndefined();
    expect(await records.load(ID)).toEqual(next);
    expect(await records.load('cd'.repeat(10))).toBeUndefined();
  });

  test('are listed in the order of their ids, and found by how these begin', async () => {
    const { records } = ledger();
    const ids = ['a1', 'a2', 'b1'].map((start) => start.padEnd(20, '0'));
    for (const id of [...ids].reverse()) await records.create(record(id));
    const listed = [];
    for await (const found of records.list(fail)) listed.push(found.record.id);
    expect(listed).toEqual(ids);
    expect(await records.idsStartingWith('a', 10)).toEqual(ids.slice(0, 2));
    expect(await records.idsStartingWith('a', 1)).toHaveLength(1);
    expect(await records.idsStartingWith('ff', 10)).toEqual([]);
  });

  test.each(['../../etc/passwd', 'AB', '', 'g', 'a'.repeat(21), 'a/b', 'a\n'])('%j is no id', async (id) => {
    const { records } = ledger();
    await expect(records.load(id)).rejects.toMatchObject({
      kind: 'usage',
      message: expect.stringMatching(/hex digits/),
    });
    await expect(records.idsStartingWith(id, 1)).rejects.toMatchObject({ kind: 'usage' });
  });

  test.each(['', '{', 'null', '{"version":2}', '[]'])('%j in its place is named', async (text) => {
    const store = createMemoryStore();
    const records = createRecords(store, 'memory:/records/');
    await store.create(`memory:/records/${ID}.json`, Buffer.from(text));
    await expect(records.load(ID)).rejects.toMatchObject({ kind: 'corrupt', message: expect.stringContaining(ID) });
  });

  test('other files beside them are not looked at', async () => {
    const store = createMemoryStore();
    const records = createRecords(store, 'memory:/records/');
    for (const name of ['readme.txt', 'ab.json', `${ID}.json.bak`, `x/${ID}.json`])
      await store.create(`memory:/records/${name}`, Buffer.from('?'));
    await records.create(record(ID));
    const listed = [];
    for await (const found of records.list(fail)) listed.push(found.record.id);
    expect(listed).toEqual([ID]);
  });
});
