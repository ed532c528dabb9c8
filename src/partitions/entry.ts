import { createHash } from 'node:crypto';
import type { Column, Partition, PartitionInput, StorageDescriptor } from '@aws-sdk/client-glue';

/** What partitions are registered as. */

/**
 * A partition like its table: the whole storage descriptor (SerDe parameters, skewed columns, compression included), at its own place.
 * @param location URL of its folder, ending in `/`
 */
export function newEntry(table: StorageDescriptor, values: readonly string[], location: string): PartitionInput {
  return { Values: [...values], StorageDescriptor: { ...table, Location: location } };
}

/**
 * A partition with the columns that its table has by now, and everything else its own: parameters, place, statistics, and the way its files are
 * read, which older partitions may have otherwise on purpose.
 */
export function withColumns(partition: Partition, table: StorageDescriptor): PartitionInput {
  const { Values = [], StorageDescriptor: own = {}, Parameters, LastAccessTime, LastAnalyzedTime } = partition;
  // A reference into a schema registry stands for the columns.
  const { SchemaReference: _, ...rest } = own;
  return {
    Values,
    StorageDescriptor: {
      ...rest,
      Columns: table.Columns,
      ...(table.SchemaReference !== undefined && { SchemaReference: table.SchemaReference }),
    },
    ...(Parameters !== undefined && { Parameters }),
    ...(LastAccessTime !== undefined && { LastAccessTime }),
    ...(LastAnalyzedTime !== undefined && { LastAnalyzedTime }),
  };
}

/** The columns of a table or partition in a few letters: equal where names and types are, without regard to case and comments. */
export function schemaOf({ Columns = NO_COLUMNS }: StorageDescriptor): string {
  let schema = SCHEMAS.get(Columns);
  if (schema === undefined) {
    schema = lettersOf(Columns);
    SCHEMAS.set(Columns, schema);
  }
  return schema;
}

const NO_COLUMNS: Column[] = [];

/** Thousands of partitions share one list. */
const SCHEMAS = new WeakMap<readonly Column[], string>();

function lettersOf(Columns: readonly Column[]): string {
  const columns = Columns.map(({ Name = '', Type = '' }) => [name(Name), name(Type).replace(/\s+/g, '')]);
  return createHash('sha256').update(JSON.stringify(columns)).digest('base64url').slice(0, 12);
}

function name(text: string): string {
  return text.toLowerCase();
}
