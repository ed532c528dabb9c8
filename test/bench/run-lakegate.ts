/**
 * One measured run of lakegate in a process of its own; prints one line of JSON with what it cost.
 *
 * usage: run-lakegate deliver LAKE.yaml DROP…   the whole way: records, staging, audit, publishing
 *        run-lakegate nulls FILE.parquet        null counts of every column
 *        run-lakegate repeat LAKE.yaml DROP N   N deliveries of copies of one small drop, the time of each
 */
import { copyFileSync, readFileSync } from 'node:fs';
import { composeLake } from '../../src/compose.ts';
import { loadConfig } from '../../src/config/load.ts';
import { deliver } from '../../src/gate/deliver.ts';
import { readFooter } from '../../src/parquet/footer.ts';
import { countNulls } from '../../src/parquet/nulls.ts';
import type { ObjectStore } from '../../src/storage/store.ts';
import { createStores } from '../../src/storage/stores.ts';
import { countingCatalog, countingStore, processCosts, type Requests } from './counting.ts';

const [mode, path, ...rest] = process.argv.slice(2) as [string, string, ...string[]];
const requests: Requests = { store: {}, catalog: {} };
const before = processCosts();

if (mode === 'nulls') {
  const store = createStores();
  const started = performance.now();
  const open = () => store.open(`file://${path}`);
  const reader = await open();
  const footer = await readFooter(reader, path);
  await reader.close();
  const nulls = await countNulls(footer, open, '*');
  report({ nulls: nulls.map((column) => column.nulls) }, performance.now() - started);
} else {
  const started = performance.now();
  const config = loadConfig(readFileSync(path, 'utf8'), path, {});
  const copied: number[] = [];
  const store = countingStore(timingCopies(createStores(), copied), requests);
  const lake = await composeLake(config, { env: {}, cwd: process.cwd(), store });
  const open = lake.ports.catalog;
  const counted = new Map<string, ReturnType<typeof open>>();
  const catalog = (name: string) => {
    const found = counted.get(name) ?? countingCatalog(open(name), requests);
    counted.set(name, found);
    return found;
  };
  const ports = { ...lake.ports, catalog };
  if (mode === 'deliver') {
    const urls = rest.map((file) => `file://${file}`);
    const outcomes = await deliver(ports, config, urls);
    const published = outcomes.filter((outcome) => outcome.kind === 'ended' && outcome.record.state === 'published');
    report(
      { published: published.length, copyMs: copied.reduce((sum, ms) => sum + ms, 0) },
      performance.now() - started,
    );
  } else {
    const [drop, times] = rest as [string, string];
    const each: number[] = [];
    for (let number = 0; number < Number(times); number += 1) {
      const copy = drop.replace(/\.parquet$/, `-${number}.parquet`);
      copyFileSync(drop, copy);
      const from = performance.now();
      await deliver(ports, config, [`file://${copy}`]);
      each.push(performance.now() - from);
    }
    report({ each }, performance.now() - started);
  }
  lake.close();
}

function report(found: object, inProcessMs: number): void {
  const after = processCosts();
  const sum = (counts: Record<string, number>) => Object.values(counts).reduce((total, count) => total + count, 0);
  const costs = {
    inProcessMs,
    peakBytes: after.peakBytes,
    bytesRead: after.bytesRead - before.bytesRead,
    bytesWritten: after.bytesWritten - before.bytesWritten,
    storeRequests: sum(requests.store),
    catalogRequests: sum(requests.catalog),
    requests,
  };
  process.stdout.write(`${JSON.stringify({ ...found, ...costs })}\n`);
}

/** The time of the copies alone, since it is the file's size that decides it. */
function timingCopies(store: ObjectStore, copied: number[]): ObjectStore {
  return {
    ...store,
    async copy(from, to, expected) {
      const started = performance.now();
      await store.copy(from, to, expected);
      copied.push(performance.now() - started);
    },
  };
}
