import type { CatalogConfig } from '../../src/config/model.ts';
import type { PublishedTable } from '../../src/reading/published-table.ts';
import { ENGINES, type Engine, readingStatements } from '../../src/reading/statements.ts';

const ON_S3 = {
  namespace: ['shop'],
  name: 'orders',
  location: 's3://lake/warehouse/shop/orders',
  metadataLocation: 's3://lake/warehouse/shop/orders/metadata/00007-x.metadata.json',
};
const GLUE: CatalogConfig = { type: 'glue', warehouse: 's3://lake/warehouse/' };
const SQL: CatalogConfig = {
  type: 'sql',
  uri: 'sqlite:////lake/catalog.db',
  catalogName: 'main',
  warehouse: 'file:///lake/',
};
const ARN = 'arn:aws:s3tables:eu-west-1:123456789012:bucket/tables';
const S3_TABLES: CatalogConfig = {
  type: 'rest',
  uri: 'https://s3tables.eu-west-1.amazonaws.com/iceberg',
  serverWarehouse: ARN,
  auth: { kind: 'sigv4', service: 's3tables', region: 'eu-west-1' },
};
const REST: CatalogConfig = {
  type: 'rest',
  uri: 'https://catalog.example.com',
  serverWarehouse: 'main',
  auth: { kind: 'oauth2', credential: { secret: 'lake/catalog', key: 'login' }, scope: 'read' },
};
const NESSIE: CatalogConfig = {
  type: 'nessie',
  uri: 'http://nessie:19120',
  branch: 'main',
  auth: { kind: 'bearer', token: { env: 'NESSIE_TOKEN' } },
};
const ALL = { GLUE, SQL, S3_TABLES, REST, NESSIE };
const STAGE = { region: 'eu-west-1', account: '123456789012' };

const printed = (engine: Engine, catalog: CatalogConfig, changes: Partial<PublishedTable> = {}) =>
  readingStatements(engine, { ...ON_S3, catalog, ...changes }).join('\n');

test.each([
  ['athena', 'GLUE', /^SELECT \* FROM "AwsDataCatalog"\."shop"\."orders";$/],
  ['athena', 'S3_TABLES', /SELECT \* FROM "s3tablescatalog\/tables"\."shop"\."orders";$/],
  [
    'duckdb',
    'GLUE',
    /ATTACH '123456789012' AS lake \(TYPE iceberg, ENDPOINT_TYPE 'glue'\);\nSELECT \* FROM "lake"\."shop"\."orders";$/,
  ],
  ['duckdb', 'S3_TABLES', /ATTACH 'arn:aws:s3tables:[^']*' AS lake \(TYPE iceberg, ENDPOINT_TYPE 's3_tables'\);/],
  ['duckdb', 'SQL', /iceberg_scan\('s3:\/\/lake\/warehouse\/shop\/orders\/metadata\/00007-x\.metadata\.json'\);$/],
  [
    'duckdb',
    'REST',
    /OAUTH2_SERVER_URI 'https:\/\/catalog\.example\.com\/v1\/oauth\/tokens', OAUTH2_SCOPE 'read'[\s\S]*ENDPOINT 'https:\/\/catalog\.example\.com', SECRET lake_login/,
  ],
  ['duckdb', 'NESSIE', /ENDPOINT 'http:\/\/nessie:19120\/iceberg\/main', SECRET lake_token/],
  [
    'spark',
    'GLUE',
    /SET `spark\.sql\.catalog\.lake\.type`=`glue`;\nSET `spark\.sql\.catalog\.lake\.glue\.id`=`123456789012`;/,
  ],
  [
    'spark',
    'SQL',
    /SET `spark\.sql\.catalog\.main\.uri`=`jdbc:sqlite:\/lake\/catalog\.db`;[\s\S]*SELECT \* FROM `main`\.`shop`\.`orders`;$/,
  ],
  ['spark', 'S3_TABLES', /rest\.signing-name`=`s3tables`;/],
  ['spark', 'NESSIE', /uri`=`http:\/\/nessie:19120\/iceberg\/main`;/],
  ['trino', 'GLUE', /"hive\.metastore\.glue\.region" = 'eu-west-1'/],
  [
    'trino',
    'SQL',
    /CALL lake\.system\.register_table\(schema_name => 'shop', table_name => 'orders', .*metadata_file_name => '00007-x\.metadata\.json'\);/,
  ],
  ['trino', 'S3_TABLES', /"iceberg\.rest-catalog\.signing-name" = 's3tables'/],
  [
    'snowflake',
    'GLUE',
    /CATALOG_SOURCE = GLUE[\s\S]*GLUE_CATALOG_ID = '123456789012'[\s\S]*CATALOG_TABLE_NAME = 'orders'/,
  ],
  ['snowflake', 'S3_TABLES', /CATALOG_API_TYPE = AWS_GLUE WAREHOUSE = '123456789012:s3tablescatalog\/tables'/],
  ['snowflake', 'REST', /CATALOG_SOURCE = ICEBERG_REST[\s\S]*TYPE = OAUTH/],
  [
    'snowflake',
    'NESSIE',
    /CATALOG_SOURCE = OBJECT_STORE[\s\S]*METADATA_FILE_PATH = 'warehouse\/shop\/orders\/metadata\/00007-x\.metadata\.json';[\s\S]*REFRESH/,
  ],
  ['snowflake', 'SQL', /STORAGE_BASE_URL = 's3:\/\/lake\/'/],
] as const)('%s reads a table of %s', (engine, catalog, expected) => {
  expect(printed(engine, ALL[catalog], STAGE)).toMatch(expected);
});

test('secrets are named, never printed', () => {
  expect(printed('trino', REST)).toContain('login in the Secrets Manager entry lake/catalog');
  expect(printed('duckdb', NESSIE)).toContain("TOKEN '<value of the environment variable NESSIE_TOKEN>'");
});

test('what is not known stands in angle brackets', () => {
  expect(printed('duckdb', GLUE)).toContain("ATTACH '<account id>'");
  expect(printed('spark', GLUE)).toContain('client.region`=`<region>`;');
});

test.each([
  ['athena', NESSIE, {}],
  ['athena', SQL, {}],
  ['snowflake', SQL, { location: 'file:///lake/shop/orders', metadataLocation: 'file:///lake/shop/orders/metadata/x' }],
] as const)('%s cannot read what lies where it does not reach', (engine, catalog, changes) => {
  expect(() => printed(engine, catalog, changes)).toThrow(
    expect.objectContaining({ kind: 'unsupported', message: expect.stringContaining('shop.orders') }),
  );
});

test('names are quoted, whatever is in them', () => {
  const odd = { namespace: ['sh"op`'], name: `or'd"e\`rs` };
  expect(printed('athena', GLUE, odd)).toBe('SELECT * FROM "AwsDataCatalog"."sh""op`"."or\'d""e`rs";');
  expect(printed('spark', GLUE, odd)).toMatch(/`lake`\.`sh"op```\.`or'd"e``rs`;$/);
  expect(printed('snowflake', GLUE, odd)).toContain(`CATALOG_TABLE_NAME = 'or''d"e\`rs'`);
  for (const engine of ENGINES) {
    expect(() => printed(engine, GLUE, { name: 'a\n; DROP TABLE x' })).toThrow(
      expect.objectContaining({ kind: 'unsupported' }),
    );
  }
});
