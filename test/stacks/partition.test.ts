/** What the stack of partition management promises, read from its template: who may do what, what is listened to, how often runs begin. */
import { AwsSolutionsChecks } from 'cdk-nag';
import { rightsOf } from './rights-of.ts';
import { type Resource, synthesize } from './stage.ts';

const LAKE = (partitions: string) => `
name: acme
partitions: ${partitions}
stages:
  dev: { account: "111111111111", region: eu-west-1, alarm_email: ops@example.com }
`;

const plain = synthesize(LAKE('{}'));
const every = synthesize(
  LAKE(`
  databases: ["*_raw", landing]
  exclude: old_raw
  update_schema: true
  buckets: [other-bucket]
  schedule: { incremental: 5m, full: off, reconcile: 2d }
  concurrency: 25
  tables: { "landing.*": { remove: true } }`),
);

function resources(from: typeof plain, type: string): Resource['Properties'][] {
  const found = Object.values(from.templates.partitions!.findResources(type)) as Resource[];
  return found.map(({ Properties }) => Properties);
}

test('the dashboard shows what both functions did with partitions', () => {
  const body = JSON.stringify(plain.all('AWS::CloudWatch::Dashboard'));
  for (const metric of ['PartitionsCreated', 'PartitionErrors', 'GlueThrottled']) {
    for (const part of ['mgmt', 'events'])
      expect(body).toContain(`${metric}\\",\\"service\\",\\"acme-dev-partition-${part}`);
  }
});

const rights = (from: typeof plain) => rightsOf([from.templates.partitions!]);

const LOGS = 'logs:CreateLogStream logs:PutLogEvents';
const STATE = [
  'kms:key/*: kms:Decrypt kms:GenerateDataKey if',
  's3:::acme-dev-lake/lakegate/partitions/*: s3:GetObject s3:GetObjectVersion s3:PutObject',
  's3:::acme-dev-lake: s3:ListBucket',
];
const BUS = 'events:event-bus/acme-dev: events:PutEvents';
const glue = (databases: readonly string[], actions: string) => [
  `glue:catalog: ${actions}`,
  ...databases.flatMap((name) => [`glue:database/${name}: ${actions}`, `glue:table/${name}/*: ${actions}`]),
];
const LISTING = ['glue:catalog: glue:GetDatabases', 'glue:database/*: glue:GetDatabases'];
const REGISTER = 'glue:BatchCreatePartition glue:GetTables';

test('each role has these rights and no others', () => {
  expect(rights(plain)).toEqual({
    EventsWorker: [
      BUS,
      ...LISTING,
      ...glue(['*_raw'], REGISTER),
      `logs:log-group:/aws/lambda/acme-dev-partition-events:*: ${LOGS}`,
      'sqs:acme-dev-partition-events: sqs:ChangeMessageVisibility sqs:DeleteMessage sqs:GetQueueAttributes sqs:ReceiveMessage',
    ].sort(),
    Worker: [
      BUS,
      ...LISTING,
      ...glue(['*_raw'], REGISTER),
      ...glue(['*_raw'], 'glue:GetPartitions'),
      ...STATE,
      `logs:log-group:/aws/lambda/acme-dev-partition-mgmt:*: ${LOGS}`,
      's3:::acme-dev-raw: s3:ListBucket',
    ].sort(),
    Runs: [
      '*: logs:CreateLogDelivery logs:DeleteLogDelivery logs:DescribeLogGroups logs:DescribeResourcePolicies logs:GetLogDelivery logs:ListLogDeliveries logs:PutResourcePolicy logs:UpdateLogDelivery',
      '*: xray:GetSamplingRules xray:GetSamplingTargets xray:PutTelemetryRecords xray:PutTraceSegments',
      BUS,
      'lambda:function:acme-dev-partition-mgmt: lambda:InvokeFunction',
      'states:stateMachine:acme-dev-partition-runs: states:StartExecution',
    ],
    RunsStateMachineEvents: ['<RunsStateMachine>: states:StartExecution'],
  });
});

test('deleting and changing partitions is allowed only where lake.yaml asks for it', () => {
  const { Worker, EventsWorker } = rights(every);
  const names = ['*_raw', 'landing'];
  expect(Worker).toEqual(
    expect.arrayContaining(
      glue(names, 'glue:BatchDeletePartition glue:BatchGetPartition glue:BatchUpdatePartition glue:GetPartitions'),
    ),
  );
  expect(Worker).toContain('s3:::other-bucket: s3:ListBucket');
  expect(EventsWorker!.filter((line) => /Delete|Update/.test(line))).toEqual([expect.stringMatching(/^sqs:/)]);
});

test('objects created in the raw bucket and in the others that lake.yaml names are listened to', () => {
  const buckets = (from: typeof plain) =>
    resources(from, 'AWS::Events::Rule').flatMap(({ EventPattern }) =>
      EventPattern === undefined ? [] : [(EventPattern as { detail: unknown }).detail],
    );
  expect(buckets(plain)).toEqual([{ bucket: { name: ['acme-dev-raw-111111111111-eu-west-1'] } }]);
  expect(buckets(every)).toEqual([{ bucket: { name: ['acme-dev-raw-111111111111-eu-west-1', 'other-bucket'] } }]);
});

test('runs begin as often as lake.yaml says, and what could not begin is kept', () => {
  const schedules = (from: typeof plain) =>
    resources(from, 'AWS::Events::Rule')
      .filter(({ ScheduleExpression }) => ScheduleExpression !== undefined)
      .map(({ Name, ScheduleExpression, Targets }) => {
        const [{ Input, DeadLetterConfig }] = Targets as [{ Input: string; DeadLetterConfig: unknown }];
        expect(DeadLetterConfig).toBeDefined();
        return [Name, ScheduleExpression, JSON.parse(Input)];
      });
  expect(schedules(plain)).toEqual([
    ['acme-dev-partitions-incremental', 'rate(15 minutes)', { sync: 'incremental' }],
    ['acme-dev-partitions-full', 'rate(1 day)', { sync: 'full' }],
    ['acme-dev-partitions-reconcile', 'rate(7 days)', { sync: 'reconcile' }],
  ]);
  expect(schedules(every)).toEqual([
    ['acme-dev-partitions-incremental', 'rate(5 minutes)', { sync: 'incremental' }],
    ['acme-dev-partitions-reconcile', 'rate(2 days)', { sync: 'reconcile' }],
  ]);
});

test('so many databases are worked on at the same time as lake.yaml says', () => {
  const [machine] = resources(every, 'AWS::StepFunctions::StateMachine');
  const { States } = JSON.parse(String(machine!.DefinitionString)) as { States: { Databases: object } };
  expect(States.Databases).toMatchObject({ MaxConcurrency: 25 });
});

test('each thing that can fail has an alarm', () => {
  const names = resources(plain, 'AWS::CloudWatch::Alarm').map(({ AlarmName }) => AlarmName);
  const ofFunctions = ['partition-events', 'partition-mgmt'].flatMap((name) =>
    ['duration', 'errors', 'refused', 'tables-failed', 'throttles'].map((what) => `acme-dev-${name}-${what}`),
  );
  const others = ['events-age', 'events-dead-letters', 'runs-dead', 'runs-failed', 'runs-late'];
  expect(names.sort()).toEqual([...ofFunctions, ...others.map((name) => `acme-dev-partition-${name}`)].sort());
  // People hear of them, by mail and in Slack.
  const [rule] = Object.values(
    plain.templates.alerts!.findResources('AWS::Events::Rule', { Properties: { Name: 'acme-dev-notify-alarms' } }),
  );
  const heard = JSON.stringify(rule);
  expect(heard).toContain('"acme-dev-partition-"');
});

test.each([
  ['plain', plain],
  ['every', every],
])('cdk-nag has nothing to say about %s that nobody gave a reason for', (_name, { app }) => {
  const { violations } = new AwsSolutionsChecks().validateScope(app);
  expect(violations.map(({ ruleName, violatingResources }) => [ruleName, violatingResources])).toEqual([]);
});

test('a lake that manages no partitions has none of it', () => {
  const none = synthesize(LAKE('{}').replace('partitions: {}', 'tables: { shop.orders: { from: orders/ } }'));
  expect(none.templates.partitions).toBeUndefined();
});
