import {
  CreateTableCommand,
  DeleteTableCommand,
  GetTableCommand,
  GetTablesCommand,
  type GlueClient,
  type Table,
  UpdateTableCommand,
} from '@aws-sdk/client-glue';
import { glueFault, isLostRace, isMissing, isTaken } from '../catalogs/glue-fault.ts';
import { LakegateError } from '../errors.ts';
import type { CatalogedTable, TableCatalog } from './table-catalog.ts';

/**
 * Tables by Glue's own API.
 * @param client which sends throttled requests again, as the SDK's do by default
 */
export function createGlueTables(client: GlueClient): TableCatalog {
  return {
    async get(database, name) {
      try {
        const { Table: table } = await client.send(new GetTableCommand({ DatabaseName: database, Name: name }));
        return table && catalogedTable(table);
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw glueFault(error, `load ${database}.${name}`, 'glue');
      }
    },

    async list(database, prefix) {
      const found: CatalogedTable[] = [];
      let NextToken: string | undefined;
      try {
        do {
          const input = { DatabaseName: database, ...(NextToken !== undefined && { NextToken }) };
          const page = await client.send(new GetTablesCommand(input));
          found.push(...(page.TableList ?? []).map(catalogedTable).filter(({ name }) => name.startsWith(prefix)));
          NextToken = page.NextToken || undefined;
        } while (NextToken !== undefined);
      } catch (error) {
        throw glueFault(error, `list the tables of ${database}`, 'glue');
      }
      return found.sort((a, b) => (a.name < b.name ? -1 : 1));
    },

    async create(database, input) {
      try {
        await client.send(new CreateTableCommand({ DatabaseName: database, TableInput: input }));
      } catch (error) {
        if (isTaken(error)) throw lost(error, `${database}.${input.Name}`);
        throw glueFault(error, `make ${database}.${input.Name}`, 'glue');
      }
    },

    async update(database, input, version) {
      try {
        await client.send(
          new UpdateTableCommand({
            DatabaseName: database,
            TableInput: input,
            ...(version !== undefined && { VersionId: version }),
          }),
        );
      } catch (error) {
        if (isLostRace(error)) throw lost(error, `${database}.${input.Name}`);
        throw glueFault(error, `change ${database}.${input.Name}`, 'glue');
      }
    },

    async remove(database, name) {
      try {
        await client.send(new DeleteTableCommand({ DatabaseName: database, Name: name }));
      } catch (error) {
        if (isMissing(error)) return;
        throw glueFault(error, `take ${database}.${name} out`, 'glue');
      }
    },
  };
}

function lost(cause: unknown, table: string): LakegateError {
  return new LakegateError('conflict', `${table} was changed by somebody else at the same moment. Run this again.`, {
    cause,
    context: { table },
  });
}

function catalogedTable(table: Table): CatalogedTable {
  const { StorageDescriptor: storage = {}, Parameters: parameters = {} } = table;
  const columns = (all: { Name?: string | undefined; Type?: string | undefined }[] | undefined) =>
    (all ?? []).map(({ Name = '', Type = 'string' }) => ({ name: Name, type: Type }));
  const comment = table.Description ?? parameters.comment;
  return {
    name: table.Name ?? '',
    ...(table.VersionId !== undefined && { version: table.VersionId }),
    ...(table.TableType !== undefined && { type: table.TableType }),
    ...(storage.Location !== undefined && { location: storage.Location }),
    ...(comment !== undefined && { comment }),
    columns: columns(storage.Columns),
    partitionKeys: columns(table.PartitionKeys),
    bucketColumns: storage.BucketColumns ?? [],
    buckets: storage.NumberOfBuckets ?? -1,
    parameters,
  };
}
