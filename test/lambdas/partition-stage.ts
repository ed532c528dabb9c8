/** Partition management of a stage over the real clients, against a server that stands in for Glue and S3; its bus and observer write down what they hear. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openPartitions } from '../../lambdas/partition-mgmt/compose.ts';
import { managePartitions, type PartitionAnswer } from '../../lambdas/partition-mgmt/manage.ts';
import type { PartitionsConfig } from '../../src/config/partitions-model.ts';
import type { BusDetail } from '../../src/notify/bus-entry.ts';
import { configWith, portsTo } from '../partitions/lake.ts';
import { memoryBuckets, newFolder, type Seen, seeing, stageConfig } from './stage.ts';

export interface TestPartitions extends Seen {
  /** What the bus took. */
  told: BusDetail[];
  /** @param remainingMs of the invocation, asked for again and again */
  invoke(event: unknown, remainingMs?: () => number): Promise<PartitionAnswer>;
  close(): void;
}

export async function testPartitions(
  endpoint: string,
  settings: Partial<PartitionsConfig> = {},
): Promise<TestPartitions> {
  const path = join(newFolder(), 'lake.json');
  const state = 's3://lake-bucket/lakegate/partitions/';
  writeFileSync(path, JSON.stringify({ ...stageConfig(newFolder()), partitions: configWith({ state, ...settings }) }));
  const told: BusDetail[] = [];
  const seen = seeing();
  const { catalog, folders, close } = portsTo(endpoint);
  const stage = await openPartitions({
    env: { LAKEGATE_CONFIG_FILE: path },
    lake: { store: memoryBuckets() },
    put: async (entries) => {
      told.push(...entries.map(({ Detail }) => JSON.parse(Detail) as BusDetail));
      return entries.map(() => undefined);
    },
    partitions: { catalog, folders },
  });
  return {
    ...seen,
    told,
    close,
    invoke: (event, remainingMs = () => 900_000) =>
      managePartitions({ ...stage.within(remainingMs), observer: seen.observer }, event),
  };
}
