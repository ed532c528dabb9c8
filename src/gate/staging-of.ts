import { catalogStaging } from './catalog-staging.ts';
import type { GatePorts, TableTarget } from './ports.ts';
import { refStaging } from './ref-staging.ts';
import type { Staging } from './staging.ts';

/** The staging of a table: on branches of its catalogue where that has some, else on the table's own. */
export function stagingOf(ports: GatePorts, target: TableTarget): Staging {
  const { branches } = target.catalog;
  return branches === undefined ? refStaging(ports, target) : catalogStaging(ports, target, branches);
}
