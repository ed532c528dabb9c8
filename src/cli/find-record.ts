import { LakegateError } from '../errors.ts';
import type { DeliveryRecord } from '../gate/delivery.ts';
import type { DeliveryRecords } from '../gate/records.ts';

/**
 * The delivery that a person means.
 * @param idStart the id, or enough of its first digits
 * @throws LakegateError `usage` when none or several begin so
 */
export async function findRecord(records: DeliveryRecords, idStart: string): Promise<DeliveryRecord> {
  const ids = await records.idsStartingWith(idStart.toLowerCase(), 3);
  const [id, other] = ids;
  const found = id === undefined || other !== undefined ? undefined : await records.load(id);
  if (found) return found.record;
  throw new LakegateError(
    'usage',
    other === undefined
      ? `there is no delivery ${idStart}; \`lakegate delivery list\` shows those there are`
      : `several deliveries begin with ${idStart}: ${ids.join(', ')}${ids.length === 3 ? ', …' : ''}`,
  );
}
