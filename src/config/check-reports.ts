import type { Partially } from './check-rules.ts';
import { parseDuration } from './duration.ts';
import type { LakeYaml } from './schema.ts';
import { found, type PathFault } from './shape-faults.ts';

/** More often than this a report is made by a pipeline's end, not by the clock. */
const SHORTEST_MS = 60 * 60_000;

/** Faults of `reports:` that its shape cannot say. */
export function checkReports(reports: Partially<LakeYaml>['reports']): PathFault[] {
  const faults: PathFault[] = [];
  for (const [name, report] of Object.entries(reports ?? {})) {
    const every = report?.every;
    const ms = every === undefined ? undefined : parseDuration(every);
    if (ms !== undefined && ms < SHORTEST_MS) {
      faults.push({
        path: ['reports', name, 'every'],
        part: 'value',
        message: `expected at least 1h, ${found(every)}`,
      });
    }
  }
  return faults;
}
