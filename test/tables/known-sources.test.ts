/** What planning read is used again by the copying, as far as there is room, and makes the same files. */
import { createMemoryStore } from '../../src/storage/memory.ts';
import type { ObjectStore } from '../../src/storage/store.ts';
import { type KnownSources, knownSources } from '../../src/tables/known-sources.ts';
import { prepareSplit } from '../../src/tables/prepare-split.ts';
import { runSplit } from '../../src/tables/split.ts';
import { splitMapCsv, writeSource } from './generator.ts';

const SMALL = { A: 4, B: 3, C: 2 };
const SOURCE = 'memory:/raw/infobase/';
const FILES = 3;

/** A store that counts the reads of footers: those that reach a file's end. */
function counting(store: ObjectStore): { store: ObjectStore; footers: () => number } {
  let footers = 0;
  return {
    footers: () => footers,
    store: {
      ...store,
      async open(url, expected) {
        const reader = await store.open(url, expected);
        return {
          ...reader,
          read: (start, end, room) => {
            if (end >= reader.byteLength) footers += 1;
            return reader.read(start, end, room);
          },
        };
      },
    },
  };
}

async function split(sources: KnownSources | undefined, only: readonly string[] = []) {
  const memory = createMemoryStore();
  await writeSource(memory, `${SOURCE}snapshot_dt=2026-01-31/`, {
    tables: SMALL,
    files: FILES,
    rows: 40,
    rowGroupRows: 10,
  });
  const { store, footers } = counting(memory);
  const request = {
    source: SOURCE,
    target: 'memory:/out/',
    map: { text: splitMapCsv(SMALL), name: 'map.csv' },
    key: 'customer_user_id',
    aliases: {},
    only,
    strict: false,
    targetBytes: 1e9,
  };
  const { plan } = await prepareSplit(store, request, sources);
  const outcomes = await runSplit(store, plan, undefined, sources);
  expect(new Set(outcomes.map(({ outcome }) => outcome))).toEqual(new Set(['written']));
  const made = new Map<string, Uint8Array>();
  for await (const { url } of memory.list('memory:/out/')) made.set(url, (await memory.read(url)).bytes);
  return { made: bytesByTable(made), footers: footers() };
}

/** Names of outputs tell the version of the source, which is another in each store. */
function bytesByTable(files: ReadonlyMap<string, Uint8Array>): Record<string, string> {
  return Object.fromEntries(
    [...files].map(([url, bytes]) => [url.split('/')[2], Buffer.from(bytes).toString('base64')]),
  );
}

test('footers are read once, and the same files are made of them', async () => {
  const again = await split(undefined);
  expect(again.footers).toBe(2 * FILES);
  const once = await split(knownSources());
  expect(once.footers).toBe(FILES);
  expect(once.made).toEqual(again.made);
});

test('some of the tables', async () => {
  const again = await split(undefined, ['B']);
  const once = await split(knownSources(), ['B']);
  expect(once.footers).toBe(FILES);
  expect(Object.keys(once.made)).toEqual(['B']);
  expect(once.made).toEqual(again.made);
});

test('what does not fit is read again', async () => {
  const again = await split(undefined);
  const columns = 1 + 4 + 3 + 2;
  const groups = 4;
  const some = await split(knownSources(columns * groups * 2));
  expect(some.footers).toBe(2 * FILES - 2);
  expect(some.made).toEqual(again.made);
  expect((await split(knownSources(0))).footers).toBe(2 * FILES);
});
