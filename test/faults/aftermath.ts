/** How a lake is found after something went wrong and was tried again. */
import type { Lake } from '../../src/compose.ts';
import { sweepTable } from '../../src/gate/sweep.ts';
import { reachableFiles } from '../../src/iceberg/reachable.ts';
import { staleTemporaries } from '../../src/storage/file.ts';
import { collect } from '../contract/collect.ts';
import { allRecords, idsOnMain, loadTable, targetOf, told } from './lake.ts';
import { recordOf, type Scenario } from './scenarios.ts';

/** What `aftermath` must give. */
export function promised(scenario: Scenario) {
  return {
    ids: scenario.ids,
    states: scenario.states,
    failed: scenario.failed ?? {},
    leases: [],
    untold: [],
    strayBranches: [],
    rowsInRecords: scenario.ids.length,
  };
}

export async function aftermath(lake: Lake, scenario: Scenario, urls: Record<string, string>) {
  const records = await allRecords(lake);
  const { metadata } = await loadTable(lake);
  const heard = new Set(told(lake.config).flatMap((event) => ('id' in event ? [event.id] : [])));
  const stopped = records.filter(({ state }) => state === 'rejected' || state === 'errored');
  const kept = new Set(records.flatMap(({ branch }) => branch ?? []));
  const states: Record<string, string> = {};
  const failed: Record<string, string[]> = {};
  for (const [name, url] of Object.entries(urls)) {
    const record = await recordOf(lake, url);
    states[name] = record.state;
    if (record.state !== 'rejected') continue;
    const off = (record.results ?? []).filter(({ outcome }) => outcome !== 'passed');
    if (off.length > 0) failed[name] = off.map(({ rule, column, count }) => `${rule} ${column} ${count}`);
  }
  const published = records.filter(({ state }) => state === 'published');
  const replaced = scenario.table.mode === 'overwrite' ? scenario.first.map((name) => urls[name]) : [];
  const onMain = published.filter(({ drop }) => !replaced.includes(drop.url));
  return {
    ids: await idsOnMain(lake),
    states,
    failed,
    leases: records.filter(({ lease }) => lease !== undefined).map(({ id }) => id),
    untold: stopped.filter(({ id, notification }) => !heard.has(id) || notification !== 'sent').map(({ id }) => id),
    strayBranches: Object.keys(metadata.refs).filter((ref) => ref !== 'main' && !kept.has(ref)),
    // A record that a later attempt made up for says as much as any other.
    rowsInRecords: onMain.reduce((sum, { rows, files }) => sum + (files?.length ? (rows ?? 0) : 0), 0),
  };
}

/** Files of the warehouse that a sweep leaves though the table does not need them, and those it needs that are gone. */
export async function leftOver(lake: Lake): Promise<string[]> {
  const { store, io } = lake.ports;
  // A file written in this very millisecond is not yet older than none.
  await new Promise((resolve) => setTimeout(resolve, 5));
  await sweepTable(lake.ports, targetOf(lake), { orphansOlderThanMs: 0, dryRun: false });
  const table = await loadTable(lake);
  const needed = await reachableFiles(io, table.metadata);
  needed.add(table.metadataLocation);
  const files = (await collect(store.list(lake.config.warehouse))).map(({ url }) => url);
  const missing = [...needed].filter((url) => !files.includes(url) && url.startsWith(lake.config.warehouse));
  const unfinished = await collect(staleTemporaries(lake.config.warehouse, 0));
  return [...files.filter((url) => !needed.has(url)), ...unfinished, ...missing.map((url) => `missing: ${url}`)];
}
