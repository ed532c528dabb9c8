/**
 * One measured run of lakegate's partition management in a process of its own; prints one line of JSON with what it cost.
 *
 * usage: run full|incremental|reconcile|events ENDPOINT WORLD
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import type { PartitionsConfig } from '../../../src/config/partitions-model.ts';
import { createPartitionEvents } from '../../../src/partitions/events.ts';
import { createGluePartitions } from '../../../src/partitions/glue.ts';
import { createPacedGlueClient } from '../../../src/partitions/glue-requests.ts';
import type { PartitionPorts } from '../../../src/partitions/ports.ts';
import type { SyncMode } from '../../../src/partitions/result.ts';
import { createFolderClient, s3Folders } from '../../../src/partitions/s3-folders.ts';
import { managedDatabases, syncDatabase } from '../../../src/partitions/sync.ts';
import { createStores } from '../../../src/storage/stores.ts';
import { databaseName, LAKE_BUCKET, RAW_BUCKET, tableName, WORLDS } from './world.ts';

const [flow, endpoint, worldName] = process.argv.slice(2) as [SyncMode | 'events', string, string];
Object.assign(process.env, {
  AWS_ENDPOINT_URL: endpoint,
  AWS_ENDPOINT_URL_S3: endpoint,
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'test',
  AWS_SECRET_ACCESS_KEY: 'test',
});

const config: PartitionsConfig = {
  databases: ['*_raw'],
  exclude: [],
  lookbackMs: 3 * 86_400_000,
  remove: false,
  updateSchema: false,
  schedule: {},
  concurrency: 10,
  buckets: [],
  tables: [],
  state: `s3://${LAKE_BUCKET}/lakegate/partitions/`,
};
const s3 = createFolderClient();
const clock = { now: Date.now, sleep: (ms: number) => sleep(ms), random: Math.random };
const ports: PartitionPorts = {
  catalog: createGluePartitions({ client: createPacedGlueClient(), ...clock }),
  folders: (location, tally) => s3Folders(s3, location, tally),
  store: createStores(),
  uuid: randomUUID,
  ...clock,
};

const started = performance.now();
const created = flow === 'events' ? await events() : await sync(flow);
const inProcessMs = performance.now() - started;
const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
const cpuMs = (userCPUTime + systemCPUTime) / 1000;
process.stdout.write(`${JSON.stringify({ created, inProcessMs, cpuMs, peakBytes: maxRSS * 1024 })}\n`);
process.exit();

/** As the state machine does it: so many databases at a time. */
async function sync(mode: SyncMode): Promise<number> {
  const limit = pLimit(config.concurrency);
  const databases = await managedDatabases(ports, config);
  const results = await Promise.all(
    databases.map((database) => limit(() => syncDatabase(ports, config, { database, mode }))),
  );
  const failed = results.filter(({ totals }) => totals.failed + totals.errors > 0);
  if (failed.length > 0) throw new Error(JSON.stringify(failed[0]));
  return results.reduce((sum, { totals }) => sum + totals.created, 0);
}

/** As the queue hands them over, in batches of 100: one object for each new partition. */
async function events(): Promise<number> {
  const { databases, tables, keys, fresh } = WORLDS[worldName]!;
  const urls: string[] = [];
  for (let d = 0; d < databases; d += 1)
    for (let t = 0; t < tables; t += 1)
      for (const values of fresh) {
        const folder = values.map((value, i) => `${keys[i]}=${value}/`).join('');
        urls.push(`s3://${RAW_BUCKET}/${databaseName(d)}/${tableName(t)}/${folder}part-00000.parquet`);
      }
  const own = createPartitionEvents(ports, config);
  const batches = Array.from({ length: Math.ceil(urls.length / 100) }, (_, i) => urls.slice(100 * i, 100 * (i + 1)));
  const limit = pLimit(config.concurrency);
  const results = await Promise.all(batches.map((batch) => limit(() => own.apply(batch))));
  if (results.some(({ again, unknown }) => again.length + unknown.count > 0))
    throw new Error(JSON.stringify(results[0]));
  return results.flatMap((result) => result.tables).reduce((sum, table) => sum + table.created, 0);
}
