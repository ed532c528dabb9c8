import { GlueClient } from '@aws-sdk/client-glue';
import type { LakeConfig } from './config/model.ts';
import { createAthenaClient, createAthenaRunner } from './sql/athena-runner.ts';
import type { ObjectStore } from './storage/store.ts';
import { createStores } from './storage/stores.ts';
import { createGluePartition } from './tables/glue-partition.ts';
import { createGlueTables } from './tables/glue-tables.ts';
import type { VersionPorts } from './tables/table-version.ts';
import type { SnapshotPartitions } from './tables/virtual.ts';

export interface ComposeTablesOptions {
  env: Readonly<Record<string, string | undefined>>;
  /** Athena's workgroup, and the folder of its results where the workgroup does not say it. */
  workgroup?: string;
  results?: string;
  /** Milliseconds between two looks at a statement, at most. */
  pollMs?: number;
  store?: ObjectStore;
  now?: () => number;
}

/** The tables of the pipeline opened for work. */
export interface TablesManagement extends VersionPorts {
  partitions: SnapshotPartitions;
  now(): number;
  close(): void;
}

/** A statement is given up on after Athena itself does: its default quota for queries is half an hour. */
const TIMEOUT_MS = 35 * 60_000;
/** How often a request is sent that was throttled: 27 tables are registered at once. */
const ATTEMPTS = 8;

/** Builds the adapters of the table pipeline: Glue, Athena and S3 of the stage, else of the first catalogue of type glue, else of the environment. */
export function composeTables(config: LakeConfig, options: ComposeTablesOptions): TablesManagement {
  const { env, workgroup, results, pollMs, now = Date.now } = options;
  const own = Object.values(config.catalogs).find((catalog) => catalog.type === 'glue');
  const region = config.stage?.region ?? own?.region ?? (env.AWS_REGION || env.AWS_DEFAULT_REGION || undefined);
  const glue = new GlueClient({ ...(region !== undefined && { region }), maxAttempts: ATTEMPTS });
  const athena = createAthenaClient(region);
  return {
    store: options.store ?? createStores(),
    catalog: createGlueTables(glue),
    partitions: createGluePartition(glue),
    athena: createAthenaRunner({
      client: athena,
      ...(workgroup !== undefined && { workgroup }),
      ...(results !== undefined && { outputLocation: results }),
      ...(pollMs !== undefined && { pollMs }),
      timeoutMs: TIMEOUT_MS,
      now,
      sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    }),
    now,
    close() {
      glue.destroy();
      athena.destroy();
    },
  };
}
