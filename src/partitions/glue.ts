import {
  BatchCreatePartitionCommand,
  BatchDeletePartitionCommand,
  BatchGetPartitionCommand,
  BatchUpdatePartitionCommand,
  type ErrorDetail,
  GetDatabasesCommand,
  GetPartitionsCommand,
  GetTablesCommand,
  type Partition,
  type Table,
} from '@aws-sdk/client-glue';
import { isMissing } from '../catalogs/glue-fault.ts';
import { type GlueRequestsOptions, glueRequests } from './glue-requests.ts';
import { mergePages } from './merge-pages.ts';
import type { CatalogTable, ItemFault, PartitionCatalog, TableName } from './ports.ts';
import type { Tally } from './tally.ts';

export interface GluePartitionsOptions extends GlueRequestsOptions {
  /** Account whose catalogue it is. Default: the caller's. */
  catalogId?: string;
}

/** Partitions that one segment is worth reading by itself for: some pages. Glue reads at most ten segments of a table at once. */
const SEGMENT = 5_000;
const MOST_SEGMENTS = 10;

/** Glue's largest pages. */
const PAGE = { databases: 100, tables: 100, partitions: 1_000 };

/** Tables and partitions by Glue's own API. */
export function createGluePartitions(options: GluePartitionsOptions): PartitionCatalog {
  const { client } = options;
  const request = glueRequests(options);
  const catalog = options.catalogId === undefined ? {} : { CatalogId: options.catalogId };
  const named = ({ database, table }: TableName) => ({ ...catalog, DatabaseName: database, TableName: table });

  async function* segment(
    table: TableName,
    columns: boolean,
    Segment: { SegmentNumber: number; TotalSegments: number } | undefined,
    tally: Tally,
  ): AsyncGenerator<Partition[]> {
    let NextToken: string | undefined;
    do {
      const input = {
        ...named(table),
        MaxResults: PAGE.partitions,
        ...(!columns && { ExcludeColumnSchema: true }),
        ...(Segment !== undefined && { Segment }),
        ...(NextToken !== undefined && { NextToken }),
      };
      const page = await request('GetPartitions', `list the partitions of ${written(table)}`, tally, () =>
        client.send(new GetPartitionsCommand(input)),
      );
      yield page.Partitions ?? [];
      NextToken = page.NextToken || undefined;
    } while (NextToken !== undefined);
  }

  return {
    async *databases(tally) {
      let NextToken: string | undefined;
      do {
        const input = { ...catalog, MaxResults: PAGE.databases, ...(NextToken !== undefined && { NextToken }) };
        const page = await request('GetDatabases', 'list the databases', tally, () =>
          client.send(new GetDatabasesCommand(input)),
        );
        yield (page.DatabaseList ?? []).flatMap(({ Name, TargetDatabase }) => (Name && !TargetDatabase ? [Name] : []));
        NextToken = page.NextToken || undefined;
      } while (NextToken !== undefined);
    },

    async *tables(database, tally) {
      let NextToken: string | undefined;
      do {
        const input = {
          ...catalog,
          DatabaseName: database,
          MaxResults: PAGE.tables,
          ...(NextToken !== undefined && { NextToken }),
        };
        const page = await request('GetTables', `list the tables of ${database}`, tally, () =>
          client.send(new GetTablesCommand(input)),
        );
        yield (page.TableList ?? []).map((table) => catalogTable(database, table));
        NextToken = page.NextToken || undefined;
      } while (NextToken !== undefined);
    },

    partitions(table, { columns, about }, tally) {
      const segments = Math.min(MOST_SEGMENTS, Math.ceil(about / SEGMENT));
      if (segments <= 1) return segment(table, columns, undefined, tally);
      return mergePages(
        Array.from({ length: segments }, (_, SegmentNumber) =>
          segment(table, columns, { SegmentNumber, TotalSegments: segments }, tally),
        ),
      );
    },

    async get(table, values, tally) {
      const found: Partition[] = [];
      let PartitionsToGet = values.map((own) => ({ Values: [...own] }));
      while (PartitionsToGet.length > 0) {
        const input = { ...named(table), PartitionsToGet };
        const answer = await request('BatchGetPartition', `read partitions of ${written(table)}`, tally, () =>
          client.send(new BatchGetPartitionCommand(input)),
        );
        found.push(...(answer.Partitions ?? []));
        // A large answer is given in parts. An answer with nothing in it would be asked for for ever.
        const left = answer.UnprocessedKeys ?? [];
        PartitionsToGet = (answer.Partitions ?? []).length === 0 ? [] : left.map(({ Values = [] }) => ({ Values }));
      }
      return found;
    },

    async create(table, partitions, tally) {
      const input = { ...named(table), PartitionInputList: [...partitions] };
      const answer = await request('BatchCreatePartition', `register partitions of ${written(table)}`, tally, () =>
        client.send(new BatchCreatePartitionCommand(input)),
      );
      return (answer.Errors ?? []).map(({ PartitionValues, ErrorDetail }) => itemFault(PartitionValues, ErrorDetail));
    },

    async update(table, partitions, tally) {
      const Entries = partitions.map((partition) => ({
        PartitionValueList: partition.Values ?? [],
        PartitionInput: partition,
      }));
      const answer = await request('BatchUpdatePartition', `change partitions of ${written(table)}`, tally, () =>
        client.send(new BatchUpdatePartitionCommand({ ...named(table), Entries })),
      );
      return (answer.Errors ?? []).map(({ PartitionValueList, ErrorDetail }) =>
        itemFault(PartitionValueList, ErrorDetail),
      );
    },

    async remove(table, values, tally) {
      const input = { ...named(table), PartitionsToDelete: values.map((own) => ({ Values: [...own] })) };
      const answer = await request('BatchDeletePartition', `remove partitions of ${written(table)}`, tally, () =>
        client.send(new BatchDeletePartitionCommand(input)),
      ).catch((error: unknown) => {
        // Some servers say of the whole request what Glue says of the one partition that is not there.
        if (values.length === 1 && error instanceof Error && isMissing(error.cause)) return { Errors: [] };
        throw error;
      });
      return (answer.Errors ?? []).map(({ PartitionValues, ErrorDetail }) => itemFault(PartitionValues, ErrorDetail));
    },
  };
}

function written({ database, table }: TableName): string {
  return `${database}.${table}`;
}

function itemFault(values: string[] | undefined, detail: ErrorDetail | undefined): ItemFault {
  return {
    values: values ?? [],
    code: detail?.ErrorCode ?? 'Unknown',
    message: (detail?.ErrorMessage ?? 'Glue gave no reason').replace(/\s+/g, ' ').slice(0, 500),
  };
}

function catalogTable(database: string, table: Table): CatalogTable {
  const { StorageDescriptor = {} } = table;
  return {
    database,
    name: table.Name ?? '',
    created: table.CreateTime?.toISOString() ?? '',
    ...(table.TableType !== undefined && { type: table.TableType }),
    parameters: table.Parameters ?? {},
    keys: (table.PartitionKeys ?? []).map(({ Name = '', Type = 'string' }) => ({
      name: Name,
      type: Type.trim().toLowerCase(),
    })),
    ...(StorageDescriptor.Location !== undefined && { location: StorageDescriptor.Location }),
    ...(table.TargetTable !== undefined && { target: table.TargetTable }),
    descriptor: StorageDescriptor,
  };
}
