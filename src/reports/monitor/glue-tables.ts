import { GlueClient, paginateGetPartitions, paginateGetTables, type Table } from '@aws-sdk/client-glue';
import { glueFault } from '../../catalogs/glue-fault.ts';
import type { WatchedDatabase } from '../../config/monitor-model.ts';
import { folderUrl, type ParquetTable, type RegisteredPartition } from './partition-folders.ts';

/** Reads the Parquet tables of Glue databases. */
export interface GlueTables {
  /** @throws LakegateError `unavailable` | `not_found` */
  list(database: WatchedDatabase): Promise<ParquetTable[]>;
  /** The table with its partitions. @throws LakegateError as `list` */
  withPartitions(table: ParquetTable): Promise<ParquetTable>;
}

/** What the jobs write about the tables they register. */
const SNAPSHOT_COMMENT = /created from snapshot_dt=([\w.:-]+)/;

/** Read-only: GetTables and GetPartitions. @param region default: the environment's */
export function openGlueTables(region: string | undefined): GlueTables {
  const client = new GlueClient(region === undefined ? {} : { region });
  return {
    async list({ name: database, prefix }) {
      const found: ParquetTable[] = [];
      try {
        for await (const { TableList } of paginateGetTables({ client }, { DatabaseName: database })) {
          for (const table of TableList ?? []) {
            const parquet = table.Name?.startsWith(prefix) ? parquetTable(database, table) : undefined;
            if (parquet !== undefined) found.push(parquet);
          }
        }
      } catch (error) {
        throw glueFault(error, `list the tables of ${database}`, 'glue');
      }
      return found;
    },
    async withPartitions(table) {
      const { registered } = table;
      if (registered?.partitions === undefined || registered.partitionKeys.length === 0) return table;
      const [database, ...rest] = table.name.split('.');
      const input = { DatabaseName: database, TableName: rest.join('.'), ExcludeColumnSchema: true };
      const partitions: RegisteredPartition[] = [];
      try {
        for await (const { Partitions } of paginateGetPartitions({ client }, input)) {
          for (const { Values, StorageDescriptor } of Partitions ?? []) {
            const location = StorageDescriptor?.Location;
            if (location) partitions.push({ values: Values ?? [], location: folderUrl(location) });
          }
        }
      } catch (error) {
        throw glueFault(error, `list the partitions of ${table.name}`, 'glue');
      }
      return { ...table, registered: { ...registered, partitions } };
    },
  };
}

/** Undefined for what is no Parquet table of Hive's kind: a view, a link, an Iceberg table, another format. */
function parquetTable(database: string, table: Table): ParquetTable | undefined {
  const storage = table.StorageDescriptor;
  const isParquet = /parquet/i.test(`${storage?.InputFormat} ${storage?.SerdeInfo?.SerializationLibrary}`);
  const isIceberg = table.Parameters?.table_type?.toUpperCase() === 'ICEBERG';
  if (!isParquet || isIceberg || table.TargetTable || !storage?.Location) return undefined;
  const comment = SNAPSHOT_COMMENT.exec(table.Description ?? table.Parameters?.comment ?? '')?.[1];
  const columns = (storage.Columns ?? []).flatMap(({ Name, Type }) =>
    Name ? [{ name: Name, type: Type ?? 'string' }] : [],
  );
  const isProjected = table.Parameters?.['projection.enabled']?.toLowerCase() === 'true';
  return {
    name: `${database}.${table.Name}`,
    location: folderUrl(storage.Location),
    registered: {
      columns,
      partitionKeys: (table.PartitionKeys ?? []).flatMap(({ Name }) => (Name ? [Name] : [])),
      ...(!isProjected && { partitions: [] }),
    },
    ...(comment !== undefined && { snapshotName: comment }),
  };
}
