import {
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  type ListObjectsV2CommandOutput,
  type S3Client,
} from '@aws-sdk/client-s3';
import { LakegateError } from '../errors.ts';
import { createS3Client, type S3ClientOptions } from '../storage/s3-client.ts';
import { s3Fault } from '../storage/s3-errors.ts';
import { decodedKey, s3Prefix } from '../storage/s3-url.ts';
import { folderUrl } from './folder-url.ts';
import type { TableFolders } from './ports.ts';
import { count, type Tally } from './tally.ts';

/** Stands between folders that came in one element; encoded keys have none. */
const BETWEEN = '\n';
const SEAM = '</Prefix></CommonPrefixes><CommonPrefixes><Prefix>';

/**
 * A client for listings of folders. Of a page of a thousand folders it makes one element of a thousand lines before the SDK reads it, which else
 * makes some objects of each; and which steps a request takes is worked out once.
 */
export function createFolderClient(options: S3ClientOptions = {}): S3Client {
  const client = createS3Client(options);
  client.config.cacheMiddleware = true;
  // It makes a copy of all that is sent and received, for a log that nobody keeps.
  client.middlewareStack.remove('loggerMiddleware');
  client.middlewareStack.add(
    (next, context) => async (args) => {
      const result = await next(args);
      const response = result.response as { statusCode: number; body: unknown };
      if (context.commandName !== 'ListObjectsV2Command' || response.statusCode !== 200) return result;
      const page = Buffer.from(await client.config.streamCollector(response.body)).toString();
      response.body = Buffer.from(
        page.includes('<EncodingType>url</EncodingType>') ? page.replaceAll(SEAM, BETWEEN) : page,
      );
      return result;
    },
    { step: 'deserialize', priority: 'low', name: 'lakegateFolderPage', override: true },
  );
  return client;
}

/**
 * Folders of S3 by ListObjectsV2 with a delimiter. Keys are literal; folders come in the order of their bytes, a thousand a page, so that a
 * listing can start after any of them.
 * @param location `s3://bucket/key`, with or without a slash at its end
 * @throws LakegateError `invalid` for a location that is no place on S3
 */
export function s3Folders(client: S3Client, location: string, tally: Tally): TableFolders {
  const root = folderUrl(location);
  const { bucket, key } = s3Prefix(root);

  async function list(prefix: string, more: Partial<ListObjectsV2CommandInput>): Promise<ListObjectsV2CommandOutput> {
    count(tally, 's3', 'ListObjectsV2');
    const input = { Bucket: bucket, Prefix: `${key}${prefix}`, EncodingType: 'url' as const, ...more };
    return client.send(new ListObjectsV2Command(input)).catch((error: unknown) => {
      throw s3Fault(error, { doing: 'list the folders of', url: `${root}${prefix}`, permission: 's3:ListBucket' });
    });
  }

  return {
    async *folders(prefix, after) {
      const Prefix = `${key}${prefix}`;
      // The character after the slash: what lies in the folder itself sorts before it, and any other folder of a later name after it.
      const StartAfter = after === undefined ? undefined : `${Prefix}${after}0`;
      let ContinuationToken: string | undefined;
      do {
        const page = await list(prefix, {
          Delimiter: '/',
          ...(StartAfter !== undefined && ContinuationToken === undefined && { StartAfter }),
          ...(ContinuationToken !== undefined && { ContinuationToken }),
        });
        yield (page.CommonPrefixes ?? []).flatMap(({ Prefix: found = '' }) =>
          keysOf(found, page.EncodingType).map((each) => each.slice(Prefix.length, -1)),
        );
        ContinuationToken = page.IsTruncated ? page.NextContinuationToken : undefined;
        // A part of a listing that was taken for all of it would make the rest look gone.
        if (page.IsTruncated && !ContinuationToken)
          throw new LakegateError('unavailable', `the listing of ${root}${prefix} goes on, but S3 did not say where`);
      } while (ContinuationToken !== undefined);
    },
    async holds(prefix) {
      const { Contents = [] } = await list(prefix, { MaxKeys: 1 });
      return Contents.length > 0;
    },
  };
}

/** Keys of one element, `BETWEEN` between them where they are encoded. */
function keysOf(found: string, encoding: string | undefined): string[] {
  if (encoding !== 'url') return [found];
  // Decoded all together, unless a name has a line break of its own.
  if (!/%0a/i.test(found)) return decodedKey(found, encoding).split(BETWEEN);
  return found.split(BETWEEN).map((each) => decodedKey(each, encoding));
}
