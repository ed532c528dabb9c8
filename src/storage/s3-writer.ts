import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { LakegateError } from '../errors.ts';
import { isGone, isStatus, s3ErrorOf, s3Fault } from './s3-errors.ts';
import { checkSameSize, putIf, sizeAt } from './s3-putting.ts';
import { type S3Place, s3Place } from './s3-url.ts';
import type { ObjectWriter } from './store.ts';

export interface S3WriterOptions {
  /** Bytes of a part, S3's least is 5 MiB; also the largest object that is sent by one PutObject. */
  partSize: number;
  /** Parts under way at once. */
  concurrency: number;
}

/** An upload that has been begun. */
export interface Upload extends S3Place {
  url: string;
  uploadId: string;
}

/** S3 takes 10,000 parts: their size doubles this often, so that 5 TB fit with parts of 8 MiB to begin with. */
const DOUBLES_EVERY = 1000;
const FIRST_ROOM = 64 * 1024;

/**
 * The port's writer: one PutObject for what fits into a part, a multipart upload for more. Memory: `partSize` × (`concurrency` + 1), in the
 * first thousand parts.
 */
export function s3Writer(client: S3Client, url: string, options: S3WriterOptions): ObjectWriter {
  const place = s3Place(url);
  const doing = { doing: 'write', url, permission: 's3:PutObject' };
  let room = Buffer.alloc(0);
  let filled = 0;
  let size = 0;
  let upload: Promise<Upload> | undefined;
  let ended = false;
  const parts: CompletedPart[] = [];
  const underWay = new Set<Promise<void>>();
  let fault: { error: unknown } | undefined;

  const partSize = () => options.partSize * 2 ** Math.floor(parts.length / DOUBLES_EVERY);

  /** Grows the buffer for `more` bytes, to a part's size at most: a small object does not cost a whole part. */
  function grow(more: number): void {
    if (filled + more <= room.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.min(partSize(), Math.max(FIRST_ROOM, 2 * room.length, filled + more)));
    room.copy(grown, 0, 0, filled);
    room = grown;
  }

  async function sendPart(): Promise<void> {
    const body = room.subarray(0, filled);
    room = Buffer.alloc(0);
    filled = 0;
    const part: CompletedPart = { PartNumber: parts.length + 1 };
    parts.push(part);
    upload ??= beginUpload(client, url);
    const { uploadId } = await upload;
    const sent = client
      .send(
        new UploadPartCommand({
          Bucket: place.bucket,
          Key: place.key,
          UploadId: uploadId,
          PartNumber: part.PartNumber,
          Body: body,
          ContentLength: body.length,
        }),
      )
      .then(
        (answer) => {
          Object.assign(part, partFacts(answer));
        },
        (error) => {
          fault ??= { error: s3Fault(error, doing) };
        },
      )
      .finally(() => underWay.delete(sent));
    underWay.add(sent);
    if (underWay.size >= options.concurrency) await Promise.race(underWay);
  }

  return {
    async write(bytes) {
      for (let taken = 0; taken < bytes.byteLength; ) {
        if (fault) throw fault.error;
        const piece = Math.min(bytes.byteLength - taken, partSize() - filled);
        grow(piece);
        room.set(bytes.subarray(taken, taken + piece), filled);
        filled += piece;
        taken += piece;
        size += piece;
        // A full part waits for the byte after it: an object of exactly one part is one request.
        if (filled === partSize() && taken < bytes.byteLength) await sendPart();
      }
    },
    async finish() {
      if (upload === undefined) {
        const put = await putIf(client, url, room.subarray(0, filled), { ifAbsent: true });
        if (put === undefined) await checkPresent(client, url, size);
        ended = true;
        return { size };
      }
      if (filled > 0) await sendPart();
      await Promise.all(underWay);
      if (fault) throw fault.error;
      await completeUpload(client, await upload, parts, size);
      ended = true;
      return { size };
    },
    async abort() {
      room = Buffer.alloc(0);
      filled = 0;
      if (upload === undefined || ended) return;
      ended = true;
      // A part that arrives after the abort would stay, and be paid for.
      await Promise.all(underWay);
      const begun = await upload.catch(() => undefined);
      // What cannot be removed now is found by `unfinished`; the caller's own fault is the one to hear of.
      if (begun) await abortUpload(client, begun).catch(() => undefined);
    },
  };
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
async function checkPresent(client: S3Client, url: string, size: number): Promise<void> {
  const found = await sizeAt(client, url);
  if (found !== undefined) return checkSameSize(found, size, url);
  throw new LakegateError(
    'conflict',
    `${url} was being written by another at the same time and is not there now. Nothing was kept; write it again.`,
    { context: { url } },
  );
}
