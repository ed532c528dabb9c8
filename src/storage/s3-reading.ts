import type { Readable } from 'node:stream';
import {
  GetObjectCommand,
  type GetObjectCommandOutput,
  HeadBucketCommand,
  HeadObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { LakegateError } from '../errors.ts';
import { isGone, isStatus, noSuchBucket, type S3Doing, s3Fault } from './s3-errors.ts';
import { bareEtag, isTableBucket, quotedEtag, type S3Place, s3Place } from './s3-url.ts';
import type { ExpectedObject, ObjectInfo, RangeReader } from './store.ts';

/** A connection that breaks in the middle of a body is beyond the SDK's retries: the rest is asked for this often in all. */
const BODY_ATTEMPTS = 4;

export interface S3Reading {
  head(url: string): Promise<ObjectInfo | undefined>;
  open(url: string, expected?: ExpectedObject): Promise<RangeReader>;
  read(url: string): Promise<{ bytes: Uint8Array; etag: string }>;
}

/** The reading half of the port. */
export function s3Reading(client: S3Client): S3Reading {
  const seenBuckets = new Set<string>();

  /** HEAD's 404 has no body: it says neither whether the object or the whole bucket is missing. Asked once for each bucket. */
  async function checkBucket(bucket: string, url: string): Promise<void> {
    // A bucket of S3 Tables does not know the question; the catalogue has named it, so it is there.
    if (seenBuckets.has(bucket) || isTableBucket(url)) return;
    try {
      await client.send(new HeadBucketCommand({ Bucket: bucket }));
    } catch (error) {
      if (isStatus(error, 404)) throw noSuchBucket(url);
      // A bucket that may not be listed is there all the same.
      if (!isStatus(error, 403)) throw s3Fault(error, { doing: 'look at', url, permission: 's3:ListBucket' });
    }
    seenBuckets.add(bucket);
  }

  async function head(url: string): Promise<ObjectInfo | undefined> {
    const place = s3Place(url);
    try {
      const found = await client.send(new HeadObjectCommand({ Bucket: place.bucket, Key: place.key }));
      seenBuckets.add(place.bucket);
      return s3Info(url, found.ContentLength, found.ETag, found.LastModified, found.VersionId);
    } catch (error) {
      if (!isGone(error)) throw s3Fault(error, { doing: 'look at', url, permission: 's3:GetObject' });
    }
    await checkBucket(place.bucket, url);
    return undefined;
  }

  return {
    head,
    async open(url, expected) {
      const place = s3Place(url);
      const version = expected ?? (await head(url));
      if (version === undefined) {
        throw new LakegateError('not_found', `There is no object ${url}.`, { context: { url } });
      }
      return rangeReader(client, url, place, version);
    },
    async read(url) {
      const { bucket, key } = s3Place(url);
      const doing = { doing: 'read', url, permission: 's3:GetObject' };
      for (let attempt = 1; ; attempt += 1) {
        const answer = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key })).catch((error) => {
          throw s3Fault(error, doing);
        });
        seenBuckets.add(bucket);
        const bytes = new Uint8Array(answer.ContentLength ?? 0);
        const { fault } = await fill(bytes, 0, answer);
        if (fault === undefined) return { bytes, etag: bareEtag(answer.ETag) };
        if (attempt >= BODY_ATTEMPTS) throw s3Fault(fault, doing);
      }
    },
  };
}

/** The port's facts of an object. Times are whole seconds: HEAD tells no more, and listings agree with it. */
export function s3Info(
  url: string,
  size: number | undefined,
  etag: string | undefined,
  lastModified: Date | undefined,
  version?: string,
): ObjectInfo {
  return {
    url,
    size: size ?? 0,
    etag: bareEtag(etag),
    ...(version !== undefined && { version }),
    lastModified: Math.floor((lastModified?.getTime() ?? 0) / 1000) * 1000,
  };
}

/** What `expected` promises is not there (any more). */
export function replaced(url: string, expected: ExpectedObject, cause?: unknown): LakegateError {
  const version = expected.version ?? expected.etag;
  return new LakegateError(
    'not_found',
    `${url} is not there in version ${version} any more: it was replaced or deleted. Look at it again and take what is there now.`,
    { context: { url, expected: version }, ...(cause !== undefined && { cause }) },
  );
}

function rangeReader(client: S3Client, url: string, place: S3Place, version: ExpectedObject): RangeReader {
  const { size, etag } = version;
  const permission = version.version === undefined ? 's3:GetObject' : 's3:GetObjectVersion';
  const doing: S3Doing = { doing: 'read', url, permission };

  async function part(from: number, end: number): Promise<GetObjectCommandOutput> {
    try {
      return await client.send(
        new GetObjectCommand({
          Bucket: place.bucket,
          Key: place.key,
          Range: `bytes=${from}-${end - 1}`,
          IfMatch: quotedEtag(etag),
          VersionId: version.version,
        }),
      );
    } catch (error) {
      // 416: it is shorter than it was said to be.
      if (isGone(error) || isStatus(error, 412, 416)) throw replaced(url, version, s3Fault(error, doing));
      throw s3Fault(error, doing);
    }
  }

  return {
    url,
    byteLength: size,
    cheapSeeks: false,
    ...(isTableBucket(url) ? {} : { version }),
    async read(start, end, room) {
      const from = Math.max(0, start);
      const length = Math.max(0, Math.min(end, size) - from);
      const bytes = room !== undefined && room.length >= length ? room.subarray(0, length) : new Uint8Array(length);
      let done = 0;
      for (let attempt = 1; done < length; attempt += 1) {
        const answer = await part(from + done, from + length);
        // A server that ignores Range would give the object's beginning for any part of it.
        const given = /^bytes (\d+)-/.exec(answer.ContentRange ?? '')?.[1];
        if (Number(given ?? 0) !== from + done) {
          throw new LakegateError('unsupported', `Cannot read ${url}: the server at this endpoint ignores ranges.`, {
            context: { url },
          });
        }
        const { filled, fault } = await fill(bytes, done, answer);
        done = filled;
        if (fault !== undefined && attempt >= BODY_ATTEMPTS) throw s3Fault(fault, doing);
      }
      return bytes;
    },
    close: async () => undefined,
  };
}

/** Puts a body into `bytes` from an offset on. `fault`: why the body ended before they were full. */
async function fill(
  bytes: Uint8Array,
  offset: number,
  { Body }: GetObjectCommandOutput,
): Promise<{ filled: number; fault?: unknown }> {
  let filled = offset;
  try {
    for await (const chunk of Body as Readable) {
      const piece = chunk as Uint8Array;
      if (piece.length > bytes.length - filled) return { filled, fault: wrongLength('longer') };
      bytes.set(piece, filled);
      filled += piece.length;
    }
  } catch (fault) {
    return { filled, fault };
  }
  return filled < bytes.length ? { filled, fault: wrongLength('shorter') } : { filled };
}

function wrongLength(how: string): Error {
  return Object.assign(new Error(`the body was ${how} than its headers said`), { code: 'EMSGSIZE' });
}
