import { caughtReason } from './caught.ts';
import type { News } from './notifier.ts';

/**
 * What an event is about, so that the same trouble of the same table is one: the event's kind, the table, and the rules that failed, or the reason
 * without what differs from file to file. Undefined for what nobody is told of.
 */
export function troubleOf(news: News): string | undefined {
  switch (news.event) {
    case 'delivery.published':
      if ((news.addedColumns ?? []).length === 0) return undefined;
      return key(news.event, news.table, news.channel, [...(news.addedColumns ?? [])].sort());
    case 'delivery.rejected':
    case 'delivery.errored': {
      const rules = new Set(news.results.map(({ rule, column }) => `${rule} ${column ?? ''}`));
      const why = rules.size > 0 ? [...rules].sort() : [general(news.reason ?? '', news.file)];
      return key(news.event, news.table, news.channel, why);
    }
    case 'drop.unrouted':
      // Files of one folder are one trouble; each file's name would make as many.
      return key(news.event, news.file.slice(0, news.file.lastIndexOf('/') + 1));
    case 'drop.missed':
      return key(news.event, news.table, news.channel);
    case 'partitions.failed':
      return key(news.event, news.database, news.table, [
        ...new Set(news.failures.map(({ reason }) => general(reason, ''))),
      ]);
    case 'pipeline.failed':
      return key(news.event, news.pipeline, [
        ...new Set(
          news.failures.map(({ job, source, table, reason }) =>
            key(job, source, table, general(caughtReason(reason), '')),
          ),
        ),
      ]);
    case 'table.unhealthy':
      return key(news.event, news.table, news.channel, [...news.checks].sort());
    case 'report.made':
      return key(news.event, news.report, news.channel, [news.headline, ...news.lines]);
    case 'alarm.raised':
    case 'alarm.ended':
      return key(news.event, news.name);
  }
}

/** What is told in one message: all of one table and channel, all unrouted drops, each alarm by itself. */
export function messageOf(news: News): string {
  if ('name' in news) return key(news.event, news.name);
  if (news.event === 'drop.unrouted') return key(news.event);
  if (news.event === 'partitions.failed') return key(news.event, news.database);
  if (news.event === 'pipeline.failed') return key(news.event, news.pipeline);
  if (news.event === 'report.made') return key(news.event, news.report, news.channel);
  return key(news.table, news.channel);
}

/** A reason without the names and numbers of the file at hand. */
function general(reason: string, file: string): string {
  const names = [file, file.slice(file.lastIndexOf('/') + 1)].filter((name) => name !== '');
  return names.reduce((text, name) => text.replaceAll(name, 'FILE'), reason).replace(/[0-9a-f]{16,}|\d+/g, 'N');
}

function key(...parts: unknown[]): string {
  return JSON.stringify(parts.map((part) => part ?? ''));
}
