/** What the data monitor found, from the bus to what people read. */
import { busEntry } from '../../src/notify/bus-entry.ts';
import { newsOf } from '../../src/notify/bus-news.ts';
import { notices } from '../../src/notify/notice.ts';
import type { TableUnhealthy } from '../../src/notify/notifier.ts';
import { slackMessages } from '../../src/notify/slack-blocks.ts';
import { messageOf, troubleOf } from '../../src/notify/trouble.ts';

const unhealthy: TableUnhealthy = {
  event: 'table.unhealthy',
  table: 'sales.orders',
  checks: ['key_nulls', 'freshness'],
  findings: ['key nulls: expected no nulls in id, found 3 nulls', 'freshness: <!here> 60 days old'],
  link: 'https://eu-west-1.console.aws.amazon.com/s3/object/b?prefix=data-monitor/r.html',
  at: '2026-11-21T06:00:00.000Z',
  owner: 'sales@example.com',
  channel: '#orders',
};

const onTheBus = (event: object) => {
  const { Source, Detail } = busEntry(event as TableUnhealthy, 'lake-dev');
  return JSON.stringify({ source: Source, detail: JSON.parse(Detail) });
};

test('the message names table, owner and findings, and leads to the report', () => {
  const news = newsOf(onTheBus(unhealthy))!.news;
  expect(notices([news])).toEqual([
    {
      kind: 'note',
      table: 'sales.orders',
      channel: '#orders',
      owner: 'sales@example.com',
      headline: 'sales.orders: 2 findings of the data monitor',
      items: [],
      text: unhealthy.findings,
      link: { text: 'Open the report', url: unhealthy.link },
    },
  ]);
  const [message] = slackMessages([news]);
  expect(message!.channel).toBe('#orders');
  expect(JSON.stringify(message)).toContain('&lt;!here&gt; 60 days old');
});

test('the same checks of a table are the same trouble, however the numbers move', () => {
  const tomorrow = { ...unhealthy, findings: ['other words'], checks: ['freshness', 'key_nulls'], link: undefined };
  expect(troubleOf(tomorrow as TableUnhealthy)).toBe(troubleOf(unhealthy));
  expect(troubleOf({ ...unhealthy, checks: ['schema'] })).not.toBe(troubleOf(unhealthy));
  expect(troubleOf({ ...unhealthy, table: 'sales.returns' })).not.toBe(troubleOf(unhealthy));
  expect(messageOf(unhealthy)).not.toBe(messageOf({ ...unhealthy, table: 'sales.returns' }));
});

test.each([
  ['no table', { ...unhealthy, table: 7 }],
  ['findings that are none', { ...unhealthy, findings: [1] }],
  ['no checks', { ...unhealthy, checks: undefined }],
  ['a link that is no https address', { ...unhealthy, link: 'javascript:alert(1)' }],
])('an event with %s is refused', (_what, event) => {
  expect(() => newsOf(onTheBus(event))).toThrow(/expected/i);
});
