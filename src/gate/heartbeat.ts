import pLimit from 'p-limit';
import type { ClaimedDelivery } from './claim.ts';

/** Leases renewed at the same time: a batch has hundreds, and the work itself needs the store meanwhile. */
const AT_ONCE = 16;

/**
 * Keeps the leases of the deliveries alive while `work` runs, so that a long copy is not taken over half way.
 * @param everyMs how often they are renewed; a third of the lease leaves room for two failures
 */
export async function withHeartbeat<T>(
  deliveries: readonly ClaimedDelivery[],
  everyMs: number,
  work: () => Promise<T>,
): Promise<T> {
  const limit = pLimit(AT_ONCE);
  const timer = setInterval(() => {
    // A renewal that fails is no fault by itself: a lease that was lost shows at the next save.
    for (const delivery of deliveries) limit(() => delivery.renew()).catch(() => undefined);
  }, everyMs);
  timer.unref();
  try {
    return await work();
  } finally {
    clearInterval(timer);
    limit.clearQueue();
  }
}
