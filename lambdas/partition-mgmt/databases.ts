import type { PartitionsConfig } from '../../src/config/partitions-model.ts';
import { LakegateError } from '../../src/errors.ts';
import type { PartitionPorts } from '../../src/partitions/ports.ts';
import type { SyncMode } from '../../src/partitions/result.ts';
import { managedDatabases } from '../../src/partitions/sync.ts';
import type { Tally } from '../../src/partitions/tally.ts';
import type { DatabaseItem, RunRequest } from './request.ts';

/** What a run of the state machine works on, and the run that is to follow for the rest; null when there is none. */
export interface RunPlan {
  sync: SyncMode;
  items: DatabaseItem[];
  rest: RunRequest | null;
}

/**
 * Databases of one execution: a state takes 256 KiB, of which an item with its name of at most 255 characters and its outcome take half at most;
 * a history takes 25,000 events, of which a database costs a dozen, and half as many again each time it is gone on with.
 */
const IN_ONE_EXECUTION = 300;

/**
 * The databases that a run looks at, in the order of their names.
 * @throws LakegateError `usage` for a database that lake.yaml does not manage, or that there is not; `unavailable`
 */
export async function planRun(
  ports: Pick<PartitionPorts, 'catalog'>,
  config: PartitionsConfig,
  request: RunRequest,
  tally: Tally,
): Promise<RunPlan> {
  const { sync, after = '' } = request;
  const managed = await managedDatabases(ports, config, tally);
  const unknown = request.databases?.filter((name) => !managed.includes(name)) ?? [];
  if (unknown.length > 0) {
    throw new LakegateError(
      'usage',
      `databases: expected databases of Glue that \`partitions.databases\` of lake.yaml matches, found ${unknown.join(', ')}`,
      { context: { unknown } },
    );
  }
  const names = [...new Set(request.databases ?? managed)].sort().filter((name) => name > after);
  const now = names.slice(0, IN_ONE_EXECUTION);
  return {
    sync,
    items: now.map((database) => ({ database, sync, continuation: null, outcome: null })),
    rest: now.length < names.length ? { ...request, after: now.at(-1)! } : null,
  };
}
