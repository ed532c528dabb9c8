import type { AlarmChanged, DropMissed, DropUnrouted, News } from './notifier.ts';

/** Something to look at that is no delivery: a headline, a list, and what to do. */
export interface NoteNotice {
  kind: 'note';
  channel?: string;
  table?: string;
  owner?: string;
  headline: string;
  items: string[];
  text: string[];
}

/** Groups what is about no delivery: all unrouted drops, missed drops by table and channel, each alarm by itself. */
export function noteNotices(events: readonly News[]): NoteNotice[] {
  const unrouted = events.filter((event) => event.event === 'drop.unrouted');
  const missed = Map.groupBy(
    events.filter((event) => event.event === 'drop.missed'),
    ({ table, channel }) => JSON.stringify([table, channel]),
  );
  const alarms = events.filter((event): event is AlarmChanged => event.event.startsWith('alarm.'));
  return [
    ...(unrouted.length > 0 ? [unroutedNotice(unrouted)] : []),
    ...[...missed.values()].map(missedNotice),
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
