/** Promise 2: an object version is published at most once, whatever is repeated, reordered or run at the same time. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TableConfig } from '../../src/config/model.ts';
import { deliver } from '../../src/gate/deliver.ts';
import { ancestorsOf } from '../../src/iceberg/ancestry.ts';
import { bundle, runScript } from './child-process.ts';
import { allRecords, idsOnMain, lakeConfig, loadTable, openLake, orders, parquet, putDrop, span } from './lake.ts';
import type { RaceTask } from './race-child.ts';
import { scratchFolder } from './scratch.ts';

let work: string;
let script: string;
let lakes = 0;

beforeAll(async () => {
  work = await scratchFolder('race');
  script = await bundle('race-child.ts', work);
});
afterAll(() => rm(work, { recursive: true, force: true }));

function newLake(table: Partial<TableConfig> = {}) {
  lakes += 1;
  const folder = join(work, `lake-${lakes}`);
  return { folder, table, config: lakeConfig(folder, table) };
}

/** Starts a process per task list, all at once. @returns what became of each process's calls */
async function race({ folder, table }: { folder: string; table: Partial<TableConfig> }, tasks: readonly string[][][]) {
  const signal = join(folder, 'go');
  const children = tasks.map((urls) =>
    runScript(script, [JSON.stringify({ folder, table, urls, signal } satisfies RaceTask)]),
  );
  // Long enough for all to be waiting; nothing is wrong when one comes late.
  await new Promise((resolve) => setTimeout(resolve, 400));
  await writeFile(signal, '');
  const ended = await Promise.all(children);
  expect(ended.map(({ err }) => err)).toEqual(ended.map(() => ''));
  return ended.map(({ out }) => JSON.parse(out) as string[][]);
}

/** The order of a card player, the same for the same seed. */
function shuffled<T>(items: readonly T[], seed: number): T[] {
  const left = [...items];
  const drawn: T[] = [];
  for (let state = seed + 1; left.length > 0; ) {
    state = (state * 48271) % 2147483647;
    drawn.push(...left.splice(state % left.length, 1));
  }
  return drawn;
}

test.each([
  ['a table that is not there yet', {}],
  [
    'a table that discards failures and is split by partition',
    { onFailure: 'discard' as const, partitionBy: [{ column: 'note', transform: 'bucket[2]' as const }] },
  ],
])(
  'eight processes with drops of their own: %s',
  async (_, table) => {
    const lake = newLake(table);
    const { config } = lake;
    const tasks = Array.from({ length: 8 }, (_, process) => {
      const from = process * 100;
      const clean = [0, 1].map((n) =>
        putDrop(config, `p${process}-clean${n}.parquet`, parquet(orders(from + n * 10, 3))),
      );
      const bad = putDrop(config, `p${process}-bad.parquet`, parquet(orders(from + 50, 3, [1])));
      return [[clean[0]!, bad], [clean[1]!]];
    });
    const outcomes = await race(lake, tasks);
    expect(outcomes).toEqual(tasks.map(() => [['ended published', 'ended rejected'], ['ended published']]));
    const reader = await openLake(config);
    const clean = tasks.flatMap((_, process) => [0, 10].flatMap((from) => span(process * 100 + from, 3)));
    expect(await idsOnMain(reader)).toEqual(clean);
    const records = await allRecords(reader);
    expect(records).toHaveLength(24);
    expect(records.filter(({ lease, attempts }) => lease !== undefined || attempts !== 1)).toEqual([]);
    const { metadata } = await loadTable(reader);
    expect(Object.keys(metadata.refs)).toHaveLength(config.tables[0]!.onFailure === 'discard' ? 1 : 9);
    // Main is one line: what came later builds on what was there.
    const line = [...ancestorsOf(metadata, metadata.currentSnapshotId)];
    expect(Number(line[0]?.summary['total-records'])).toBe(clean.length);
    reader.close();
  },
  60_000,
);

test('two processes with the same drop: one takes it, once', async () => {
  for (let round = 0; round < 4; round += 1) {
    const lake = newLake();
    const url = putDrop(lake.config, 'same.parquet', parquet(orders(0, 5)));
    const outcomes = (await race(lake, [[[url]], [[url]]])).flat(2).sort();
    expect(outcomes).toContain('ended published');
    expect(['already published', 'busy received', 'ended published']).toEqual(expect.arrayContaining(outcomes));
    expect(outcomes.filter((outcome) => outcome.startsWith('ended'))).toHaveLength(1);
    const reader = await openLake(lake.config);
    expect(await idsOnMain(reader)).toEqual(span(0, 5));
    expect(await allRecords(reader)).toHaveLength(1);
    reader.close();
  }
}, 60_000);

test('processes that get the same events in any order, twenty times over', async () => {
  const lake = newLake();
  const { config } = lake;
  const urls = [0, 1, 2, 3].map((n) => putDrop(config, `clean-${n}.parquet`, parquet(orders(n * 10, 2))));
  urls.push(putDrop(config, 'bad.parquet', parquet(orders(90, 2, [0]))));
  const events = Array.from({ length: 20 }, () => urls).flat();
  const tasks = [1, 2, 3, 4].map((seed) => {
    const order = shuffled(events, seed);
    // As a queue hands them over: some alone, some together, some twice in one batch.
    return Array.from({ length: 20 }, (_, n) => order.slice(n * 5, n * 5 + 5));
  });
  await race(lake, tasks);
  const reader = await openLake(config);
  expect(await idsOnMain(reader)).toEqual([0, 10, 20, 30].flatMap((from) => span(from, 2)));
  const records = await allRecords(reader);
  expect(records.map(({ state }) => state).sort()).toEqual([
    'published',
    'published',
    'published',
    'published',
    'rejected',
  ]);
  expect(records.map(({ attempts }) => attempts)).toEqual([1, 1, 1, 1, 1]);
  reader.close();
}, 60_000);

test.each([1, 2, 20])('the same event %s times at once, in one process', async (times) => {
  const { config } = newLake();
  const url = putDrop(config, 'same.parquet', parquet(orders(0, 5)));
  const other = putDrop(config, 'other.parquet', parquet(orders(50, 5)));
  const lake = await openLake(config);
  const calls = Array.from({ length: times }, (_, n) =>
    deliver(lake.ports, config, n % 2 ? [other, url] : [url, url, other]),
  );
  const outcomes = (await Promise.all(calls)).flat();
  expect(new Set(outcomes.filter(({ kind }) => kind === 'ended').map(({ drop }) => drop))).toEqual(
    new Set([url, other]),
  );
  await deliver(lake.ports, config, [url, other]);
  expect(await idsOnMain(lake)).toEqual([...span(0, 5), ...span(50, 5)]);
  expect(await allRecords(lake)).toHaveLength(2);
  lake.close();
});
