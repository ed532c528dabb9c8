import { join } from 'node:path';
import type { Context } from 'aws-lambda';
import { executionLookup } from '../../src/aws/execution-lookup.ts';
import { composePipelines } from '../../src/compose-pipelines.ts';
import type { PipelinesConfig } from '../../src/config/pipelines-model.ts';
import type { PipelinePorts } from '../../src/pipelines/ports.ts';
import { openStage, type StageOptions } from '../compose.ts';
import type { StepPorts } from './take-step.ts';

export interface TablesStage extends StepPorts {
  begin(context: Context): void;
  close(): void;
}

/** Stand-ins for what the function meets on AWS. */
export interface TablesOptions extends StageOptions {
  pipelines?: Partial<PipelinePorts>;
  /** Folder of the bundle, where packed split maps are. */
  folder?: string;
}

/**
 * Builds what the steps of the pipelines need from a stage's packed configuration.
 * @throws LakegateError `config`
 */
export async function openTables(options: TablesOptions = {}): Promise<TablesStage> {
  const { config, lake, observer, begin } = await openStage(options);
  const executions = executionLookup(config.stage.region);
  const { store, notifier, now } = lake.ports;
  const opened = composePipelines(config, {
    env: options.env ?? process.env,
    store,
    notifier,
    now,
    executionRunning: (arn) => executions.isRunning(arn),
  });
  return {
    config: withPackedMaps(opened.config, options.folder ?? import.meta.dirname),
    ports: { ...opened.ports, ...options.pipelines },
    observer,
    begin,
    close() {
      executions.close();
      opened.close();
      lake.close();
    },
  };
}

/** Split maps that lay beside lake.yaml were packed with the function; `maps/<source>.csv` says so. */
function withPackedMaps(config: PipelinesConfig, folder: string): PipelinesConfig {
  return {
    ...config,
    sources: config.sources.map((source) =>
      source.map?.startsWith('maps/') ? { ...source, map: `file://${join(folder, source.map)}` } : source,
    ),
  };
}
