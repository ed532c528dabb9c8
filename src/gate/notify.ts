import type { TableConfig } from '../config/model.ts';
import type { DeliveryRecord } from './delivery.ts';
import type { GatePorts } from './ports.ts';
import { eventOf } from './settle.ts';

/**
 * Tells people of ended deliveries. Those that were stopped are marked as told afterwards: one that a kill left pending is told by the next
 * run, so nothing that was stopped stays unsaid. Somebody may therefore hear of one twice, never not at all.
 * @returns the records, as they are once people were told
 */
export async function tellPeople(
  ports: Pick<GatePorts, 'notifier' | 'records'>,
  records: readonly DeliveryRecord[],
  tableOf: (record: DeliveryRecord) => TableConfig | undefined,
): Promise<DeliveryRecord[]> {
  const events = records.flatMap((record) => eventOf(record, tableOf(record)) ?? []);
  if (events.length > 0) await ports.notifier.notify(events);
  return Promise.all(
    // A mark that cannot be set is no fault of the delivery, which has ended: it is told again by a later run.
    records.map((record) =>
      record.notification === 'pending' ? markTold(ports, record).catch(() => record) : Promise.resolve(record),
    ),
  );
}

async function markTold({ records }: Pick<GatePorts, 'records'>, told: DeliveryRecord): Promise<DeliveryRecord> {
  const current = await records.load(told.id);
  // Somebody may have decided on it, or started it again, meanwhile.
  if (current?.record.notification !== 'pending' || current.record.attempts !== told.attempts) return told;
  const { lease: _lease, ...rest } = current.record;
  const marked: DeliveryRecord = { ...rest, notification: 'sent' };
  return (await records.replace(current, marked)) ? marked : told;
}
