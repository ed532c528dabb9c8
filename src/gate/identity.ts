import { createHash } from 'node:crypto';
import type { Drop } from './delivery.ts';

/** Length of a delivery id in hex digits: 80 bits, no collision to be expected below a trillion deliveries. */
export const DELIVERY_ID_DIGITS = 20;

/**
 * The delivery's id: a hash of the object's URL and version, so that a repeated event is the same delivery.
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
