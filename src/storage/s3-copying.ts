import { CopyObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { LakegateError } from '../errors.ts';
import { copyInParts } from './s3-copy-parts.ts';
import { type CopyPlan, copyDoing, sourceTime } from './s3-copy-source.ts';
import { isGone, isStatus, s3Fault } from './s3-errors.ts';
import { checkSameSize, sizeAt, throughConflicts } from './s3-putting.ts';
import { replaced } from './s3-reading.ts';
import { copySource, quotedEtag, s3Place } from './s3-url.ts';
import type { ExpectedObject, ObjectInfo } from './store.ts';

export interface S3CopyOptions {
  /** Largest object copied by one request, bytes. S3's limit is 5 GiB. */
  copyAtOnce: number;
  /** Bytes of a part of a larger one. */
  copyPartSize: number;
  /** Parts under way at once. */
  concurrency: number;
  /** Whether the server heeds `If-None-Match` on CopyObject, as Amazon S3 does; else the target is looked at first. */
  conditionalCopy: boolean;
}

/**
 * The port's copy: one CopyObject where S3 allows it, parts beyond. The source is pinned to its version, the target has to be absent: no
 * request is spent on looking. Only a refusal is looked into.
 * @param head asked for the source's facts when `expected` does not tell them
 */
export async function s3Copy(
  client: S3Client,
  options: S3CopyOptions,
  head: (url: string) => Promise<ObjectInfo | undefined>,
  [from, to, expected]: [from: string, to: string, expected?: ExpectedObject],
): Promise<void> {
  s3Place(to);
  const version = expected ?? (await head(from));
  if (version === undefined) {
    throw new LakegateError('not_found', `Cannot copy ${from}: there is no such object.`, { context: { from, to } });
  }
  const plan: CopyPlan = { from, to, version };
  const small = version.size <= options.copyAtOnce;
  if (!small || !options.conditionalCopy) {
    const present = await sizeAt(client, to);
    if (present !== undefined) return checkSameSize(present, version.size, to);
  }
  await (small ? copyAtOnce(client, plan) : copyInParts(client, plan, options));
}

async function copyAtOnce(client: S3Client, plan: CopyPlan): Promise<void> {
  const { from, to, version } = plan;
  const source = s3Place(from);
  const target = s3Place(to);
  try {
    await throughConflicts(() =>
      client.send(
        new CopyObjectCommand({
          Bucket: target.bucket,
          Key: target.key,
          CopySource: copySource(source, version.version),
          CopySourceIfMatch: quotedEtag(version.etag),
          IfNoneMatch: '*',
          // The source's tags stay behind: to copy them takes two more permissions, and a scanner's tags are of the drop, not of the table.
          TaggingDirective: 'REPLACE',
        }),
      ),
    );
  } catch (error) {
    if (isGone(error)) throw replaced(from, version, s3Fault(error, copyDoing(plan)));
    if (!isStatus(error, 412)) throw s3Fault(error, copyDoing(plan));
    await explainRefusal(client, plan);
  }
}

/** 412 is the answer to both conditions, a taken target and a replaced source, and to a retry of a copy that was done. */
async function explainRefusal(client: S3Client, plan: CopyPlan): Promise<void> {
  const { from, to, version } = plan;
  const present = await sizeAt(client, to);
  if (present === version.size) return;
  await sourceTime(client, plan);
  if (present !== undefined) checkSameSize(present, version.size, to);
  throw new LakegateError(
    'conflict',
    `${to} was there when ${from} was to be copied to it, and is gone now. Nothing was kept; copy it again.`,
    { context: { from, to } },
  );
}
