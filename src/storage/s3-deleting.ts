import { setTimeout as sleep } from 'node:timers/promises';
import {
  DeleteObjectCommand,
  DeleteObjectsCommand,
  type S3Client,
  type _Error as S3ItemError,
} from '@aws-sdk/client-s3';
import pLimit from 'p-limit';
import { isGone, s3Fault } from './s3-errors.ts';
import { abortUpload } from './s3-upload.ts';
import { s3Place, uploadOf } from './s3-url.ts';

/** S3's limit of one DeleteObjects. */
const BATCH = 1000;
const CONCURRENT_BATCHES = 4;
/** Rounds for items that S3 was too busy for: the request as a whole succeeds then, so the SDK does not retry it. */
const ROUNDS = 4;
const ROUND_PAUSE_MS = 200;
/** What XML 1.0 cannot hold, or reads as something else. */
const NOT_IN_XML = /\p{Cc}|[\ufffe\uffff]/u;

interface Item {
  url: string;
  key: string;
}

/** The port's delete: objects in batches, unfinished uploads one by one. */
export async function deleteS3(client: S3Client, urls: readonly string[]): Promise<void> {
  const limit = pLimit(CONCURRENT_BATCHES);
  const work: (() => Promise<void>)[] = [];
  const buckets = new Map<string, Map<string, Item>>();
  for (const url of urls) {
    const upload = uploadOf(url);
    if (upload) {
      work.push(() => abortUpload(client, { ...upload, url }));
      continue;
    }
    const { bucket, key } = s3Place(url);
    const items = buckets.get(bucket) ?? new Map<string, Item>();
    buckets.set(bucket, items.set(key, { url, key }));
  }
  for (const [bucket, found] of buckets) {
    const items = [...found.values()];
    const single = items.length === 1 ? items : items.filter(({ key }) => NOT_IN_XML.test(key));
    for (const item of single) work.push(() => deleteOne(client, bucket, item));
    const rest = items.length === 1 ? [] : items.filter(({ key }) => !NOT_IN_XML.test(key));
    for (let start = 0; start < rest.length; start += BATCH) {
      work.push(() => deleteBatch(client, bucket, rest.slice(start, start + BATCH)));
    }
  }
  // All are tried before the first fault is told.
  const results = await Promise.allSettled(work.map((task) => limit(task)));
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
}

async function deleteOne(client: S3Client, bucket: string, { url, key }: Item): Promise<void> {
  try {
    await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
  } catch (error) {
    if (!isGone(error)) throw s3Fault(error, doingOf(url));
  }
}

async function deleteBatch(client: S3Client, bucket: string, items: readonly Item[]): Promise<void> {
  let open = items;
  for (let round = 1; ; round += 1) {
    const faults = await sendBatch(client, bucket, open);
    const first = faults[0];
    if (first === undefined) return;
    const byKey = new Map(open.map((item) => [item.key, item]));
    const url = byKey.get(first.Key ?? '')?.url ?? `s3://${bucket}/`;
    const fault = itemFault(first, url, faults.length);
    if (round >= ROUNDS || !faults.every(({ Code }) => BUSY.has(Code ?? ''))) throw fault;
    open = faults.flatMap(({ Key }) => byKey.get(Key ?? '') ?? []);
    await sleep(ROUND_PAUSE_MS * 2 ** round);
  }
}

const BUSY = new Set(['InternalError', 'SlowDown', 'ServiceUnavailable']);
const NOT_THERE = new Set(['NoSuchKey', 'NoSuchVersion']);

/** @returns the items that were not deleted, and why */
async function sendBatch(client: S3Client, bucket: string, items: readonly Item[]): Promise<S3ItemError[]> {
  try {
    const Objects = items.map(({ key }) => ({ Key: key }));
    const answer = await client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Quiet: true, Objects } }));
    return (answer.Errors ?? []).filter(({ Code }) => !NOT_THERE.has(Code ?? ''));
  } catch (error) {
    throw s3Fault(error, doingOf(items[0]?.url ?? bucket));
  }
}

/** An item's error, in the shape of a request's. */
function itemFault({ Code, Message }: S3ItemError, url: string, count: number): unknown {
  const status = Code === 'AccessDenied' ? 403 : BUSY.has(Code ?? '') ? 503 : 400;
  const what = count === 1 ? doingOf(url) : { ...doingOf(url), doing: `delete ${count} objects, one of them` };
  return s3Fault({ name: Code ?? 'unknown', message: Message ?? '', $metadata: { httpStatusCode: status } }, what);
}

function doingOf(url: string) {
  return { doing: 'delete', url, permission: 's3:DeleteObject' };
}
