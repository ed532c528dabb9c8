import type { GatePorts, TableTarget } from './ports.ts';
import { refStaging } from './ref-staging.ts';
import type { Staging } from './staging.ts';

/** The staging of a table: on its own branches. */
export function stagingOf(ports: GatePorts, target: TableTarget): Staging {
  return refStaging(ports, target);
}
