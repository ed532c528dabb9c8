import { type StageLake, stageNames } from '../stage-names.ts';
import type { Grant } from './grants.ts';
import { writeLake } from './storage-grants.ts';

/** The server's image; the interop tests run the same version. */
export const NESSIE_IMAGE = 'ghcr.io/projectnessie/nessie:0.99.0';

/** Port of the catalogue's interfaces. */
export const NESSIE_PORT = 19120;

/** DynamoDB tables of Nessie's version store: references and objects, each by one key. */
export function nessieTables(lake: StageLake): { prefix: string; names: readonly string[] } {
  const prefix = stageNames(lake).of('nessie');
  return { prefix, names: [`${prefix}_refs`, `${prefix}_objs`] };
}

/**
 * Settings as the server's container takes them: versions in DynamoDB, tables in the lake bucket, the region's S3 by the container's own
 * credentials, and none handed to clients.
 * @see https://projectnessie.org/nessie-0-99-0/configuration/
 */
export function nessieEnvironment(lake: StageLake): Record<string, string> {
  const settings = {
    'nessie.version.store.type': 'DYNAMODB2',
    'nessie.version.store.persist.dynamodb.table-prefix': nessieTables(lake).prefix,
    'quarkus.dynamodb.aws.region': lake.stage.region,
    'nessie.catalog.default-warehouse': 'lake',
    'nessie.catalog.warehouses.lake.location': lake.warehouse,
    'nessie.catalog.service.s3.default-options.region': lake.stage.region,
    'nessie.catalog.service.s3.default-options.auth-type': 'APPLICATION_GLOBAL',
    'nessie.catalog.service.s3.default-options.request-signing-enabled': 'false',
  };
  return {
    AWS_REGION: lake.stage.region,
    JAVA_OPTS_APPEND: Object.entries(settings)
      .map(([name, value]) => `-D${name}=${value}`)
      .join(' '),
  };
}

/** What the server may do: its two tables, and metadata files in the lake bucket. */
export function nessieGrants(lake: StageLake): Grant[] {
  const { arn } = stageNames(lake);
  return [
    {
      actions: [
        'dynamodb:DescribeTable',
        'dynamodb:GetItem',
        'dynamodb:BatchGetItem',
        'dynamodb:Query',
        'dynamodb:Scan',
        'dynamodb:PutItem',
        'dynamodb:UpdateItem',
        'dynamodb:DeleteItem',
        'dynamodb:BatchWriteItem',
      ],
      resources: nessieTables(lake).names.map((name) => arn('dynamodb', `table/${name}`)),
    },
    ...writeLake(lake),
  ];
}
