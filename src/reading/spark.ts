import { type PublishedTable, type RestAuth, reachOf } from './published-table.ts';
import { backticked } from './quote.ts';

/** The release whose packages are named; any later one reads the same tables. */
const ICEBERG = '1.10.0';

/** Spark SQL with Iceberg's runtime (iceberg.apache.org: "Spark configuration"). A catalogue is opened when it is first named, by what was set before. */
export function sparkStatements(table: PublishedTable): string[] {
  const { catalog } = table;
  const reach = reachOf(table);
  // The rows of a SQL catalogue bear its name, so that Spark has to call it the same.
  const name = catalog.type === 'sql' ? catalog.catalogName : 'lake';
  const set = (settings: Record<string, string | undefined>) =>
    Object.entries(settings).flatMap(([key, value]) =>
      value === undefined
        ? []
        : [`SET ${backticked(`spark.sql.catalog.${name}${key && `.${key}`}`)}=${backticked(value)};`],
    );
  const select = `SELECT * FROM ${backticked(name, ...table.namespace, table.name)};`;
  const started = (...packages: string[]) =>
    `-- spark-sql --packages ${[`org.apache.iceberg:iceberg-spark-runtime-3.5_2.12:${ICEBERG}`, ...packages].join(',')}`;
  const aws = `org.apache.iceberg:iceberg-aws-bundle:${ICEBERG}`;
  const io = table.location.startsWith('s3://') ? 'org.apache.iceberg.aws.s3.S3FileIO' : undefined;
  const opened = { '': 'org.apache.iceberg.spark.SparkCatalog' };
  switch (reach.by) {
    case 'files':
      return [
        started('org.xerial:sqlite-jdbc:3.50.3.0', ...(io === undefined ? [] : [aws])),
        ...set({
          'catalog-impl': 'org.apache.iceberg.jdbc.JdbcCatalog',
          uri: catalog.type === 'sql' ? catalog.uri.replace(/^sqlite:\/\/\//, 'jdbc:sqlite:') : undefined,
          warehouse: catalog.type === 'sql' ? catalog.warehouse : undefined,
          'jdbc.init-catalog-tables': 'false',
          'io-impl': io,
          ...opened,
        }),
        select,
      ];
    case 'glue':
      return [
        started(aws),
        ...set({
          type: 'glue',
          'glue.id': reach.account.startsWith('<') ? undefined : reach.account,
          'client.region': reach.region,
          'io-impl': io,
          ...opened,
        }),
        select,
      ];
    case 's3tables':
      return [
        started(aws),
        ...set({
          type: 'rest',
          uri: reach.uri,
          warehouse: reach.arn,
          'rest.sigv4-enabled': 'true',
          'rest.signing-name': 's3tables',
          'rest.signing-region': reach.region,
          'io-impl': io,
          ...opened,
        }),
        select,
      ];
    case 'rest':
      return [
        started(...(io === undefined ? [] : [aws])),
        ...set({
          type: 'rest',
          uri: reach.uri,
          warehouse: reach.warehouse,
          ...authorized(reach.auth),
          'io-impl': io,
          ...opened,
        }),
        select,
      ];
  }
}

function authorized(auth: RestAuth): Record<string, string | undefined> {
  switch (auth.kind) {
    case 'none':
      return {};
    case 'bearer':
      return { token: auth.token };
    case 'oauth2':
      return { credential: `${auth.id}:${auth.secret}`, 'oauth2-server-uri': auth.serverUri, scope: auth.scope };
    case 'sigv4':
      return {
        'rest.sigv4-enabled': 'true',
        'rest.signing-name': auth.service,
        'rest.signing-region': auth.region,
      };
  }
}
