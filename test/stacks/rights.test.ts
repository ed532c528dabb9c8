/** Who may do what: the whole list, for each role of a stage. A right that is added or widened has to be added here, where a reader sees it. */
import { rightsOf } from './rights-of.ts';
import { synthesize } from './stage.ts';

const LAKE = `
name: acme
catalogs:
  tables: { type: s3tables, arn: "arn:aws:s3tables:eu-west-1:111111111111:bucket/acme" }
tables:
  shop.orders: { from: orders/, rules: [{ sql: { name: totals, query: "SELECT * FROM delivery WHERE total < 0" } }] }
  shop.clicks: { from: clicks/, catalog: tables }
notify:
  slack: { channel: "#data", token_secret: "acme/slack#token" }
  teams: { webhook_secret: acme/teams }
stages:
  dev: { account: "111111111111", region: eu-west-1 }
`;

const { templates } = synthesize(LAKE);

const rights = () => rightsOf(Object.values(templates));

test('each role has these rights and no others', () => {
  expect(rights()).toEqual({
    Maintenance: [
      '<MissedRuns>: sqs:GetQueueAttributes sqs:GetQueueUrl sqs:SendMessage',
      'athena:datacatalog/AwsDataCatalog: athena:GetDataCatalog',
      'athena:workgroup/acme-dev: athena:GetQueryExecution athena:GetQueryResults athena:StartQueryExecution athena:StopQueryExecution',
      'events:event-bus/acme-dev: events:PutEvents',
      'glue:catalog: glue:CreateDatabase glue:CreateTable glue:GetDatabase glue:GetTable glue:UpdateTable',
      'glue:database/shop: glue:CreateDatabase glue:CreateTable glue:GetDatabase glue:GetTable glue:UpdateTable',
      'glue:table/shop/orders: glue:CreateDatabase glue:CreateTable glue:GetDatabase glue:GetTable glue:UpdateTable',
      'kms:key/*: kms:Decrypt if',
      'kms:key/*: kms:Decrypt kms:GenerateDataKey if',
      'kms:key/*: kms:Decrypt kms:GenerateDataKey if',
      'logs:log-group:/aws/lambda/acme-dev-maintenance:*: logs:CreateLogStream logs:PutLogEvents',
      's3:::acme-dev-lake/*: s3:AbortMultipartUpload s3:DeleteObject s3:GetObject s3:GetObjectVersion s3:ListMultipartUploadParts s3:PutObject',
      's3:::acme-dev-lake: s3:ListBucket s3:ListBucketMultipartUploads',
      's3:::acme-dev-raw/*: s3:GetObject s3:GetObjectVersion',
      's3:::acme-dev-raw: s3:ListBucket',
      's3:::acme-dev-results/*: s3:AbortMultipartUpload s3:DeleteObject s3:GetObject s3:GetObjectVersion s3:ListMultipartUploadParts s3:PutObject',
      's3:::acme-dev-results: s3:GetBucketLocation',
      's3:::acme-dev-results: s3:ListBucket s3:ListBucketMultipartUploads',
      's3tables:bucket/acme/table/*: s3tables:CreateTable s3tables:GetTable s3tables:GetTableData s3tables:GetTableMetadataLocation s3tables:PutTableData s3tables:UpdateTableMetadataLocation',
      's3tables:bucket/acme: s3tables:CreateNamespace s3tables:GetNamespace s3tables:GetTableBucket s3tables:ListNamespaces s3tables:ListTables',
      's3tables:bucket/acme: s3tables:CreateTable s3tables:GetTable s3tables:GetTableData s3tables:GetTableMetadataLocation s3tables:PutTableData s3tables:UpdateTableMetadataLocation',
    ],
    NotifyWorker: [
      'kms:key/*: kms:Decrypt kms:GenerateDataKey if',
      'logs:log-group:/aws/lambda/acme-dev-notify:*: logs:CreateLogStream logs:PutLogEvents',
      's3:::acme-dev-lake/lakegate/notify/*: s3:DeleteObject s3:GetObject s3:GetObjectVersion s3:PutObject',
      's3:::acme-dev-lake: s3:ListBucket',
      'secretsmanager:secret:acme/slack-??????: secretsmanager:GetSecretValue',
      'secretsmanager:secret:acme/teams-??????: secretsmanager:GetSecretValue',
      'sqs:acme-dev-notify: sqs:ChangeMessageVisibility sqs:DeleteMessage sqs:GetQueueAttributes sqs:ReceiveMessage',
    ],
    TableUpkeep: [
      '*: logs:CreateLogDelivery logs:DeleteLogDelivery logs:DescribeLogGroups logs:DescribeResourcePolicies logs:GetLogDelivery logs:ListLogDeliveries logs:PutResourcePolicy logs:UpdateLogDelivery',
      '*: xray:GetSamplingRules xray:GetSamplingTargets xray:PutTelemetryRecords xray:PutTraceSegments',
      'athena:datacatalog/AwsDataCatalog: athena:GetDataCatalog',
      'athena:workgroup/acme-dev: athena:GetQueryExecution athena:GetQueryResults athena:StartQueryExecution athena:StopQueryExecution',
      'events:event-bus/acme-dev: events:PutEvents',
      'glue:catalog: glue:GetDatabase glue:GetTable glue:GetTables glue:UpdateTable',
      'glue:database/shop: glue:GetDatabase glue:GetTable glue:GetTables glue:UpdateTable',
      'glue:table/shop/orders: glue:GetDatabase glue:GetTable glue:GetTables glue:UpdateTable',
      'kms:key/*: kms:Decrypt kms:GenerateDataKey if',
      'kms:key/*: kms:Decrypt kms:GenerateDataKey if',
      'lambda:function:acme-dev-maintenance: lambda:InvokeFunction',
      's3:::acme-dev-lake/*: s3:AbortMultipartUpload s3:DeleteObject s3:GetObject s3:GetObjectVersion s3:ListMultipartUploadParts s3:PutObject',
      's3:::acme-dev-lake: s3:ListBucket s3:ListBucketMultipartUploads',
      's3:::acme-dev-results/*: s3:AbortMultipartUpload s3:DeleteObject s3:GetObject s3:GetObjectVersion s3:ListMultipartUploadParts s3:PutObject',
      's3:::acme-dev-results: s3:GetBucketLocation',
      's3:::acme-dev-results: s3:ListBucket s3:ListBucketMultipartUploads',
    ],
    TableUpkeepStateMachineEvents: ['<TableUpkeepStateMachine>: states:StartExecution'],
    WapAuditWorker: [
      'athena:datacatalog/AwsDataCatalog: athena:GetDataCatalog',
      'athena:workgroup/acme-dev: athena:GetQueryExecution athena:GetQueryResults athena:StartQueryExecution athena:StopQueryExecution',
      'events:event-bus/acme-dev: events:PutEvents',
      'glue:catalog: glue:CreateDatabase glue:CreateTable glue:GetDatabase glue:GetTable glue:UpdateTable',
      'glue:database/shop: glue:CreateDatabase glue:CreateTable glue:GetDatabase glue:GetTable glue:UpdateTable',
      'glue:table/shop/orders: glue:CreateDatabase glue:CreateTable glue:GetDatabase glue:GetTable glue:UpdateTable',
      'kms:key/*: kms:Decrypt if',
      'kms:key/*: kms:Decrypt kms:GenerateDataKey if',
      'kms:key/*: kms:Decrypt kms:GenerateDataKey if',
      'logs:log-group:/aws/lambda/acme-dev-wap-audit:*: logs:CreateLogStream logs:PutLogEvents',
      's3:::acme-dev-lake/*: s3:AbortMultipartUpload s3:DeleteObject s3:GetObject s3:GetObjectVersion s3:ListMultipartUploadParts s3:PutObject',
      's3:::acme-dev-lake: s3:ListBucket s3:ListBucketMultipartUploads',
      's3:::acme-dev-raw/*: s3:GetObject s3:GetObjectVersion',
      's3:::acme-dev-raw: s3:ListBucket',
      's3:::acme-dev-results/*: s3:AbortMultipartUpload s3:DeleteObject s3:GetObject s3:GetObjectVersion s3:ListMultipartUploadParts s3:PutObject',
      's3:::acme-dev-results: s3:GetBucketLocation',
      's3:::acme-dev-results: s3:ListBucket s3:ListBucketMultipartUploads',
      's3tables:bucket/acme/table/*: s3tables:CreateTable s3tables:GetTable s3tables:GetTableData s3tables:GetTableMetadataLocation s3tables:PutTableData s3tables:UpdateTableMetadataLocation',
      's3tables:bucket/acme: s3tables:CreateNamespace s3tables:GetNamespace s3tables:GetTableBucket s3tables:ListNamespaces s3tables:ListTables',
      's3tables:bucket/acme: s3tables:CreateTable s3tables:GetTable s3tables:GetTableData s3tables:GetTableMetadataLocation s3tables:PutTableData s3tables:UpdateTableMetadataLocation',
      'sqs:acme-dev-gate: sqs:ChangeMessageVisibility sqs:DeleteMessage sqs:GetQueueAttributes sqs:ReceiveMessage',
    ],
  });
});

test('no action is a wildcard, and a resource is one only with a reason', () => {
  const wild = Object.values(rights())
    .flat()
    .filter((line) => / \w+:\w*\*/.test(line));
  expect(wild).toEqual([]);
});

test('keys are used by S3 for the stage’s own buckets alone', () => {
  const policies = Object.values(templates.gate!.findResources('AWS::IAM::Policy'));
  const statements = policies.flatMap(
    ({ Properties }) =>
      (
        Properties.PolicyDocument as {
          Statement: { Effect: string; Action: string | string[]; Resource: unknown; Condition?: unknown }[];
        }
      ).Statement,
  );
  const keys = statements.filter(({ Action }) => [Action].flat().some((action) => action.startsWith('kms:')));
  expect(keys.length).toBeGreaterThan(0);
  for (const { Condition } of keys) {
    expect(Condition).toEqual({
      StringEquals: { 'kms:ViaService': 's3.eu-west-1.amazonaws.com' },
      StringLike: {
        'kms:EncryptionContext:aws:s3:arn': [
          expect.stringMatching(/^arn:aws:s3:::acme-dev-(raw|lake|results)-111111111111-eu-west-1$/),
          expect.stringMatching(/^arn:aws:s3:::acme-dev-(raw|lake|results)-111111111111-eu-west-1\/\*$/),
        ],
      },
    });
  }
});
