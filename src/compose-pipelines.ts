import { GlueClient } from '@aws-sdk/client-glue';
import { composePartitions } from './compose-partitions.ts';
import type { LakeConfig } from './config/model.ts';
import { partitionsConfig } from './config/partitions.ts';
import type { PipelinesConfig } from './config/pipelines-model.ts';
import { LakegateError } from './errors.ts';
import { addPartition } from './partitions/add-partition.ts';
import type { PipelinePorts } from './pipelines/ports.ts';
import { createGlueTables } from './tables/glue-tables.ts';

export interface ComposePipelinesOptions
  extends Pick<PipelinePorts, 'store' | 'notifier' | 'executionRunning' | 'now' | 'sql'> {
  env: Readonly<Record<string, string | undefined>>;
}

/** The table pipelines opened for work. */
export interface Pipelines {
  config: PipelinesConfig;
  ports: PipelinePorts;
  close(): void;
}

/** How often a request of Glue's is sent that was throttled: tables are registered side by side. */
const ATTEMPTS = 8;

/**
 * Builds the adapters of the table pipelines. Glue is the stage's, else that of the first catalogue of type glue; a lake that has neither makes tables
 * and registers none.
 * @throws LakegateError `config` for a lake whose lake.yaml says nothing of pipelines
 */
export function composePipelines(config: LakeConfig, options: ComposePipelinesOptions): Pipelines {
  const { pipelines } = config;
  if (pipelines === undefined) {
    throw new LakegateError(
      'config',
      `${config.source ?? 'the lake'} has no \`pipelines:\`. Add them: docs/lake-yaml.md has their keys`,
    );
  }
  const { env, store, notifier, executionRunning, now, sql } = options;
  const outside = { store, notifier, executionRunning, now, ...(sql !== undefined && { sql }) };
  const own = Object.values(config.catalogs).find((catalog) => catalog.type === 'glue');
  if (config.stage === undefined && own === undefined) {
    return {
      config: pipelines,
      ports: { ...outside, addSnapshot: async () => undefined },
      close: () => undefined,
    };
  }
  const region = config.stage?.region ?? own?.region ?? (env.AWS_REGION || env.AWS_DEFAULT_REGION || undefined);
  const glue = new GlueClient({ ...(region !== undefined && { region }), maxAttempts: ATTEMPTS });
  // Only their adapters are needed: what is kept of databases is not touched.
  const partitions = composePartitions(
    { ...config, partitions: config.partitions ?? partitionsConfig({}, pipelines.runs) },
    { env, store, now },
  );
  return {
    config: pipelines,
    ports: {
      ...outside,
      catalog: createGlueTables(glue),
      addSnapshot: ({ database, table, date, folder }) =>
        addPartition(partitions.ports, { database, table }, { values: [date], folder }),
    },
    close() {
      glue.destroy();
      partitions.close();
    },
  };
}
