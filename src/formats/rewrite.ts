import { LakegateError } from '../errors.ts';
import type { PartitionSpec, Schema, Value } from '../iceberg/model.ts';
import { partitionToPath } from '../iceberg/transforms.ts';
import type { ObjectStore } from '../storage/store.ts';
import { createParquetFile, type ParquetFile } from './parquet-file.ts';
import { partitionSplitter } from './partition-splitter.ts';
import type { RowBatch, RowValue } from './row-batch.ts';
import { estimateBytes } from './row-size.ts';

/** A Parquet file as written. */
export interface RewrittenFile {
  url: string;
  /** Size in bytes. */
  size: number;
  rows: number;
  /** Partition values in the order of the spec's fields; undefined is null. */
  partition: (Value | undefined)[];
}

export interface RewriteRequest {
  rows: AsyncIterable<RowBatch>;
  schema: Schema;
  spec: PartitionSpec;
  /** Names the n-th file (from 0) under `partitionPath` (`a=1/b=x`, empty without partitioning). Equal arguments have to give equal names. */
  targetUrl: (partitionPath: string, n: number) => string;
  store: ObjectStore;
  /** Rows in a row group at most; fewer where rows are long or partitions many. Default 100,000. */
  rowGroupRows?: number;
  /** Partitions one call may write. Default 1,000: a file of more is rather partitioned by the wrong column. */
  maxOpenPartitions?: number;
}

const ROW_GROUP_ROWS = 100_000;
const MAX_PARTITIONS = 1_000;
/** Estimated memory of a row group's values at which it is written; what the writer builds from it comes on top. */
const ROW_GROUP_BYTES = 16 << 20;
/** Estimated memory of all partitions' waiting values at which the largest is written. */
const WAITING_BYTES = 32 << 20;
/** A file that has grown to this is finished, and the partition goes on in another. */
const FILE_BYTES = 512 << 20;

interface Partition {
  values: (Value | undefined)[];
  path: string;
  /** Values waiting for the next row group, column by column. */
  columns: RowValue[][];
  waitingBytes: number;
  open?: ParquetFile;
}

/**
 * Writes rows as Parquet files of a table, split by the spec's partition values (null is a partition of its own). Memory is bounded by the waiting
 * values, not by the rows; a partition's file is opened with its first row group, so small ones are written one after the other at the end.
 *
 * The same rows give the same files under the same names, byte for byte, so a retry after a kill writes over nothing: a file that is there with the same
 * size is taken as this one (the store's contract). When a call throws, its unfinished files are gone but finished ones stay: they are the caller's
 * to delete, who alone knows whether an earlier attempt already put them into the table.
 *
 * @returns the files, partitions in order of first appearance; none when there are no rows
 * @throws LakegateError `invalid` for too many partitions; `exists` when another file has a target's name (delete it and call again); whatever `rows` throws
 */
export async function rewrite(request: RewriteRequest): Promise<{ files: RewrittenFile[] }> {
  const { schema, spec, store, targetUrl } = request;
  const maxRows = request.rowGroupRows ?? ROW_GROUP_ROWS;
  const maxPartitions = request.maxOpenPartitions ?? MAX_PARTITIONS;
  const partitions = new Map<string, Partition>();
  const finished = new Map<Partition, RewrittenFile[]>();
  /** Files so far by path, not by partition: null and the text "null" share a path, and `A` and `a` do on some file systems. */
  const named = new Map<string, number>();
  let waitingBytes = 0;

  const nextUrl = (path: string): string => {
    const folded = path.toLowerCase();
    const n = named.get(folded) ?? 0;
    named.set(folded, n + 1);
    return targetUrl(path, n);
  };

  const partitionOf = (key: string, values: (Value | undefined)[]): Partition => {
    const known = partitions.get(key);
    if (known !== undefined) return known;
    if (partitions.size >= maxPartitions) throw tooManyPartitions(maxPartitions, partitions, spec, schema);
    const path = spec.fields.length === 0 ? '' : partitionToPath(spec, schema, values);
    const columns = schema.fields.map(() => []);
    const partition: Partition = { values, path, columns, waitingBytes: 0 };
    partitions.set(key, partition);
    finished.set(partition, []);
    return partition;
  };

  const finish = async (partition: Partition): Promise<void> => {
    const { open } = partition;
    if (open === undefined) return;
    const { size } = await open.finish();
    partition.open = undefined;
    finished.get(partition)?.push({ url: open.url, size, rows: open.rows, partition: partition.values });
  };

  const writeRowGroup = async (partition: Partition): Promise<void> => {
    if ((partition.columns[0]?.length ?? 0) === 0) return;
    partition.open ??= await createParquetFile(store, nextUrl(partition.path), schema);
    const columns = partition.columns;
    partition.columns = schema.fields.map(() => []);
    waitingBytes -= partition.waitingBytes;
    partition.waitingBytes = 0;
    await partition.open.writeRowGroup(columns);
    if (partition.open.size >= FILE_BYTES) await finish(partition);
  };

  try {
    const split = partitionSplitter(spec, schema);
    for await (const batch of request.rows) {
      if (batch.rows === 0) continue;
      const rowBytes = estimateBytes(batch) / batch.rows;
      for (const part of split(batch)) {
        const partition = partitionOf(part.key, part.values);
        for (let from = 0; from < part.rows; ) {
          const taken = Math.min(part.rows - from, maxRows - (partition.columns[0]?.length ?? 0));
          append(partition.columns, part.columns, from, from + taken);
          from += taken;
          partition.waitingBytes += taken * rowBytes;
          waitingBytes += taken * rowBytes;
          if (partition.columns[0]?.length === maxRows || partition.waitingBytes >= ROW_GROUP_BYTES) {
            await writeRowGroup(partition);
          }
        }
      }
      while (waitingBytes >= WAITING_BYTES) await writeRowGroup(largest(partitions));
    }
    for (const partition of partitions.values()) {
      await writeRowGroup(partition);
      await finish(partition);
    }
  } catch (error) {
    await Promise.allSettled([...partitions.values()].map((partition) => partition.open?.abort()));
    throw error;
  }
  return { files: [...finished.values()].flat() };
}

function append(target: RowValue[][], source: readonly RowValue[][], from: number, to: number): void {
  for (const [index, column] of target.entries()) {
    const values = source[index] ?? [];
    for (let row = from; row < to; row++) column.push(values[row]);
  }
}

function largest(partitions: ReadonlyMap<string, Partition>): Partition {
  let found: Partition | undefined;
  for (const partition of partitions.values()) {
    if (found === undefined || partition.waitingBytes > found.waitingBytes) found = partition;
  }
  if (found === undefined) throw new LakegateError('internal', 'Values are waiting, but no partition holds them.');
  return found;
}

/** Names the partition field with the most values: the one to blame. */
function tooManyPartitions(
  limit: number,
  partitions: ReadonlyMap<string, Partition>,
  spec: PartitionSpec,
  schema: Schema,
): LakegateError {
  const distinct = spec.fields.map((_, index) => {
    const single = { ...spec, fields: spec.fields.slice(index, index + 1) };
    return new Set([...partitions.values()].map((one) => partitionToPath(single, schema, [one.values[index]]))).size;
  });
  const field = spec.fields[distinct.indexOf(Math.max(...distinct))];
  const column = schema.fields.find((candidate) => candidate.id === field?.sourceId)?.name ?? field?.name;
  return new LakegateError(
    'invalid',
    `The file spans more than ${limit} partitions; most come from column "${column}" (${field?.transform}). ` +
      'Partition the table more coarsely (by month, or by bucket), or split the file before dropping it.',
    { context: { limit, column, transform: field?.transform } },
  );
}
