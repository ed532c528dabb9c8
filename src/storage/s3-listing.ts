import {
  ListMultipartUploadsCommand,
  paginateListObjectsV2,
  paginateListParts,
  type S3Client,
} from '@aws-sdk/client-s3';
import { isGone, s3Fault } from './s3-errors.ts';
import { s3Info } from './s3-reading.ts';
import { decodedKey, s3Prefix, uploadUrl } from './s3-url.ts';
import type { ObjectInfo } from './store.ts';
import { splitPrefix } from './urls.ts';

/**
 * The port's list, page by page as it is asked for, in the server's order, which is that of the keys' UTF-8 bytes on S3 (not so in directory
 * buckets, and in SeaweedFS). Folder markers, keys that end in `/`, are no objects to lakegate and are left out.
 */
export async function* listS3(client: S3Client, prefix: string): AsyncGenerator<ObjectInfo> {
  const { bucket, key } = s3Prefix(prefix);
  const folder = splitPrefix(prefix).folder;
  const inFolder = key.length - splitPrefix(prefix).stem.length;
  try {
    // Keys may hold characters that XML cannot.
    const pages = paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: key, EncodingType: 'url' });
    for await (const page of pages) {
      for (const object of page.Contents ?? []) {
        const found = decodedKey(object.Key ?? '', page.EncodingType);
        if (found.endsWith('/')) continue;
        yield s3Info(folder + found.slice(inFolder), object.Size, object.ETag, object.LastModified);
      }
    }
  } catch (error) {
    throw s3Fault(error, { doing: 'list', url: prefix, permission: 's3:ListBucket' });
  }
}

/** The port's `unfinished`: uploads under a folder whose last part is old, as URLs that only `delete` understands. */
export async function* unfinishedUploads(
  client: S3Client,
  prefix: string,
  olderThanMs: number,
  now: () => number,
): AsyncGenerator<string> {
  const { bucket, key: keyPrefix } = s3Prefix(prefix);
  const before = now() - olderThanMs;
  const doing = {
    doing: 'list the unfinished uploads under',
    url: prefix,
    permission: 's3:ListBucketMultipartUploads',
  };
  let after: { KeyMarker?: string; UploadIdMarker?: string } | undefined = {};
  while (after !== undefined) {
    const page: Awaited<ReturnType<typeof uploadsPage>> = await uploadsPage(client, bucket, keyPrefix, after).catch(
      (error) => {
        throw s3Fault(error, doing);
      },
    );
    for (const { Key, UploadId, Initiated } of page.Uploads ?? []) {
      if (UploadId === undefined || (Initiated?.getTime() ?? 0) > before) continue;
      const place = { bucket, key: decodedKey(Key ?? '', page.EncodingType) };
      // A slow writer's upload may be old and alive.
      const lastPart = await lastPartTime(client, place, UploadId, prefix);
      if (lastPart !== undefined && lastPart <= before) yield uploadUrl(place, UploadId);
    }
    after = page.IsTruncated
      ? {
          KeyMarker: decodedKey(page.NextKeyMarker ?? '', page.EncodingType),
          ...(page.NextUploadIdMarker !== undefined && { UploadIdMarker: page.NextUploadIdMarker }),
        }
      : undefined;
  }
}

function uploadsPage(
  client: S3Client,
  bucket: string,
  prefix: string,
  after: { KeyMarker?: string; UploadIdMarker?: string },
) {
  return client.send(
    new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix, EncodingType: 'url', ...after }),
  );
}

/** When an upload got its last part, milliseconds since the epoch; 0 without parts; undefined when the upload is gone. */
async function lastPartTime(
  client: S3Client,
  { bucket, key }: { bucket: string; key: string },
  uploadId: string,
  url: string,
): Promise<number | undefined> {
  let last = 0;
  try {
    for await (const page of paginateListParts({ client }, { Bucket: bucket, Key: key, UploadId: uploadId })) {
      for (const part of page.Parts ?? []) last = Math.max(last, part.LastModified?.getTime() ?? 0);
    }
    return last;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw s3Fault(error, { doing: 'list the uploads under', url, permission: 's3:ListMultipartUploadParts' });
  }
}
