import type { Partition, PartitionInput } from '@aws-sdk/client-glue';
import { type BatchesResult, runBatches } from './batches.ts';
import { newEntry, withColumns } from './entry.ts';
import type { FoundPartition } from './model.ts';
import { BATCH, type CatalogTable, type ItemFault, type PartitionPorts } from './ports.ts';
import type { Tally } from './tally.ts';

/** Faults of single partitions that pass by themselves: Glue was busy, or with another change of the same table. */
const PASSING =
  /^(Throttl|TooManyRequests|RequestLimitExceeded|ProvisionedThroughputExceeded|ResourceNotReady|ConcurrentModification|InternalService|InternalFailure|OperationTimeout|ServiceUnavailable)/;

/** Whether a partition that was not taken may be taken later. */
export function isPassing({ code }: ItemFault): boolean {
  return PASSING.test(code);
}

/** The same for all that is written. */
function around(ports: PartitionPorts) {
  return {
    isRetryable: isPassing,
    pause: (attempt: number) => ports.sleep(100 * 2 ** attempt * (0.5 + ports.random() / 2)),
    outOfTime: () => isOutOfTime(ports),
  };
}

export function isOutOfTime(ports: PartitionPorts): boolean {
  return (ports.remainingMs?.() ?? 1) <= 0;
}

/** Registers partitions as the table is by now. Those that are registered already count as such. */
export function createPartitions(
  ports: PartitionPorts,
  table: CatalogTable,
  root: string,
  partitions: readonly FoundPartition[],
  tally: Tally,
): Promise<BatchesResult<FoundPartition>> {
  return runBatches(partitions, {
    ...around(ports),
    size: BATCH.create,
    valuesOf: ({ values }) => values,
    call: (batch) =>
      ports.catalog.create(
        nameOf(table),
        batch.map(({ values, prefix }): PartitionInput => newEntry(table.descriptor, values, `${root}${prefix}`)),
        tally,
      ),
    isDone: ({ code }) => code === 'AlreadyExistsException',
  });
}

/** Takes partitions out of the catalogue. Those that are not there any more count as taken out. */
export function removePartitions(
  ports: PartitionPorts,
  table: CatalogTable,
  partitions: readonly FoundPartition[],
  tally: Tally,
): Promise<BatchesResult<FoundPartition>> {
  return runBatches(partitions, {
    ...around(ports),
    size: BATCH.remove,
    valuesOf: ({ values }) => values,
    call: (batch) =>
      ports.catalog.remove(
        nameOf(table),
        batch.map(({ values }) => values),
        tally,
      ),
    isDone: ({ code }) => code === 'EntityNotFoundException',
  });
}

/** Gives partitions the columns of their table; all else stays as it is. */
export function updatePartitions(
  ports: PartitionPorts,
  table: CatalogTable,
  partitions: readonly Partition[],
  tally: Tally,
): Promise<BatchesResult<Partition>> {
  return runBatches(partitions, {
    ...around(ports),
    size: BATCH.update,
    valuesOf: ({ Values = [] }) => Values,
    call: (batch) =>
      ports.catalog.update(
        nameOf(table),
        batch.map((partition) => withColumns(partition, table.descriptor)),
        tally,
      ),
    isDone: () => false,
  });
}

/** Whole partitions by their values, in as few requests as may be. */
export async function readPartitions(
  ports: PartitionPorts,
  table: CatalogTable,
  values: readonly string[][],
  tally: Tally,
): Promise<Partition[]> {
  const found: Partition[] = [];
  for (let start = 0; start < values.length && !isOutOfTime(ports); start += BATCH.get) {
    found.push(...(await ports.catalog.get(nameOf(table), values.slice(start, start + BATCH.get), tally)));
  }
  return found;
}

function nameOf(table: CatalogTable) {
  return { database: table.database, table: table.name };
}
