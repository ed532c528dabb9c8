/** What a stage's stacks promise, read from the templates that CloudFormation gets. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { Match } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { METRICS } from '../../lambdas/metric-names.ts';
import { anchorOf } from '../../lib/constructs/runbook-alarm.ts';
import { type Resource, type Synthesized, synthesize } from './stage.ts';

const DEV = `
name: acme
tables:
  shop.orders: { from: orders/, rules: [{ sql: { name: totals, query: "SELECT * FROM delivery WHERE total < 0" } }] }
  shop.customers: { from: customers/ }
notify:
  slack: { channel: "#data", token_secret: "acme/slack#token" }
reports:
  cleanrooms: { database: acme_prod }
stages:
  dev: { account: "111111111111", region: eu-west-1, alarm_email: ops@example.com, log_days: 90, gate: { timeout: 2m, batch_size: 500, batch_window: 20s, concurrency: 4, attempts: 3, memory: 2048 } }
`;

const EXISTING = `
name: acme
tables:
  shop.orders: { from: orders/ }
stages:
  beta:
    account: "222222222222"
    region: us-east-1
    buckets: { raw: { name: acme-drops, existing: true }, lake: { name: acme-tables, existing: true }, results: { name: acme-out, existing: true } }
`;

const nessie = (kind: string) => `
name: acme
tables:
  shop.orders: { from: orders/ }
stages:
  try: { account: "111111111111", region: eu-west-1, nessie: ${kind} }
`;

const PARTITIONS = `
name: acme
partitions: {}
stages:
  raw: { account: "111111111111", region: eu-west-1, alarm_email: ops@example.com }
`;

const PIPELINES = `
name: acme
pipelines:
  sources: { wide: { path: wide/, marker: _SUCCESS } }
  partitioned: { database: consumer }
  bucketed: { database: consumer }
  start: { on_marker: true, schedule: "rate(7 days)" }
stages:
  wide: { account: "111111111111", region: eu-west-1, alarm_email: ops@example.com }
`;

const dev = synthesize(DEV);
const existing = synthesize(EXISTING);
const fargate = synthesize(nessie('fargate'));
const lightsail = synthesize(nessie('lightsail'));
const partitions = synthesize(PARTITIONS);
const pipelines = synthesize(PIPELINES);
const ALL: [string, Synthesized][] = Object.entries({ dev, existing, fargate, lightsail, partitions, pipelines });

/** The one resource of its kind that has this name. */
function named(from: Synthesized, type: string, property: string, name: string): Resource {
  const found = from.all(type).filter(({ Properties }) => Properties[property] === name);
  expect(found).toHaveLength(1);
  return found[0]!;
}

describe('cdk-nag', () => {
  test.each(ALL)('has nothing to say about %s that nobody gave a reason for', (_name, { app }) => {
    const { violations } = new AwsSolutionsChecks().validateScope(app);
    expect(violations.map(({ ruleName, violatingResources }) => [ruleName, violatingResources])).toEqual([]);
  });
});

describe('alarms', () => {
  const runbook = readFileSync(resolve(__dirname, '../../docs/runbook.md'), 'utf8');
  const sections = new Map(
    runbook
      .split(/^## /m)
      .slice(1)
      .map((section) => [anchorOf(section.split('\n', 1)[0]!), section]),
  );
  const alarms = ALL.flatMap(([, stage]) => stage.all('AWS::CloudWatch::Alarm')).map(({ Properties }) => Properties);
  const anchorIn = (description: unknown) => /Runbook: docs\/runbook\.md#([\w-]+)$/.exec(String(description))?.[1];

  test('each leads to a heading of the runbook that says what it means, how to look and what to do', () => {
    expect(alarms.length).toBeGreaterThan(30);
    for (const { AlarmName, AlarmDescription } of alarms) {
      const section = sections.get(anchorIn(AlarmDescription) ?? '');
      expect({ AlarmName, section }).toEqual({
        AlarmName,
        section: expect.stringMatching(
          /\*\*Description\.\*\*[\s\S]+\*\*Investigation\.\*\*[\s\S]+\*\*Resolution\.\*\*/,
        ),
      });
    }
  });

  test('no heading of the runbook has lost its alarm', () => {
    const used = new Set(alarms.map(({ AlarmDescription }) => anchorIn(AlarmDescription)));
    expect([...sections.keys()].filter((anchor) => !used.has(anchor))).toEqual([]);
  });

  test('the runbook may lie elsewhere', () => {
    const { all } = synthesize(DEV, { runbook: 'https://wiki.example.com/lakegate' });
    const [first] = all('AWS::CloudWatch::Alarm');
    expect(first?.Properties.AlarmDescription).toMatch(/Runbook: https:\/\/wiki\.example\.com\/lakegate#/);
  });

  test('each thing that can fail has one', () => {
    const names = dev.all('AWS::CloudWatch::Alarm').map(({ Properties }) => Properties.AlarmName);
    const ofFunctions = ['maintenance', 'notify', 'report', 'wap-audit'].flatMap((name) =>
      ['duration', 'errors', 'throttles'].map((what) => `acme-dev-${name}-${what}`),
    );
    const others = [
      'gate-age',
      'gate-dead-letters',
      'notify-age',
      'notify-dead-letters',
      'maintenance-dead',
      'maintenance-tasks-failed',
      'report-dead',
      'report-unknowns',
      'table-upkeep-failed',
      'table-upkeep-late',
      'wap-audit-errored',
      'wap-audit-untold',
    ].map((name) => `acme-dev-${name}`);
    expect(names.sort()).toEqual([...ofFunctions, ...others].sort());
  });

  test('they look at metrics that the functions write', () => {
    const own = alarms.filter(({ Namespace }) => Namespace === 'Lakegate');
    expect(own.length).toBeGreaterThan(0);
    for (const { MetricName, Dimensions } of own) {
      expect(Object.values(METRICS)).toContain(MetricName);
      const [{ Name, Value }] = Dimensions as [{ Name: string; Value: string }];
      expect(Name).toBe('service');
      const services = ALL.flatMap(([, stage]) => stage.all('AWS::Lambda::Function')).map(({ Properties }) => {
        const { Variables = {} } = (Properties.Environment ?? {}) as { Variables?: Record<string, string> };
        return Variables.POWERTOOLS_SERVICE_NAME;
      });
      expect(services).toContain(Value);
    }
  });

  test('all go to the address that the stage names, and to Slack but for those of Slack itself', () => {
    for (const { Properties } of dev.all('AWS::CloudWatch::Alarm')) expect(Properties.AlarmActions).toHaveLength(1);
    for (const { Properties } of existing.all('AWS::CloudWatch::Alarm'))
      expect(Properties.AlarmActions).toBeUndefined();
    const rule = named(dev, 'AWS::Events::Rule', 'Name', 'acme-dev-notify-alarms');
    const { detail } = rule.Properties.EventPattern as { detail: { alarmName: { prefix: string }[] } };
    const told = (name: unknown) => detail.alarmName.some(({ prefix }) => String(name).startsWith(prefix));
    for (const [, stage] of ALL) {
      for (const { Properties } of stage.all('AWS::CloudWatch::Alarm')) {
        const here = String(Properties.AlarmName).replace(/^acme-\w+-/, 'acme-dev-');
        expect([here, told(here)]).toEqual([here, !here.startsWith('acme-dev-notify-')]);
      }
    }
  });
});

describe('data', () => {
  const DATA = ['AWS::S3::Bucket', 'AWS::KMS::Key', 'AWS::Glue::Database', 'AWS::DynamoDB::Table'];
  const policies = (stage: Synthesized) =>
    new Set(DATA.flatMap((type) => stage.all(type)).map(({ DeletionPolicy }) => DeletionPolicy));
  const asking = DEV.replace('account:', 'destroy_data: true, account:');

  test('outlives the stacks', () => {
    for (const [, stage] of ALL) expect(policies(stage)).toEqual(new Set(['Retain']));
  });

  test('goes with them only when it is asked for twice', () => {
    const once = synthesize(asking);
    expect(policies(once)).toEqual(new Set(['Retain']));
    expect(once.warnings).toEqual(expect.arrayContaining([expect.stringContaining('-c destroyData=dev')]));

    const other = synthesize(asking, { destroyData: 'prod' });
    expect(policies(other)).toEqual(new Set(['Retain']));

    const flagAlone = synthesize(DEV, { destroyData: 'dev' });
    expect(policies(flagAlone)).toEqual(new Set(['Retain']));
    expect(flagAlone.warnings).toEqual(expect.arrayContaining([expect.stringContaining('destroy_data: true')]));

    const twice = synthesize(asking, { destroyData: 'dev' });
    expect(policies(twice)).toEqual(new Set(['Delete']));
    expect(twice.warnings).toEqual([]);
    const { violations } = new AwsSolutionsChecks().validateScope(twice.app);
    expect(violations).toEqual([]);
  });

  test('lies in private, encrypted buckets that take TLS alone and keep what is replaced for a while', () => {
    const buckets = dev.all('AWS::S3::Bucket');
    expect(buckets.map(({ Properties }) => Properties.BucketName)).toEqual(
      ['raw', 'lake', 'results'].map((purpose) => `acme-dev-${purpose}-111111111111-eu-west-1`),
    );
    for (const { Properties } of buckets) {
      expect(Properties).toMatchObject({
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: true,
          BlockPublicPolicy: true,
          IgnorePublicAcls: true,
          RestrictPublicBuckets: true,
        },
        BucketEncryption: {
          ServerSideEncryptionConfiguration: [
            { BucketKeyEnabled: true, ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms' } },
          ],
        },
      });
      const { Rules } = Properties.LifecycleConfiguration as { Rules: Record<string, unknown>[] };
      expect(Rules[0]).toMatchObject({ AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 } });
    }
    const versioned = buckets.filter(({ Properties }) => Properties.VersioningConfiguration !== undefined);
    expect(versioned).toHaveLength(2);
    for (const { Properties } of versioned) {
      const { Rules } = Properties.LifecycleConfiguration as { Rules: Record<string, unknown>[] };
      expect(Rules).toContainEqual(
        expect.objectContaining({
          NoncurrentVersionExpiration: { NoncurrentDays: 30 },
          ExpiredObjectDeleteMarker: true,
        }),
      );
    }
    for (const { Properties } of dev.all('AWS::S3::BucketPolicy')) {
      const { Statement } = Properties.PolicyDocument as { Statement: Record<string, unknown>[] };
      expect(Statement).toContainEqual(
        expect.objectContaining({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
      );
    }
    dev.templates.lake!.hasResourceProperties('AWS::KMS::Key', { EnableKeyRotation: true });
  });

  test('tells EventBridge of drops, in a new bucket and in one that was there before', () => {
    const raw = named(dev, 'AWS::S3::Bucket', 'BucketName', 'acme-dev-raw-111111111111-eu-west-1');
    expect(raw.Properties.NotificationConfiguration).toEqual({
      EventBridgeConfiguration: { EventBridgeEnabled: true },
    });
    const [before] = existing.all('Custom::S3BucketNotifications');
    // Managed: false is how CDK's function is told to keep what others have set.
    expect(before?.Properties).toMatchObject({
      BucketName: 'acme-drops',
      Managed: false,
      NotificationConfiguration: { EventBridgeConfiguration: {} },
    });
  });

  test('is not created where it is there already', () => {
    expect(existing.all('AWS::S3::Bucket')).toEqual([]);
    expect(existing.all('AWS::Glue::Database')).toEqual([]);
    expect(JSON.stringify(existing.templates.gate!.toJSON())).toContain('arn:aws:s3:::acme-tables/*');
  });

  test('has a Glue database for each namespace, where its tables lie in Glue', () => {
    expect(dev.all('AWS::Glue::Database').map(({ Properties }) => Properties.DatabaseName)).toEqual(['shop']);
    expect(fargate.all('AWS::Glue::Database')).toEqual([]);
    expect(fargate.all('AWS::StepFunctions::StateMachine')).toEqual([]);
  });

  test('is queried in a workgroup that encrypts, and stops queries that read too much', () => {
    dev.templates.lake!.hasResourceProperties('AWS::Athena::WorkGroup', {
      Name: 'acme-dev',
      WorkGroupConfiguration: {
        EnforceWorkGroupConfiguration: true,
        BytesScannedCutoffPerQuery: Match.anyValue(),
        ResultConfiguration: {
          OutputLocation: 's3://acme-dev-results-111111111111-eu-west-1/athena/',
          EncryptionConfiguration: { EncryptionOption: 'SSE_KMS', KmsKey: Match.anyValue() },
        },
      },
    });
  });
});

describe('the gate', () => {
  test('has the sizes that the stage says', () => {
    const gate = dev.templates.gate!;
    gate.hasResourceProperties('AWS::Lambda::Function', {
      FunctionName: 'acme-dev-wap-audit',
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      Handler: 'handler.handler',
      MemorySize: 2048,
      Timeout: 120,
    });
    gate.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      BatchSize: 500,
      MaximumBatchingWindowInSeconds: 20,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      ScalingConfig: { MaximumConcurrency: 4 },
    });
    gate.hasResourceProperties('AWS::SQS::Queue', {
      QueueName: 'acme-dev-gate',
      VisibilityTimeout: 2 * 120 + 20,
      SqsManagedSseEnabled: true,
      RedrivePolicy: { maxReceiveCount: 3 },
    });
  });

  test('keeps its logs as long as the stage says', () => {
    for (const { Properties } of dev.all('AWS::Logs::LogGroup')) expect(Properties.RetentionInDays).toBe(90);
    const groups = dev.all('AWS::Logs::LogGroup').map(({ Properties }) => Properties.LogGroupName);
    expect(groups.sort()).toEqual([
      '/aws/events/acme-dev',
      '/aws/lambda/acme-dev-maintenance',
      '/aws/lambda/acme-dev-notify',
      '/aws/lambda/acme-dev-report',
      '/aws/lambda/acme-dev-wap-audit',
      '/aws/vendedlogs/states/acme-dev-table-upkeep',
    ]);
  });

  test('gives up no event in silence: every queue and every rule has a place for what could not be handed over', () => {
    const rules = dev.all('AWS::Events::Rule').map(({ Properties }) => Properties);
    for (const { Name, Targets } of rules) {
      for (const { DeadLetterConfig } of Targets as { DeadLetterConfig?: unknown }[]) {
        // What the archive misses is in the log of the function that told it.
        expect([Name, DeadLetterConfig !== undefined]).toEqual([Name, Name !== 'acme-dev-archive']);
      }
    }
    const queues = dev.all('AWS::SQS::Queue').map(({ Properties }) => Properties);
    const withoutDead = queues.filter(({ RedrivePolicy }) => RedrivePolicy === undefined);
    expect(withoutDead.map(({ QueueName }) => QueueName).sort()).toEqual([
      'acme-dev-gate-dead',
      'acme-dev-maintenance-dead',
      'acme-dev-notify-dead',
      'acme-dev-report-dead',
    ]);
  });

  test('one dashboard shows the stage', () => {
    for (const [, stage] of ALL) expect(stage.all('AWS::CloudWatch::Dashboard')).toHaveLength(1);
  });
});

describe('Nessie', () => {
  test('on Fargate is in a private network, where only the gate comes to it', () => {
    const template = fargate.templates.nessie!;
    template.hasResourceProperties('AWS::ECS::Service', {
      NetworkConfiguration: { AwsvpcConfiguration: { AssignPublicIp: 'DISABLED' } },
    });
    template.resourceCountIs('AWS::ElasticLoadBalancingV2::LoadBalancer', 0);
    const ingress = fargate
      .all('AWS::EC2::SecurityGroup')
      .flatMap(({ Properties }) => Properties.SecurityGroupIngress ?? []);
    expect(ingress).toEqual([
      expect.objectContaining({ FromPort: 19120, ToPort: 19120, SourceSecurityGroupId: expect.anything() }),
    ]);
    for (const name of ['wap-audit', 'maintenance']) {
      fargate.templates.gate!.hasResourceProperties('AWS::Lambda::Function', {
        FunctionName: `acme-try-${name}`,
        VpcConfig: Match.objectLike({ SubnetIds: Match.anyValue() }),
        Environment: { Variables: Match.objectLike({ NESSIE_ENDPOINT: 'http://nessie.acme-try.internal:19120' }) },
      });
    }
    // The one that tells people needs no catalogue.
    const notify = named(fargate, 'AWS::Lambda::Function', 'FunctionName', 'acme-try-notify');
    expect(notify.Properties.VpcConfig).toBeUndefined();
  });

  test('on Lightsail says at synthesis that it is public', () => {
    expect(lightsail.warnings).toEqual(expect.arrayContaining([expect.stringContaining('is public')]));
    for (const { Properties } of lightsail.all('AWS::Lambda::Function')) expect(Properties.VpcConfig).toBeUndefined();
  });

  test.each([
    ['fargate', fargate],
    ['lightsail', lightsail],
  ])('keeps its versions in DynamoDB (%s)', (_kind, stage) => {
    const tables = stage.all('AWS::DynamoDB::Table').map(({ Properties }) => Properties);
    expect(tables.map(({ TableName }) => TableName)).toEqual(['acme-try-nessie_refs', 'acme-try-nessie_objs']);
    for (const table of tables) {
      expect(table).toMatchObject({
        KeySchema: [{ AttributeName: 'k', KeyType: 'HASH' }],
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
        DeletionProtectionEnabled: true,
      });
    }
  });

  test('a stage without it has no network', () => {
    for (const type of ['AWS::EC2::VPC', 'AWS::EC2::NatGateway', 'AWS::ECS::Cluster'])
      expect(dev.all(type)).toEqual([]);
  });
});

test('no secret is created, and none stands in a template', () => {
  for (const [, stage] of ALL) {
    expect(stage.all('AWS::SecretsManager::Secret')).toEqual([]);
    const text = Object.values(stage.templates)
      .map((template) => JSON.stringify(template.toJSON()))
      .join();
    expect(text).not.toMatch(/SLACK_TOKEN|xoxb-|resolve:secretsmanager/);
  }
});
