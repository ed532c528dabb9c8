import pLimit from 'p-limit';
import { LakegateError } from '../errors.ts';
import { readFooter } from '../parquet/footer.ts';
import { readRows } from '../parquet/rows.ts';
import type { ObjectInfo, ObjectStore } from '../storage/store.ts';
import { type BucketKey, bucketOfFile, hiveBucket } from './hive-bucket.ts';

export interface Buckets {
  /** The column that rows are bucketed by. */
  column: string;
  count: number;
}

/** A file that readers of buckets would lose rows of, or refuse. */
export interface BucketFault {
  file: string;
  /** Rows that belong into other buckets; absent where the file as a whole is wrong. */
  misplaced?: number;
  message: string;
}

export interface BucketCheck {
  files: number;
  rows: number;
  /** Buckets without a file. */
  missing: number[];
  faults: BucketFault[];
}

const FILES_AT_ONCE = 4;
const DIGITS = 40;

/**
 * Looks whether each row of a folder's files lies in Hive's bucket of its key. Reads the key's column of every file, and no other. Engines that trust
 * the buckets lose rows in silence where it is not so.
 * @param folder URL ending in `/`, of files directly in it
 * @throws LakegateError of the store, `corrupt` for what is no Parquet, `unsupported` for a key of another type than a string or an integer, `usage` where
 *   no file has the column: nothing was checked then
 */
export async function checkBuckets(store: ObjectStore, folder: string, buckets: Buckets): Promise<BucketCheck> {
  const objects: ObjectInfo[] = [];
  for await (const object of store.list(folder)) {
    const name = object.url.slice(folder.length);
    if (!name.includes('/') && !/^[._]/.test(name)) objects.push(object);
  }
  const limit = pLimit(FILES_AT_ONCE);
  const checked = await Promise.all(objects.map((object) => limit(() => checkFile(store, object, folder, buckets))));
  if (checked.length > 0 && checked.every(({ hasKey }) => !hasKey)) {
    throw new LakegateError(
      'usage',
      `no file in ${folder} has the column ${buckets.column}: name the one that its rows are bucketed by`,
      {
        context: { folder },
      },
    );
  }
  const present = new Set(objects.map(({ url }) => bucketOfFile(url.slice(folder.length))));
  return {
    files: objects.length,
    rows: checked.reduce((sum, { rows }) => sum + rows, 0),
    missing: Array.from({ length: buckets.count }, (_, bucket) => bucket).filter((bucket) => !present.has(bucket)),
    faults: checked.flatMap(({ fault }) => fault ?? []),
  };
}

async function checkFile(
  store: ObjectStore,
  object: ObjectInfo,
  folder: string,
  { column, count }: Buckets,
): Promise<{ rows: number; hasKey: boolean; fault?: BucketFault }> {
  const file = object.url.slice(folder.length);
  const reader = await store.open(object.url, object);
  const footer = await readFooter(reader, object.url).finally(() => reader.close());
  const rows = footer.numRows;
  const field = footer.fields.find(({ name }) => name.toLowerCase() === column.toLowerCase());
  if (field === undefined) return { rows, hasKey: false, fault: { file, message: `it has no column ${column}` } };
  const own = bucketOfFile(file);
  if (own === undefined || own >= count) {
    const found = own === undefined ? 'none in its name' : `bucket ${own}`;
    return { rows, hasKey: true, fault: { file, message: `expected a bucket below ${count}, found ${found}` } };
  }
  let misplaced = 0;
  let first: { row: number; bucket: number } | undefined;
  const batches = readRows(footer, () => store.open(object.url, object), { columns: [field.name] });
  for await (const { firstRow, columns } of batches) {
    for (const [index, value] of (columns[field.name] ?? []).entries()) {
      const bucket = hiveBucket(keyOf(value, column), count);
      if (bucket === own) continue;
      misplaced += 1;
      first ??= { row: firstRow + index, bucket };
    }
  }
  if (first === undefined) return { rows, hasKey: true };
  const message = `${misplaced} of ${rows} rows are not of bucket ${own}; the first is row ${first.row}, of bucket ${first.bucket}`;
  return { rows, hasKey: true, fault: { file, misplaced, message } };
}

function keyOf(value: unknown, column: string): BucketKey {
  const isKey = value === null || ['string', 'number', 'bigint'].includes(typeof value) || value instanceof Uint8Array;
  if (isKey) return value as BucketKey;
  throw new LakegateError(
    'unsupported',
    `${column}: expected a string or an integer to bucket by, found ${String(value).slice(0, DIGITS)}`,
  );
}
