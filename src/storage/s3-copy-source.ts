import { HeadObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { isGone, isStatus, type S3Doing, s3Fault } from './s3-errors.ts';
import { replaced } from './s3-reading.ts';
import { quotedEtag, s3Place } from './s3-url.ts';
import type { ExpectedObject } from './store.ts';

/** One version of an object, to be copied. */
export interface CopyPlan {
  from: string;
  to: string;
  version: ExpectedObject;
}

/** When the source's version was written, milliseconds since the epoch. @throws LakegateError `not_found` when it is not there */
export async function sourceTime(client: S3Client, { from, version }: CopyPlan): Promise<number> {
  const { bucket, key } = s3Place(from);
  try {
    const found = await client.send(
      new HeadObjectCommand({
        Bucket: bucket,
        Key: key,
        VersionId: version.version,
        IfMatch: quotedEtag(version.etag),
      }),
    );
    return found.LastModified?.getTime() ?? 0;
  } catch (error) {
    if (isGone(error) || isStatus(error, 412)) throw replaced(from, version);
    throw s3Fault(error, { doing: 'look at', url: from, permission: 's3:GetObject' });
  }
}

/** A copy and what it takes, for error messages. */
export function copyDoing({ from, to, version }: CopyPlan): S3Doing {
  const read = version.version === undefined ? 's3:GetObject' : 's3:GetObject and s3:GetObjectVersion';
  return { doing: `copy ${from} to`, url: to, permission: `${read} on the source, s3:PutObject on the target` };
}
