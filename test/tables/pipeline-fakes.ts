import type { TableInput } from '@aws-sdk/client-glue';
import { LakegateError } from '../../src/errors.ts';
import type { CatalogedTable, StatementRunner, TableCatalog } from '../../src/tables/table-catalog.ts';

/** A catalogue in memory, with versions as Glue counts them, and what was done to it. */
export interface FakeCatalog extends TableCatalog {
  tables: Map<string, CatalogedTable>;
  done: string[];
}

export function fakeCatalog(): FakeCatalog {
  const tables = new Map<string, CatalogedTable>();
  const done: string[] = [];
  const put = (database: string, input: TableInput, version: number) => {
    const columns = (all: TableInput['PartitionKeys']) =>
      (all ?? []).map(({ Name = '', Type = '' }) => ({ name: Name, type: Type }));
    tables.set(`${database}.${input.Name}`, {
      name: input.Name!,
      version: String(version),
      type: input.TableType!,
      location: input.StorageDescriptor!.Location!,
      comment: input.Description!,
      columns: columns(input.StorageDescriptor!.Columns),
      partitionKeys: columns(input.PartitionKeys),
      bucketColumns: input.StorageDescriptor!.BucketColumns ?? [],
      buckets: input.StorageDescriptor!.NumberOfBuckets ?? -1,
      parameters: input.Parameters ?? {},
    });
  };
  return {
    tables,
    done,
    async get(database, name) {
      return tables.get(`${database}.${name}`);
    },
    async list(database, prefix) {
      return [...tables]
        .filter(([name]) => name.startsWith(`${database}.${prefix}`))
        .map(([, table]) => table)
        .sort((a, b) => (a.name < b.name ? -1 : 1));
    },
    async create(database, input) {
      done.push(`create ${input.Name}`);
      put(database, input, 0);
    },
    async update(database, input, version) {
      const before = tables.get(`${database}.${input.Name}`);
      if (before?.version !== version) throw new LakegateError('conflict', `${input.Name} has changed`);
      done.push(`update ${input.Name}`);
      put(database, input, Number(version) + 1);
    },
    async remove(database, name) {
      if (tables.delete(`${database}.${name}`)) done.push(`remove ${name}`);
    },
  };
}

/** Runs statements by `act`, and keeps them. */
export function fakeAthena(
  act: (statement: string, database: string) => Promise<void>,
): StatementRunner & { statements: string[] } {
  const statements: string[] = [];
  return {
    statements,
    async run(statement, database) {
      statements.push(statement);
      await act(statement, database);
    },
  };
}
