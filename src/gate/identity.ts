import { createHash } from 'node:crypto';
import type { ExpectedObject } from '../storage/store.ts';
import type { Drop } from './delivery.ts';

/** Length of a delivery id in hex digits: 80 bits, no collision to be expected below a trillion deliveries. */
export const DELIVERY_ID_DIGITS = 20;

/** What S3 calls the version of an object that was put while its bucket kept no versions: it names nothing. */
const NO_VERSION = 'null';

/**
 * The drop that an object version is, whichever way it was heard of: an event, a HEAD, a listing. All of them must come through here, because the
 * id is a hash of `url` and `version` and nothing else, and a version that is spelled in two ways would be two deliveries.
 *
 * `version` is the store's version id where the bucket keeps versions, else the ETag without the quotes that HTTP puts round it and events leave
 * out. A listing without version ids (S3's ListObjectsV2) tells no drops of a bucket that keeps versions: ask for each object (HEAD), or list versions.
 * @param url the object's URL, its key as it is: decoded from an event's URL encoding
 */
export function dropOf(url: string, { size, etag, version }: ExpectedObject): Drop {
  const plain = etag.replace(/^"(.*)"$/s, '$1');
  if (version === undefined || version === '' || version === NO_VERSION) return { url, version: plain, size };
  return { url, version, size, etag: plain };
}

/** What a store is asked for so that it gives the drop's version or nothing. */
export function expectedOf({ size, version, etag }: Drop): ExpectedObject {
  return etag === undefined ? { size, etag: version } : { size, etag, version };
}

/**
 * The delivery's id: a hash of the object's URL and version (see `dropOf`), so that a repeated event is the same delivery.
 * @returns 20 lower-case hex digits
 */
export function deliveryId(drop: Pick<Drop, 'url' | 'version'>): string {
  return createHash('sha256')
    .update(drop.url)
    .update('\0')
    .update(drop.version)
    .digest('hex')
    .slice(0, DELIVERY_ID_DIGITS);
}

/** The branch a delivery is staged and, when it fails, kept on. */
export function branchOf(id: string): string {
  return `wap-${id}`;
}

/**
 * The branch on which several deliveries of one table are staged together. The same deliveries give the same name, so that a retry of a
 * killed batch finds what it staged.
 */
export function batchBranchOf(ids: readonly string[]): string {
  if (ids.length === 1) return branchOf(ids[0]!);
  const hash = createHash('sha256')
    .update([...ids].sort().join(','))
    .digest('hex');
  return `wap-batch-${hash.slice(0, DELIVERY_ID_DIGITS)}`;
}
