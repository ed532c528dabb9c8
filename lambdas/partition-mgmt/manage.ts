import type { PartitionEvents } from '../../src/partitions/events.ts';
import { newTally } from '../../src/partitions/tally.ts';
import { type WorkPorts, workOn } from './database.ts';
import { planRun, type RunPlan } from './databases.ts';
import { type EventsAnswer, takeEvents } from './objects.ts';
import { requestMetrics } from './report.ts';
import { type DatabaseItem, parseRequest } from './request.ts';
import { type RunSummary, summarize } from './summary.ts';

export interface ManagePorts extends WorkPorts {
  events: PartitionEvents;
}

export type PartitionAnswer = RunPlan | DatabaseItem | RunSummary | EventsAnswer;

/**
 * Does what the event asks for.
 * @throws LakegateError `usage` for a request of the state machine's form that is none, `invalid` for an event that is not understood,
 *   `unavailable` for what has to be asked again
 */
export async function managePartitions(ports: ManagePorts, event: unknown): Promise<PartitionAnswer> {
  const request = parseRequest(event);
  switch (request?.mode) {
    case undefined:
      return takeEvents(ports, event);
    case 'databases': {
      const tally = newTally();
      const plan = await planRun(ports.partitions, ports.config, request.request, tally);
      ports.observer.info('partition-run-planned', { sync: plan.sync, databases: plan.items.length, rest: plan.rest });
      ports.observer.measure(requestMetrics(tally));
      return plan;
    }
    case 'database':
      return workOn(ports, request.item);
    case 'summary':
      return summarize(ports.observer, request);
  }
}
