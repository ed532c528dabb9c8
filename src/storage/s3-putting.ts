import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { HeadObjectCommand, type HeadObjectCommandOutput, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { LakegateError } from '../errors.ts';
import { isGone, isStatus, type S3Doing, s3ErrorOf, s3Fault } from './s3-errors.ts';
import { bareEtag, quotedEtag, s3Place } from './s3-url.ts';

/** Under which condition S3 takes the bytes (User Guide, "Conditional writes"). */
export type PutCondition = { ifAbsent: true } | { ifEtag: string };

/** User metadata that tells one write from any other, also from one of the same bytes. */
const WRITE_ID = 'lakegate-write';

/** S3 answers 409 while another conditional request on the key is under way: to be sent again. */
const CONFLICT_ATTEMPTS = 8;
const CONFLICT_PAUSE_MS = 50;

/**
 * One conditional PutObject.
 * @returns undefined when the condition does not hold: nothing was changed by this call
 * @throws LakegateError `unavailable` when S3 did not answer, `unknown_outcome` when the answer to a replacement was lost and
 *   what is there is of another writer
 */
export async function putIf(
  client: S3Client,
  url: string,
  bytes: Uint8Array,
  condition: PutCondition,
): Promise<{ etag: string } | undefined> {
  const { bucket, key } = s3Place(url);
  const writeId = randomUUID();
  const doing = { doing: 'ifAbsent' in condition ? 'create' : 'replace', url, permission: 's3:PutObject' };
  let answersLost = 0;
  try {
    const answer = await throughConflicts(() => {
      const command = new PutObjectCommand({
        Bucket: bucket,
        Key: key,
        Body: bytes,
        ContentLength: bytes.byteLength,
        Metadata: { [WRITE_ID]: writeId },
        ...('ifAbsent' in condition ? { IfNoneMatch: '*' } : { IfMatch: quotedEtag(condition.ifEtag) }),
      });
      command.middlewareStack.add(
        (next) => async (args) => {
          try {
            return await next(args);
          } catch (error) {
            if (mayHaveHappened(error)) answersLost += 1;
            throw error;
          }
        },
        { step: 'deserialize', priority: 'high', name: 'lakegateLostAnswers' },
      );
      return client.send(command);
    });
    return { etag: bareEtag(answer.ETag) };
  } catch (error) {
    const refused = isStatus(error, 412) || ('ifEtag' in condition && isGone(error));
    if (!refused) throw s3Fault(error, doing);
    if (answersLost === 0) return undefined;
    // After a lost answer the condition may fail because of our own write: the object there tells.
    const now = await headQuietly(client, url, doing);
    if (now?.Metadata?.[WRITE_ID] === writeId) return { etag: bareEtag(now.ETag) };
    // What is there was not made by this call, or is no longer what this call made: for a creation that is one answer.
    if ('ifAbsent' in condition && now !== undefined) return undefined;
    throw new LakegateError(
      'unknown_outcome',
      `The answer to a write of ${url} was lost, and what is there now is of another writer: ours may have been before it. Read it again.`,
      { context: { url } },
    );
  }
}

const NEVER_ARRIVED = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN']);

/** Whether S3 may have carried out a request that ended so: the answer is missing, or says no more than that something broke. */
function mayHaveHappened(error: unknown): boolean {
  const { status, code } = s3ErrorOf(error) ?? {};
  if (status === undefined) return !NEVER_ARRIVED.has(code ?? '');
  return status === 500 || status === 502 || status === 504;
}

/**
 * Sends a conditional request again while S3 answers 409 ConditionalRequestConflict, as its documentation asks.
 * @throws LakegateError `conflict` when that does not end; whatever else the request throws
 */
export async function throughConflicts<T>(send: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await send();
    } catch (error) {
      if (s3ErrorOf(error)?.code !== 'ConditionalRequestConflict' || attempt >= CONFLICT_ATTEMPTS) throw error;
      await sleep(CONFLICT_PAUSE_MS * attempt);
    }
  }
}

/**
 * What is at a target that a conditional write found taken.
 * @returns its size in bytes, or undefined when there is nothing
 */
export async function sizeAt(client: S3Client, url: string): Promise<number | undefined> {
  const found = await headQuietly(client, url, { doing: 'look at', url, permission: 's3:GetObject' });
  return found === undefined ? undefined : (found.ContentLength ?? 0);
}

/** @throws LakegateError `exists` when a target has another size than what was to be put there */
export function checkSameSize(found: number, expected: number, url: string): void {
  if (found === expected) return;
  throw new LakegateError(
    'exists',
    `${url} already exists with ${found} bytes, expected ${expected}: another object has this name. Delete it or choose another name.`,
    { context: { url } },
  );
}

async function headQuietly(
  client: S3Client,
  url: string,
  doing: S3Doing,
): Promise<HeadObjectCommandOutput | undefined> {
  const { bucket, key } = s3Place(url);
  try {
    return await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
  } catch (error) {
    if (isGone(error)) return undefined;
    throw s3Fault(error, doing);
  }
}
