import type {
  BucketedPipeline,
  PartitionedPipeline,
  PipelineSource,
  PipelinesConfig,
} from '../config/pipelines-model.ts';
import { LakegateError } from '../errors.ts';
import type { Layout } from '../tables/model.ts';
import type { RunSource } from './documents.ts';
import { holdsLock, lockUrl } from './lock.ts';
import type { PipelineName, SourceItem } from './model.ts';
import type { PipelinePorts } from './ports.ts';
import { isRunFolder, type RunFiles, runFiles } from './run-files.ts';

export type NamedPipeline = ({ name: 'bucketed' } & BucketedPipeline) | ({ name: 'partitioned' } & PartitionedPipeline);

/** A source in a run, with all that its steps need. */
export interface SourceWork {
  ports: PipelinePorts;
  config: PipelinesConfig;
  pipeline: NamedPipeline;
  source: PipelineSource;
  run: RunFiles;
  /** As it was found before anything was begun. */
  found: RunSource;
  /** Folder of the source's tables, URL ending in `/`. */
  target: string;
  /** Folder of its tables' versions, where Athena makes them. URL ending in `/`. */
  versions: string;
}

/** @throws LakegateError `config` for a pipeline that lake.yaml does not have */
export function pipelineOf(config: PipelinesConfig, name: PipelineName): NamedPipeline {
  const { bucketed, partitioned } = config;
  if (name === 'bucketed' && bucketed !== undefined) return { name, ...bucketed };
  if (name === 'partitioned' && partitioned !== undefined) return { name, ...partitioned };
  throw new LakegateError('config', `lake.yaml has no \`pipelines: ${name}:\`. Add it, or start the other pipeline`);
}

/** What the folders of snapshots add to a table's columns. */
export const SNAPSHOT_KEY = { name: 'snapshot_dt', type: 'string' } as const;

/** Where a table's files go: into folders of snapshots, or straight into the table's. */
export function layoutOf({ name }: NamedPipeline): Layout {
  return name === 'partitioned' ? 'partitioned' : 'plain';
}

/** Name of a table as readers find it in Glue. */
export function glueName({ tablePrefix }: NamedPipeline, table: string): string {
  return `${tablePrefix}${table}`.toLowerCase();
}

/** Folder of a source's tables, URL ending in `/`. */
export function targetOf({ target }: NamedPipeline, source: string): string {
  return `${target}${source}/`;
}

/**
 * A source's part of a run.
 * @param item of the state machine; what it names has to be lake.yaml's and the run's
 * @throws LakegateError `usage` for an item that is of no run; `not_found`, `corrupt` where the run's own file is gone or broken
 */
export async function openWork(ports: PipelinePorts, config: PipelinesConfig, item: SourceItem): Promise<SourceWork> {
  const pipeline = pipelineOf(config, item.pipeline);
  const run = openRun(ports, config, item.pipeline, item.run);
  const source = config.sources.find(({ name }) => name === item.source);
  const found = (await run.run()).sources.find((each) => each.source === item.source);
  if (source === undefined || found === undefined) {
    throw new LakegateError('usage', `item.source: expected a source of the run, found ${JSON.stringify(item.source)}`);
  }
  const target = targetOf(pipeline, source.name);
  // A source's name has no hyphen: this is no other one's folder.
  return {
    ports,
    config,
    pipeline,
    source,
    run,
    found,
    target,
    versions: `${pipeline.target}${source.name}-versions/`,
  };
}

/** The files of a run. @throws LakegateError `usage` for a folder that is none of this lake's */
export function openRun(
  { store }: Pick<PipelinePorts, 'store'>,
  { runs }: PipelinesConfig,
  pipeline: PipelineName,
  run: string,
): RunFiles {
  if (isRunFolder(run, runs, pipeline)) return runFiles(store, run);
  const expected = `a folder directly under ${runs}${pipeline}/`;
  throw new LakegateError('usage', `run: expected ${expected}, found ${JSON.stringify(run)}`);
}

/** A table that the run is to make. @throws LakegateError `usage` for any other */
export function checkTable({ found }: SourceWork, table: string): void {
  if (found.tables.includes(table)) return;
  throw new LakegateError(
    'usage',
    `table: expected a table of the run (${found.tables.join(', ')}), found ${JSON.stringify(table)}`,
  );
}

/**
 * Before what readers see is changed: an execution that was ended from outside may still have calls under way.
 * @throws LakegateError `conflict` when the pipeline is another run's by now
 */
export async function checkLock({ ports, config, pipeline, run }: SourceWork): Promise<void> {
  if (await holdsLock(ports, lockUrl(config.runs, pipeline.name), run.folder)) return;
  throw new LakegateError(
    'conflict',
    `the pipeline ${pipeline.name} is no more this run's (${run.folder}): it was ended, or another took its place. Nothing more is changed by it.`,
    { context: { run: run.folder }, retryable: false },
  );
}
