import { LakegateError } from '../errors.ts';

/** What Athena takes (service quotas: "Query string length"), in bytes of UTF-8. */
const LONGEST_BYTES = 262_144;

export interface CreateAs {
  database: string;
  table: string;
  /** Empty folder that the files go to, URL ending in `/`. */
  location: string;
  /** Absent: files are cut as Athena likes. */
  buckets?: { column: string; count: number };
  /** In the order that they get; `as` where a column is called otherwise than in the source. */
  columns: readonly { name: string; as?: string }[];
  source: { database: string; table: string };
  /** Rows of this value of a column alone. */
  where?: { column: string; value: string };
}

/**
 * A table made of another by Athena: Parquet with Snappy (Athena user guide, "CREATE TABLE AS").
 * @throws LakegateError `invalid` for a statement longer than Athena takes
 */
export function createTableAs({ database, table, location, buckets, columns, source, where }: CreateAs): string {
  const properties = [
    "format = 'PARQUET'",
    "write_compression = 'SNAPPY'",
    `external_location = ${text(location)}`,
    ...(buckets === undefined
      ? []
      : [`bucketed_by = ARRAY[${text(buckets.column)}]`, `bucket_count = ${whole(buckets.count)}`]),
  ];
  const selected = columns.map(({ name, as }) =>
    as === undefined ? quoted(name) : `${quoted(name)} AS ${quoted(as)}`,
  );
  const statement = [
    `CREATE TABLE ${quoted(database)}.${quoted(table)}`,
    `WITH (${properties.join(', ')})`,
    `AS SELECT ${selected.join(', ')}`,
    `FROM ${quoted(source.database)}.${quoted(source.table)}`,
    ...(where === undefined ? [] : [`WHERE ${quoted(where.column)} = ${text(where.value)}`]),
  ].join('\n');
  const length = new TextEncoder().encode(statement).length;
  if (length <= LONGEST_BYTES) return statement;
  throw new LakegateError(
    'invalid',
    `${database}.${table}: its statement has ${length} bytes, Athena takes ${LONGEST_BYTES}`,
  );
}

/** Registers the folders of a table as partitions. DDL is Hive's: names in backticks, the database is the query's context. */
export function repairTable(table: string): string {
  return `MSCK REPAIR TABLE \`${table.replaceAll('`', '``')}\``;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

function whole(count: number): number {
  if (Number.isSafeInteger(count) && count > 0) return count;
  throw new LakegateError('invalid', `expected a whole number of buckets, found ${count}`);
}
