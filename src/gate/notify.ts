import type { TableConfig } from '../config/model.ts';
import type { DeliveryRecord } from './delivery.ts';
import type { GatePorts } from './ports.ts';
import { eventOf } from './settle.ts';

type TableOf = (record: DeliveryRecord) => TableConfig | undefined;

/**
 * Tells people of ended deliveries.
 * @returns whether they were told: false where the notifier failed, so that it has to be done again
 */
export async function tell(
  ports: Pick<GatePorts, 'notifier'>,
  records: readonly DeliveryRecord[],
  tableOf: TableOf,
): Promise<boolean> {
  const events = records.flatMap((record) => eventOf(record, tableOf(record)) ?? []);
  if (events.length === 0) return true;
  try {
    await ports.notifier.notify(events);
    return true;
  } catch {
    return false;
  }
}

/**
 * Tells people of deliveries of whose ending they could not be told when it came, and marks these as told: somebody may hear of one twice, never not
 * at all.
 * @returns the records, as they are once people were told
 */
export async function tellLater(
  ports: Pick<GatePorts, 'notifier' | 'records'>,
  records: readonly DeliveryRecord[],
  tableOf: TableOf,
): Promise<DeliveryRecord[]> {
  if (!(await tell(ports, records, tableOf))) return [...records];
  // A mark that cannot be set is no fault of the delivery, which has ended: it is told again by a later run.
  return Promise.all(records.map((record) => markTold(ports, record).catch(() => record)));
}

async function markTold({ records }: Pick<GatePorts, 'records'>, told: DeliveryRecord): Promise<DeliveryRecord> {
  const current = await records.load(told.id);
  // Somebody may have decided on it, or started it again, meanwhile.
  if (current?.record.notification !== 'pending' || current.record.attempts !== told.attempts) return told;
  const { lease: _lease, ...rest } = current.record;
  const marked: DeliveryRecord = { ...rest, notification: 'sent' };
  return (await records.replace(current, marked)) ? marked : told;
}
