import { type StageLake, stageNames } from '../stage-names.ts';
import type { Grant } from './grants.ts';

/** Prefix of the notify function's memory in the lake bucket. */
const NOTES = 'lakegate/notify/';

/** Prefix of partition management's states and run records there. */
const PARTITIONS = 'lakegate/partitions/';

const OBJECTS = 'Objects are named by those who drop files and by the tables; the bucket is the boundary.';

/** Reading drops from the raw bucket, pinned to a version, and listing them. */
export function readRaw(lake: StageLake): Grant[] {
  const { bucketArn } = stageNames(lake);
  const { name } = lake.stage.buckets.raw;
  return [
    // Without the right to list, a missing object is answered as a refusal.
    { actions: ['s3:ListBucket'], resources: [bucketArn(name)] },
    {
      actions: ['s3:GetObject', 's3:GetObjectVersion'],
      resources: [bucketArn(name, '*')],
      wildcard: OBJECTS,
    },
    useKeys(lake, [name], ['kms:Decrypt']),
  ];
}

/** Writing tables and delivery records into the lake bucket. */
export function writeLake(lake: StageLake): Grant[] {
  return writeBucket(lake, lake.stage.buckets.lake.name);
}

/** Writing what Athena answers into the results bucket, and reading it. */
export function writeResults(lake: StageLake): Grant[] {
  const { name } = lake.stage.buckets.results;
  return [
    { actions: ['s3:GetBucketLocation'], resources: [stageNames(lake).bucketArn(name)] },
    ...writeBucket(lake, name),
  ];
}

/** Where the notify function remembers what it told: a few objects under one prefix of the lake bucket. */
export function noteState(lake: StageLake): Grant[] {
  return ownPrefix(lake, NOTES, ['s3:DeleteObject'], 'One small object for each trouble of a table');
}

/** Where partition management keeps what it knows of each database, and the records of its runs: one prefix of the lake bucket. */
export function partitionState(lake: StageLake): Grant[] {
  return ownPrefix(lake, PARTITIONS, [], 'One object for each database, and one for each run that did something');
}

/** Listing the folders of the tables whose partitions are managed. */
export function listRaw(lake: StageLake, buckets: readonly string[]): Grant[] {
  return [{ actions: ['s3:ListBucket'], resources: buckets.map((bucket) => stageNames(lake).bucketArn(bucket)) }];
}

/** Reading and writing what lies under one prefix of the lake bucket. */
function ownPrefix(lake: StageLake, prefix: string, more: readonly string[], what: string): Grant[] {
  const { bucketArn } = stageNames(lake);
  const { name } = lake.stage.buckets.lake;
  return [
    // Without the right to list, a missing object is answered as a refusal; so it is under a condition on the prefix, which a request for an object
    // does not have.
    { actions: ['s3:ListBucket'], resources: [bucketArn(name)] },
    {
      actions: ['s3:GetObject', 's3:GetObjectVersion', 's3:PutObject', ...more],
      resources: [bucketArn(name, `${prefix}*`)],
      wildcard: `${what}; the prefix is the boundary.`,
    },
    useKeys(lake, [name], ['kms:Decrypt', 'kms:GenerateDataKey']),
  ];
}

function writeBucket(lake: StageLake, bucket: string): Grant[] {
  const { bucketArn } = stageNames(lake);
  return [
    { actions: ['s3:ListBucket', 's3:ListBucketMultipartUploads'], resources: [bucketArn(bucket)] },
    {
      actions: [
        's3:GetObject',
        's3:GetObjectVersion',
        's3:PutObject',
        's3:DeleteObject',
        's3:AbortMultipartUpload',
        's3:ListMultipartUploadParts',
      ],
      resources: [bucketArn(bucket, '*')],
      wildcard: OBJECTS,
    },
    useKeys(lake, [bucket], ['kms:Decrypt', 'kms:GenerateDataKey']),
  ];
}

/**
 * The use of KMS keys by S3 for these buckets, and for nothing else.
 * Not one key by its ARN: objects that outlived an earlier deployment are under the key of that time, and a bucket that was there before has a
 * key of its own. What S3 says it encrypts (the encryption context) draws the boundary instead.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html#encryption-context
 */
export function useKeys(lake: StageLake, buckets: readonly string[], actions: readonly string[]): Grant {
  const { arn, bucketArn } = stageNames(lake);
  return {
    actions,
    resources: [arn('kms', 'key/*')],
    conditions: {
      StringEquals: { 'kms:ViaService': `s3.${lake.stage.region}.amazonaws.com` },
      StringLike: {
        'kms:EncryptionContext:aws:s3:arn': buckets.flatMap((bucket) => [bucketArn(bucket), bucketArn(bucket, '*')]),
      },
    },
    wildcard:
      'Objects that outlived an earlier deployment, and buckets that were there before, are under other keys; the conditions allow S3 alone, for objects of this bucket alone.',
  };
}
