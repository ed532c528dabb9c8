import type { LoadedTable } from '../catalogs/catalog.ts';
import type { ClaimedDelivery } from './claim.ts';
import type { DeliveryRecord } from './delivery.ts';
import type { GatePorts, TableTarget } from './ports.ts';
import { stagingOf } from './staging-of.ts';

/**
 * Whether a delivery that replaces the whole table comes too late: one that came after it is on main by now. Its event was held up, or it was
 * interrupted; to take it up would bring the older rows back. What counts is when the objects were put; where that was not told, when the
 * gate first heard of them, of a delivery that is taken up again.
 * @param table as main is
 * @returns why it may not replace the table; undefined when it may
 */
export async function outdated(
  ports: GatePorts,
  target: TableTarget,
  { record: own }: ClaimedDelivery,
  table: LoadedTable | undefined,
): Promise<string | undefined> {
  if (own.attempts === 1 && own.drop.putAt === undefined) return undefined;
  if (!table) return undefined;
  const takenOut = new Set<string>();
  for await (const { deliveries, removed } of stagingOf(ports, target).publications(table)) {
    for (const id of removed) takenOut.add(id);
    const there = deliveries.filter((id) => !takenOut.has(id));
    for (const id of there) {
      const other = await ports.records.load(id);
      if (other && cameAfter(other.record, own)) {
        return `delivery ${id}, which came after it, has replaced the table since; drop the file again if it is to replace that one`;
      }
    }
    // The newest delivery on main is the one the table holds.
    if (there.length > 0) return undefined;
  }
  return undefined;
}

function cameAfter(other: DeliveryRecord, own: DeliveryRecord): boolean {
  if (other.drop.putAt !== undefined && own.drop.putAt !== undefined) return other.drop.putAt > own.drop.putAt;
  return own.attempts > 1 && (other.history[0]?.at ?? '') > (own.history[0]?.at ?? '');
}
