/** Partitions that Glue could not be told of, from the bus to what people read. */
import { busEntry } from '../../src/notify/bus-entry.ts';
import { newsOf } from '../../src/notify/bus-news.ts';
import { notices } from '../../src/notify/notice.ts';
import type { PartitionsFailed } from '../../src/notify/notifier.ts';
import { messageOf, troubleOf } from '../../src/notify/trouble.ts';

const failed: PartitionsFailed = {
  event: 'partitions.failed',
  database: 'web_raw',
  table: 'clicks',
  count: 30,
  failures: [{ values: ['2026-11-21', 'de'], reason: 'AccessDeniedException: no right to create' }],
  at: '2026-11-21T06:00:00.000Z',
};

const onTheBus = (event: PartitionsFailed) => {
  const { Source, Detail } = busEntry(event, 'lake-dev');
  return JSON.stringify({ source: Source, detail: JSON.parse(Detail) });
};

test('the message names database, table, values and reason, and how many more there are', () => {
  const news = newsOf(onTheBus(failed))!.news;
  expect(notices([news])).toEqual([
    {
      kind: 'note',
      headline: 'web_raw.clicks: 30 partitions could not be brought up to date',
      items: ['web_raw.clicks (2026-11-21, de): AccessDeniedException: no right to create'],
      text: [
        '29 more are not named here.',
        'The next run tries again. `lakegate partitions plan web_raw` shows what is missing and why.',
      ],
    },
  ]);
});

test('tables of one database are one message, and the same trouble of a table is one trouble', () => {
  const other = { ...failed, table: 'visits' };
  expect(notices([failed, other]).map((notice) => notice.headline)).toEqual([
    'web_raw: 60 partitions could not be brought up to date',
  ]);
  expect(messageOf(failed)).toBe(messageOf(other));
  expect(troubleOf(failed)).not.toBe(troubleOf(other));
  const tomorrow = { ...failed, count: 1, failures: [{ ...failed.failures[0]!, values: ['2026-11-22', 'de'] }] };
  expect(troubleOf(tomorrow)).toBe(troubleOf(failed));
});

test('a database that Step Functions gave up is told in the words of the function', () => {
  const cause = JSON.stringify({ errorType: 'LakegateError', errorMessage: 'cannot list web_raw', trace: ['at …'] });
  const { table: _, ...whole } = { ...failed, count: 1, failures: [{ reason: cause }] };
  const [notice] = notices([newsOf(onTheBus(whole))!.news]);
  expect(notice).toMatchObject({
    headline: 'web_raw: partitions could not be brought up to date',
    items: ['web_raw: cannot list web_raw'],
  });
});

test.each([
  ['no database', { ...failed, database: undefined }],
  ['a count that is none', { ...failed, count: 'many' }],
  ['failures without a reason', { ...failed, failures: [{ values: ['1'] }] }],
  ['values that are no text', { ...failed, failures: [{ values: [1], reason: 'no' }] }],
])('%s is malformed', (_name, event) => {
  const body = JSON.stringify({ source: 'lakegate', detail: { eventId: 'x', ...event } });
  expect(() => newsOf(body)).toThrow();
});
