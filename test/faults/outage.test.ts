/**
 * Promise 4: "could not check" is not "bad data", and neither publishes. The store or the catalogue fails at one call, or does what it was asked and
 * loses the answer, or is gone from then on; what could not be finished is finished by a later run, nothing twice.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { composeLake, type Lake } from '../../src/compose.ts';
import { LakegateError } from '../../src/errors.ts';
import { createStores } from '../../src/storage/stores.ts';
import { aftermath, leftOver, promised } from './aftermath.ts';
import { type Around, CHANGES, interceptCatalogs, interceptStore } from './intercept.ts';
import { allRecords, idsOnMain, lakeConfig, openLake } from './lake.ts';
import { act, prepare, putDrops, SCENARIOS, type Scenario, tryAgain } from './scenarios.ts';
import { scratchFolder } from './scratch.ts';

let work: string;
beforeEach(async () => {
  work = await scratchFolder('outage');
});
afterEach(() => rm(work, { recursive: true, force: true }));

/**
 * `fails`: the call is not made. `loses the answer`: it is made, and then fails all the same; of a commit nobody can say then what became of it.
 * `is gone`: this call and all after it fail.
 */
type Fault = 'fails' | 'loses the answer' | 'is gone';

const CHANGING: ReadonlySet<string> = new Set(CHANGES);

function faulty(fault: Fault, at: { countdown: number; where: string }): Around {
  return async (call, run) => {
    // Only of a change does it matter that it was made.
    if (fault === 'loses the answer' && !CHANGING.has(call)) return run();
    at.countdown -= 1;
    if (at.countdown > 0 || (at.countdown < 0 && fault !== 'is gone')) return run();
    at.where ||= call;
    if (fault === 'loses the answer') await run();
    const kind = fault === 'loses the answer' && call.startsWith('catalog.') ? 'unknown_outcome' : 'unavailable';
    throw new LakegateError(kind, `${call} did not answer`);
  };
}

/** The run that meets the fault, and the runs after it. @returns whether there was nothing left to fail */
async function faultAt(fault: Fault, scenario: Scenario, number: number, folder: string): Promise<boolean> {
  const config = lakeConfig(folder, scenario.table);
  const at = { countdown: Number.POSITIVE_INFINITY, where: '' };
  const around = faulty(fault, at);
  const plain = await openLake(config, { store: interceptStore(createStores(), around) });
  const lake = interceptCatalogs(plain, around);
  lake.ports.commitDeadlineMs = 30;
  const later = await laterLake(config);
  try {
    const urls = putDrops(config, scenario);
    await prepare(lake, scenario, urls);
    at.countdown = number;
    // A decision is a person's command: it may fail before their eyes.
    await act(lake, scenario, urls).catch((error) => {
      if (scenario.decide === undefined || !(error instanceof LakegateError)) throw error;
    });
    at.countdown = Number.POSITIVE_INFINITY;
    await nothingWrong(later, scenario, urls);
    await tryAgain(later, scenario, urls, number % 2 === 0 ? 'events' : 'resume');
    expect(await aftermath(later, scenario, urls)).toEqual(promised(scenario));
    expect(await leftOver(later)).toEqual([]);
  } catch (error) {
    (error as Error).message = `${fault} at ${number} (${at.where}):\n${(error as Error).stack}`;
    throw error;
  } finally {
    lake.close();
    later.close();
  }
  return at.where === '';
}

/** A later run: by then the earlier one is not alive any more. */
async function laterLake(config: Lake['config']): Promise<Lake> {
  const lake = await openLake(config);
  lake.ports.isDead = () => true;
  return lake;
}

/** Right after the fault: main has no more than it may have, and nobody was blamed for what the store did. */
async function nothingWrong(lake: Lake, scenario: Scenario, urls: Record<string, string>): Promise<void> {
  if (scenario.decide !== undefined) return;
  const ids = await idsOnMain(lake);
  expect(new Set(ids).size).toBe(ids.length);
  const nameOf = new Map(Object.entries(urls).map(([name, url]) => [url, name]));
  for (const { drop, state } of await allRecords(lake)) {
    const end = scenario.states[nameOf.get(drop.url)!];
    expect([end, 'received']).toContain(state);
  }
}

const CASES = [
  'a mixed batch',
  'the batch of a dead runner is taken up',
  'a drop is split by partition',
  'a drop adds a column',
  'a drop replaces the table',
];
const DECISIONS = ['a person publishes a kept delivery', 'a person discards a kept delivery'];
const FAULTS: Fault[] = ['fails', 'loses the answer', 'is gone'];

test.each(
  [...CASES, ...DECISIONS, 'a bad drop is discarded'].flatMap((name) => FAULTS.map((fault) => [name, fault] as const)),
)(
  '%s while the store or the catalogue %s',
  async (name, fault) => {
    const scenario = SCENARIOS[name]!;
    for (let number = 1; ; number += 1) {
      const folder = join(work, String(number));
      if (await faultAt(fault, scenario, number, folder)) break;
      await rm(folder, { recursive: true, force: true });
    }
  },
  120_000,
);

test('a catalogue that is locked for good leaves the delivery to a later run, and says which lock', async () => {
  const config = lakeConfig(join(work, 'lake'));
  const scenario = SCENARIOS['a clean drop makes the table']!;
  const urls = putDrops(config, scenario);
  const plain = await composeLake(config, { env: {}, cwd: '/' });
  const lake = interceptCatalogs(plain, async (call, run) => {
    if (call === 'catalog.commit') throw new LakegateError('unavailable', 'another process holds the lock');
    return run();
  });
  lake.ports.commitDeadlineMs = 30;
  await act(lake, scenario, urls);
  const [record] = await allRecords(lake);
  expect(record).toMatchObject({ state: 'received', attempts: 1 });
  expect(record?.history.at(-1)?.detail).toMatch(/interrupted: another process holds the lock/);
  lake.close();
});
