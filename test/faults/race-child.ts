/**
 * A process that delivers what it is given as soon as the starting signal is there.
 * Arguments: JSON of `{folder, table, urls: string[][], signal}`; each list of urls is one call. Prints JSON: the outcomes, list by list.
 */
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TableConfig } from '../../src/config/model.ts';
import { deliver } from '../../src/gate/deliver.ts';
import { lakeConfig, openLake } from './lake.ts';

export interface RaceTask {
  folder: string;
  table: Partial<TableConfig>;
  urls: string[][];
  /** Path of a file that appears when all are to start. */
  signal: string;
}

const { folder, table, urls, signal } = JSON.parse(process.argv[2]!) as RaceTask;
const config = lakeConfig(folder, table);
const lake = await openLake(config);
while (!existsSync(signal)) await sleep(2);
const outcomes = [];
for (const list of urls) {
  const ended = await deliver(lake.ports, config, list);
  outcomes.push(
    ended.map((outcome) => ('record' in outcome ? `${outcome.kind} ${outcome.record.state}` : outcome.kind)),
  );
}
lake.close();
process.stdout.write(JSON.stringify(outcomes));
