import {
  CreatePartitionCommand,
  GetPartitionCommand,
  type GlueClient,
  type PartitionInput,
  UpdatePartitionCommand,
} from '@aws-sdk/client-glue';
import { glueFault, isMissing, isTaken } from '../catalogs/glue-fault.ts';
import { LakegateError } from '../errors.ts';
import { tableInput } from './glue-table-input.ts';
import type { SnapshotPartitions, VirtualPartition } from './virtual.ts';

/**
 * Partitions by Glue's own API.
 * @param client which sends throttled requests again, as the SDK's do by default
 */
export function createGluePartition(client: GlueClient): SnapshotPartitions {
  return {
    async get(database, table, date) {
      try {
        const { Partition: found } = await client.send(
          new GetPartitionCommand({ DatabaseName: database, TableName: table, PartitionValues: [date] }),
        );
        if (found === undefined) return undefined;
        const { Location: location, Columns: columns = [] } = found.StorageDescriptor ?? {};
        return {
          ...(location !== undefined && { location }),
          columns: columns.map(({ Name = '', Type = 'string' }) => ({ name: Name, type: Type })),
        };
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw glueFault(error, `load the partition ${date} of ${database}.${table}`, 'glue');
      }
    },

    async put(database, table, partition, exists) {
      const of = { DatabaseName: database, TableName: table, PartitionInput: partitionInput(partition) };
      try {
        if (exists) await client.send(new UpdatePartitionCommand({ ...of, PartitionValueList: [partition.date] }));
        else await client.send(new CreatePartitionCommand(of));
      } catch (error) {
        if (isTaken(error)) {
          throw new LakegateError(
            'conflict',
            `the partition ${partition.date} of ${database}.${table} was made by somebody else at the same moment. Run this again.`,
            { cause: error, context: { table: `${database}.${table}` } },
          );
        }
        throw glueFault(error, `register the partition ${partition.date} of ${database}.${table}`, 'glue');
      }
    },
  };
}

/** Read as a table of its columns would be. */
function partitionInput({ date, location, columns }: VirtualPartition): PartitionInput {
  const { StorageDescriptor } = tableInput({ name: date, location, columns, partitionKeys: [], comment: '' });
  return { Values: [date], ...(StorageDescriptor !== undefined && { StorageDescriptor }) };
}
