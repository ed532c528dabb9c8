import { type PublishedTable, type RestAuth, reachOf } from './published-table.ts';
import { quoted, text } from './quote.ts';

const ON_S3 = ['CREATE SECRET (TYPE s3, PROVIDER credential_chain);'];

/** DuckDB with its iceberg extension (duckdb.org: "Iceberg REST Catalogs", "Amazon S3 Tables", "AWS Glue"). */
export function duckdbStatements(table: PublishedTable): string[] {
  const reach = reachOf(table);
  const select = `SELECT * FROM ${quoted('lake', table.namespace.join('.'), table.name)};`;
  const extensions = (...names: string[]) => names.flatMap((name) => [`INSTALL ${name};`, `LOAD ${name};`]);
  switch (reach.by) {
    case 'files': {
      const remote = table.metadataLocation.startsWith('s3://');
      return [
        ...extensions('iceberg', ...(remote ? ['httpfs', 'aws'] : [])),
        ...(remote ? ON_S3 : []),
        '-- The table as it is published now. Print this again after the next publish.',
        `SELECT * FROM iceberg_scan(${text(table.metadataLocation)});`,
      ];
    }
    case 'glue':
      return [
        ...extensions('iceberg', 'httpfs', 'aws'),
        ...inRegion(reach.region),
        `ATTACH ${text(reach.account)} AS lake (TYPE iceberg, ENDPOINT_TYPE 'glue');`,
        select,
      ];
    case 's3tables':
      return [
        ...extensions('iceberg', 'httpfs', 'aws'),
        ...inRegion(reach.region),
        `ATTACH ${text(reach.arn)} AS lake (TYPE iceberg, ENDPOINT_TYPE 's3_tables');`,
        select,
      ];
    case 'rest': {
      const { secret, options } = authorized(reach.auth);
      return [
        ...extensions('iceberg', 'httpfs', 'aws'),
        ...(table.location.startsWith('s3://') ? ON_S3 : []),
        ...secret,
        `ATTACH ${text(reach.warehouse ?? '')} AS lake (TYPE iceberg, ENDPOINT ${text(reach.uri)}, ${options});`,
        select,
      ];
    }
  }
}

function inRegion(region: string): string[] {
  return [`CREATE SECRET (TYPE s3, PROVIDER credential_chain, REGION ${text(region)});`];
}

function authorized(auth: RestAuth): { secret: string[]; options: string } {
  switch (auth.kind) {
    case 'none':
      return { secret: [], options: "AUTHORIZATION_TYPE 'none'" };
    case 'sigv4':
      return { secret: [], options: "AUTHORIZATION_TYPE 'sigv4'" };
    case 'bearer':
      return {
        secret: [`CREATE SECRET lake_token (TYPE iceberg, TOKEN ${text(auth.token)});`],
        options: 'SECRET lake_token',
      };
    case 'oauth2': {
      const scope = auth.scope === undefined ? '' : `, OAUTH2_SCOPE ${text(auth.scope)}`;
      return {
        secret: [
          `CREATE SECRET lake_login (TYPE iceberg, CLIENT_ID ${text(auth.id)}, CLIENT_SECRET ${text(auth.secret)}, OAUTH2_SERVER_URI ${text(auth.serverUri)}${scope});`,
        ],
        options: 'SECRET lake_login',
      };
    }
  }
}
