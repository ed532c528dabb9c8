import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { LakegateError } from '../errors.ts';
import { isGone, isStatus, s3ErrorOf, s3Fault } from './s3-errors.ts';
import { checkSameSize, sizeAt } from './s3-putting.ts';
import { type S3Place, s3Place } from './s3-url.ts';

/** An upload that has been begun. */
export interface Upload extends S3Place {
  url: string;
  uploadId: string;
}

/** Begins a multipart upload. @throws LakegateError */
export async function beginUpload(client: S3Client, url: string): Promise<Upload> {
  const place = s3Place(url);
  try {
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket: place.bucket, Key: place.key }));
    return { ...place, url, uploadId: UploadId ?? '' };
  } catch (error) {
    throw s3Fault(error, { doing: 'write', url, permission: 's3:PutObject' });
  }
}

/**
 * Makes an upload's parts the object, if the name is still free.
 * @throws LakegateError `exists` when an object of another size has the name, `unavailable` when it cannot be told
 */
export async function completeUpload(
  client: S3Client,
  upload: Upload,
  parts: readonly CompletedPart[],
  size: number,
): Promise<void> {
  const { bucket, key, uploadId, url } = upload;
  try {
    await client.send(
      new CompleteMultipartUploadCommand({
        Bucket: bucket,
        Key: key,
        UploadId: uploadId,
        IfNoneMatch: '*',
        MultipartUpload: { Parts: [...parts] },
      }),
    );
  } catch (error) {
    const code = s3ErrorOf(error)?.code;
    // The name is taken, or the upload is gone: it was completed by an attempt whose answer was lost, or by another runner.
    if (!isStatus(error, 412, 409) && code !== 'NoSuchUpload') {
      throw s3Fault(error, { doing: 'write', url, permission: 's3:PutObject' });
    }
    if (code !== 'NoSuchUpload') await abortUpload(client, upload);
    await checkPresent(client, url, size);
  }
}

/** Drops an upload and its parts; one that is gone is no error. @throws LakegateError */
export async function abortUpload(client: S3Client, { bucket, key, uploadId, url }: Upload): Promise<void> {
  try {
    await client.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key: key, UploadId: uploadId }));
  } catch (error) {
    if (isGone(error)) return;
    throw s3Fault(error, { doing: 'abort the upload of', url, permission: 's3:AbortMultipartUpload' });
  }
}

/** What CompleteMultipartUpload has to repeat of each part: its ETag, and the checksum where S3 keeps one. */
export function partFacts(part: CompletedPart): CompletedPart {
  const { ETag, ChecksumCRC32, ChecksumCRC32C, ChecksumCRC64NVME, ChecksumSHA1, ChecksumSHA256 } = part;
  return { ETag, ChecksumCRC32, ChecksumCRC32C, ChecksumCRC64NVME, ChecksumSHA1, ChecksumSHA256 };
}

/** An object of our size has the name: an earlier attempt finished. @throws LakegateError `exists` | `conflict` */
export async function checkPresent(client: S3Client, url: string, size: number): Promise<void> {
  const found = await sizeAt(client, url);
  if (found !== undefined) return checkSameSize(found, size, url);
  throw new LakegateError(
    'conflict',
    `${url} was being written by another at the same time and is not there now. Nothing was kept; write it again.`,
    { context: { url } },
  );
}
