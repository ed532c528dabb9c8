/**
 * A runner that stands still for longer than its lease (a paused machine, a disk that hangs) and then goes on as if nothing had been: by then another
 * has taken its deliveries over. Nothing is published twice, and what the second one decided stays.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { TableConfig } from '../../src/config/model.ts';
import { deliver } from '../../src/gate/deliver.ts';
import { createStores } from '../../src/storage/stores.ts';
import { aftermath, leftOver, promised } from './aftermath.ts';
import { type Around, CHANGES, interceptCatalogs, interceptStore } from './intercept.ts';
import { allRecords, lakeConfig, openLake, orders, parquet, span } from './lake.ts';
import { act, putDrops, type Scenario } from './scenarios.ts';
import { scratchFolder } from './scratch.ts';

let work: string;
beforeEach(async () => {
  work = await scratchFolder('takeover');
});
afterEach(() => rm(work, { recursive: true, force: true }));

function scenarioWith(table: Partial<TableConfig>): Scenario {
  return {
    table,
    drops: {
      'clean.parquet': parquet(orders(0, 4)),
      'bad.parquet': parquet(orders(100, 4, [1])),
      'more.csv': 'id,note\n20,a\n21,b\n',
    },
    first: [],
    ids: [...span(0, 4), 20, 21],
    states: { 'clean.parquet': 'published', 'bad.parquet': 'rejected', 'more.csv': 'published' },
    failed: { 'bad.parquet': ['not_null note 1'] },
  };
}

const ALONE: Scenario = {
  table: {},
  drops: { 'clean.parquet': parquet(orders(0, 4)) },
  first: [],
  ids: span(0, 4),
  states: { 'clean.parquet': 'published' },
};

/** Lets `before` calls that change something through; the next and all after it wait until `goOn`. */
function pauseAfter(before: number) {
  const changing: ReadonlySet<string> = new Set(CHANGES);
  let left = before;
  let goOn = (): void => undefined;
  let stopped = (): void => undefined;
  const released = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const paused = new Promise<void>((resolve) => {
    stopped = resolve;
  });
  const around: Around = async (call, run) => {
    if (changing.has(call)) left -= 1;
    if (left >= 0) return run();
    stopped();
    await released;
    return run();
  };
  return { around, paused, goOn };
}

async function pausedAt(number: number, scenario: Scenario, folder: string): Promise<boolean> {
  const config = lakeConfig(folder, scenario.table);
  const clock = { ms: Date.now() };
  const now = () => clock.ms;
  const pause = pauseAfter(number);
  const slow = interceptCatalogs(
    await openLake(config, { store: interceptStore(createStores(), pause.around), now }),
    pause.around,
  );
  const second = await openLake(config, { now });
  second.ports.holder = { host: 'another', pid: 1, started: '1' };
  try {
    const urls = putDrops(config, scenario);
    const all = Object.values(urls);
    const running = deliver(slow.ports, config, all);
    const over = await Promise.race([running.then(() => true), pause.paused.then(() => false)]);
    if (over) return true;
    clock.ms += slow.ports.leaseMs + 1;
    await act(second, scenario, urls);
    const decided = await allRecords(second);
    pause.goOn();
    const outcomes = await running;
    // What the second one wrote is the last word; the first one noticed, or had been done before it stood still.
    const after = await allRecords(second);
    expect(after.map(({ id, state, history }) => [id, state, history.length])).toEqual(
      decided.map(({ id, state, history }) => [id, state, history.length]),
    );
    expect(outcomes.map(({ kind }) => kind).filter((kind) => kind === 'gone' || kind === 'unrouted')).toEqual([]);
    // One that stood still with a stopped delivery's lease, between its record and telling people, leaves that to be made up for.
    await deliver(second.ports, config, all);
    expect(await aftermath(second, scenario, urls)).toEqual(promised(scenario));
    expect(await leftOver(second)).toEqual([]);
  } catch (error) {
    (error as Error).message = `paused after ${number} changes:\n${(error as Error).message}`;
    throw error;
  } finally {
    pause.goOn();
    slow.close();
    second.close();
  }
  return false;
}

test.each([
  ['one delivery', ALONE],
  ['a batch whose failures are kept', scenarioWith({})],
  ['a batch whose failures are discarded', scenarioWith({ onFailure: 'discard' })],
])(
  'a runner that stands still and goes on: %s',
  async (_, scenario) => {
    for (let number = 0; ; number += 1) {
      if (await pausedAt(number, scenario, join(work, String(number)))) break;
    }
  },
  120_000,
);
