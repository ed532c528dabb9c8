import { LakegateError } from '../../src/errors.ts';
import { queueMessages } from '../../src/events/sqs.ts';
import { newsOf } from '../../src/notify/bus-news.ts';
import type { News } from '../../src/notify/notifier.ts';
import { type Heard, tellPlaces } from '../../src/notify/tell.ts';
import { troubleOf } from '../../src/notify/trouble.ts';
import { workTime } from '../deadline.ts';
import { METRICS } from '../metric-names.ts';
import { lakeName } from '../stage-config.ts';
import type { Notify } from './compose.ts';

export interface TellPorts extends Omit<Notify, 'begin'> {
  /** Milliseconds until Lambda ends the invocation. */
  remainingMs(): number;
}

/**
 * Tells people what the messages of a queue say. A message fails where a place that should have heard of it did not: it comes again, and ends in
 * the dead-letter queue, whose alarm goes by e-mail. Places that heard of it are not told twice.
 * @throws LakegateError `invalid` when the event is no queue's
 */
export async function tellPeople(
  ports: TellPorts,
  event: unknown,
): Promise<{ batchItemFailures: { itemIdentifier: string }[] }> {
  const { config, observer } = ports;
  const messages = queueMessages(event);
  if (messages === undefined) throw new LakegateError('invalid', 'expected messages of the notify queue');
  const failed = new Set<string>();
  const heard: Heard[] = [];
  const messagesOf = new Map<string, string[]>();
  for (const { id, body } of messages) {
    try {
      const found = newsOf(body);
      if (found === undefined || isOwn(found.news, lakeName(config))) {
        observer.info('news-ignored', { messageId: id, ...(found && { event: found.news.event }) });
        continue;
      }
      heard.push({ ...found, news: onStage(found.news, config.stage.name) });
      messagesOf.set(found.id, [...(messagesOf.get(found.id) ?? []), id]);
    } catch (error) {
      failed.add(id);
      observer.error('event-malformed', { messageId: id, error });
    }
  }
  observer.measure({ [METRICS.malformed]: failed.size });
  const told = await tellPlaces(
    {
      places: heard.some(({ news }) => troubleOf(news) !== undefined) ? await ports.places() : [],
      notes: ports.notes,
      now: ports.now,
      suppressMs: config.notify.suppressMs,
      remainingMs: workTime(ports.remainingMs),
    },
    heard,
  );
  for (const [id, error] of told.failed) {
    for (const message of messagesOf.get(id) ?? []) failed.add(message);
    observer.error('news-untold', { eventId: id, error });
  }
  observer.info('news-told', { events: heard.length, sent: told.sent, held: told.held, failed: told.failed.size });
  observer.measure({
    [METRICS.messagesSent]: told.sent,
    [METRICS.messagesHeld]: told.held,
    [METRICS.messagesFailed]: told.failed.size,
  });
  return { batchItemFailures: [...failed].map((itemIdentifier) => ({ itemIdentifier })) };
}

/** Commands in messages are typed on a machine whose lake is another, unless they say which stage they are for. */
function onStage(news: News, stage: string): News {
  return news.event === 'delivery.rejected' || news.event === 'delivery.errored' ? { ...news, stage } : news;
}

/** What goes wrong with telling people is not told by the same way: it would go round for ever. */
function isOwn(news: News, lake: string): boolean {
  return 'name' in news && news.name.startsWith(`${lake}-notify`);
}
