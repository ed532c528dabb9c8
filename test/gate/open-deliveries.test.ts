import { utimesSync } from 'node:fs';
import { claim } from '../../src/gate/claim.ts';
import { dropOf } from '../../src/gate/identity.ts';
import { findOpen, isLedgerState, type LedgerState } from '../../src/gate/open-deliveries.ts';
import { orders, parquet } from '../faults/lake.ts';
import { closeLakes, type TableLake, tableLake } from './table-lake.ts';

afterEach(closeLakes);

const HOUR = 3600_000;
const T0 = Date.parse('2026-01-01T00:00:00Z');

/** Sets when a record was last changed, by the store's clock. */
function changedAt({ config }: TableLake, id: string, at: number): void {
  utimesSync(`${config.records.slice('file://'.length)}${id}.json`, at / 1000, at / 1000);
}

/** Looks as maintenance does. @returns ids read, open ones, and the state for the next look */
async function look(made: TableLake, before?: LedgerState, remaining?: number[]) {
  const { ports } = made.lake;
  const read: string[] = [];
  const faults: string[] = [];
  const { load } = ports.records;
  const records = {
    ...ports.records,
    load: (id: string) => {
      read.push(id);
      return load(id);
    },
  };
  const own = {
    ...ports,
    records,
    isDead: () => true,
    ...(remaining && { remainingMs: () => remaining.shift() ?? 0 }),
  };
  const found = await findOpen(own, before, ({ message }) => faults.push(message));
  return { read, faults, state: found.state, open: found.open.map(({ id }) => id), untold: found.untold };
}

/** A delivery whose runner died at once. */
async function begun({ lake, config }: TableLake, name: string): Promise<string> {
  const drop = dropOf(`${config.raw}orders/${name}`, { size: 1, etag: name });
  const claimed = await claim(lake.ports, drop, { name: 'shop.orders', catalog: 'local' });
  if (claimed.kind !== 'claimed') throw new Error(claimed.kind);
  return claimed.delivery.id;
}

describe('finding open deliveries', () => {
  test('reads what changed since the last look, and what was open then; what has ended is not read again', async () => {
    const made = await tableLake();
    const records = await made.drop({ 'a.parquet': parquet(orders(0, 1)), 'b.parquet': parquet(orders(1, 1)) });
    for (const { id } of records) changedAt(made, id, T0);
    const open = await begun(made, 'open');
    changedAt(made, open, T0 + HOUR);
    const first = await look(made);
    expect(first).toMatchObject({ open: [open], untold: [], state: { through: T0 + HOUR, open: [open] } });
    expect(first.read).toHaveLength(3);
    expect(isLedgerState(JSON.parse(JSON.stringify(first.state)))).toBe(true);

    const [late] = await made.drop({ 'late.parquet': parquet(orders(2, 1)) });
    changedAt(made, late!.id, T0 + 3 * HOUR);
    const second = await look(made, first.state);
    expect(second).toMatchObject({ open: [open], state: { through: T0 + 3 * HOUR, open: [open] } });
    expect(second.read.sort()).toEqual([open, late!.id].sort());
  });

  test('looks a little further back than it came: a record may come into sight behind another', async () => {
    const made = await tableLake();
    const [seen] = await made.drop({ 'a.parquet': parquet(orders(0, 1)) });
    changedAt(made, seen!.id, T0 + HOUR);
    const { state } = await look(made);
    const open = await begun(made, 'slow to be seen');
    changedAt(made, open, T0 + HOUR - 5 * 60_000);
    expect((await look(made, state)).open).toEqual([open]);
  });

  test('one that a person has restarted is seen again', async () => {
    const made = await tableLake();
    const [rejected] = await made.drop({ 'a.parquet': parquet(orders(0, 2, [1])) });
    const { id } = rejected!;
    changedAt(made, id, T0);
    const later = await begun(made, 'later');
    changedAt(made, later, T0 + HOUR);
    const { state } = await look(made);
    const current = (await made.lake.ports.records.load(id))!;
    await made.lake.ports.records.replace(current, { ...current.record, state: 'received' });
    expect((await look(made, state)).open.sort()).toEqual([id, later].sort());
  });

  test('a damaged record is told of at every look, and hides no other', async () => {
    const made = await tableLake();
    const damaged = '0'.repeat(20);
    await made.lake.ports.store.create(`${made.config.records}${damaged}.json`, new TextEncoder().encode('{'));
    changedAt(made, damaged, T0);
    const open = await begun(made, 'open');
    const first = await look(made);
    expect(first).toMatchObject({ open: [open], faults: [expect.stringContaining(damaged)] });
    expect((await look(made, first.state)).faults).toHaveLength(1);
  });

  test('stops when half of its time is gone, keeps what it knows to be open, and goes on from there', async () => {
    const made = await tableLake();
    const ids: string[] = [];
    for (let number = 0; number < 300; number += 1) {
      const id = await begun(made, `${number}`);
      changedAt(made, id, T0 + number * HOUR);
      ids.push(id);
    }
    const first = await look(made, undefined, [1000, 900, 400]);
    expect(first.read).toHaveLength(256);
    expect(first.state).toEqual({ version: 1, through: T0 + 255 * HOUR, open: ids.slice(0, 256) });
    const second = await look(made, first.state, [1000, 400]);
    expect(second).toMatchObject({ read: [], state: first.state });
    const third = await look(made, first.state);
    expect(third.open).toEqual(ids);
    expect(third.state.through).toBe(T0 + 299 * HOUR);
  });
});
