import type { ExpiryOverrides } from '../iceberg/expire.ts';
import type { ObjectStore } from '../storage/store.ts';
import type { GatePorts, TableTarget } from './ports.ts';
import { stagingOf } from './staging-of.ts';

export interface SweepOptions extends ExpiryOverrides {
  /** Files that nothing references go when they are older than this; younger ones may belong to a delivery under way. Milliseconds. */
  orphansOlderThanMs: number;
  /** Only say what would go. */
  dryRun: boolean;
}

export interface SweepReport {
  table: string;
  branches: string[];
  snapshots: string[];
  /** Files of expired snapshots that nothing references any more. */
  expiredFiles: string[];
  /** Files of attempts that came to nothing, unfinished ones included. */
  orphans: string[];
}

/**
 * Expires a table's snapshots, branches and tags by their age and removes the files that no snapshot left references, then those of failed
 * attempts. Only files under the table's own location are ever deleted.
 * @throws LakegateError `conflict` when somebody commits again and again meanwhile
 */
export async function sweepTable(ports: GatePorts, target: TableTarget, options: SweepOptions): Promise<SweepReport> {
  return stagingOf(ports, target).sweep(options);
}

/**
 * Removes what killed writers left unfinished under a folder that is no table's: the delivery records, the raw area.
 * @param olderThanMs as `orphansOlderThanMs`
 * @returns what was removed, or would be
 */
export async function sweepUnfinished(
  store: ObjectStore,
  folder: string,
  { olderThanMs, dryRun }: { olderThanMs: number; dryRun: boolean },
): Promise<string[]> {
  const urls: string[] = [];
  for await (const url of store.unfinished?.(folder, olderThanMs) ?? []) urls.push(url);
  if (!dryRun) await store.delete(urls);
  return urls;
}
