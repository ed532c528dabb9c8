import type { PipelinesConfig } from '../../src/config/pipelines-model.ts';
import { machinePart } from '../../src/pipelines/machine.ts';
import { type StageLake, stageNames } from '../stage-names.ts';
import { athenaGrants } from './athena-grants.ts';
import type { Grant } from './grants.ts';
import { useKeys } from './storage-grants.ts';

/** What Spark on Glue takes where a folder was: an object that stands for it. */
const FOLDER_MARK = '_$folder$';

const FILES = 'Files are named by those who write them; the folder is the boundary.';
const TABLES = 'Tables are those of the split maps, which change without a deployment.';

/** The pipelines of a lake, in the order in which they are written. */
export function pipelinesOf({ bucketed, partitioned }: PipelinesConfig) {
  return [
    ...(bucketed ? [{ name: 'bucketed' as const, ...bucketed }] : []),
    ...(partitioned ? [{ name: 'partitioned' as const, ...partitioned }] : []),
  ];
}

/** Whether Glue's job splits for some pipeline of the lake. */
export function usesSpark({ pipelines }: StageLake): boolean {
  return pipelines !== undefined && pipelinesOf(pipelines).some(({ engine }) => engine === 'spark');
}

export type OnePipeline = ReturnType<typeof pipelinesOf>[number];

/** Whether Athena runs statements for it: copies into buckets, repairs, Entity Resolution's table. */
export function usesAthena(pipeline: OnePipeline): boolean {
  return pipeline.name === 'bucketed'
    ? pipeline.bucketing === 'ctas'
    : pipeline.prepare === 'msck' || pipeline.entityResolution !== undefined;
}

/** What the pipelines' function takes: snapshots and maps to read, tables and the runs' files to write, their entries in Glue. */
export function tablesFunctionGrants(lake: StageLake, pipelines: PipelinesConfig): Grant[] {
  const { arn, bus, of } = stageNames(lake);
  const all = pipelinesOf(pipelines);
  const executions = all.map(({ name }) => arn('states', `execution:${of(machinePart(name))}:*`));
  return [
    ...readFolders(lake, snapshotFolders(pipelines, all)),
    ...readMaps(lake, pipelines),
    ...writeFolders(lake, [...all.map(({ target }) => target), pipelines.runs]),
    ...all.flatMap((pipeline) => registering(lake, pipeline)),
    {
      actions: ['states:DescribeExecution'],
      resources: executions,
      wildcard:
        'Step Functions names executions when they start; whether the one that holds the lock still runs is all that is asked.',
    },
    { actions: ['events:PutEvents'], resources: [arn('events', `event-bus/${bus}`)] },
  ];
}

/** What the Spark job takes: snapshots to read, tables and the run's files to write. */
export function sparkGrants(lake: StageLake, pipelines: PipelinesConfig): Grant[] {
  const own = pipelinesOf(pipelines).filter(({ engine }) => engine === 'spark');
  const folders = [...own.map(({ target }) => target), pipelines.runs];
  const { bucketArn } = stageNames(lake);
  const marks = folders.flatMap((url) => {
    const { bucket, prefix } = placeOf(url);
    const parts = prefix.split('/').slice(0, -1);
    return parts.map((_, index) => bucketArn(bucket, `${parts.slice(0, index + 1).join('/')}${FOLDER_MARK}`));
  });
  return [
    ...readFolders(lake, snapshotFolders(pipelines, own)),
    ...writeFolders(lake, folders, LOCATE),
    ...(marks.length === 0 ? [] : [{ actions: ['s3:GetObject', 's3:PutObject'], resources: [...new Set(marks)] }]),
  ];
}

/** What a pipeline's statements take: its own tables, their files, the workgroup and its results. Nothing where there are none. */
export function statementGrants(lake: StageLake, pipeline: OnePipeline): Grant[] {
  if (!usesAthena(pipeline)) return [];
  const makes = pipeline.name === 'bucketed' || pipeline.entityResolution !== undefined;
  const repairs = pipeline.name === 'partitioned' && pipeline.prepare === 'msck';
  const { arn } = stageNames(lake);
  return [
    ...athenaGrants(lake),
    // Athena looks at this one before any statement. https://docs.aws.amazon.com/athena/latest/ug/fine-grained-access-to-glue-resources.html
    { actions: ['glue:GetDatabase'], resources: [arn('glue', 'catalog'), arn('glue', 'database/default')] },
    glue(lake, pipeline, [
      'glue:GetDatabase',
      'glue:GetTable',
      'glue:GetTables',
      'glue:GetPartition',
      'glue:GetPartitions',
      'glue:BatchGetPartition',
      ...(makes ? ['glue:CreateTable', 'glue:UpdateTable'] : []),
      ...(repairs ? ['glue:BatchCreatePartition', 'glue:CreatePartition'] : []),
    ]),
    ...(makes ? writeFolders : readFolders)(lake, [pipeline.target], LOCATE),
  ];
}

/** Starting the pipelines' machines, and following them to their end by a rule that Step Functions keeps for it. */
export function runAllGrants(lake: StageLake, pipelines: PipelinesConfig): Grant[] {
  const { arn, of } = stageNames(lake);
  const machines = pipelinesOf(pipelines).map(({ name }) => of(machinePart(name)));
  return [
    { actions: ['states:StartExecution'], resources: machines.map((name) => arn('states', `stateMachine:${name}`)) },
    {
      actions: ['states:DescribeExecution', 'states:StopExecution'],
      resources: machines.map((name) => arn('states', `execution:${name}:*`)),
      wildcard: 'Step Functions names executions when they start.',
    },
    {
      actions: ['events:DescribeRule', 'events:PutRule', 'events:PutTargets'],
      resources: [arn('events', 'rule/StepFunctionsGetEventsForStepFunctionsExecutionRule')],
    },
  ];
}

/** Folders of the snapshots that some of these pipelines split. */
function snapshotFolders(pipelines: PipelinesConfig, some: readonly OnePipeline[]): string[] {
  const used = new Set(some.flatMap(({ sources }) => sources));
  return pipelines.sources.flatMap(({ name, path }) => (used.has(name) ? [path] : []));
}

function registering(lake: StageLake, pipeline: OnePipeline): Grant[] {
  const versions =
    pipeline.name === 'bucketed' ? pipeline.bucketing === 'ctas' : pipeline.entityResolution !== undefined;
  return [
    glue(lake, pipeline, [
      'glue:GetTable',
      'glue:GetTables',
      'glue:CreateTable',
      'glue:UpdateTable',
      // What a version was built as leaves the catalogue when its files are the readers' table's.
      ...(versions ? ['glue:DeleteTable'] : []),
      ...(pipeline.name === 'partitioned' && pipeline.prepare === 'sync'
        ? ['glue:BatchCreatePartition', 'glue:BatchGetPartition', 'glue:BatchUpdatePartition']
        : []),
    ]),
  ];
}

function glue(lake: StageLake, { database }: OnePipeline, actions: readonly string[]): Grant {
  const { arn } = stageNames(lake);
  return {
    actions,
    resources: [arn('glue', 'catalog'), arn('glue', `database/${database}`), arn('glue', `table/${database}/*`)],
    wildcard: TABLES,
  };
}

function readMaps(lake: StageLake, { sources }: PipelinesConfig): Grant[] {
  const maps = [...new Set(sources.flatMap(({ map }) => (map?.startsWith('s3://') ? [map] : [])))];
  if (maps.length === 0) return [];
  const { bucketArn } = stageNames(lake);
  const places = maps.map(placeOf);
  const buckets = [...new Set(places.map(({ bucket }) => bucket))];
  return [
    // Without the right to list, a missing object is answered as a refusal.
    { actions: ['s3:ListBucket'], resources: buckets.map((bucket) => bucketArn(bucket)) },
    {
      actions: ['s3:GetObject', 's3:GetObjectVersion'],
      resources: places.map(({ bucket, prefix }) => bucketArn(bucket, prefix)),
    },
    useKeys(lake, buckets, ['kms:Decrypt']),
  ];
}

/** Spark and Athena ask where a bucket is. */
const LOCATE = ['s3:GetBucketLocation'];

function readFolders(lake: StageLake, urls: readonly string[], more: readonly string[] = []): Grant[] {
  return folders(lake, urls, [...more, 's3:ListBucket'], ['s3:GetObject', 's3:GetObjectVersion'], ['kms:Decrypt']);
}

function writeFolders(lake: StageLake, urls: readonly string[], more: readonly string[] = []): Grant[] {
  return folders(
    lake,
    urls,
    [...more, 's3:ListBucket', 's3:ListBucketMultipartUploads'],
    [
      's3:GetObject',
      's3:GetObjectVersion',
      's3:PutObject',
      's3:DeleteObject',
      's3:AbortMultipartUpload',
      's3:ListMultipartUploadParts',
    ],
    ['kms:Decrypt', 'kms:GenerateDataKey'],
  );
}

function folders(
  lake: StageLake,
  urls: readonly string[],
  ofBucket: readonly string[],
  ofFiles: readonly string[],
  ofKeys: readonly string[],
): Grant[] {
  const { bucketArn } = stageNames(lake);
  const places = [...new Set(urls)].map(placeOf);
  const buckets = [...new Set(places.map(({ bucket }) => bucket))];
  return [
    { actions: ofBucket, resources: buckets.map((bucket) => bucketArn(bucket)) },
    {
      actions: ofFiles,
      resources: places.map(({ bucket, prefix }) => bucketArn(bucket, `${prefix}*`)),
      wildcard: FILES,
    },
    useKeys(lake, buckets, ofKeys),
  ];
}

/** @param url `s3://bucket/prefix` */
export function placeOf(url: string): { bucket: string; prefix: string } {
  const [, bucket = '', prefix = ''] = /^s3:\/\/([^/]+)\/(.*)$/s.exec(url) ?? [];
  return { bucket, prefix };
}
