import type { LakeConfig } from '../config/model.ts';
import type { LakegateError } from '../errors.ts';
import { deliverDrops, tellUntold } from './deliver.ts';
import { findOpen, type OpenDeliveries } from './open-deliveries.ts';
import type { DeliveryOutcome, GatePorts } from './ports.ts';
import { route, tableOf } from './route.ts';

/**
 * Takes up what earlier runs left: deliveries whose runner died, and stopped ones that nobody was told of. It goes by the records: an object
 * that was replaced or deleted since may be on main already, and its delivery must end all the same. Looks at every record.
 * @param onUnreadable hears of records that are damaged: what they were about has to be looked at by a person
 * @returns the outcomes of the deliveries taken up
 */
export async function resumeOpen(
  ports: GatePorts,
  config: LakeConfig,
  onUnreadable: (fault: LakegateError) => void = () => undefined,
): Promise<DeliveryOutcome[]> {
  return takeUp(ports, config, await findOpen(ports, undefined, onUnreadable));
}

/** As `resumeOpen`, those that were found before. */
export async function takeUp(
  ports: GatePorts,
  config: LakeConfig,
  { open, untold }: Pick<OpenDeliveries, 'open' | 'untold'>,
): Promise<DeliveryOutcome[]> {
  await tellUntold(ports, config, untold);
  const outcomes: DeliveryOutcome[] = [];
  for (const [name, records] of Map.groupBy(open, ({ table }) => table)) {
    const routed = routeOf(config, name, records[0]!.drop.url);
    if (routed.kind === 'unrouted') {
      outcomes.push(
        ...records.map(({ drop }) => ({ kind: 'unrouted', drop: drop.url, reason: routed.reason }) as const),
      );
      continue;
    }
    const drops = records.map(({ drop }) => drop);
    outcomes.push(...(await deliverDrops(ports, config, routed.table, drops)));
  }
  return outcomes;
}

/** The table it was for when it began; where lake.yaml has none of that name any more, the one its folder belongs to now. */
function routeOf(config: LakeConfig, name: string, url: string): ReturnType<typeof route> {
  const table = tableOf(config, name);
  return table === undefined ? route(config, url) : { kind: 'table', table };
}
