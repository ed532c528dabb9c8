/**
 * A process that kills itself at its n-th chance while it takes a scenario's way. The chances: before and after every call that changes the store or
 * the catalogue, inside the file store between a temporary file and its name, before and after people are told, at every step.
 * Arguments: folder of the lake, name of the scenario, n. Ends with 0 when there were fewer chances.
 */
import fs from 'node:fs';
import fsPromises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { createStores } from '../../src/storage/stores.ts';
import { type Around, CHANGES, interceptCatalogs, interceptStore } from './intercept.ts';
import { lakeConfig, openLake } from './lake.ts';
import { act, prepare, putDrops, SCENARIOS } from './scenarios.ts';

const [folder, name, number] = process.argv.slice(2) as [string, string, string];
const scenario = SCENARIOS[name]!;
const config = lakeConfig(folder, scenario.table);
let chances = Number.POSITIVE_INFINITY;

function chance(where: string): void {
  chances -= 1;
  if (chances > 0) return;
  fs.writeSync(1, where);
  process.kill(process.pid, 'SIGKILL');
}

const changes: ReadonlySet<string> = new Set(CHANGES);
const around: Around = async (call, run) => {
  if (!changes.has(call)) return run();
  chance(`before ${call}`);
  const answer = await run();
  chance(`after ${call}`);
  return answer;
};

// The file store's own steps: a name is given by link, copyFile or renameSync, and the temporary name goes by unlink.
const { link, copyFile, unlink } = fsPromises;
const { renameSync } = fs;
fsPromises.link = async (...paths) => {
  chance('before link');
  await link(...paths);
  chance('after link');
};
fsPromises.copyFile = async (...paths) => {
  await copyFile(...paths);
  chance('after copyFile');
};
fsPromises.unlink = async (path) => {
  chance('before unlink');
  await unlink(path);
};
fs.renameSync = (...paths) => {
  chance('before rename');
  renameSync(...paths);
  chance('after rename');
};
syncBuiltinESMExports();

const plain = await openLake(config, {
  store: interceptStore(createStores(), around),
  onStep: ({ step }) => chance(`at ${step}`),
});
const lake = interceptCatalogs(plain, around);
const { notifier } = lake.ports;
lake.ports.notifier = {
  async notify(events) {
    chance('before notify');
    await notifier.notify(events);
    chance('after notify');
  },
};
const urls = putDrops(config, scenario);
await prepare(lake, scenario, urls);
chances = Number(number);
await act(lake, scenario, urls);
lake.close();
