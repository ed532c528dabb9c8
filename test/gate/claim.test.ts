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
    const result = await claim(runner(pid), DROP, TABLE, states);
    if (result.kind !== 'claimed') throw new Error(`it is ${result.kind}`);
    return result.delivery;
  };
  const stored = async () => (await records.load(deliveryId(DROP)))?.record;
  return { clock, dead, runner, claimed, stored, records };
}

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
  await expect(first.save({ state: 'published' })).rejects.toMatchObject({ kind: 'conflict', retryable: false });
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
  await Promise.all([delivery.renew(), delivery.save({ rows: 3 }), delivery.renew(), delivery.save({ bytes: 4 })]);
  expect(await stored()).toMatchObject({ rows: 3, bytes: 4, history: [{ state: 'received' }, { state: 'staged' }] });
});

test.each<DeliveryState>(['published', 'rejected', 'errored', 'discarded', 'rolled_back'])(
  'one that is %s has ended: a repeated event changes nothing, a person may start it again',
  async (state) => {
    const { runner, claimed, stored, clock } = ledger();
    const delivery = await claimed(1);
    await delivery.save({ state, results: [], reason: 'why' });
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

test('one that people are still to be told of stays its runner’s until they were', async () => {
  const { claimed, stored } = ledger();
  const delivery = await claimed(1);
  await delivery.save({ state: 'rejected', notification: 'pending' });
  expect((await stored())?.lease?.holder.pid).toBe(1);
  await delivery.renew();
  await delivery.save({ notification: 'sent' });
  expect(await stored()).not.toHaveProperty('lease');
});

test('another version of the object, and another object, are other deliveries', async () => {
  const { runner } = ledger();
  const kinds = [];
  for (const drop of [DROP, { ...DROP, version: 'v2' }, { ...DROP, url: `${DROP.url}2` }])
    kinds.push((await claim(runner(1), drop, TABLE)).kind);
  expect(kinds).toEqual(['claimed', 'claimed', 'claimed']);
});

describe('records', () => {
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
