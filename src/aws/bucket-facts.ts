import {
  GetBucketEncryptionCommand,
  GetBucketNotificationConfigurationCommand,
  GetBucketVersioningCommand,
  GetPublicAccessBlockCommand,
} from '@aws-sdk/client-s3';
import type { BucketFacts } from '../doctor/stage-probe.ts';
import { createS3Client } from '../storage/s3-client.ts';
import { awsCode, awsFault } from './aws-fault.ts';

/** S3's answers for settings that a bucket does not have. */
const NOT_SET = /^(ServerSideEncryptionConfigurationNotFoundError|NoSuchPublicAccessBlockConfiguration)$/;

/** Reads settings of buckets, each bucket once. */
export function bucketReader(region: string): (name: string) => Promise<BucketFacts | undefined> {
  const client = createS3Client({ region, attempts: 3, idleTimeoutMs: 15_000 });
  const known = new Map<string, Promise<BucketFacts | undefined>>();
  const unlessNotSet = async <T>(request: Promise<T>): Promise<T | undefined> => {
    try {
      return await request;
    } catch (error) {
      if (NOT_SET.test(awsCode(error))) return undefined;
      throw error;
    }
  };
  const read = async (name: string): Promise<BucketFacts | undefined> => {
    const Bucket = name;
    try {
      const [events, versioning, encryption, access] = await Promise.all([
        client.send(new GetBucketNotificationConfigurationCommand({ Bucket })),
        client.send(new GetBucketVersioningCommand({ Bucket })),
        unlessNotSet(client.send(new GetBucketEncryptionCommand({ Bucket }))),
        unlessNotSet(client.send(new GetPublicAccessBlockCommand({ Bucket }))),
      ]);
      const [rule] = encryption?.ServerSideEncryptionConfiguration?.Rules ?? [];
      const algorithm = rule?.ApplyServerSideEncryptionByDefault?.SSEAlgorithm;
      const block = access?.PublicAccessBlockConfiguration;
      const blocks = [
        block?.BlockPublicAcls,
        block?.IgnorePublicAcls,
        block?.BlockPublicPolicy,
        block?.RestrictPublicBuckets,
      ];
      return {
        eventBridge: events.EventBridgeConfiguration !== undefined,
        versioned: versioning.Status === 'Enabled',
        private: blocks.every((on) => on === true),
        ...(algorithm !== undefined && { encryption: algorithm }),
      };
    } catch (error) {
      if (awsCode(error) === 'NoSuchBucket') return undefined;
      throw awsFault(error, `look at the bucket ${name}`);
    }
  };
  return (name) => {
    const found = known.get(name) ?? read(name);
    known.set(name, found);
    return found;
  };
}
