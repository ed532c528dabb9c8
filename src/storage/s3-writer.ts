import { type CompletedPart, type S3Client, UploadPartCommand } from '@aws-sdk/client-s3';
import { s3Fault } from './s3-errors.ts';
import { putIf } from './s3-putting.ts';
import { type RangeCopies, rangeParts } from './s3-range-copy.ts';
import { abortUpload, beginUpload, checkPresent, completeUpload, partFacts, type Upload } from './s3-upload.ts';
import { isTableBucket, s3Place } from './s3-url.ts';
import type { ObjectWriter, RangeReader } from './store.ts';

export interface S3WriterOptions {
  /** Bytes of a part, S3's least is 5 MiB; also the largest object that is sent by one PutObject. */
  partSize: number;
  /** Parts under way at once. */
  concurrency: number;
  /** Copied parts under way at once. */
  copyConcurrency: number;
}

/** S3 takes 10,000 parts: their size doubles this often, so that 5 TB fit with parts of 8 MiB to begin with. */
const DOUBLES_EVERY = 1000;
const FIRST_ROOM = 64 * 1024;

/**
 * The port's writer: one PutObject for what fits into a part, a multipart upload for more. Memory: `partSize` × (`concurrency` + 1), in the
 * first thousand parts.
 */
export function s3Writer(client: S3Client, url: string, options: S3WriterOptions, copies: RangeCopies): ObjectWriter {
  const place = s3Place(url);
  const doing = { doing: 'write', url, permission: 's3:PutObject' };
  let room = Buffer.alloc(0);
  let filled = 0;
  let size = 0;
  let upload: Promise<Upload> | undefined;
  let ended = false;
  const parts: CompletedPart[] = [];
  const underWay = new Set<Promise<void>>();
  const copiesUnderWay = new Set<Promise<void>>();
  let fault: { error: unknown } | undefined;

  const scale = () => 2 ** Math.floor(parts.length / DOUBLES_EVERY);
  const partSize = () => options.partSize * scale();
  const leastPart = () => copies.options.leastPart * scale();

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
    const sending = client.send(
      new UploadPartCommand({
        Bucket: place.bucket,
        Key: place.key,
        UploadId: uploadId,
        PartNumber: part.PartNumber,
        Body: body,
        ContentLength: body.length,
      }),
    );
    const facts = sending.then(partFacts, (error) => {
      throw s3Fault(error, doing);
    });
    await follow(part, facts, underWay, options.concurrency);
  }

  /** Takes care of a part that is being sent. */
  async function follow(
    part: CompletedPart,
    sending: Promise<CompletedPart>,
    others: Set<Promise<void>>,
    most: number,
  ): Promise<void> {
    const sent = sending
      .then(
        (facts) => {
          Object.assign(part, facts);
        },
        (error) => {
          fault ??= { error };
        },
      )
      .finally(() => others.delete(sent));
    others.add(sent);
    if (others.size >= most) await Promise.race(others);
  }

  async function readThrough(source: RangeReader, start: number, end: number): Promise<void> {
    for (let at = start; at < end; at += options.partSize) {
      await write(await source.read(at, Math.min(end, at + options.partSize)));
    }
  }

  async function copyRange(source: RangeReader, start: number, end: number): Promise<void> {
    const missing = filled === 0 ? 0 : Math.max(0, leastPart() - filled);
    if (end - start - missing < leastPart() || copies.state() === 'lacking') return readThrough(source, start, end);
    await readThrough(source, start, start + missing);
    if (filled > 0) await sendPart();
    upload ??= beginUpload(client, url);
    const begun = await upload;
    for (const range of rangeParts(start + missing, end, copies.options.copyPartSize)) {
      if (fault) throw fault.error;
      const part: CompletedPart = { PartNumber: parts.length + 1 };
      const copied = copies.copy(source, range, { upload: begun, number: parts.length + 1 });
      if (copies.state() !== 'works' && (await copied) === undefined) return readThrough(source, range.start, end);
      parts.push(part);
      size += range.end - range.start;
      await follow(part, copied as Promise<CompletedPart>, copiesUnderWay, options.copyConcurrency);
    }
  }

  async function write(bytes: Uint8Array): Promise<void> {
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
  }

  return {
    write,
    ...(copies.state() === 'lacking' || isTableBucket(url)
      ? {}
      : {
          ranges: {
            takes: (source) => source.version !== undefined,
            // What comes before it may have to be filled up to a part from it.
            get worthwhile() {
              return 2 * leastPart();
            },
            copy: copyRange,
          },
        }),
    async finish() {
      if (upload === undefined) {
        const put = await putIf(client, url, room.subarray(0, filled), { ifAbsent: true });
        if (put === undefined) await checkPresent(client, url, size);
        ended = true;
        return { size };
      }
      if (filled > 0) await sendPart();
      await Promise.all([...underWay, ...copiesUnderWay]);
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
      await Promise.all([...underWay, ...copiesUnderWay]);
      const begun = await upload.catch(() => undefined);
      // What cannot be removed now is found by `unfinished`; the caller's own fault is the one to hear of.
      if (begun) await abortUpload(client, begun).catch(() => undefined);
    },
  };
}
