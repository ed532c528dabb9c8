import { caughtReason } from './caught.ts';
import type {
  AlarmChanged,
  DropMissed,
  DropUnrouted,
  News,
  PartitionFailure,
  PartitionsFailed,
  ReportMade,
} from './notifier.ts';
import { pipelineNotices } from './pipeline-notice.ts';
import { unhealthyNotices } from './unhealthy-notice.ts';

/** Something to look at that is no delivery: a headline, a list, and what to do. */
export interface NoteNotice {
  kind: 'note';
  channel?: string;
  table?: string;
  owner?: string;
  headline: string;
  items: string[];
  text: string[];
  /** Where to read on. */
  link?: { text: string; url: string };
}

/** Groups what is about no delivery: all unrouted drops, missed drops by table and channel, partitions by database, each report and each alarm by itself. */
export function noteNotices(events: readonly News[]): NoteNotice[] {
  const unrouted = events.filter((event) => event.event === 'drop.unrouted');
  const missed = Map.groupBy(
    events.filter((event) => event.event === 'drop.missed'),
    ({ table, channel }) => JSON.stringify([table, channel]),
  );
  const partitions = Map.groupBy(
    events.filter((event) => event.event === 'partitions.failed'),
    ({ database }) => database,
  );
  const alarms = events.filter((event): event is AlarmChanged => event.event.startsWith('alarm.'));
  return [
    ...(unrouted.length > 0 ? [unroutedNotice(unrouted)] : []),
    ...[...missed.values()].map(missedNotice),
    ...[...partitions.values()].map(partitionsNotice),
    ...pipelineNotices(events),
    ...unhealthyNotices(events),
    ...events.filter((event): event is ReportMade => event.event === 'report.made').map(reportNotice),
    ...alarms.map(alarmNotice),
  ];
}

function unroutedNotice(events: readonly DropUnrouted[]): NoteNotice {
  const reasons = [...new Set(events.map(({ reason }) => reason))];
  return {
    kind: 'note',
    headline: `${drops(events.length)} that no table claims`,
    items: [...new Set(events.map(({ file }) => file))],
    text: [...reasons, 'Give a table of lake.yaml their prefix, then `lakegate drop` them; or delete them.'],
  };
}

function missedNotice(events: readonly DropMissed[]): NoteNotice {
  const { table, channel } = events[0]!;
  const owner = events.find((event) => event.owner !== undefined)?.owner;
  return {
    kind: 'note',
    table,
    ...(channel !== undefined && { channel }),
    ...(owner !== undefined && { owner }),
    headline: `${table}: ${drops(events.length)} that no event told of`,
    items: events.map(({ file }) => file),
    text: [
      'They were found by listing the raw area, and taken up. `lakegate doctor` checks that the bucket sends its events and that the rule is on.',
    ],
  };
}

function partitionsNotice(events: readonly PartitionsFailed[]): NoteNotice {
  const { database } = events[0]!;
  const tables = new Set(events.map(({ table }) => table));
  const [table] = tables;
  const about = tables.size === 1 && table !== undefined ? `${database}.${table}` : database;
  // A failure without values is the whole table's or database's, and no number of partitions is known.
  const isCounted = events.every(({ failures }) => failures.every(({ values }) => values !== undefined));
  const count = events.reduce((sum, event) => sum + event.count, 0);
  const what = isCounted
    ? `${count.toLocaleString('en-US')} ${count === 1 ? 'partition' : 'partitions'}`
    : 'partitions';
  const named = events.reduce((sum, { failures }) => sum + failures.length, 0);
  return {
    kind: 'note',
    headline: `${about}: ${what} could not be brought up to date`,
    items: events.flatMap((event) => event.failures.map((failure) => failureLine(event, failure))),
    text: [
      ...(count > named ? [`${(count - named).toLocaleString('en-US')} more are not named here.`] : []),
      `The next run tries again. \`lakegate partitions plan ${database}\` shows what is missing and why.`,
    ],
  };
}

function failureLine({ database, table }: PartitionsFailed, { values, reason }: PartitionFailure): string {
  const place = [database, ...(table === undefined ? [] : [table])].join('.');
  return `${place}${values === undefined ? '' : ` (${values.join(', ')})`}: ${caughtReason(reason)}`;
}

function reportNotice({ headline, lines, link, channel }: ReportMade): NoteNotice {
  return {
    kind: 'note',
    ...(channel !== undefined && { channel }),
    headline,
    items: [],
    text: lines,
    ...(link !== undefined && { link: { text: 'Open the report', url: link } }),
  };
}

function alarmNotice({ event, name, description, reason }: AlarmChanged): NoteNotice {
  return {
    kind: 'note',
    headline: event === 'alarm.raised' ? `Alarm: ${name}` : `Over: ${name}`,
    items: [],
    text: [description, reason].filter((text) => text !== undefined),
  };
}

function drops(count: number): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? 'drop' : 'drops'}`;
}
