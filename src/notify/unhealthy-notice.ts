import type { NoteNotice } from './note-notice.ts';
import type { News, TableUnhealthy } from './notifier.ts';

/** What the data monitor found, one message for each table and channel. */
export function unhealthyNotices(events: readonly News[]): NoteNotice[] {
  const byTable = Map.groupBy(
    events.filter((event): event is TableUnhealthy => event.event === 'table.unhealthy'),
    ({ table, channel }) => JSON.stringify([table, channel]),
  );
  return [...byTable.values()].map((ofTable) => {
    // A later look at the same table stands for the earlier ones.
    const { table, channel, owner, findings, link } = ofTable.at(-1)!;
    return {
      kind: 'note',
      table,
      ...(channel !== undefined && { channel }),
      ...(owner !== undefined && { owner }),
      headline: `${table}: ${findings.length} ${findings.length === 1 ? 'finding' : 'findings'} of the data monitor`,
      items: [],
      text: findings,
      ...(link !== undefined && { link: { text: 'Open the report', url: link } }),
    };
  });
}
