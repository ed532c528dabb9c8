import type { Lake } from '../../src/compose.ts';
import { LakegateError } from '../../src/errors.ts';
import type { DroppedObject } from '../../src/events/dropped-object.ts';
import { parseEvent } from '../../src/events/parse.ts';
import { queueMessages } from '../../src/events/sqs.ts';
import { deliverObjects } from '../../src/gate/deliver.ts';
import type { DeliveryOutcome } from '../../src/gate/ports.ts';
import { withDeadline } from '../deadline.ts';
import { METRICS } from '../metric-names.ts';
import type { Observer } from '../observer.ts';
import type { StageLakeConfig } from '../stage-config.ts';
import { distinct, isToComeAgain, report, tellUnrouted } from './report.ts';

export interface AuditPorts {
  lake: Lake;
  config: StageLakeConfig;
  observer: Observer;
  /** Milliseconds until Lambda ends the invocation. */
  remainingMs(): number;
}

/** What whoever invokes the function by hand is answered. */
export interface DirectAnswer {
  deliveries: { drop: string; outcome: string; id?: string; reason?: string }[];
}

/** Messages of the queue that are to come again. */
export interface BatchAnswer {
  batchItemFailures: { itemIdentifier: string }[];
}

/**
 * Delivers what an event says was dropped. Of a queue's batch, those messages fail whose drops did not end and have to come again; what is not
 * understood fails too, until it is in the dead-letter queue, and holds back no other.
 * @throws LakegateError `invalid` for an event that is not understood, `unavailable` for one, not from a queue, that has to come again
 */
export async function auditDrops(ports: AuditPorts, event: unknown): Promise<BatchAnswer | DirectAnswer> {
  const { lake, observer } = ports;
  const messages = queueMessages(event);
  if (messages === undefined) return auditDirect(ports, event);
  const failed = new Set<string>();
  const drops: { message: string; drop: DroppedObject }[] = [];
  const waited: number[] = [];
  for (const { id, body, sentAt } of messages) {
    if (sentAt !== undefined) waited.push(Math.max(0, lake.ports.now() - sentAt));
    try {
      const parsed = parseEvent(body);
      if (parsed.kind === 'drops') drops.push(...parsed.drops.map((drop) => ({ message: id, drop })));
      else observer.info('event-ignored', { messageId: id, reason: parsed.reason });
    } catch (error) {
      failed.add(id);
      observer.error('event-malformed', { messageId: id, error });
    }
  }
  observer.measure({ [METRICS.queueAge]: waited, [METRICS.malformed]: failed.size });
  const outcomes = await deliverAll(
    ports,
    drops.map(({ drop }) => drop),
  );
  outcomes.forEach((outcome, index) => {
    if (isToComeAgain(outcome)) failed.add(drops[index]!.message);
  });
  return { batchItemFailures: [...failed].map((itemIdentifier) => ({ itemIdentifier })) };
}

async function auditDirect(ports: AuditPorts, event: unknown): Promise<DirectAnswer> {
  const parsed = parseEvent(event);
  if (parsed.kind === 'ignored') {
    ports.observer.info('event-ignored', { reason: parsed.reason });
    return { deliveries: [] };
  }
  const outcomes = await deliverAll(ports, parsed.drops);
  const again = outcomes.filter(isToComeAgain);
  if (again.length > 0) {
    // Lambda repeats an asynchronous event that failed; what has ended by then is not done twice.
    const cause = again.find((outcome) => 'error' in outcome);
    const drops = again.map(({ drop }) => drop);
    throw new LakegateError(
      'unavailable',
      `${drops.length} of ${outcomes.length} drops have to come again: ${drops.slice(0, 5).join(', ')}`,
      {
        context: { drops },
        ...(cause && 'error' in cause && { cause: cause.error }),
      },
    );
  }
  return {
    deliveries: outcomes.map((outcome) => ({
      drop: outcome.drop,
      outcome: 'record' in outcome ? outcome.record.state : outcome.kind,
      ...('record' in outcome && { id: outcome.record.id }),
      ...('record' in outcome && outcome.record.reason !== undefined && { reason: outcome.record.reason }),
      ...(outcome.kind === 'unrouted' && { reason: outcome.reason }),
    })),
  };
}

/** @returns one outcome for each drop, in the order given */
async function deliverAll(ports: AuditPorts, drops: readonly DroppedObject[]): Promise<DeliveryOutcome[]> {
  const { lake, observer, remainingMs } = ports;
  // An event tells the version that was put; a person, who names an object, means the one that is there.
  const outcomes = await deliverObjects(withDeadline(lake.ports, remainingMs), lake.config, drops);
  const once = distinct(outcomes.map((outcome, index) => ({ outcome, at: drops[index]!.at })));
  report(observer, ports.config, once, lake.ports.now());
  await tellUnrouted(
    lake,
    once.map(({ outcome }) => outcome),
  );
  return outcomes;
}
