import { type PublishedTable, reachOf, unreadable } from './published-table.ts';
import { quoted } from './quote.ts';

/**
 * Athena, which reads what the Glue catalogue has, S3 Tables among it.
 * @throws LakegateError `unsupported` for a table of another catalogue
 */
export function athenaStatements(table: PublishedTable): string[] {
  const reach = reachOf(table);
  const database = table.namespace.join('.');
  if (reach.by === 'glue') return [`SELECT * FROM ${quoted('AwsDataCatalog', database, table.name)};`];
  if (reach.by === 's3tables') {
    return [
      '-- The table bucket has to be integrated with AWS analytics services (S3 console, "Enable integration").',
      `SELECT * FROM ${quoted(`s3tablescatalog/${reach.bucket}`, database, table.name)};`,
    ];
  }
  throw unreadable(
    'Athena',
    table,
    'it reads tables of the Glue catalogue. Publish into a catalogue of type glue or s3tables, or read it with --for duckdb, spark or trino.',
  );
}
