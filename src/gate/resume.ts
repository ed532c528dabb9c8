import type { LakeConfig } from '../config/model.ts';
import { isTerminal } from './claim.ts';
import { deliver } from './deliver.ts';
import type { DeliveryRecord } from './delivery.ts';
import { tellPeople } from './notify.ts';
import type { DeliveryOutcome, GatePorts } from './ports.ts';

/**
 * Takes up what earlier runs left: deliveries whose runner died, and stopped ones that nobody was told of.
 * @returns the outcomes of the deliveries taken up
 */
export async function resumeOpen(ports: GatePorts, config: LakeConfig): Promise<DeliveryOutcome[]> {
  const open: string[] = [];
  const untold: DeliveryRecord[] = [];
  for await (const { record } of ports.records.list()) {
    if (!isTerminal(record.state)) {
      const live = record.lease && Date.parse(record.lease.until) > ports.now() && !ports.isDead(record.lease.holder);
      if (!live) open.push(record.drop.url);
    } else if (record.notification === 'pending') {
      untold.push(record);
    }
  }
  await tellPeople(ports, untold, (name) => config.tables.find((table) => table.name === name));
  return open.length > 0 ? deliver(ports, config, open) : [];
}
