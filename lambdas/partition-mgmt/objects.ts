import { LakegateError } from '../../src/errors.ts';
import { parseEvent } from '../../src/events/parse.ts';
import { queueMessages } from '../../src/events/sqs.ts';
import { isoTime } from '../../src/gate/claim.ts';
import type { PartitionFailure, PartitionsFailed } from '../../src/notify/notifier.ts';
import type { EventsResult, EventTableResult, PartitionEvents } from '../../src/partitions/events.ts';
import { METRICS } from '../metric-names.ts';
import type { WorkPorts } from './database.ts';
import { requestMetrics } from './report.ts';

/** Messages of the queue that are to come again; nothing for an event that came by another way. */
export interface EventsAnswer {
  batchItemFailures: { itemIdentifier: string }[];
}

/**
 * Registers the partitions of objects that were created. Of a queue's batch, those messages fail whose partitions may be registered later, and
 * those that are not understood; they hold back no other.
 * @throws LakegateError `invalid` for an event that is not understood, `unavailable` for one, not from a queue, that has to come again
 */
export async function takeEvents(
  ports: WorkPorts & { events: PartitionEvents },
  event: unknown,
): Promise<EventsAnswer> {
  const { events, observer, partitions } = ports;
  const messages = queueMessages(event);
  const failed = new Set<string>();
  const messagesOf = new Map<string, string[]>();
  const take = (id: string, body: unknown) => {
    const parsed = parseEvent(body);
    if (parsed.kind === 'ignored') observer.info('event-ignored', { messageId: id, reason: parsed.reason });
    else for (const { url } of parsed.drops) messagesOf.set(url, [...(messagesOf.get(url) ?? []), id]);
  };
  const waited: number[] = [];
  if (messages === undefined) take('', event);
  for (const { id, body, sentAt } of messages ?? []) {
    if (sentAt !== undefined) waited.push(Math.max(0, partitions.now() - sentAt));
    try {
      take(id, body);
    } catch (error) {
      failed.add(id);
      observer.error('event-malformed', { messageId: id, error });
    }
  }
  observer.measure({ [METRICS.queueAge]: waited, [METRICS.malformed]: failed.size });
  const result = await events.apply([...messagesOf.keys()]);
  report(ports, result);
  const failures = result.tables.flatMap((table) => failureOf(table, isoTime(partitions.now())));
  if (failures.length > 0) await ports.notifier.notify(failures).catch(() => undefined);
  if (messages === undefined && result.again.length > 0) {
    // Lambda repeats an asynchronous event that failed.
    const { again } = result;
    const named = again.slice(0, 5).join(', ');
    throw new LakegateError(
      'unavailable',
      `the partitions of ${again.length} objects have to be tried again: ${named}`,
      {
        context: { again: again.length },
      },
    );
  }
  for (const url of result.again) for (const id of messagesOf.get(url) ?? []) failed.add(id);
  return { batchItemFailures: [...failed].map((itemIdentifier) => ({ itemIdentifier })) };
}

function report({ observer }: WorkPorts, { tables, unknown, ignored, again, reasons, tally }: EventsResult): void {
  for (const { database, table, created, already, rejected, errors, error } of tables) {
    const facts = { database, table, created, already };
    if (error) observer.error('partition-table-failed', { ...facts, error: error.message, kind: error.kind });
    else if (errors.count > 0) observer.error('partitions-refused', { ...facts, errors });
    else if (rejected.count > 0) observer.warn('partitions-differ', { ...facts, rejected });
    else observer.info('partitions-registered', facts);
  }
  if (reasons.count > 0) observer.error('tables-not-listed', { again: again.length, reasons: reasons.first });
  if (unknown.count > 0) observer.warn('objects-unmatched', { folders: unknown.count, first: unknown.first });
  observer.info('partition-events', { tables: tables.length, ignored, again: again.length, ...tally });
  const sum = (of: (table: EventTableResult) => number) => tables.reduce((total, table) => total + of(table), 0);
  observer.measure({
    [METRICS.partitionsCreated]: sum(({ created }) => created),
    [METRICS.partitionsRejected]: sum(({ rejected }) => rejected.count),
    [METRICS.partitionErrors]: sum(({ errors }) => errors.count),
    [METRICS.partitionTablesFailed]: tables.filter(({ error }) => error !== undefined).length,
    [METRICS.objectsUnmatched]: unknown.count,
    ...requestMetrics(tally),
  });
}

/** What people are told of a table's events. A fault that may pass is none: the event comes again, and ends in the dead-letter queue if it stays. */
function failureOf({ database, table, errors, error }: EventTableResult, at: string): PartitionsFailed[] {
  const failures: PartitionFailure[] = errors.first.map(({ values, code, message }) => ({
    values,
    reason: `${code}: ${message}`,
  }));
  if (error && !error.retryable) failures.unshift({ reason: error.message });
  if (failures.length === 0) return [];
  return [
    { event: 'partitions.failed', database, table, count: Math.max(errors.count, failures.length), failures, at },
  ];
}
