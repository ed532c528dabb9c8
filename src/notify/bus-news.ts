import { isObject, type Json, malformed, objectIn, textIn } from '../events/fields.ts';
import { eventId } from './bus-entry.ts';
import { EVENT_NAMES, EVENT_SOURCE } from './event-source.ts';
import type { AlarmChanged, DomainEvent } from './notifier.ts';
import type { Heard } from './tell.ts';

/**
 * What an event of the bus says: a domain event of lakegate's, or an alarm of CloudWatch (User Guide, "Alarm events and EventBridge").
 * @param body JSON of EventBridge's envelope
 * @returns undefined for what nobody is to be told of
 * @throws LakegateError `invalid` for what is neither
 */
export function newsOf(body: string): Heard | undefined {
  const event = fromJson(body);
  const detail = objectIn(event, 'detail');
  if (event.source === 'aws.cloudwatch') return alarmNews(event, detail);
  if (event.source !== EVENT_SOURCE) throw malformed(`an event of ${EVENT_SOURCE} or aws.cloudwatch`, event.source);
  const name = textIn(detail, 'event');
  // A newer lakegate may put events onto the bus that this one does not know.
  if (!EVENT_NAMES.some((known) => known === name)) return undefined;
  const news = domainEvent(name, detail);
  return { id: typeof detail.eventId === 'string' ? detail.eventId : eventId(news), news };
}

const REQUIRED: Readonly<Record<string, readonly string[]>> = {
  'delivery.published': ['id', 'table', 'file', 'at'],
  'delivery.rejected': ['id', 'table', 'file', 'at'],
  'delivery.errored': ['id', 'table', 'file', 'at'],
  'drop.unrouted': ['file', 'reason', 'at'],
  'drop.missed': ['table', 'file', 'at'],
  'partitions.failed': ['database', 'at'],
  'pipeline.failed': ['pipeline', 'execution', 'at'],
  'table.unhealthy': ['table', 'at'],
  'report.made': ['report', 'headline', 'at'],
};

const OPTIONAL = ['owner', 'channel', 'branch', 'reason'];

function domainEvent(name: string, detail: Json): DomainEvent {
  for (const field of REQUIRED[name] ?? []) textIn(detail, field);
  for (const field of OPTIONAL) if (detail[field] !== undefined) textIn(detail, field);
  const stopped = name === 'delivery.rejected' || name === 'delivery.errored';
  if (stopped && !(Array.isArray(detail.results) && detail.results.every(isResult))) {
    throw malformed('rule results in "results"', detail.results);
  }
  const { addedColumns } = detail;
  if (
    addedColumns !== undefined &&
    !(Array.isArray(addedColumns) && addedColumns.every((column) => typeof column === 'string'))
  ) {
    throw malformed('columns in "addedColumns"', addedColumns);
  }
  if (detail.rows !== undefined && typeof detail.rows !== 'number') throw malformed('a number in "rows"', detail.rows);
  if (name === 'partitions.failed') {
    if (detail.table !== undefined) textIn(detail, 'table');
    if (typeof detail.count !== 'number') throw malformed('a number in "count"', detail.count);
    if (!(Array.isArray(detail.failures) && detail.failures.every(isFailure)))
      throw malformed('reasons in "failures"', detail.failures);
  }
  if (name === 'pipeline.failed') checkPipeline(detail);
  if (name === 'report.made') checkReport(detail);
  if (name === 'table.unhealthy') checkUnhealthy(detail);
  return detail as unknown as DomainEvent;
}

function isResult(result: unknown): boolean {
  if (!isObject(result)) return false;
  return ['rule', 'outcome', 'expected', 'found'].every((field) => typeof result[field] === 'string');
}

function checkUnhealthy({ checks, findings, link }: Json): void {
  for (const list of [checks, findings]) {
    if (!(Array.isArray(list) && list.every((item) => typeof item === 'string'))) throw malformed('findings', list);
  }
  checkLink(link);
}

function checkReport({ lines, link }: Json): void {
  if (!(Array.isArray(lines) && lines.every((line) => typeof line === 'string'))) {
    throw malformed('sentences in "lines"', lines);
  }
  checkLink(link);
}

function checkLink(link: unknown): void {
  if (link !== undefined && !(typeof link === 'string' && URL.parse(link)?.protocol === 'https:')) {
    throw malformed('an https address in "link"', link);
  }
}

function checkPipeline({ count, failures }: Json): void {
  if (typeof count !== 'number') throw malformed('a number in "count"', count);
  const isStep = (step: unknown) =>
    isObject(step) &&
    typeof step.job === 'string' &&
    typeof step.reason === 'string' &&
    (step.inconclusive === undefined || typeof step.inconclusive === 'boolean') &&
    [step.source, step.table].every((name) => name === undefined || typeof name === 'string');
  if (!(Array.isArray(failures) && failures.every(isStep))) throw malformed('steps in "failures"', failures);
}

function isFailure(failure: unknown): boolean {
  if (!isObject(failure) || typeof failure.reason !== 'string') return false;
  const { values } = failure;
  return values === undefined || (Array.isArray(values) && values.every((value) => typeof value === 'string'));
}

function alarmNews(event: Json, detail: Json): Heard | undefined {
  const state = objectIn(detail, 'state');
  const value = textIn(state, 'value');
  if (value !== 'ALARM' && value !== 'OK') return undefined;
  // An alarm that is new is OK for the first time: nothing is over.
  const before = isObject(detail.previousState) ? detail.previousState.value : undefined;
  if (value === 'OK' && before !== 'ALARM') return undefined;
  const configuration = isObject(detail.configuration) ? detail.configuration : {};
  const news: AlarmChanged = {
    event: value === 'ALARM' ? 'alarm.raised' : 'alarm.ended',
    name: textIn(detail, 'alarmName'),
    ...(typeof configuration.description === 'string' && { description: configuration.description }),
    ...(typeof state.reason === 'string' && { reason: state.reason }),
    at: textIn(event, 'time'),
  };
  return { id: typeof event.id === 'string' ? event.id : `${news.name} ${news.at}`, news };
}

function fromJson(body: string): Json {
  let event: unknown;
  try {
    event = JSON.parse(body);
  } catch {
    throw malformed('JSON', body);
  }
  if (!isObject(event)) throw malformed('an event of EventBridge', event);
  return event;
}
