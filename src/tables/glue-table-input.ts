import type { TableInput } from '@aws-sdk/client-glue';
import type { Buckets } from './check-buckets.ts';
import type { HiveColumn } from './hive-type.ts';

/** The classes that Hive, Athena and Spark read Parquet with. */
const PARQUET = {
  InputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
  OutputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat',
  SerdeInfo: { SerializationLibrary: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe' },
} as const;

export interface TableDefinition {
  name: string;
  /** URL ending in `/`. */
  location: string;
  columns: readonly HiveColumn[];
  partitionKeys: readonly HiveColumn[];
  comment: string;
  /** Where files are Hive's buckets. */
  buckets?: Buckets;
}

/**
 * A table over Parquet files as Glue takes it (API reference, TableInput).
 * @param before parameters of the table as it is: those that are somebody else's stay
 */
export function tableInput(
  definition: TableDefinition,
  before: Readonly<Record<string, string>> = {},
): TableInput & { Name: string } {
  const { name, location, columns, partitionKeys, comment, buckets } = definition;
  // Whether a table is bucketed is said anew each time.
  const { bucketing_format: _, ...kept } = before;
  return {
    Name: name,
    Description: comment,
    TableType: 'EXTERNAL_TABLE',
    Parameters: {
      ...kept,
      EXTERNAL: 'TRUE',
      classification: 'parquet',
      comment,
      // Athena user guide, CREATE TABLE: what the buckets were made by.
      ...(buckets !== undefined && { bucketing_format: 'hive' }),
    },
    PartitionKeys: partitionKeys.map(glueColumn),
    StorageDescriptor: {
      ...PARQUET,
      Columns: columns.map(glueColumn),
      Location: location,
      Compressed: false,
      NumberOfBuckets: buckets?.count ?? -1,
      BucketColumns: buckets === undefined ? [] : [buckets.column],
      StoredAsSubDirectories: false,
    },
  };
}

function glueColumn({ name, type }: HiveColumn): { Name: string; Type: string } {
  return { Name: name, Type: type };
}
