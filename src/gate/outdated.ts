import type { ClaimedDelivery } from './claim.ts';
import type { GatePorts, TableTarget } from './ports.ts';
import { stagingOf } from './staging-of.ts';

/**
 * Whether a delivery that replaces the whole table comes too late: it was interrupted, and one that came after it is on main by now. Taking it
 * up again would bring the older rows back.
 * @returns why it may not replace the table; undefined when it may
 */
export async function outdated(
  ports: GatePorts,
  target: TableTarget,
  delivery: ClaimedDelivery,
): Promise<string | undefined> {
  const table = await target.catalog.findTable(target.identifier);
  if (!table) return undefined;
  const received = delivery.record.history[0]?.at ?? '';
  for await (const { deliveries } of stagingOf(ports, target).publications(table)) {
    for (const id of deliveries) {
      const later = await ports.records.load(id);
      if (later && (later.record.history[0]?.at ?? '') > received) {
        return `delivery ${id}, which came after it, has replaced the table since; drop the file again if it is to replace that one`;
      }
    }
    // The newest delivery on main is the one the table holds.
    if (deliveries.length > 0) return undefined;
  }
  return undefined;
}
