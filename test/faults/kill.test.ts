/**
 * Promise 5: a kill at any instant loses nothing and needs no human. A process is killed at each of its chances (see kill-child.ts); somebody tries
 * again; then every delivery has ended once and rightly, and a sweep leaves no file that nothing needs.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { aftermath, leftOver, promised } from './aftermath.ts';
import { bundle, runScript } from './child-process.ts';
import { lakeConfig, openLake } from './lake.ts';
import { SCENARIOS, type Scenario, tryAgain, urlsOf } from './scenarios.ts';
import { scratchFolder } from './scratch.ts';

/** Killed processes at the same time. */
const AT_ONCE = 3;

let work: string;
let script: string;

beforeAll(async () => {
  work = await scratchFolder('kill');
  script = await bundle('kill-child.ts', work);
});
afterAll(() => rm(work, { recursive: true, force: true }));

/** One kill and what comes after it. @returns whether there was nothing left to be killed at */
async function killAt(name: string, scenario: Scenario, number: number): Promise<boolean> {
  const folder = join(work, `${Object.keys(SCENARIOS).indexOf(name)}-${number}`);
  const ended = await runScript(script, [folder, name, String(number)]);
  const survived = ended.signal !== 'SIGKILL';
  if (survived && ended.code !== 0) throw new Error(`${name}, chance ${number}: ${ended.err}`);
  const lake = await openLake(lakeConfig(folder, scenario.table));
  try {
    const urls = urlsOf(lake.config, scenario);
    await tryAgain(lake, scenario, urls, number % 2 === 0 ? 'events' : 'resume');
    expect(await aftermath(lake, scenario, urls)).toEqual(promised(scenario));
    expect(await leftOver(lake)).toEqual([]);
  } catch (error) {
    (error as Error).message = `${name}, killed at chance ${number} (${ended.out}):\n${(error as Error).message}`;
    throw error;
  } finally {
    lake.close();
  }
  await rm(folder, { recursive: true, force: true });
  return survived;
}

test.each(Object.keys(SCENARIOS))(
  'killed at every chance: %s',
  async (name) => {
    const scenario = SCENARIOS[name]!;
    let next = 1;
    let end = false;
    const worker = async (): Promise<void> => {
      while (!end) {
        const number = next++;
        if (await killAt(name, scenario, number)) end = true;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    // The scenario was worth its name: it was killed at many points.
    expect(next - AT_ONCE).toBeGreaterThan(12);
  },
  240_000,
);
