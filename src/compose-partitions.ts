import { randomUUID } from 'node:crypto';
import type { LakeConfig } from './config/model.ts';
import type { PartitionsConfig } from './config/partitions-model.ts';
import { LakegateError } from './errors.ts';
import { createGluePartitions } from './partitions/glue.ts';
import { createPacedGlueClient } from './partitions/glue-requests.ts';
import type { PartitionPorts } from './partitions/ports.ts';
import { createFolderClient, s3Folders } from './partitions/s3-folders.ts';
import type { ObjectStore } from './storage/store.ts';
import { createStores } from './storage/stores.ts';

export interface ComposePartitionsOptions {
  env: Readonly<Record<string, string | undefined>>;
  store?: ObjectStore;
  /** Milliseconds left for work; absent where there is no end to it. */
  remainingMs?: () => number;
  now?: () => number;
}

/** Partition management opened for work. */
export interface PartitionManagement {
  config: PartitionsConfig;
  ports: PartitionPorts;
  close(): void;
}

/**
 * Builds the adapters of partition management: Glue and S3 of the stage, else of the first catalogue of type glue, else of the environment.
 * @throws LakegateError `config` for a lake whose lake.yaml says nothing of partitions
 */
export function composePartitions(config: LakeConfig, options: ComposePartitionsOptions): PartitionManagement {
  const { partitions } = config;
  if (partitions === undefined) {
    throw new LakegateError(
      'config',
      `${config.source ?? 'the lake'} has no \`partitions:\`. Add \`partitions: {}\` to manage every database whose name ends in _raw; docs/lake-yaml.md has its keys`,
    );
  }
  const { env, remainingMs, now = Date.now } = options;
  const glue = Object.values(config.catalogs).find((catalog) => catalog.type === 'glue');
  const region = config.stage?.region ?? glue?.region ?? (env.AWS_REGION || env.AWS_DEFAULT_REGION || undefined);
  const client = createPacedGlueClient(region === undefined ? {} : { region });
  const s3 = createFolderClient({ env, ...(region !== undefined && { region }) });
  const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
  const time = { now, sleep, random: Math.random, ...(remainingMs !== undefined && { remainingMs }) };
  return {
    config: partitions,
    ports: {
      ...time,
      catalog: createGluePartitions({
        ...time,
        client,
        ...(glue?.catalogId !== undefined && { catalogId: glue.catalogId }),
      }),
      folders: (location, tally) => s3Folders(s3, location, tally),
      store: options.store ?? createStores(),
      uuid: randomUUID,
    },
    close() {
      client.destroy();
      s3.destroy();
    },
  };
}
