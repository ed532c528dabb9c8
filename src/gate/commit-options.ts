import type { CommitOptions } from '../iceberg/commit.ts';
import type { GatePorts } from './ports.ts';

/** What all commits of the gate share; `happened` is each commit's own. */
export function commitOptions(ports: GatePorts): Omit<CommitOptions, 'happened'> {
  return {
    io: ports.io,
    deadlineMs: ports.now() + Math.min(ports.commitDeadlineMs, ports.remainingMs?.() ?? ports.commitDeadlineMs),
    sleep: ports.sleep,
    random: ports.random,
  };
}
