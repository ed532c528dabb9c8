import { type PublishedTable, type RestAuth, reachOf, unreadable } from './published-table.ts';
import { escapedText, quoted } from './quote.ts';

const ROLE = '<ARN of a role that may read the bucket and trusts Snowflake>';

/**
 * Snowflake (docs.snowflake.com: "CREATE EXTERNAL VOLUME", "CREATE CATALOG INTEGRATION", "CREATE ICEBERG TABLE"): through the catalogue where
 * Snowflake can reach it, else from the metadata file, which every publish has to be told of.
 * @throws LakegateError `unsupported` for files that are not on S3
 */
export function snowflakeStatements(table: PublishedTable): string[] {
  const { catalog, location, metadataLocation, name, namespace } = table;
  const bucket = /^s3:\/\/[^/]+\//.exec(location)?.[0];
  if (bucket === undefined || !metadataLocation.startsWith(bucket)) {
    throw unreadable('Snowflake', table, `it reads files from S3, found ${location}. Publish into a warehouse on S3.`);
  }
  const reach = reachOf(table);
  const schema = namespace.join('.');
  const reads = [`SELECT * FROM ${quoted(name)};`];
  const fromCatalog = [
    `CREATE ICEBERG TABLE IF NOT EXISTS ${quoted(name)}`,
    `  EXTERNAL_VOLUME = 'LAKEGATE_VOLUME' CATALOG = 'LAKEGATE_CATALOG' CATALOG_TABLE_NAME = ${escapedText(name)}`,
    '  AUTO_REFRESH = TRUE;',
  ].join('\n');
  const withRefresh = [volume(bucket), '', fromCatalog, ...reads];
  if (reach.by === 'glue') {
    withRefresh[1] = integration([
      'CATALOG_SOURCE = GLUE TABLE_FORMAT = ICEBERG',
      `CATALOG_NAMESPACE = ${escapedText(schema)}`,
      `GLUE_AWS_ROLE_ARN = '<ARN of a role that may read the Glue catalogue and trusts Snowflake>'`,
      `GLUE_CATALOG_ID = ${escapedText(reach.account)}`,
      `GLUE_REGION = ${escapedText(reach.region)}`,
    ]);
    return withRefresh;
  }
  if (reach.by === 's3tables') {
    const rest = [
      `CATALOG_URI = ${escapedText(`https://glue.${reach.region}.amazonaws.com/iceberg`)}`,
      'CATALOG_API_TYPE = AWS_GLUE',
      `WAREHOUSE = ${escapedText(`${reach.account}:s3tablescatalog/${reach.bucket}`)}`,
    ];
    withRefresh[1] = integration(restParts(schema, rest, { kind: 'sigv4', service: 'glue', region: reach.region }));
    return withRefresh;
  }
  if (reach.by === 'rest' && catalog.type === 'rest') {
    const warehouse = reach.warehouse === undefined ? [] : [`WAREHOUSE = ${escapedText(reach.warehouse)}`];
    withRefresh[1] = integration(
      restParts(schema, [`CATALOG_URI = ${escapedText(reach.uri)}`, ...warehouse], reach.auth),
    );
    return withRefresh;
  }
  // Nessie's server is mostly private, and a SQLite file is nothing Snowflake could ask.
  const path = escapedText(metadataLocation.slice(bucket.length));
  return [
    volume(bucket),
    integration(['CATALOG_SOURCE = OBJECT_STORE TABLE_FORMAT = ICEBERG']),
    [
      `CREATE ICEBERG TABLE IF NOT EXISTS ${quoted(name)}`,
      `  EXTERNAL_VOLUME = 'LAKEGATE_VOLUME' CATALOG = 'LAKEGATE_CATALOG' METADATA_FILE_PATH = ${path};`,
    ].join('\n'),
    `-- After each publish, with the path that this command then prints:\nALTER ICEBERG TABLE ${quoted(name)} REFRESH ${path};`,
    ...reads,
  ];
}

function volume(bucket: string): string {
  return [
    'CREATE EXTERNAL VOLUME IF NOT EXISTS LAKEGATE_VOLUME',
    `  STORAGE_LOCATIONS = ((NAME = 'lake' STORAGE_PROVIDER = 'S3' STORAGE_BASE_URL = ${escapedText(bucket)}`,
    `    STORAGE_AWS_ROLE_ARN = '${ROLE}'))`,
    '  ALLOW_WRITES = FALSE;',
  ].join('\n');
}

function integration(parts: readonly string[]): string {
  const lines = [...parts, 'ENABLED = TRUE;'].map((part) => `  ${part}`);
  return ['CREATE CATALOG INTEGRATION IF NOT EXISTS LAKEGATE_CATALOG', ...lines].join('\n');
}

function restParts(schema: string, config: readonly string[], auth: RestAuth): string[] {
  return [
    'CATALOG_SOURCE = ICEBERG_REST TABLE_FORMAT = ICEBERG',
    `CATALOG_NAMESPACE = ${escapedText(schema)}`,
    `REST_CONFIG = (${config.join(' ')})`,
    `REST_AUTHENTICATION = (${authorized(auth)})`,
  ];
}

function authorized(auth: RestAuth): string {
  switch (auth.kind) {
    case 'none':
      return 'TYPE = NONE';
    case 'bearer':
      return `TYPE = BEARER BEARER_TOKEN = ${escapedText(auth.token)}`;
    case 'sigv4':
      return `TYPE = SIGV4 SIGV4_IAM_ROLE = '<ARN of a role that may call the catalogue and trusts Snowflake>' SIGV4_SIGNING_REGION = ${escapedText(auth.region)}`;
    case 'oauth2':
      return [
        `TYPE = OAUTH OAUTH_TOKEN_URI = ${escapedText(auth.serverUri)}`,
        `OAUTH_CLIENT_ID = ${escapedText(auth.id)} OAUTH_CLIENT_SECRET = ${escapedText(auth.secret)}`,
        `OAUTH_ALLOWED_SCOPES = (${escapedText(auth.scope ?? 'catalog')})`,
      ].join(' ');
  }
}
