import { Annotations, CfnOutput, Duration, RemovalPolicy, Stack, type StackProps } from 'aws-cdk-lib';
import { CfnWorkGroup } from 'aws-cdk-lib/aws-athena';
import { CfnDatabase } from 'aws-cdk-lib/aws-glue';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import { glueDatabases } from '../constructs/catalog-grants.ts';
import { DataBucket } from '../constructs/data-bucket.ts';
import { ExistingRawEvents } from '../constructs/existing-raw-events.ts';
import { GLUE_LOGS } from '../constructs/split-job.ts';
import { usesSpark } from '../constructs/tables-grants.ts';
import { type StageLake, stageNames } from '../stage-names.ts';

export interface LakeStackProps extends StackProps {
  lake: StageLake;
}

/** Days that query results are kept. */
const RESULT_DAYS = 30;

/** A query of a rule or of upkeep that reads more than this is a mistake, and would cost 5 dollars a terabyte. */
const BYTES_PER_QUERY = 1024 ** 4;

/**
 * What holds data: the buckets that are not there yet, their key, the Glue databases, and the Athena workgroup.
 * Everything is kept when the stack is deleted, unless lake.yaml and the command both ask otherwise.
 */
export class LakeStack extends Stack {
  /** Encrypts the stage's buckets and its topic. */
  readonly key: Key;

  constructor(scope: Construct, id: string, { lake, ...props }: LakeStackProps) {
    super(scope, id, props);
    const { stage } = lake;
    const names = stageNames(lake);
    const destroy = this.mayDestroy(lake);
    const removal = destroy ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN;
    this.key = new Key(this, 'Key', {
      description: `Data of the lake ${names.prefix}`,
      enableKeyRotation: true,
      removalPolicy: removal,
      pendingWindow: Duration.days(30),
    });
    // CloudWatch sends alarms to the encrypted topic.
    this.key.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
        actions: ['kms:Decrypt', 'kms:GenerateDataKey*'],
        resources: ['*'],
        conditions: { StringEquals: { 'aws:SourceAccount': stage.account } },
      }),
    );

    if (usesSpark(lake)) this.encryptsJobLogs(lake);

    const common = { key: this.key, removal, emptyOnRemoval: destroy };
    const { raw, lake: tables, results } = stage.buckets;
    if (raw.existing) new ExistingRawEvents(this, 'RawEvents', { bucketName: raw.name });
    else new DataBucket(this, 'Raw', { ...common, bucketName: raw.name, versioned: true, events: true });
    if (!tables.existing) new DataBucket(this, 'Tables', { ...common, bucketName: tables.name, versioned: true });
    if (!results.existing) {
      const own = { ...common, bucketName: results.name, versioned: false, expireDays: RESULT_DAYS };
      new DataBucket(this, 'Results', own);
    }

    // A lake bucket that is there already is a lake that is there already: its databases are too, or the gate makes them.
    if (!tables.existing) for (const database of glueDatabases(lake)) this.database(database, lake, removal);

    new CfnWorkGroup(this, 'Queries', {
      name: names.workgroup,
      description: 'sql rules and table upkeep of lakegate',
      recursiveDeleteOption: true,
      workGroupConfiguration: {
        enforceWorkGroupConfiguration: true,
        publishCloudWatchMetricsEnabled: true,
        bytesScannedCutoffPerQuery: BYTES_PER_QUERY,
        engineVersion: { selectedEngineVersion: 'Athena engine version 3' },
        resultConfiguration: {
          outputLocation: `s3://${results.name}/athena/`,
          expectedBucketOwner: stage.account,
          encryptionConfiguration: { encryptionOption: 'SSE_KMS', kmsKey: this.key.keyArn },
        },
      },
    });
    for (const [purpose, bucket] of Object.entries(stage.buckets)) {
      new CfnOutput(this, `Bucket${purpose[0]!.toUpperCase()}${purpose.slice(1)}`, { value: bucket.name });
    }
  }

  /** Data goes only when it is asked for twice; asked for once, synthesis says what is missing. */
  private mayDestroy({ stage }: StageLake): boolean {
    const asked = this.node.tryGetContext('destroyData') as unknown;
    if (stage.destroyData && asked === stage.name) return true;
    if (stage.destroyData) {
      Annotations.of(this).addWarningV2(
        'lakegate:data-is-kept',
        `lake.yaml lets stage ${stage.name} delete its data, but that has to be asked for twice: data is kept unless you add -c destroyData=${stage.name}`,
      );
    } else if (asked === stage.name) {
      Annotations.of(this).addWarningV2(
        'lakegate:data-is-kept',
        `-c destroyData=${stage.name} alone deletes nothing: data is kept unless lake.yaml says \`destroy_data: true\` for stage ${stage.name} too`,
      );
    }
    return false;
  }

  /** Glue's security configurations take a key for their logs. */
  private encryptsJobLogs(lake: StageLake): void {
    this.key.addToResourcePolicy(
      new PolicyStatement({
        principals: [new ServicePrincipal(`logs.${lake.stage.region}.amazonaws.com`)],
        actions: ['kms:Decrypt', 'kms:DescribeKey', 'kms:Encrypt', 'kms:GenerateDataKey*', 'kms:ReEncrypt*'],
        resources: ['*'],
        conditions: {
          ArnLike: {
            'kms:EncryptionContext:aws:logs:arn': stageNames(lake).arn('logs', `log-group:${GLUE_LOGS}*`),
          },
        },
      }),
    );
  }

  private database(name: string, lake: StageLake, removal: RemovalPolicy): void {
    new CfnDatabase(this, `Database-${name}`, {
      catalogId: lake.stage.account,
      databaseName: name,
      databaseInput: { name, description: `Tables of the lake ${stageNames(lake).prefix}` },
    }).applyRemovalPolicy(removal);
  }
}
