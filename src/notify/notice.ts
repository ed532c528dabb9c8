import type { RuleResult } from '../rules/rule.ts';
import { type NoteNotice, noteNotices } from './note-notice.ts';
import type { DeliveryPublished, DeliveryStopped, News } from './notifier.ts';

/** What people are told about one table at once, before it is Slack's blocks or a terminal's lines. Text is as it came: not escaped. */
export type Notice = StoppedNotice | GrowthNotice | NoteNotice;

/** Deliveries that are not on main. */
export interface StoppedNotice {
  kind: 'stopped';
  channel?: string;
  table: string;
  owner?: string;
  /** `sales.orders: 2 deliveries rejected, 1 errored` */
  headline: string;
  deliveries: StoppedDelivery[];
}

export interface StoppedDelivery {
  file: string;
  /** `rejected`, `1,200 rows`, `not staged` … */
  facts: string[];
  branch?: string;
  reason?: string;
  findings: Finding[];
  /** What to type next, fit to be pasted into a shell. */
  commands: string[];
}

/** A rule's result in words. */
export interface Finding {
  rule: string;
  column?: string;
  text: string;
}

/** A table that gained columns. */
export interface GrowthNotice {
  kind: 'growth';
  channel?: string;
  table: string;
  owner?: string;
  headline: string;
  /** `name: type`, each once. */
  columns: string[];
  files: string[];
}

/**
 * Groups events into one notice for each table and channel, in the order of their first events. Published deliveries are no news, unless
 * the table grew by them. What is about no delivery comes last.
 */
export function notices(events: readonly News[]): Notice[] {
  const groups = new Map<string, { stopped: DeliveryStopped[]; grown: DeliveryPublished[] }>();
  for (const event of events) {
    if (!isDelivery(event)) continue;
    const isGrowth = event.event === 'delivery.published' && (event.addedColumns ?? []).length > 0;
    if (event.event === 'delivery.published' && !isGrowth) continue;
    const key = JSON.stringify([event.table, event.channel]);
    const group = groups.get(key) ?? { stopped: [], grown: [] };
    groups.set(key, group);
    if (event.event === 'delivery.published') group.grown.push(event);
    else group.stopped.push(event);
  }
  const ofTables = [...groups.values()].flatMap(({ stopped, grown }) => [
    ...(stopped.length > 0 ? [stoppedNotice(stopped)] : []),
    ...(grown.length > 0 ? [growthNotice(grown)] : []),
  ]);
  return [...ofTables, ...noteNotices(events)];
}

function isDelivery(event: News): event is DeliveryPublished | DeliveryStopped {
  return event.event.startsWith('delivery.');
}

function stoppedNotice(events: readonly DeliveryStopped[]): StoppedNotice {
  const rejected = events.filter((event) => event.event === 'delivery.rejected').length;
  const errored = events.length - rejected;
  const first = rejected > 0 ? `${counted(rejected, 'delivery', 'deliveries')} rejected` : undefined;
  const second = rejected > 0 ? `${errored} errored` : `${counted(errored, 'delivery', 'deliveries')} errored`;
  return {
    kind: 'stopped',
    ...about(events),
    headline: `${events[0]!.table}: ${[first, errored > 0 ? second : undefined].filter(Boolean).join(', ')}`,
    deliveries: events.map((event) => ({
      file: event.file,
      facts: [
        event.event === 'delivery.errored' ? 'errored' : 'rejected',
        ...(event.rows === undefined ? [] : [counted(event.rows, 'row', 'rows')]),
        event.at,
      ],
      ...(event.branch !== undefined && { branch: event.branch }),
      ...(event.reason !== undefined && { reason: event.reason }),
      findings: event.results.filter((result) => result.outcome !== 'passed').map(finding),
      commands: commands(event),
    })),
  };
}

function growthNotice(events: readonly DeliveryPublished[]): GrowthNotice {
  const columns = [...new Set(events.flatMap((event) => event.addedColumns ?? []))];
  return {
    kind: 'growth',
    ...about(events),
    headline: `${events[0]!.table} has ${counted(columns.length, 'new column', 'new columns')}`,
    columns,
    files: events.map((event) => event.file),
  };
}

function about(events: readonly (DeliveryPublished | DeliveryStopped)[]): {
  table: string;
  channel?: string;
  owner?: string;
} {
  const { table, channel } = events[0]!;
  const owner = events.find((event) => event.owner !== undefined)?.owner;
  return { table, ...(channel !== undefined && { channel }), ...(owner !== undefined && { owner }) };
}

function finding(result: RuleResult): Finding {
  const named = { rule: result.rule, ...(result.column !== undefined && { column: result.column }) };
  if (result.outcome === 'inconclusive') {
    return { ...named, text: `could not be checked (expected ${result.expected}): ${result.found}` };
  }
  // Most rules say how many in words of their own (`3 nulls`).
  const isCounted = result.count === undefined || new RegExp(`\\b${result.count}\\b`).test(result.found);
  const count = isCounted ? '' : ` (${counted(result.count!, 'violation', 'violations')})`;
  const rows = result.rows ?? [];
  const positions = rows.length === 0 ? '' : `, first at row ${rows.join(', ')} counted from 0`;
  const file = rows.length === 0 || result.file === undefined ? '' : ` of ${result.file}`;
  return { ...named, text: `expected ${result.expected}, found ${result.found}${count}${positions}${file}` };
}

function commands(event: DeliveryStopped): string[] {
  // People paste these into a shell, so an id that could be more than one plain word there is not put into them.
  const plain = /^[A-Za-z0-9][\w.-]*$/;
  const stage = event.stage !== undefined && plain.test(event.stage) ? ` --stage ${event.stage}` : '';
  if (!plain.test(event.id)) return [`lakegate delivery list${stage}`];
  const command = (verb: string) => `lakegate delivery ${verb} ${event.id}${stage}`;
  const discard = command('discard');
  if (event.event === 'delivery.errored') return [command('show'), command('retry'), discard];
  // Without a branch there is nothing that could be published.
  const publish = event.branch === undefined ? [] : [`${command('publish')} --reason "…"`];
  return [command('show'), ...publish, discard];
}

function counted(count: number, one: string, many: string): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? one : many}`;
}
