import { parquetWriteBuffer } from 'hyparquet-writer';
import { createMemoryStore } from '../../src/storage/memory.ts';
import { checkBuckets } from '../../src/tables/check-buckets.ts';
import { bucketOfFile, hiveBucket } from '../../src/tables/hive-bucket.ts';

// Hive's own values: String.hashCode of ASCII, Long.hashCode.
test.each([
  ['', 0],
  ['a', 97],
  ['hello', 99162322],
  // Bytes above 127 are negative to Hive: -61 * 31 + -87.
  ['é', (-61 * 31 + -87) & 0x7fffffff],
  [null, 0],
  [7, 7],
  [-1, 0x7fffffff],
  [7n, 7],
  [-1n, 0],
  [1n << 32n, 1],
  [-(1n << 63n), 0],
])('the hash of %p', (key, hash) => {
  expect(hiveBucket(key, 256)).toBe(hash % 256);
  expect(hiveBucket(key, 7)).toBe(hash % 7);
});

test('what cannot be bucketed by is refused', () => {
  expect(() => hiveBucket(1.5, 8)).toThrow('expected a string or an integer to bucket by, found 1.5');
});

test.each([
  ['000017_0', 17],
  ['000017_0-00aa11bb22cc33dd.parquet', 17],
  ['20260131_060000_00042_abcde_bucket-00017.snappy.parquet', 17],
  ['20260131_060000_00042_abcde_bucket-00017', 17],
  ['bucket_00017', 17],
  ['part-00017-00aa.parquet', undefined],
])('%s is of bucket %p', (name, bucket) => expect(bucketOfFile(name)).toBe(bucket));

describe('files', () => {
  const BUCKETS = 4;
  const keys = Array.from({ length: 200 }, (_, index) => (index % 50 === 0 ? null : `cust-${index}`));

  async function written(rename: (bucket: number) => number = (bucket) => bucket, column = 'id') {
    const store = createMemoryStore();
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
      const data = keys.filter((key) => hiveBucket(key, BUCKETS) === bucket);
      const buffer = parquetWriteBuffer({ columnData: [{ name: 'ID', data, type: 'STRING', nullable: true }] });
      await store.create(`memory:/t/00000${rename(bucket)}_0.parquet`, new Uint8Array(buffer));
    }
    await store.create('memory:/t/_SUCCESS', new Uint8Array());
    return checkBuckets(store, 'memory:/t/', { column, count: BUCKETS });
  }

  test('each row in its bucket', async () => {
    expect(await written()).toEqual({ files: 4, rows: 200, missing: [], faults: [] });
  });

  test('two files swapped: every row of both is misplaced', async () => {
    const { faults } = await written((bucket) => [1, 0, 2, 3][bucket]!);
    expect(faults.map(({ file }) => file)).toEqual(['000000_0.parquet', '000001_0.parquet']);
    expect(faults[0]!.message).toMatch(/^(\d+) of \1 rows are not of bucket 0; the first is row 0, of bucket 1$/);
  });

  test('a column that no file has: nothing was checked', async () => {
    await expect(written(undefined, 'other')).rejects.toMatchObject({
      kind: 'usage',
      message: expect.stringContaining('no file in memory:/t/ has the column other'),
    });
  });

  test('a bucket too many, a file without a name of one, a missing one', async () => {
    const { faults, missing } = await written((bucket) => (bucket === 3 ? 9 : bucket));
    expect(missing).toEqual([3]);
    expect(faults).toEqual([{ file: '000009_0.parquet', message: 'expected a bucket below 4, found bucket 9' }]);
  });
});
