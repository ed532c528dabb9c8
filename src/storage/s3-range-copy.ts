import { type CompletedPart, type S3Client, UploadPartCopyCommand } from '@aws-sdk/client-s3';
import { LakegateError } from '../errors.ts';
import { isGone, isStatus, s3ErrorOf, s3Fault } from './s3-errors.ts';
import { replaced } from './s3-reading.ts';
import { partFacts, type Upload } from './s3-upload.ts';
import { copySource, quotedEtag, s3Place } from './s3-url.ts';
import type { ExpectedObject, RangeReader } from './store.ts';

export interface RangeCopyOptions {
  /** Bytes of a part at least; S3's own limit is 5 MiB, for all parts but an upload's last. */
  leastPart: number;
  /** Bytes of a copied part at most. */
  copyPartSize: number;
}

/** Copies ranges of objects into parts of uploads. One for a store: what its server cannot do, it is not asked again. */
export interface RangeCopies {
  readonly options: RangeCopyOptions;
  /** Whether this server copies ranges, as far as is known. */
  state(): 'untried' | 'works' | 'lacking';
  /** @returns the part; undefined when the server copies no ranges, and the bytes have to be read. @throws LakegateError */
  copy(source: RangeReader, range: { start: number; end: number }, part: PartPlace): Promise<CompletedPart | undefined>;
}

interface PartPlace {
  upload: Upload;
  number: number;
}

/** UploadPartCopy (S3 API reference), pinned to the version of the source that is being read. */
export function rangeCopies(client: S3Client, options: RangeCopyOptions): RangeCopies {
  let state: ReturnType<RangeCopies['state']> = 'untried';
  return {
    options,
    state: () => state,
    async copy(source, { start, end }, { upload, number }) {
      const version = versionOf(source);
      try {
        const answer = await client.send(
          new UploadPartCopyCommand({
            Bucket: upload.bucket,
            Key: upload.key,
            UploadId: upload.uploadId,
            PartNumber: number,
            CopySource: copySource(s3Place(source.url), version.version),
            CopySourceRange: `bytes=${start}-${end - 1}`,
            CopySourceIfMatch: quotedEtag(version.etag),
          }),
        );
        state = 'works';
        return partFacts(answer.CopyPartResult ?? {});
      } catch (error) {
        if (state !== 'works' && lacksIt(error)) {
          state = 'lacking';
          return undefined;
        }
        if (isStatus(error, 412) || (isGone(error) && s3ErrorOf(error)?.code !== 'NoSuchUpload')) {
          throw replaced(source.url, version);
        }
        const read = version.version === undefined ? 's3:GetObject' : 's3:GetObjectVersion';
        const permission = `${read} on the source, s3:PutObject on the target`;
        throw s3Fault(error, { doing: `copy a range of ${source.url} to`, url: upload.url, permission });
      }
    },
  };
}

/** `range` cut into parts that S3 takes, alike in size. */
export function rangeParts(start: number, end: number, most: number): { start: number; end: number }[] {
  const count = Math.ceil((end - start) / most);
  const step = Math.ceil((end - start) / count);
  return Array.from({ length: count }, (_, index) => ({
    start: start + index * step,
    end: Math.min(end, start + (index + 1) * step),
  }));
}

function versionOf({ version, url }: RangeReader): ExpectedObject {
  if (version !== undefined) return version;
  throw new LakegateError('internal', `a range of ${url} was to be copied, which is no object of this store`);
}

function lacksIt(error: unknown): boolean {
  const code = s3ErrorOf(error)?.code;
  return isStatus(error, 501, 405) || code === 'NotImplemented' || code === 'MethodNotAllowed';
}
