import { LakegateError } from '../errors.ts';

/** A key as `readRows` gives it. */
export type BucketKey = string | number | bigint | Uint8Array | null;

const encoder = new TextEncoder();

/**
 * Hive's bucket of a key, from 0 (Hive's ObjectInspectorUtils.getBucketHashCode, bucketing version 1; the one that Athena, Trino and Spark's HiveHash
 * have): strings by their UTF-8 bytes, taken as signed; integers of up to 32 bits are their own hash, those of 64 bits fold their halves; null is 0.
 * @param count of buckets, at least 1
 * @throws LakegateError `unsupported` for a number that is no integer
 */
export function hiveBucket(key: BucketKey, count: number): number {
  return (hashOf(key) & 0x7fffffff) % count;
}

function hashOf(key: BucketKey): number {
  if (key === null) return 0;
  if (typeof key === 'string') return hashOfBytes(encoder.encode(key));
  if (typeof key === 'bigint') return Number(BigInt.asIntN(32, key ^ (BigInt.asUintN(64, key) >> 32n)));
  if (typeof key !== 'number') return hashOfBytes(key);
  if (Number.isInteger(key) && key === (key | 0)) return key;
  throw new LakegateError('unsupported', `expected a string or an integer to bucket by, found ${key}`);
}

function hashOfBytes(bytes: Uint8Array): number {
  let hash = 0;
  for (const byte of bytes) hash = (Math.imul(31, hash) + (byte > 127 ? byte - 256 : byte)) | 0;
  return hash;
}

/** How engines name a bucket's file: Hive and Spark's Hive writer (`000017_0…`), Trino and Athena (`…_bucket-00017…`), Hive's own tables (`bucket_00017`). */
const NAMES = [/^(0\d+)_\d+/, /_bucket-(\d+)(?:[-_.].*)?$/, /^bucket_(\d+)(?:_\d+)?$/];

/** The bucket that a file's name says; undefined where it says none. */
export function bucketOfFile(name: string): number | undefined {
  for (const pattern of NAMES) {
    const digits = pattern.exec(name)?.[1];
    if (digits !== undefined) return Number(digits);
  }
  return undefined;
}
