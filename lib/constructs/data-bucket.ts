import { Duration, type RemovalPolicy, Validations } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { BlockPublicAccess, Bucket, BucketEncryption, type CfnBucket, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';

export interface DataBucketProps {
  bucketName: string;
  key: IKey;
  versioned: boolean;
  /** Whether S3 tells EventBridge of every change. */
  events?: boolean;
  /** Days after which objects are deleted. Default: kept */
  expireDays?: number;
  removal: RemovalPolicy;
  /** Deletes the objects together with the bucket. */
  emptyOnRemoval: boolean;
}

/** Days that replaced and deleted objects can still be had back. */
const NONCURRENT_DAYS = 30;

/** A bucket of the lake: private, TLS only, encrypted with the stage's key, without the leftovers of interrupted uploads. */
export class DataBucket extends Bucket {
  constructor(scope: Construct, id: string, props: DataBucketProps) {
    super(scope, id, {
      bucketName: props.bucketName,
      encryption: BucketEncryption.KMS,
      encryptionKey: props.key,
      bucketKeyEnabled: true,
      enforceSSL: true,
      minimumTLSVersion: 1.2,
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
      versioned: props.versioned,
      removalPolicy: props.removal,
      autoDeleteObjects: props.emptyOnRemoval,
      lifecycleRules: [
        { id: 'abort-uploads', abortIncompleteMultipartUploadAfter: Duration.days(7) },
        ...(props.versioned
          ? [
              {
                id: 'expire-noncurrent',
                noncurrentVersionExpiration: Duration.days(NONCURRENT_DAYS),
                expiredObjectDeleteMarker: true,
              },
            ]
          : []),
        ...(props.expireDays === undefined ? [] : [{ id: 'expire', expiration: Duration.days(props.expireDays) }]),
      ],
    });
    // Set on the bucket itself: the construct's own switch brings a Lambda function with rights on every bucket of the account.
    if (props.events) {
      (this.node.defaultChild as CfnBucket).notificationConfiguration = {
        eventBridgeConfiguration: { eventBridgeEnabled: true },
      };
    }
    Validations.of(this).acknowledge({
      id: 'AwsSolutions-S1',
      reason:
        'Who published what is in the delivery records and snapshot summaries. Server access logs are delivered late and without promise, and cost a bucket more; where access has to be proven, CloudTrail data events do it for the whole account.',
    });
  }
}
