import { type PublishedTable, type RestAuth, reachOf } from './published-table.ts';
import { quoted, text } from './quote.ts';

/** Trino's Iceberg connector (trino.io: "Iceberg connector", "Metastores", "CREATE CATALOG"). */
export function trinoStatements(table: PublishedTable): string[] {
  const reach = reachOf(table);
  const schema = table.namespace.join('.');
  const s3 = table.location.startsWith('s3://');
  const files = (region: string): Record<string, string> =>
    s3 ? { 'fs.native-s3.enabled': 'true', 's3.region': region } : {};
  const region = table.region ?? '<region>';
  const select = `SELECT * FROM ${quoted('lake', schema, table.name)};`;
  switch (reach.by) {
    case 'files': {
      const at = table.metadataLocation.lastIndexOf('/');
      return [
        '-- In any Iceberg catalogue of Trino\'s, here "lake", with iceberg.register-table-procedure.enabled=true.',
        '-- The table as it is published now: unregister and register it again after the next publish.',
        `CREATE SCHEMA IF NOT EXISTS ${quoted('lake', schema)};`,
        `CALL lake.system.register_table(schema_name => ${text(schema)}, table_name => ${text(table.name)}, table_location => ${text(table.location)}, metadata_file_name => ${text(table.metadataLocation.slice(at + 1))});`,
        select,
      ];
    }
    case 'glue':
      return [
        catalog({
          'iceberg.catalog.type': 'glue',
          'hive.metastore.glue.region': reach.region,
          ...catalogId(reach.account),
          ...files(reach.region),
        }),
        select,
      ];
    case 's3tables':
      return [
        catalog({
          'iceberg.catalog.type': 'rest',
          'iceberg.rest-catalog.uri': reach.uri,
          'iceberg.rest-catalog.warehouse': reach.arn,
          'iceberg.rest-catalog.security': 'SIGV4',
          'iceberg.rest-catalog.signing-name': 's3tables',
          'iceberg.rest-catalog.view-endpoints-enabled': 'false',
          ...files(reach.region),
        }),
        select,
      ];
    case 'rest':
      return [
        catalog({
          'iceberg.catalog.type': 'rest',
          'iceberg.rest-catalog.uri': reach.uri,
          ...(reach.warehouse === undefined ? {} : { 'iceberg.rest-catalog.warehouse': reach.warehouse }),
          ...authorized(reach.auth),
          ...files(region),
        }),
        select,
      ];
  }
}

function catalogId(account: string): Record<string, string> {
  return account.startsWith('<') ? {} : { 'hive.metastore.glue.catalogid': account };
}

function catalog(properties: Record<string, string>): string {
  const lines = Object.entries(properties).map(([key, value]) => `  ${quoted(key)} = ${text(value)}`);
  return `CREATE CATALOG lake USING iceberg WITH (\n${lines.join(',\n')}\n);`;
}

function authorized(auth: RestAuth): Record<string, string> {
  const prefix = 'iceberg.rest-catalog';
  switch (auth.kind) {
    case 'none':
      return {};
    case 'bearer':
      return { [`${prefix}.security`]: 'OAUTH2', [`${prefix}.oauth2.token`]: auth.token };
    case 'oauth2':
      return {
        [`${prefix}.security`]: 'OAUTH2',
        [`${prefix}.oauth2.credential`]: `${auth.id}:${auth.secret}`,
        [`${prefix}.oauth2.server-uri`]: auth.serverUri,
        ...(auth.scope === undefined ? {} : { [`${prefix}.oauth2.scope`]: auth.scope }),
      };
    case 'sigv4':
      return { [`${prefix}.security`]: 'SIGV4', [`${prefix}.signing-name`]: auth.service };
  }
}
