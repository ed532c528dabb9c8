import { LakegateError } from '../errors.ts';
import type { PartitionSpec, Schema, Value } from '../iceberg/model.ts';
import { partitionToPath } from '../iceberg/transforms.ts';
import type { ObjectStore } from '../storage/store.ts';
import { grown } from './growing.ts';
import { createParquetFile, type ParquetFile } from './parquet-file.ts';
import { PartitionNumbers } from './partition-numbers.ts';
import type { RowBatch } from './row-batch.ts';
import { RowBlock } from './row-block.ts';

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
/** Memory of a partition's waiting rows at which they are written as a row group. */
const ROW_GROUP_BYTES = 16 << 20;
/** Memory of all waiting rows at which the larger partitions' are written, until half of the rows have gone. */
const WAITING_BYTES = 48 << 20;
/** A file that has grown to this is finished, and the partition goes on in another. */
const FILE_BYTES = 512 << 20;

interface Partition {
  values: (Value | undefined)[];
  path: string;
  /** Rows waiting for the next row group. */
  waiting: number;
  open?: ParquetFile;
  finished: RewrittenFile[];
}

/**
 * Writes rows as Parquet files of a table, split by the spec's partition values (null is a partition of its own). Rows wait in one
 * block of bounded size, whatever the number of rows and partitions, until those of a partition fill a row group or the block is full; a partition's
 * file is opened with its first row group, so small ones are written one after the other at the end.
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
  const partitions: Partition[] = [];
  const numbering = new PartitionNumbers(spec, schema);
  const block = new RowBlock(schema);
  /** Partition number of each waiting row. */
  let numbers = new Uint32Array(0);
  /** Files so far by path, not by partition: null and the text "null" share a path, and `A` and `a` do on some file systems. */
  const named = new Map<string, number>();

  const nextUrl = (path: string): string => {
    const folded = path.toLowerCase();
    const n = named.get(folded) ?? 0;
    named.set(folded, n + 1);
    return targetUrl(path, n);
  };

  const takeIn = (batch: RowBatch): void => {
    const from = block.rows;
    block.append(batch);
    numbers = grown(numbers, block.rows, Uint32Array);
    numbering.assign(block, from, numbers, maxPartitions, () =>
      tooManyPartitions(maxPartitions, numbering.values, spec, schema),
    );
    for (const values of numbering.values.slice(partitions.length)) {
      const path = spec.fields.length === 0 ? '' : partitionToPath(spec, schema, values);
      partitions.push({ values, path, waiting: 0, finished: [] });
    }
    for (let row = from; row < block.rows; row++) partitions[numbers[row]!]!.waiting++;
  };

  const finish = async (partition: Partition): Promise<void> => {
    const { open } = partition;
    if (open === undefined) return;
    const { size } = await open.finish();
    partition.open = undefined;
    partition.finished.push({ url: open.url, size, rows: open.rows, partition: partition.values });
  };

  const writeRowGroup = async (partition: Partition, rows: Uint32Array): Promise<void> => {
    partition.open ??= await createParquetFile(store, nextUrl(partition.path), schema);
    await partition.open.writeRowGroup(rows.length, (column) => block.gather(column, rows));
    if (partition.open.size >= FILE_BYTES) await finish(partition);
  };

  /** Writes the first so many waiting rows of each partition, in row groups, and lets go of them. */
  const write = async (takes: readonly number[], atEnd: boolean): Promise<void> => {
    const { taken, kept } = sortedOut(numbers, block.rows, takes);
    for (const [number, partition] of partitions.entries()) {
      const rows = taken[number];
      for (let from = 0; rows !== undefined && from < rows.length; from += maxRows) {
        await writeRowGroup(partition, rows.subarray(from, from + maxRows));
      }
      partition.waiting -= rows?.length ?? 0;
      if (atEnd) await finish(partition);
    }
    block.keep(kept);
    for (let row = 0; row < kept.length; row++) numbers[row] = numbers[kept[row]!]!;
  };

  try {
    for await (const batch of request.rows) {
      if (batch.rows === 0) continue;
      takeIn(batch);
      const takes = rowsToWrite(partitions, block, maxRows);
      if (takes !== undefined) await write(takes, false);
    }
    await write(
      partitions.map(({ waiting }) => waiting),
      true,
    );
  } catch (error) {
    await Promise.allSettled(partitions.map((partition) => partition.open?.abort()));
    throw error;
  }
  return { files: partitions.flatMap(({ finished }) => finished) };
}

/**
 * How many of each partition's waiting rows are to be written now; undefined while none have to be. When one partition fills a row group, those that
 * fill half of one go with it, since every writing moves the rows that stay.
 */
function rowsToWrite(partitions: readonly Partition[], block: RowBlock, maxRows: number): number[] | undefined {
  const { size, rows } = block;
  const enough = Math.min(maxRows, Math.ceil((ROW_GROUP_BYTES * rows) / size));
  const takes = partitions.map(({ waiting }) => (waiting < enough ? 0 : waiting - (waiting % maxRows) || waiting));
  if (takes.some((take) => take > 0)) {
    return takes.map((take, number) => {
      const { waiting } = partitions[number]!;
      return take > 0 || waiting < enough / 2 ? take : waiting;
    });
  }
  if (size < WAITING_BYTES) return undefined;
  const largest = [...partitions.keys()].sort((a, b) => partitions[b]!.waiting - partitions[a]!.waiting || a - b);
  let left = rows;
  for (const number of largest) {
    if (left <= rows / 2) break;
    takes[number] = partitions[number]!.waiting;
    left -= takes[number];
  }
  return takes;
}

/** The rows of each partition that are to be written, and those that stay; all ascending. */
function sortedOut(
  numbers: Uint32Array,
  rows: number,
  takes: readonly number[],
): { taken: (Uint32Array | undefined)[]; kept: Uint32Array } {
  const taken = takes.map((take) => (take === 0 ? undefined : new Uint32Array(take)));
  const filled = new Uint32Array(takes.length);
  const kept = new Uint32Array(rows - takes.reduce((sum, take) => sum + take, 0));
  let staying = 0;
  for (let row = 0; row < rows; row++) {
    const number = numbers[row]!;
    const at = filled[number]!;
    const target = taken[number];
    if (target !== undefined && at < target.length) {
      target[at] = row;
      filled[number] = at + 1;
    } else kept[staying++] = row;
  }
  return { taken, kept };
}

/** Names the partition field with the most values: the one to blame. */
function tooManyPartitions(
  limit: number,
  partitions: readonly (readonly (Value | undefined)[])[],
  spec: PartitionSpec,
  schema: Schema,
): LakegateError {
  const distinct = spec.fields.map((_, index) => {
    const single = { ...spec, fields: spec.fields.slice(index, index + 1) };
    return new Set(partitions.map((values) => partitionToPath(single, schema, [values[index]]))).size;
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
