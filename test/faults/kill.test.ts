/**
 * Promise 5: a kill at any instant loses nothing and needs no human. A process is killed at each of its chances (see kill-child.ts); somebody tries
 * again; then every delivery has ended once and rightly, and a sweep leaves no file that nothing needs.
 */
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { Lake } from '../../src/compose.ts';
import { sweepTable } from '../../src/gate/sweep.ts';
import { reachableFiles } from '../../src/iceberg/reachable.ts';
import { staleTemporaries } from '../../src/storage/file.ts';
import { collect } from '../contract/collect.ts';
import { allRecords, idsOnMain, lakeConfig, loadTable, openLake, targetOf, told } from './lake.ts';
import { recordOf, SCENARIOS, type Scenario, tryAgain } from './scenarios.ts';

/** Killed processes at the same time. */
const AT_ONCE = 3;

let work: string;
let script: string;

beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'lakegate-kill-'));
  script = join(work, 'child.mjs');
  await build({
    entryPoints: [join(__dirname, 'kill-child.ts')],
    outfile: script,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    external: ['@duckdb/node-api', '@slack/web-api'],
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    logLevel: 'warning',
  });
});
afterAll(() => rm(work, { recursive: true, force: true }));

interface Killed {
  signal: NodeJS.Signals | null;
  code: number | null;
  /** Where it was killed. */
  where: string;
  complaint: string;
}

function runChild(folder: string, name: string, number: number): Promise<Killed> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, folder, name, String(number)], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const said = { out: '', err: '' };
    child.stdout.on('data', (text) => {
      said.out += text;
    });
    child.stderr.on('data', (text) => {
      said.err += text;
    });
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ signal, code, where: said.out, complaint: said.err }));
  });
}

/** One kill and what comes after it. @returns whether there was nothing left to be killed at */
async function killAt(name: string, scenario: Scenario, number: number): Promise<boolean> {
  const folder = join(work, `${Object.keys(SCENARIOS).indexOf(name)}-${number}`);
  const killed = await runChild(folder, name, number);
  const survived = killed.signal !== 'SIGKILL';
  if (survived && killed.code !== 0) throw new Error(`${name}, chance ${number}: ${killed.complaint}`);
  const config = lakeConfig(folder, scenario.table);
  const lake = await openLake(config);
  try {
    const urls = Object.fromEntries(
      Object.keys(scenario.drops).map((drop) => [drop, `${config.raw}orders/${drop}`] as const),
    );
    const how = number % 2 === 0 ? 'events' : 'resume';
    await tryAgain(lake, scenario, urls, how);
    expect(await whole(lake, scenario, urls)).toEqual(expected(scenario));
    expect(await leftOver(lake)).toEqual([]);
  } catch (error) {
    (error as Error).message = `${name}, killed at chance ${number} (${killed.where}):\n${(error as Error).message}`;
    throw error;
  } finally {
    lake.close();
  }
  await rm(folder, { recursive: true, force: true });
  return survived;
}

function expected(scenario: Scenario) {
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

async function whole(lake: Lake, scenario: Scenario, urls: Record<string, string>) {
  const records = await allRecords(lake);
  const { metadata } = await loadTable(lake);
  const heard = new Set(told(lake.config).map(({ id }) => id));
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
  const onMain =
    scenario.table.mode === 'overwrite' ? published.filter(({ drop }) => drop.url.endsWith('new.parquet')) : published;
  return {
    ids: await idsOnMain(lake),
    states,
    failed,
    leases: records.filter(({ lease }) => lease !== undefined).map(({ id }) => id),
    untold: stopped.filter(({ id, notification }) => !heard.has(id) || notification !== 'sent').map(({ id }) => id),
    strayBranches: Object.keys(metadata.refs).filter((ref) => ref !== 'main' && !kept.has(ref)),
    // A record that was made up for by a later attempt says as much as any other.
    rowsInRecords: onMain.reduce((sum, { rows, files }) => sum + (files?.length ? (rows ?? 0) : 0), 0),
  };
}

/** Files of the warehouse that a sweep leaves though the table does not need them. */
async function leftOver(lake: Lake): Promise<string[]> {
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
    if (process.env.LAKEGATE_SHOW_KILLS) process.stderr.write(`${name}: ${next - 1 - AT_ONCE} kills or more\n`);
    expect(next).toBeGreaterThan(10);
  },
  240_000,
);
