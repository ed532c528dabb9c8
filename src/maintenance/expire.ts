import type { LakegateError } from '../errors.ts';
import { isKind } from '../errors.ts';
import type { GatePorts } from '../gate/ports.ts';
import { type SweepReport, sweepTable } from '../gate/sweep.ts';
import type { LakeTable } from './tables.ts';

export interface ExpireReport {
  swept: SweepReport[];
  /** Tables whose files may not be deleted, and why. */
  left: { table: string; reason: string }[];
  failed: { table: string; error: unknown }[];
  /** The last table that was looked at, where time ran out before all were. */
  stoppedAfter?: string;
}

/**
 * Expires the branches and snapshots of tables, one after the other, and removes what nothing needs any more. A fault of one holds back no other.
 * @param after begin behind this table, where an earlier run was stopped
 * @param orphansOlderThanMs longer than any delivery takes from its first file to its commit
 */
export async function expireTables(
  ports: GatePorts,
  tables: readonly LakeTable[],
  { after, orphansOlderThanMs }: { after?: string; orphansOlderThanMs: number },
): Promise<ExpireReport> {
  const report: ExpireReport = { swept: [], left: [], failed: [] };
  let last = after;
  for (const target of tables.filter(({ name }) => after === undefined || name > after)) {
    if ((ports.remainingMs?.() ?? 1) <= 0) return { ...report, ...(last !== undefined && { stoppedAfter: last }) };
    try {
      report.swept.push(await sweepTable(ports, target, { orphansOlderThanMs, dryRun: false }));
    } catch (error) {
      if (isGone(error)) report.left.push({ table: target.name, reason: error.message });
      else report.failed.push({ table: target.name, error });
    }
    last = target.name;
  }
  return report;
}

/** Dropped since it was listed, or its owner does not want anything deleted (gc.enabled=false). */
function isGone(error: unknown): error is LakegateError {
  return isKind(error, 'not_found', 'invalid');
}
