/** Deliveries that bring their runner down, by memory or time, whoever takes them up. */
import { LakegateError } from '../../src/errors.ts';
import { deliver } from '../../src/gate/deliver.ts';
import type { LeaseHolder } from '../../src/gate/delivery.ts';
import { resumeOpen } from '../../src/gate/resume.ts';
import { allRecords, idsOnMain, orders, parquet, putDrop, span, told } from '../faults/lake.ts';
import { closeLakes, reopen, type TableLake, tableLake } from './table-lake.ts';

afterEach(closeLakes);

const DEAD: LeaseHolder = { host: 'elsewhere', pid: 7, started: '1' };

/** A runner of its own, dead to all others, that is lost when it opens `deadly`. @returns whether it was lost */
async function runner(
  { config }: TableLake,
  deadly: string,
  work: (own: TableLake) => Promise<unknown>,
): Promise<'lost' | 'ended'> {
  const own = await reopen(config);
  const { ports } = own.lake;
  const { open } = ports.store;
  const lost = new Promise<'lost'>((resolve) => {
    Object.assign(ports, {
      holder: DEAD,
      isDead: ({ host }: LeaseHolder) => host === DEAD.host,
      store: {
        ...ports.store,
        open: (...args: Parameters<typeof open>) => {
          if (args[0] !== deadly) return open(...args);
          resolve('lost');
          return new Promise(() => undefined);
        },
      },
    });
  });
  return Promise.race([lost, work(own).then(() => 'ended' as const)]);
}

const states = async ({ lake }: TableLake) =>
  Object.fromEntries(
    (await allRecords(lake)).map(({ drop, state, alone }) => [
      drop.url.slice(drop.url.lastIndexOf('/') + 1),
      `${state} ${alone ?? '-'}`,
    ]),
  );

describe('a delivery that no runner survives', () => {
  async function batch() {
    const made = await tableLake();
    const deadly = putDrop(made.config, 'a-deadly.parquet', parquet(orders(100, 1)));
    const good = [0, 1, 2].map((number) => putDrop(made.config, `b${number}.parquet`, parquet(orders(number, 1))));
    const bad = putDrop(made.config, 'c-nulls.parquet', parquet(orders(200, 2, [1])));
    const urls = [deadly, ...good, bad];
    return { made, deadly, event: () => runner(made, deadly, ({ lake, config }) => deliver(lake.ports, config, urls)) };
  }

  test('holds up its fellows of a batch no longer than one run, and ends as errored after three of its own', async () => {
    const { made, event } = await batch();
    expect(await event()).toBe('lost');
    expect(await idsOnMain(made.lake)).toEqual([]);
    // Nothing tells them apart yet: the deadly one may come first once.
    expect(await event()).toBe('lost');
    expect(await event()).toBe('lost');
    expect(await idsOnMain(made.lake)).toEqual(span(0, 3));
    expect(await states(made)).toMatchObject({
      'a-deadly.parquet': 'received 2',
      'b0.parquet': 'published -',
      'c-nulls.parquet': 'rejected -',
    });
    expect(await event()).toBe('lost');
    expect(await event()).toBe('ended');
    expect(await states(made)).toMatchObject({ 'a-deadly.parquet': 'errored -' });
    expect(told(made.config).filter(({ event: name }) => name === 'delivery.errored')).toMatchObject([
      { reason: expect.stringMatching(/3 runs .*a-deadly\.parquet.*memory or time.*delivery retry/) },
    ]);
    expect(await event()).toBe('ended');
    expect(await idsOnMain(made.lake)).toEqual(span(0, 3));
  });

  test('is no trap for whoever resumes: other tables and deliveries get their turn', async () => {
    const { made, deadly, event } = await batch();
    await event();
    const resume = () => runner(made, deadly, ({ lake, config }) => resumeOpen(lake.ports, config));
    const ends = [];
    for (let run = 0; run < 4; run += 1) ends.push(await resume());
    expect(ends).toEqual(['lost', 'lost', 'lost', 'ended']);
    expect(await states(made)).toEqual({
      'a-deadly.parquet': 'errored -',
      'b0.parquet': 'published -',
      'b1.parquet': 'published -',
      'b2.parquet': 'published -',
      'c-nulls.parquet': 'rejected -',
    });
  });

  test('starts with a clean slate when a person has it tried again', async () => {
    const { made, deadly, event } = await batch();
    for (let run = 0; run < 5; run += 1) await event();
    expect(await deliver(made.lake.ports, made.config, [deadly], { restart: ['errored'] })).toMatchObject([
      { kind: 'ended', record: { state: 'published' } },
    ]);
    expect(await idsOnMain(made.lake)).toEqual([...span(0, 3), 100]);
  });

  test('is not one that was given back: an outage costs no life', async () => {
    const { made, deadly, event } = await batch();
    for (let run = 0; run < 4; run += 1) await event();
    expect((await states(made))['a-deadly.parquet']).toBe('received 3');
    const own = await reopen(made.config);
    Object.assign(own.lake.ports, { isDead: () => true });
    // Its last run is not lost but ended by S3.
    const [record] = (await allRecords(made.lake)).filter(({ drop }) => drop.url === deadly);
    await made.lake.ports.records.replace((await made.lake.ports.records.load(record!.id))!, { ...record!, alone: 2 });
    own.lake.ports.store = {
      ...own.lake.ports.store,
      open: () => Promise.reject(new LakegateError('unavailable', 'S3 is away')),
    };
    expect(await deliver(own.lake.ports, own.config, [deadly])).toMatchObject([{ kind: 'interrupted' }]);
    expect((await states(made))['a-deadly.parquet']).toBe('received -');
  });
});
