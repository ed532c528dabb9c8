import type { ClaimedDelivery } from './claim.ts';

/**
 * Keeps the leases of the deliveries alive while `work` runs, so that a long copy is not taken over half way.
 * @param everyMs how often they are renewed; a third of the lease leaves room for two failures
 */
export async function withHeartbeat<T>(
  deliveries: readonly ClaimedDelivery[],
  everyMs: number,
  work: () => Promise<T>,
): Promise<T> {
  const timer = setInterval(() => {
    // A renewal that fails is no fault by itself: a lease that was lost shows at the next save.
    for (const delivery of deliveries) delivery.renew().catch(() => undefined);
  }, everyMs);
  timer.unref();
  try {
    return await work();
  } finally {
    clearInterval(timer);
  }
}
