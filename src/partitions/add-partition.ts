import type { Partition } from '@aws-sdk/client-glue';
import { LakegateError } from '../errors.ts';
import { newEntry, schemaOf } from './entry.ts';
import { folderUrl } from './folder-url.ts';
import type { CatalogTable, ItemFault, PartitionPorts, TableName } from './ports.ts';
import { describeFault } from './result.ts';
import { newTally, type Tally } from './tally.ts';
import { createPartitions, isPassing, readPartitions } from './write.ts';

/**
 * Registers one partition of a table, without a look at any other folder. One that is there already gets the columns and the place that it should have.
 * @param folder URL of its files' folder, under the table's location
 * @throws LakegateError `not_found` for a table that is not there, `invalid` for a partition that Glue does not take, `unavailable`
 */
export async function addPartition(
  ports: PartitionPorts,
  { database, table }: TableName,
  { values, folder }: { values: readonly string[]; folder: string },
): Promise<void> {
  const tally = newTally();
  const found = await tableOf(ports, { database, table }, tally);
  const root = folderUrl(found.location ?? '');
  if (!folder.startsWith(root)) {
    throw new LakegateError(
      'invalid',
      `${database}.${table} lies in ${root}: expected its partition there, found ${folder}`,
    );
  }
  const partition = { values: [...values], prefix: folder.slice(root.length) };
  const { already, faults, error, left, untold } = await createPartitions(ports, found, root, [partition], tally);
  if (error !== undefined) throw error;
  check({ database, table }, faults);
  if (left.length > 0 || untold.length > 0) {
    throw new LakegateError(
      'unavailable',
      `${database}.${table}: whether Glue took the partition ${values.join('/')} is not known. Try again.`,
    );
  }
  if (already.length === 0) return;
  const [present] = await readPartitions(ports, found, [partition.values], tally);
  if (present !== undefined && isAsWanted(present, found, folder)) return;
  const entry = newEntry(found.descriptor, values, folder);
  check({ database, table }, await ports.catalog.update({ database, table }, [entry], tally));
}

async function tableOf(ports: PartitionPorts, { database, table }: TableName, tally: Tally): Promise<CatalogTable> {
  for await (const page of ports.catalog.tables(database, tally)) {
    const found = page.find(({ name }) => name === table);
    if (found !== undefined) return found;
  }
  throw new LakegateError('not_found', `there is no table ${database}.${table}. \`tables register\` makes it`);
}

function isAsWanted({ StorageDescriptor = {} }: Partition, { descriptor }: CatalogTable, folder: string): boolean {
  return schemaOf(StorageDescriptor) === schemaOf(descriptor) && folderUrl(StorageDescriptor.Location ?? '') === folder;
}

function check({ database, table }: TableName, faults: readonly ItemFault[]): void {
  const [fault] = faults;
  if (fault === undefined) return;
  throw new LakegateError(isPassing(fault) ? 'unavailable' : 'invalid', describeFault(database, table, fault));
}
