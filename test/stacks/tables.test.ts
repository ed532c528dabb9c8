/** What the stack of the pipelines promises, read from its template: who may do what, what starts them, what is there only where it is needed. */
import { AwsSolutionsChecks } from 'cdk-nag';
import { rightsOf } from './rights-of.ts';
import { type Resource, synthesize } from './stage.ts';

const LAKE = (pipelines: string) => `
name: acme
pipelines: ${pipelines}
stages:
  dev: { account: "111111111111", region: eu-west-1, alarm_email: ops@example.com, log_days: 14 }
`;

/** By the copy engine and lakegate itself: no cluster, no query. */
const small = synthesize(
  LAKE(`
  sources: { infobase: { path: infobase/, map: infobase-map.csv, marker: _SUCCESS } }
  partitioned: { database: consumer }`),
);

const both = synthesize(
  LAKE(`
  sources:
    infobase: { path: infobase/, map: s3://maps-bucket/infobase.csv, marker: _SUCCESS }
    addressable: { path: "s3://other-bucket/ids/", table: addressable_ids, marker: _DONE }
    unmarked: { path: unmarked/ }
  partitioned: { database: consumer, entity_resolution: part_addressable_ids }
  bucketed: { database: buckets, sources: [infobase], target: "s3://bucketed-bucket/tables/" }
  glue: { worker_type: G.2X, workers: 12, timeout: 2h }
  concurrency: 3
  start: { on_marker: true, schedule: "cron(0 3 2 * ? *)" }`),
);

/** The compatible choices: Athena copies into buckets and repairs. */
const athena = synthesize(
  LAKE(`
  sources: { infobase: { path: infobase/ } }
  partitioned: { database: consumer, prepare: msck }
  bucketed: { database: buckets, bucketing: ctas }`),
);

function resources(from: typeof small, type: string): Resource['Properties'][] {
  const found = Object.values(from.templates.tables!.findResources(type)) as Resource[];
  return found.map(({ Properties }) => Properties);
}

const READ = 's3:GetObject s3:GetObjectVersion';
const WRITE =
  's3:AbortMultipartUpload s3:DeleteObject s3:GetObject s3:GetObjectVersion s3:ListMultipartUploadParts s3:PutObject';
const LIST = 's3:ListBucket';
const LIST_ALL = 's3:ListBucket s3:ListBucketMultipartUploads';
const LOCATED = 's3:GetBucketLocation';
const KEYS = ['kms:key/*: kms:Decrypt if', 'kms:key/*: kms:Decrypt kms:GenerateDataKey if'];
const BUS = 'events:event-bus/acme-dev: events:PutEvents';
const INVOKE = 'lambda:function:acme-dev-tables: lambda:InvokeFunction';
const LOGS = 'logs:log-group:/aws/lambda/acme-dev-tables:*: logs:CreateLogStream logs:PutLogEvents';
const ANY_MACHINE = [
  '*: logs:CreateLogDelivery logs:DeleteLogDelivery logs:DescribeLogGroups logs:DescribeResourcePolicies logs:GetLogDelivery logs:ListLogDeliveries logs:PutResourcePolicy logs:UpdateLogDelivery',
  '*: xray:GetSamplingRules xray:GetSamplingTargets xray:PutTelemetryRecords xray:PutTraceSegments',
];
const ATHENA = [
  'athena:datacatalog/AwsDataCatalog: athena:GetDataCatalog',
  'athena:workgroup/acme-dev: athena:GetQueryExecution athena:GetQueryResults athena:StartQueryExecution athena:StopQueryExecution',
  `s3:::acme-dev-results/*: ${WRITE}`,
  `s3:::acme-dev-results: ${LIST_ALL}`,
  `s3:::acme-dev-results: ${LOCATED}`,
  'kms:key/*: kms:Decrypt kms:GenerateDataKey if',
  'glue:catalog: glue:GetDatabase',
  'glue:database/default: glue:GetDatabase',
];
const glue = (database: string, actions: string) => [
  `glue:catalog: ${actions}`,
  `glue:database/${database}: ${actions}`,
  `glue:table/${database}/*: ${actions}`,
];
const SNAPSHOTS = 'glue:BatchCreatePartition';
const QUERIED = 'glue:GetDatabase glue:GetPartition glue:GetPartitions glue:GetTable glue:GetTables';

test('copied and registered by lakegate itself, it takes one bucket to read and one to write', () => {
  expect(rightsOf([small.templates.tables!])).toEqual({
    Worker: [
      ...KEYS,
      BUS,
      LOGS,
      ...glue(
        'consumer',
        `${SNAPSHOTS} glue:BatchGetPartition glue:BatchUpdatePartition glue:CreateTable glue:GetTable glue:GetTables glue:UpdateTable`,
      ),
      `s3:::acme-dev-lake/lakegate/tables/*: ${WRITE}`,
      `s3:::acme-dev-lake/tables/partitioned/*: ${WRITE}`,
      `s3:::acme-dev-lake: ${LIST_ALL}`,
      `s3:::acme-dev-raw/infobase/*: ${READ}`,
      `s3:::acme-dev-raw: ${LIST}`,
      'states:execution:acme-dev-tables-partitioned:*: states:DescribeExecution',
    ].sort(),
    Partitioned: [...ANY_MACHINE, BUS, INVOKE],
    RunAll: [
      ...ANY_MACHINE,
      'events:rule/StepFunctionsGetEventsForStepFunctionsExecutionRule: events:DescribeRule events:PutRule events:PutTargets',
      'states:execution:acme-dev-tables-partitioned:*: states:DescribeExecution states:StopExecution',
      'states:stateMachine:acme-dev-tables-partitioned: states:StartExecution',
    ],
  });
});

test('with buckets by Spark and Entity Resolution each role has these rights and no others', () => {
  const { Worker, Split, Bucketed, Partitioned, ...others } = rightsOf([both.templates.tables!]);
  expect(Object.keys(others).sort()).toEqual(['RunAll', 'RunAllStateMachineEvents']);
  expect(Worker!.filter((line) => line.startsWith('s3'))).toEqual(
    [
      `s3:::acme-dev-lake/lakegate/tables/*: ${WRITE}`,
      `s3:::acme-dev-lake/tables/partitioned/*: ${WRITE}`,
      `s3:::acme-dev-lake: ${LIST_ALL}`,
      `s3:::acme-dev-raw/infobase/*: ${READ}`,
      `s3:::acme-dev-raw/unmarked/*: ${READ}`,
      `s3:::acme-dev-raw: ${LIST}`,
      `s3:::bucketed-bucket/tables/*: ${WRITE}`,
      `s3:::bucketed-bucket: ${LIST_ALL}`,
      `s3:::maps-bucket/infobase.csv: ${READ}`,
      `s3:::maps-bucket: ${LIST}`,
      `s3:::other-bucket/ids/*: ${READ}`,
      `s3:::other-bucket: ${LIST}`,
    ].sort(),
  );
  expect(Worker!.filter((line) => line.includes('DeleteTable')).map((line) => line.split(': ')[0])).toEqual([
    'glue:catalog',
    'glue:database/consumer',
    'glue:table/consumer/*',
  ]);
  expect(Split!.map((line) => line.replace(/[0-9a-f]{64}/, 'HASH'))).toEqual(
    [
      ...KEYS,
      // Of the bucket that the script lies in.
      KEYS[0],
      '*: glue:GetSecurityConfiguration',
      '<Key>: kms:Decrypt kms:DescribeKey kms:Encrypt kms:GenerateDataKey',
      'logs:log-group:/aws-glue/jobs*: logs:AssociateKmsKey logs:CreateLogGroup logs:CreateLogStream logs:PutLogEvents',
      `s3:::acme-dev-lake/lakegate/tables/*: ${WRITE}`,
      's3:::acme-dev-lake/lakegate/tables_$folder$: s3:GetObject s3:PutObject',
      's3:::acme-dev-lake/lakegate_$folder$: s3:GetObject s3:PutObject',
      `s3:::acme-dev-lake: ${LOCATED} ${LIST_ALL}`,
      `s3:::acme-dev-raw/infobase/*: ${READ}`,
      `s3:::acme-dev-raw: ${LIST}`,
      `s3:::bucketed-bucket/tables/*: ${WRITE}`,
      's3:::bucketed-bucket/tables_$folder$: s3:GetObject s3:PutObject',
      `s3:::bucketed-bucket: ${LOCATED} ${LIST_ALL}`,
      's3:::cdk-hnb659fds-assets/HASH.py: s3:GetObject',
    ].sort(),
  );
  expect(Bucketed).toEqual([
    ...ANY_MACHINE,
    BUS,
    'glue:job/acme-dev-split: glue:BatchStopJobRun glue:GetJobRun glue:GetJobRuns glue:StartJobRun',
    INVOKE,
  ]);
  expect(Partitioned).toEqual(
    [
      ...ANY_MACHINE,
      ...ATHENA,
      KEYS[1],
      BUS,
      INVOKE,
      ...glue('consumer', `glue:BatchGetPartition glue:CreateTable ${QUERIED} glue:UpdateTable`),
      `s3:::acme-dev-lake/tables/partitioned/*: ${WRITE}`,
      `s3:::acme-dev-lake: ${LOCATED} ${LIST_ALL}`,
    ].sort(),
  );
});

test('statements may make tables where they copy into buckets, and partitions where they repair', () => {
  const { Bucketed, Partitioned, Worker } = rightsOf([athena.templates.tables!]);
  expect(Bucketed).toEqual(
    expect.arrayContaining([
      ...glue('buckets', `glue:BatchGetPartition glue:CreateTable ${QUERIED} glue:UpdateTable`),
      `s3:::acme-dev-lake/tables/bucketed/*: ${WRITE}`,
    ]),
  );
  expect(Partitioned).toEqual(
    expect.arrayContaining([
      ...glue('consumer', `${SNAPSHOTS} glue:BatchGetPartition glue:CreatePartition ${QUERIED}`),
      `s3:::acme-dev-lake/tables/partitioned/*: ${READ}`,
    ]),
  );
  expect(Worker).toEqual(
    expect.arrayContaining(
      glue('buckets', `glue:CreateTable glue:DeleteTable glue:GetTable glue:GetTables glue:UpdateTable`),
    ),
  );
});

test('Glue’s job is as lake.yaml says, its logs are kept as long and encrypted by the stage’s key', () => {
  const [job] = resources(both, 'AWS::Glue::Job');
  expect(job).toMatchObject({
    Name: 'acme-dev-split',
    GlueVersion: '5.0',
    WorkerType: 'G.2X',
    NumberOfWorkers: 12,
    Timeout: 120,
    MaxRetries: 0,
    Command: { Name: 'glueetl', PythonVersion: '3', ScriptLocation: expect.stringMatching(/^s3:.*\.py$/) },
    DefaultArguments: {
      '--custom-logGroup-prefix': '/aws-glue/jobs/acme-dev-split',
      '--job-bookmark-option': 'job-bookmark-disable',
    },
  });
  const groups = resources(both, 'AWS::Logs::LogGroup').filter(({ KmsKeyId }) => KmsKeyId !== undefined);
  expect(groups.map(({ LogGroupName, RetentionInDays }) => [LogGroupName, RetentionInDays])).toEqual([
    ['/aws-glue/jobs/acme-dev-split/error', 14],
    ['/aws-glue/jobs/acme-dev-split/output', 14],
  ]);
  const keyPolicy = (from: typeof small) => JSON.stringify(from.templates.lake!.findResources('AWS::KMS::Key'));
  expect(keyPolicy(both)).toContain('log-group:/aws-glue/jobs*');
  expect(keyPolicy(small)).not.toContain('log-group');
});

test('what a stage does not need it does not have', () => {
  const types = (from: typeof small) =>
    Object.values(from.templates.tables!.toJSON().Resources as Record<string, Resource>).map(({ Type }) => Type);
  expect(types(small).filter((type) => /Glue|Events|SQS/.test(type))).toEqual([]);
  expect(types(athena).filter((type) => /Glue/.test(type))).toEqual([]);
  const definitions = resources(small, 'AWS::StepFunctions::StateMachine').map(
    ({ DefinitionString }) => DefinitionString,
  );
  expect(JSON.stringify(definitions)).not.toMatch(/glue:startJobRun|athena:/);
  expect(synthesize(LAKE('x').replace('pipelines: x', 'tables: {}')).templates.tables).toBeUndefined();
});

test('a schedule and the markers of sources start both pipelines, and what could not be started is kept', () => {
  const rules = resources(both, 'AWS::Events::Rule').map(({ Name, ScheduleExpression, EventPattern, Targets }) => {
    const [{ Input, DeadLetterConfig }] = Targets as [{ Input?: string; DeadLetterConfig: unknown }];
    expect(DeadLetterConfig).toBeDefined();
    return [Name, ScheduleExpression ?? (EventPattern as { detail: unknown }).detail, Input];
  });
  const marker = (bucket: string, wildcard: string) => ({
    bucket: { name: [bucket] },
    object: { key: [{ wildcard }] },
  });
  expect(rules).toEqual([
    ['acme-dev-tables-schedule', 'cron(0 3 2 * ? *)', '{}'],
    // The event is the input: it says which snapshot it is.
    [
      'acme-dev-tables-on-infobase',
      marker('acme-dev-raw-111111111111-eu-west-1', 'infobase/snapshot_dt=*/_SUCCESS'),
      undefined,
    ],
    ['acme-dev-tables-on-addressable', marker('other-bucket', 'ids/snapshot_dt=*/_DONE'), undefined],
  ]);
});

test('each thing that can fail has an alarm, of which people hear by mail and in Slack', () => {
  const names = resources(both, 'AWS::CloudWatch::Alarm').map(({ AlarmName }) => AlarmName);
  const machines = ['bucketed', 'partitioned', 'run-all'].flatMap((name) => [`${name}-failed`, `${name}-late`]);
  expect(names.sort()).toEqual(
    [...machines, 'dead', 'duration', 'errors', 'throttles'].map((name) => `acme-dev-tables-${name}`).sort(),
  );
  const [rule] = Object.values(
    both.templates.alerts!.findResources('AWS::Events::Rule', { Properties: { Name: 'acme-dev-notify-alarms' } }),
  );
  expect(JSON.stringify(rule)).toContain('"acme-dev-tables-"');
});

test('the names of rules are no longer than EventBridge takes, however long those of lake, stage and sources', () => {
  const [one, two] = ['a', 'b'].map((end) => `${'x'.repeat(39)}${end}`);
  const long = synthesize(`
name: ${'l'.repeat(20)}
pipelines:
  sources: { ${one}: { path: one/, marker: x }, ${two}: { path: two/, marker: x } }
  partitioned: { database: consumer }
  start: { on_marker: true }
stages: { ${'s'.repeat(12)}: { account: "111111111111", region: us-east-1, buckets: { results: { name: r12345 } } } }
`);
  const names = resources(long, 'AWS::Events::Rule').map(({ Name }) => String(Name));
  expect(names.every((name) => name.length <= 64)).toBe(true);
  expect(new Set(names).size).toBe(2);
});

test('as many tables are worked on at the same time as lake.yaml says', () => {
  const definitions = resources(both, 'AWS::StepFunctions::StateMachine').map(({ DefinitionString }) =>
    String(DefinitionString),
  );
  expect(definitions.filter((text) => text.includes('"MaxConcurrency":3')).length).toBe(2);
});

test.each([
  ['small', small],
  ['both', both],
  ['athena', athena],
])('cdk-nag has nothing to say about %s that nobody gave a reason for', (_name, { app }) => {
  const { violations } = new AwsSolutionsChecks().validateScope(app);
  expect(violations.map(({ ruleName, violatingResources }) => [ruleName, violatingResources])).toEqual([]);
});
