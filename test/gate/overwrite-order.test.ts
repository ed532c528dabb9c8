import { rollbackDelivery } from '../../src/gate/decide.ts';
import { deliverObjects, type SeenObject } from '../../src/gate/deliver.ts';
import type { GatePorts } from '../../src/gate/ports.ts';
import { idsOnMain, orders, parquet, putDrop, targetOf } from '../faults/lake.ts';
import { closeLakes, type TableLake, tableLake } from './table-lake.ts';

afterEach(closeLakes);

const T0 = Date.parse('2026-01-01T00:00:00Z');

/** A file that replaces the table, as its event tells of it: put so many seconds after the first. */
async function put({ lake, config }: TableLake, id: number, seconds: number): Promise<SeenObject> {
  const url = putDrop(config, `${id}.parquet`, parquet(orders(id, 1)));
  const { size, etag } = (await lake.ports.store.head(url))!;
  return { url, size, etag, at: T0 + seconds * 1000 };
}

describe('deliveries that replace the table', () => {
  test('of one batch go in the order in which they were put, not in that of their events', async () => {
    const made = await tableLake({ mode: 'overwrite' });
    const [first, second, third] = [await put(made, 1, 1), await put(made, 2, 2), await put(made, 3, 3)];
    const outcomes = await deliverObjects(made.lake.ports, made.config, [second, third, first]);
    expect(outcomes.map((outcome) => 'record' in outcome && outcome.record.state)).toEqual(Array(3).fill('published'));
    expect(await idsOnMain(made.lake)).toEqual([3]);
  });

  test('one whose event comes after that of a later one does not bring the older rows back', async () => {
    const made = await tableLake({ mode: 'overwrite' });
    const [older, newer] = [await put(made, 1, 1), await put(made, 2, 2)];
    await deliverObjects(made.lake.ports, made.config, [newer]);
    expect(await deliverObjects(made.lake.ports, made.config, [older])).toMatchObject([
      { kind: 'ended', record: { state: 'rejected', reason: expect.stringContaining('came after it') } },
    ]);
    expect(await idsOnMain(made.lake)).toEqual([2]);
  });

  test.each(['inspected', 'staged', 'audited'] as const)(
    'one that a later one overtakes when it is %s does not replace that one',
    async (step) => {
      const made = await tableLake({ mode: 'overwrite' });
      await deliverObjects(made.lake.ports, made.config, [await put(made, 0, 0)]);
      const [older, newer] = [await put(made, 1, 1), await put(made, 2, 2)];
      let overtaken = false;
      const slow: GatePorts = {
        ...made.lake.ports,
        // Steps are told of in passing: the settling commit waits for the other runner.
        catalog: (name) => {
          const catalog = made.lake.ports.catalog(name);
          return {
            ...catalog,
            async commit(...commit) {
              await turn;
              return catalog.commit(...commit);
            },
          };
        },
        onStep: (done) => {
          if (done.step !== step || overtaken) return;
          overtaken = true;
          turn = deliverObjects(made.lake.ports, made.config, [newer]);
        },
      };
      let turn: Promise<unknown> = Promise.resolve();
      expect(await deliverObjects(slow, made.config, [older])).toMatchObject([
        { kind: 'ended', record: { state: 'rejected', reason: expect.stringContaining('came after it') } },
      ]);
      expect(await idsOnMain(made.lake)).toEqual([2]);
    },
  );

  test('one that was taken out again counts no more', async () => {
    const made = await tableLake({ mode: 'overwrite' });
    const [older, newer] = [await put(made, 1, 1), await put(made, 2, 2)];
    const [outcome] = await deliverObjects(made.lake.ports, made.config, [newer]);
    const { id } = (outcome as { record: { id: string } }).record;
    await rollbackDelivery(made.lake.ports, targetOf(made.lake), id, { by: 'me', reason: 'test' });
    expect(await idsOnMain(made.lake)).toEqual([]);
    await deliverObjects(made.lake.ports, made.config, [older]);
    expect(await idsOnMain(made.lake)).toEqual([1]);
  });

  test('put in the same second, both may: nobody can tell', async () => {
    const made = await tableLake({ mode: 'overwrite' });
    const [one, other] = [await put(made, 1, 1), await put(made, 2, 1)];
    await deliverObjects(made.lake.ports, made.config, [one]);
    await deliverObjects(made.lake.ports, made.config, [other]);
    expect(await idsOnMain(made.lake)).toEqual([2]);
  });

  test('where nothing told when they were put, they go in the order in which they are handed over', async () => {
    const made = await tableLake({ mode: 'overwrite' });
    const seen = [await put(made, 1, 2), await put(made, 2, 1)].map(({ at: _at, ...object }) => object);
    for (const object of seen) await deliverObjects(made.lake.ports, made.config, [object]);
    expect(await idsOnMain(made.lake)).toEqual([2]);
  });

  test('those that add rows go in any order', async () => {
    const made = await tableLake();
    const [older, newer] = [await put(made, 1, 1), await put(made, 2, 2)];
    await deliverObjects(made.lake.ports, made.config, [newer]);
    await deliverObjects(made.lake.ports, made.config, [older]);
    expect(await idsOnMain(made.lake)).toEqual([1, 2]);
  });
});
