import { join } from 'node:path';
import { RemovalPolicy, Tags } from 'aws-cdk-lib';
import { CfnJob, CfnSecurityConfiguration } from 'aws-cdk-lib/aws-glue';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { Construct } from 'constructs';
import type { PipelinesConfig } from '../../src/config/pipelines-model.ts';
import { type StageLake, stageNames } from '../stage-names.ts';
import { allow } from './grants.ts';
import { useKeys } from './storage-grants.ts';
import { sparkGrants } from './tables-grants.ts';

export interface SplitJobProps {
  lake: StageLake;
  pipelines: PipelinesConfig;
  /** Encrypts the job's logs. */
  key: IKey;
}

/** Prefix of the log groups that Glue makes for jobs, followed by what we ask for. */
export const GLUE_LOGS = '/aws-glue/jobs';

/** Sources that two pipelines split at the same time, and as many that a person tries out. */
const RUNS = 8;

/** Glue's Spark job that splits where rows have to move: glue/split.py, with the arguments of each run from the state machine. */
export class SplitJob extends Construct {
  readonly jobName: string;

  constructor(scope: Construct, id: string, { lake, pipelines, key }: SplitJobProps) {
    super(scope, id);
    const names = stageNames(lake);
    this.jobName = names.of('split');
    const { workerType, workers, timeoutMinutes } = pipelines.glue;
    const logs = `${GLUE_LOGS}/${this.jobName}`;
    for (const kind of ['error', 'output']) {
      new LogGroup(this, `Logs-${kind}`, {
        logGroupName: `${logs}/${kind}`,
        retention: lake.stage.logDays as RetentionDays,
        encryptionKey: key,
        removalPolicy: RemovalPolicy.DESTROY,
      });
    }
    const script = new Asset(this, 'Script', { path: join(import.meta.dirname, '..', '..', 'glue', 'split.py') });
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('glue.amazonaws.com'),
      description: `${this.jobName}: splits wide snapshots into tables`,
    });
    const grants = allow(role, [
      { actions: ['s3:GetObject'], resources: [names.bucketArn(script.s3BucketName, script.s3ObjectKey)] },
      useKeys(lake, [script.s3BucketName], ['kms:Decrypt']),
      {
        actions: ['logs:AssociateKmsKey', 'logs:CreateLogGroup', 'logs:CreateLogStream', 'logs:PutLogEvents'],
        resources: [names.arn('logs', `log-group:${GLUE_LOGS}*`)],
        wildcard:
          'Glue joins its own prefix, ours, and names of role and security configuration into the names of the groups.',
      },
      { actions: ['kms:Decrypt', 'kms:DescribeKey', 'kms:Encrypt', 'kms:GenerateDataKey'], resources: [key.keyArn] },
      {
        actions: ['glue:GetSecurityConfiguration'],
        resources: ['*'],
        wildcard: 'Glue takes no narrower resource for it.',
      },
      ...sparkGrants(lake, pipelines),
    ]);
    const security = new CfnSecurityConfiguration(this, 'Security', {
      name: this.jobName,
      encryptionConfiguration: {
        cloudWatchEncryption: { cloudWatchEncryptionMode: 'SSE-KMS', kmsKeyArn: key.keyArn },
        jobBookmarksEncryption: { jobBookmarksEncryptionMode: 'CSE-KMS', kmsKeyArn: key.keyArn },
        // Each bucket encrypts by its own default, which may be another key's.
        s3Encryptions: [{ s3EncryptionMode: 'DISABLED' }],
      },
    });
    const job = new CfnJob(this, 'Job', {
      name: this.jobName,
      description: 'Splits wide snapshots into tables',
      role: role.roleArn,
      glueVersion: '5.0',
      command: { name: 'glueetl', pythonVersion: '3', scriptLocation: script.s3ObjectUrl },
      workerType,
      numberOfWorkers: workers,
      timeout: timeoutMinutes,
      executionProperty: { maxConcurrentRuns: RUNS },
      // A run that failed left what was whole: the next execution goes on from there.
      maxRetries: 0,
      securityConfiguration: security.ref,
      defaultArguments: {
        '--custom-logGroup-prefix': logs,
        '--enable-continuous-cloudwatch-log': 'true',
        '--job-bookmark-option': 'job-bookmark-disable',
      },
    });
    job.node.addDependency(grants);
    Tags.of(this).add('part', 'split');
  }
}
