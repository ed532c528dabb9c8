import pLimit from 'p-limit';
import type { ClaimedDelivery } from './claim.ts';
import type { DeliveryRecords } from './records.ts';

/** Characters of records that share a batch's outcome: who looks one delivery up reads them all. */
const SHARED_CHARACTERS = 2 * 1024 * 1024;

/** Records written at the same time. */
const AT_ONCE = 16;

/**
 * Writes how deliveries that were claimed in one batch ended, or that they are given back: all into the batch's outcome, with one request. Each into its own record
 * where there is but one, where it is too large to be read with the others, or where somebody took over one of the batch meanwhile.
 * @returns what kept single ones from being written, by id: `conflict` when another runner has the delivery by now
 */
export async function writeLastWords(
  records: DeliveryRecords,
  deliveries: readonly ClaimedDelivery[],
): Promise<Map<string, unknown>> {
  const { shared, alone } = sortOut(deliveries);
  const batch = shared[0]?.stored.batch;
  if (batch !== undefined) {
    const endings = shared.map(({ record }) => record);
    const closed = await records.closeBatch(batch, endings).catch(() => false);
    if (closed) for (const delivery of shared) delivery.written();
    else alone.push(...shared);
  }
  const faults = new Map<string, unknown>();
  const limit = pLimit(AT_ONCE);
  await Promise.all(
    alone.map((delivery) =>
      limit(() => delivery.write().catch((error: unknown) => void faults.set(delivery.id, error))),
    ),
  );
  return faults;
}

function sortOut(deliveries: readonly ClaimedDelivery[]): { shared: ClaimedDelivery[]; alone: ClaimedDelivery[] } {
  const shared: ClaimedDelivery[] = [];
  const alone: ClaimedDelivery[] = [];
  let characters = 0;
  for (const delivery of deliveries) {
    const length = JSON.stringify(delivery.record).length;
    const fits = delivery.stored.batch !== undefined && characters + length <= SHARED_CHARACTERS;
    if (fits) characters += length;
    (fits ? shared : alone).push(delivery);
  }
  return shared.length === 1 ? { shared: [], alone: [...alone, ...shared] } : { shared, alone };
}
