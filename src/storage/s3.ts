import type { S3Client } from '@aws-sdk/client-s3';
import { createS3Client, onS3Request, type S3ClientOptions } from './s3-client.ts';
import { s3Copy } from './s3-copying.ts';
import { deleteS3 } from './s3-deleting.ts';
import { listS3, unfinishedUploads } from './s3-listing.ts';
import { putIf } from './s3-putting.ts';
import { rangeCopies } from './s3-range-copy.ts';
import { s3Reading } from './s3-reading.ts';
import { s3Writer } from './s3-writer.ts';
import type { ObjectStore } from './store.ts';

export interface S3StoreOptions extends S3ClientOptions {
  /** In place of a client made from the other options. */
  client?: S3Client;
  /** Hears the operation (`GetObject`) of each HTTP request sent, attempts counted singly. */
  onRequest?: (operation: string) => void;
  /** Set to false for a server that ignores `If-None-Match` on CopyObject: the target is then looked at first. Default: true. */
  conditionalCopy?: boolean;
  /** Bytes of an uploaded part, at least 5 MiB on S3. Default: 8 MiB. */
  partSize?: number;
  /** Bytes of a part at least, where ranges of other objects are copied into an object. Default: S3's limit, 5 MiB. */
  leastPart?: number;
  /** Largest object copied by one request, bytes. Default: S3's limit, 5 GiB. */
  copyAtOnce?: number;
  /** Bytes of a part of a larger copy, at least 5 MiB on S3. Default: 256 MiB. */
  copyPartSize?: number;
  now?: () => number;
}

const MIB = 1024 * 1024;
/** Parts of one object that are under way at once. */
const CONCURRENT_PARTS = 4;
/** A copied part takes none of this machine's bandwidth or memory. */
const CONCURRENT_COPIED_PARTS = 16;

/**
 * The object store on Amazon S3, and on servers that speak its API with conditional writes: `s3://bucket/key`, also as `s3a://` and `s3n://`.
 * Faults are LakegateErrors: `unavailable` and retryable for throttling, 5xx and the network; not retryable for what a person has to put right.
 */
export function createS3Store(options: S3StoreOptions = {}): ObjectStore {
  const client = options.client ?? createS3Client(options);
  if (options.onRequest) onS3Request(client, options.onRequest);
  const { head, open, read } = s3Reading(client);
  const copyOptions = {
    copyAtOnce: options.copyAtOnce ?? 5 * 1024 * MIB,
    copyPartSize: options.copyPartSize ?? 256 * MIB,
    concurrency: CONCURRENT_COPIED_PARTS,
    conditionalCopy: options.conditionalCopy ?? true,
  };
  const writerOptions = {
    partSize: options.partSize ?? 8 * MIB,
    concurrency: CONCURRENT_PARTS,
    copyConcurrency: CONCURRENT_COPIED_PARTS,
  };
  const ranges = rangeCopies(client, {
    leastPart: options.leastPart ?? 5 * MIB,
    copyPartSize: copyOptions.copyPartSize,
  });
  return {
    head,
    open,
    read,
    create: async (url, bytes) => putIf(client, url, bytes, { ifAbsent: true }),
    replace: async (url, bytes, etag) => putIf(client, url, bytes, { ifEtag: etag }),
    copy: (from, to, expected) => s3Copy(client, copyOptions, head, [from, to, expected]),
    writer: async (url) => s3Writer(client, url, writerOptions, ranges),
    delete: (urls) => deleteS3(client, urls),
    list: (prefix) => listS3(client, prefix),
    unfinished: (prefix, olderThanMs) => unfinishedUploads(client, prefix, olderThanMs, options.now ?? Date.now),
  };
}
