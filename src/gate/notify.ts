import type { TableConfig } from '../config/model.ts';
import type { DeliveryRecord } from './delivery.ts';
import type { GatePorts } from './ports.ts';
import { eventOf } from './settle.ts';

/**
 * Tells people of ended deliveries. Those that were stopped are marked as told afterwards: one that a kill left pending is told by the next
 * run, so nothing that was stopped stays unsaid. Somebody may therefore hear of one twice, never not at all.
 */
export async function tellPeople(
  ports: Pick<GatePorts, 'notifier' | 'records'>,
  records: readonly DeliveryRecord[],
  tableOf: (name: string) => TableConfig | undefined,
): Promise<void> {
  const events = records.flatMap((record) => eventOf(record, tableOf(record.table)) ?? []);
  if (events.length === 0) return;
  await ports.notifier.notify(events);
  const pending = records.filter((record) => record.notification === 'pending');
  await Promise.all(
    pending.map(async ({ id }) => {
      const current = await ports.records.load(id);
      if (current?.record.notification !== 'pending') return;
      await ports.records.replace(current, { ...current.record, notification: 'sent' });
    }),
  );
}
