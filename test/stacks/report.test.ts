/** The report stack: what it may read, when it runs, and that nothing is there where lake.yaml has no reports. */
import { AwsSolutionsChecks } from 'cdk-nag';
import { synthesize } from './stage.ts';

const LAKE = `
name: acme
tables:
  shop.orders: { from: orders/ }
reports:
  cleanrooms: { database: acme_prod, region: us-east-1, every: 12h }
stages:
  dev: { account: "111111111111", region: eu-west-1, alarm_email: ops@example.com }
`;

interface Statement {
  Action: string | string[];
  Resource: unknown;
}

const dev = synthesize(LAKE);
const { reports } = dev.templates;

test('cdk-nag has nothing to say that nobody gave a reason for', () => {
  expect(dev.warnings).toEqual([]);
  const { violations } = new AwsSolutionsChecks().validateScope(dev.app);
  expect(violations.map(({ ruleName, violatingResources }) => [ruleName, violatingResources])).toEqual([]);
});

test('the function reads what it reports on, writes reports, and changes nothing else', () => {
  const policies = Object.values(reports!.findResources('AWS::IAM::Policy'));
  const statements = policies.flatMap(
    ({ Properties }) => (Properties.PolicyDocument as { Statement: Statement[] }).Statement,
  );
  const actions = [...new Set(statements.flatMap(({ Action }) => Action))].sort();
  const reading = /^(cleanrooms|entityresolution|glue):(BatchGet|Get|List)/;
  expect(actions.filter((action) => !reading.test(action))).toEqual([
    'events:PutEvents',
    'kms:Decrypt',
    'kms:GenerateDataKey',
    'logs:CreateLogStream',
    'logs:PutLogEvents',
    's3:AbortMultipartUpload',
    's3:DeleteObject',
    's3:GetBucketLocation',
    's3:GetObject',
    's3:GetObjectVersion',
    's3:ListBucket',
    's3:ListBucketMultipartUploads',
    's3:ListMultipartUploadParts',
    's3:PutObject',
    'sqs:GetQueueAttributes',
    'sqs:GetQueueUrl',
    'sqs:SendMessage',
  ]);
  const tables = statements.find(({ Action }) => Action === 'glue:GetTables');
  expect(tables?.Resource).toEqual([
    'arn:aws:glue:us-east-1:111111111111:catalog',
    'arn:aws:glue:us-east-1:111111111111:database/acme_prod',
    'arn:aws:glue:us-east-1:111111111111:table/acme_prod/*',
  ]);
});

test('it runs on schedule, and when an event on the bus asks for it', () => {
  const rules = Object.values(reports!.findResources('AWS::Events::Rule')).map(({ Properties }) => Properties);
  expect(rules.map(({ Name, ScheduleExpression, EventPattern }) => [Name, ScheduleExpression ?? EventPattern])).toEqual(
    [
      ['acme-dev-report-cleanrooms', 'rate(12 hours)'],
      ['acme-dev-report-wanted', { 'detail-type': ['report.wanted'], detail: { report: ['cleanrooms'] } }],
    ],
  );
  expect(rules.map(({ Targets }) => Targets[0].Input ?? Targets[0].InputTransformer)).toEqual([
    '{"report":"cleanrooms"}',
    { InputPathsMap: { 'detail-report': '$.detail.report' }, InputTemplate: '{"report":<detail-report>}' },
  ]);
});

test('a lake without reports has no such stack', () => {
  const none = synthesize(LAKE.replace(/reports:\n.*\n/, ''));
  expect(none.stacks.reports).toBeUndefined();
});

test('the data monitor reads the tables, and writes none', () => {
  const both = synthesize(
    LAKE.replace('stages:', '  monitor: { databases: [{ name: raw_prod }], folders: ["s3://other/tables/"] }\nstages:'),
  );
  const text = JSON.stringify(both.templates.reports!.toJSON());
  expect(text).toContain('arn:aws:s3:::other/*');
  expect(text).toContain('glue:GetPartitions');
  expect(text).not.toMatch(/glue:(Create|Update|Delete|Batch)/);
  const { violations } = new AwsSolutionsChecks().validateScope(both.app);
  expect(violations).toEqual([]);
});
