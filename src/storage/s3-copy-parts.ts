import {
  type CompletedPart,
  ListMultipartUploadsCommand,
  type MultipartUpload,
  type Part,
  paginateListParts,
  type S3Client,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import pLimit from 'p-limit';
import { type CopyPlan, copyDoing, sourceTime } from './s3-copy-source.ts';
import { isGone, isStatus, s3ErrorOf, s3Fault } from './s3-errors.ts';
import { checkSameSize, sizeAt } from './s3-putting.ts';
import { replaced } from './s3-reading.ts';
import { abortUpload, beginUpload, completeUpload, partFacts, type Upload } from './s3-upload.ts';
import { bareEtag, copySource, decodedKey, quotedEtag, type S3Place, s3Place } from './s3-url.ts';

/** S3's limit. */
const MOST_PARTS = 10_000;
const MIB = 1024 * 1024;

export interface CopyPartsOptions {
  copyPartSize: number;
  concurrency: number;
}

interface Range {
  number: number;
  start: number;
  /** Exclusive. */
  end: number;
}

/**
 * Copies an object of any size in parts, inside S3. A copy that was broken off is gone on with: its upload is found by the target's name, and
 * is taken when it was begun after the source's version was written and its parts are cut as ours are. So a target's name has to belong to one
 * source; lakegate's do, by the delivery's id in them.
 * @throws LakegateError `not_found` when the source's version is gone, `exists` when another object took the name; after any other fault
 *   the upload stays, to be gone on with
 */
export async function copyInParts(client: S3Client, plan: CopyPlan, options: CopyPartsOptions): Promise<void> {
  const { to, version } = plan;
  const ranges = rangesOf(version.size, options.copyPartSize);
  const begun = await sourceTime(client, plan);
  const { upload, done } = (await earlierUpload(client, plan, ranges, begun)) ?? {
    upload: await beginUpload(client, to),
    done: new Map(),
  };
  const limit = pLimit(options.concurrency);
  const copied = await Promise.allSettled(
    ranges.map((range) =>
      limit(async (): Promise<CompletedPart> => {
        const present = done.get(range.number);
        const part = present ?? (await copyPart(client, plan, upload, range));
        return { PartNumber: range.number, ...partFacts(part) };
      }),
    ),
  );
  const failed = copied.find((result) => result.status === 'rejected');
  if (failed) return giveUp(client, plan, upload, failed.reason);
  const parts = copied.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  await completeUpload(client, upload, parts, version.size);
}

/** Parts of one size, as large as needed for their number to be allowed. */
function rangesOf(size: number, partSize: number): Range[] {
  const least = Math.ceil(size / MOST_PARTS / MIB) * MIB;
  const step = Math.max(partSize, size > partSize * MOST_PARTS ? least : 0);
  return Array.from({ length: Math.ceil(size / step) }, (_, index) => ({
    number: index + 1,
    start: index * step,
    end: Math.min(size, (index + 1) * step),
  }));
}

async function copyPart(
  client: S3Client,
  { from, version }: CopyPlan,
  upload: Upload,
  { number, start, end }: Range,
): Promise<CompletedPart> {
  const answer = await client.send(
    new UploadPartCopyCommand({
      Bucket: upload.bucket,
      Key: upload.key,
      UploadId: upload.uploadId,
      PartNumber: number,
      CopySource: copySource(s3Place(from), version.version),
      CopySourceRange: `bytes=${start}-${end - 1}`,
      CopySourceIfMatch: quotedEtag(version.etag),
    }),
  );
  return answer.CopyPartResult ?? {};
}

/** A part could not be copied: says why, and drops the upload where going on makes no sense. */
async function giveUp(client: S3Client, plan: CopyPlan, upload: Upload, error: unknown): Promise<void> {
  const { from, to, version } = plan;
  if (s3ErrorOf(error)?.code === 'NoSuchUpload') {
    // Another runner went on with the same upload, and finished it.
    const present = await sizeAt(client, to);
    if (present !== undefined) return checkSameSize(present, version.size, to);
  } else if (isStatus(error, 412) || isGone(error)) {
    await abortUpload(client, upload);
    throw replaced(from, version);
  }
  throw s3Fault(error, copyDoing(plan));
}

/** The oldest upload of the target that fits, so that all who go on with one go on with the same. */
async function earlierUpload(
  client: S3Client,
  plan: CopyPlan,
  ranges: readonly Range[],
  sourceWritten: number,
): Promise<{ upload: Upload; done: Map<number, Part> } | undefined> {
  const target = s3Place(plan.to);
  const sizes = new Map(ranges.map(({ number, start, end }) => [number, end - start]));
  for (const { UploadId, Initiated } of await uploadsOf(client, plan.to, target)) {
    if (UploadId === undefined || (Initiated?.getTime() ?? 0) < sourceWritten) continue;
    const upload = { ...target, url: plan.to, uploadId: UploadId };
    const parts = await partsOf(client, upload);
    if (parts?.every(({ PartNumber, Size, ETag }) => sizes.get(PartNumber ?? 0) === Size && bareEtag(ETag) !== '')) {
      return { upload, done: new Map(parts.map((part) => [part.PartNumber ?? 0, part])) };
    }
  }
  return undefined;
}

/** Uploads of exactly this key, oldest first. */
async function uploadsOf(client: S3Client, url: string, { bucket, key }: S3Place): Promise<MultipartUpload[]> {
  try {
    // The key itself is the first that begins with it, so that one page will do.
    const page = await client.send(
      new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: key, EncodingType: 'url' }),
    );
    return (page.Uploads ?? [])
      .filter((upload) => decodedKey(upload.Key ?? '', page.EncodingType) === key)
      .sort((a, b) => (a.Initiated?.getTime() ?? 0) - (b.Initiated?.getTime() ?? 0));
  } catch (error) {
    throw s3Fault(error, { doing: 'look for an earlier copy to', url, permission: 's3:ListBucketMultipartUploads' });
  }
}

/** Parts that an upload has; undefined when it is gone. */
async function partsOf(client: S3Client, { bucket, key, uploadId, url }: Upload): Promise<Part[] | undefined> {
  try {
    const parts: Part[] = [];
    for await (const page of paginateListParts({ client }, { Bucket: bucket, Key: key, UploadId: uploadId })) {
      parts.push(...(page.Parts ?? []));
    }
    return parts;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw s3Fault(error, { doing: 'look for an earlier copy to', url, permission: 's3:ListMultipartUploadParts' });
  }
}
