/** A run that has to stop (a function's deadline) stops between two steps, gives back what it holds, and the next run goes on at once. */

import { isTerminal } from '../../src/gate/claim.ts';
import { deliver } from '../../src/gate/deliver.ts';
import { allRecords, idsOnMain, loadTable, orders, parquet, putDrop, span, told } from '../faults/lake.ts';
import { closeLakes, reopen, tableLake } from './table-lake.ts';

afterEach(closeLakes);

const DROPS = {
  'a.parquet': parquet(orders(0, 3)),
  'b.csv': 'id,note\n7,x\n8,y\n',
  'bad.parquet': parquet(orders(100, 3, [1])),
  'broken.parquet': 'no Parquet',
};

test.each([
  ['append', DROPS],
  ['overwrite', { 'a.parquet': DROPS['a.parquet'], 'bad.parquet': DROPS['bad.parquet'] }],
] as const)(
  'stopped between any two steps: %s',
  async (mode, drops) => {
    let stops = 0;
    for (let steps = 0; ; steps += 1) {
      const { config } = await tableLake({ mode });
      const urls = Object.entries(drops).map(([name, content]) => putDrop(config, name, content));
      const hurried = (await reopen(config)).lake;
      let left = steps;
      hurried.ports.remainingMs = () => {
        left -= 1;
        return left < 0 ? 0 : 1000;
      };
      const outcomes = await deliver(hurried.ports, config, urls);
      const open = outcomes.filter(({ kind }) => kind !== 'ended').map(({ kind }) => kind);
      expect(open.filter((kind) => kind !== 'postponed' && kind !== 'interrupted')).toEqual([]);
      const after = await allRecords(hurried);
      // What was postponed was not begun; all that was begun is ended or free.
      expect(after).toHaveLength(urls.length - open.filter((kind) => kind === 'postponed').length);
      expect(after.filter(({ lease, batch }) => lease !== undefined || batch !== undefined)).toEqual([]);

      // Another runner, which takes nobody for dead.
      const next = (await reopen(config)).lake;
      next.ports.isDead = () => false;
      const again = await deliver(next.ports, config, urls);
      expect(again.filter(({ kind }) => kind !== 'ended' && kind !== 'already')).toEqual([]);
      const records = await allRecords(next);
      expect(records.every(({ state, lease }) => isTerminal(state) && lease === undefined)).toBe(true);
      if (mode === 'append') {
        expect(await idsOnMain(next)).toEqual([...span(0, 3), 7, 8]);
        expect(new Set(told(config).map((event) => 'id' in event && event.id)).size).toBe(urls.length);
        const kept = records.flatMap(({ branch }) => branch ?? []);
        expect(Object.keys((await loadTable(next)).metadata.refs).sort()).toEqual(['main', ...kept].sort());
      }
      if (open.length === 0) break;
      stops += 1;
    }
    expect(stops).toBeGreaterThan(10);
  },
  60_000,
);

test('those that were given back share their commits when they are taken up again', async () => {
  const { config, lake } = await tableLake();
  const urls = [0, 10, 20, 30].map((from) => putDrop(config, `${from}.parquet`, parquet(orders(from, 2))));
  const hurried = (await reopen(config)).lake;
  let left = 1;
  hurried.ports.remainingMs = () => left;
  hurried.ports.onStep = ({ step }) => {
    if (step === 'staged') left = 0;
  };
  await deliver(hurried.ports, config, urls);
  const before = (await loadTable(lake)).metadata.lastSequenceNumber;
  await deliver(lake.ports, config, urls);
  const { metadata } = await loadTable(lake);
  expect(metadata.lastSequenceNumber - before).toBe(1);
  expect((await idsOnMain(lake)).length).toBe(8);
});
