import fc from 'fast-check';
import type { DeliveryPublished, DeliveryStopped, DomainEvent } from '../../src/notify/notifier.ts';
import { slackMessages } from '../../src/notify/slack-blocks.ts';

const rejected: DeliveryStopped = {
  event: 'delivery.rejected',
  id: 'a1b2',
  table: 'sales.orders',
  file: 'orders/2024-01.csv',
  rows: 1200,
  at: '2026-01-02T03:04:05Z',
  owner: 'data-team@example.com',
  branch: 'wap-a1b2',
  results: [
    { rule: 'row_count', outcome: 'passed', expected: 'at least 1', found: '1200 rows' },
    {
      rule: 'not_null',
      column: 'amount',
      outcome: 'failed',
      count: 3,
      rows: [4, 9, 17],
      file: 'p-2.parquet',
      expected: 'no nulls',
      found: '3 nulls',
    },
    { rule: 'sql', outcome: 'inconclusive', expected: 'no rows', found: 'no SQL engine here' },
  ],
};
const errored: DeliveryStopped = {
  event: 'delivery.errored',
  id: 'c3d4',
  table: 'sales.orders',
  file: 'orders/broken.parquet',
  at: '2026-01-02T03:04:06Z',
  results: [],
  reason: 'no PAR1 at its end: truncated upload?',
};
const published: DeliveryPublished = {
  event: 'delivery.published',
  id: 'e5f6',
  table: 'sales.orders',
  file: 'orders/fine.csv',
  rows: 5,
  snapshotId: '1',
  at: '2026-01-02T03:04:07Z',
};

const texts = (message: { blocks: unknown[] }) => JSON.stringify(message.blocks).replaceAll('\\n', '\n');

describe('slackMessages', () => {
  test('stopped deliveries of a table come in one message, with what to type next', () => {
    const [message, ...more] = slackMessages([rejected, published, errored]);
    expect(more).toEqual([]);
    expect(message!.text).toBe('sales.orders: 1 delivery rejected, 1 errored');
    const text = texts(message!);
    for (const part of [
      'Table `sales.orders`, owner data-team@example.com',
      '`orders/2024-01.csv`',
      'rejected · 1,200 rows',
      'branch `wap-a1b2`',
      '• *not_null* on `amount`: expected no nulls, found 3 nulls, first at row 4, 9, 17 counted from 0 of p-2.parquet',
      '• *sql*: could not be checked (expected no rows): no SQL engine here',
      'lakegate delivery show a1b2\nlakegate delivery publish a1b2',
      'lakegate delivery discard a1b2',
      'Reason: no PAR1 at its end',
      'lakegate delivery retry c3d4',
    ]) {
      expect(text).toContain(part);
    }
    expect(text).not.toContain('row_count');
    expect(text).not.toContain('publish c3d4');
  });

  test('each table and channel has its own message', () => {
    const messages = slackMessages([
      rejected,
      { ...rejected, channel: '#a' },
      { ...rejected, table: 'x.y' },
      { ...errored, channel: '#a' },
    ]);
    expect(messages.map(({ channel, text }) => [channel, text])).toEqual([
      [undefined, 'sales.orders: 1 delivery rejected'],
      ['#a', 'sales.orders: 1 delivery rejected, 1 errored'],
      [undefined, 'x.y: 1 delivery rejected'],
    ]);
  });

  test('published deliveries are no news, new columns are', () => {
    expect(slackMessages([published])).toEqual([]);
    const grown = { ...published, addedColumns: ['discount: double'] };
    const [message] = slackMessages([
      grown,
      { ...grown, file: 'b.csv', addedColumns: ['discount: double', 'note: string'] },
    ]);
    expect(message!.text).toBe('sales.orders has 2 new columns');
    expect(texts(message!)).toContain('• `discount: double`\n• `note: string`');
    expect(texts(message!)).toContain('brought by `orders/fine.csv` and 1 more');
  });

  test('names and values cannot inject links, mentions, formatting or control characters', () => {
    const evil = '<!channel> <https://evil|x> & `code` \n\u{1b}[31m\u{202e}';
    const [message] = slackMessages([
      { ...rejected, file: evil, table: evil, owner: evil, branch: evil, reason: evil, id: 'x`; rm -rf ~; `' },
    ]);
    const text = JSON.stringify(message);
    expect(message!.blocks[0]).toMatchObject({ text: { type: 'plain_text' } });
    const marked = JSON.stringify([message!.text, message!.blocks.slice(1)]);
    expect(marked).not.toMatch(/[<>]|&(?!amp;|lt;|gt;)/);
    expect(text).not.toMatch(/rm -rf/);
    for (const hidden of ['\\u001b', '\u{202e}']) expect(text).not.toContain(hidden);
    expect(text).toContain('lakegate delivery list');
  });

  test("keeps to Slack's limits whatever comes, and counts what was left out", () => {
    const word = fc.string({ unit: 'grapheme', maxLength: 5000 });
    const stopped = fc.record({
      event: fc.constantFrom('delivery.rejected' as const, 'delivery.errored' as const),
      id: fc.stringMatching(/^[a-f0-9]{8,64}$/),
      table: fc.constant('a.b'),
      file: word,
      at: fc.constant('2026-01-02T03:04:05Z'),
      owner: word,
      branch: word,
      reason: word,
      results: fc.array(
        fc.record({
          rule: fc.constant('not_null' as const),
          column: word,
          outcome: fc.constant('failed' as const),
          expected: word,
          found: fc.constant('&'.repeat(3000)),
        }),
        { maxLength: 30 },
      ),
    });
    const grown = word.map((column): DomainEvent => ({ ...published, addedColumns: Array(100).fill(column) }));
    fc.assert(
      fc.property(fc.array(fc.oneof(stopped, grown), { minLength: 1, maxLength: 60 }), (events) => {
        for (const { blocks, text } of slackMessages(events)) {
          expect(blocks.length).toBeLessThanOrEqual(50);
          expect(text.length).toBeLessThanOrEqual(150);
          expect(JSON.stringify(blocks).length).toBeLessThanOrEqual(12_500);
          for (const block of blocks) {
            const parts = block.type === 'context' ? block.elements : [block.text];
            for (const part of parts) {
              expect(part.text.length).toBeLessThanOrEqual(block.type === 'header' ? 150 : 3000);
              expect(part.text.isWellFormed()).toBe(true);
              expect(part.text.length).toBeGreaterThan(0);
            }
          }
        }
      }),
      { numRuns: 60 },
    );
    const many = Array.from({ length: 100 }, (_, i) => ({ ...rejected, id: `d${i}` }));
    const [message] = slackMessages(many);
    const shown = new Set(texts(message!).match(/show d\d+/g)).size;
    expect(shown).toBeGreaterThan(5);
    expect(texts(message!)).toContain(`and ${100 - shown} more: \`lakegate delivery list\``);
  });
});

test('a report is told with its counts and a link that nothing in its address can leave', () => {
  const [message, ...more] = slackMessages([
    {
      event: 'report.made',
      report: 'cleanrooms',
      headline: 'Clean Rooms: 48 of 60 tables ready',
      lines: ['Stopped being ready: part_a, <!channel>', ...Array.from({ length: 40 }, () => 'x'.repeat(300))],
      link: 'https://eu-west-1.console.aws.amazon.com/s3/object/b?region=eu-west-1&prefix=a|b>c.html',
      at: '2026-01-02T03:04:05Z',
      channel: '#reports',
    },
  ]);
  expect(more).toEqual([]);
  expect(message!.channel).toBe('#reports');
  const [summary, link] = message!.blocks as { text: { text: string } }[];
  expect(summary!.text.text).toContain(
    '*Clean Rooms: 48 of 60 tables ready*\nStopped being ready: part_a, &lt;!channel&gt;',
  );
  expect(summary!.text.text.length).toBeLessThanOrEqual(3000);
  expect(summary!.text.text).toMatch(/and \d+ more$/);
  expect(link!.text.text).toBe(
    '<https://eu-west-1.console.aws.amazon.com/s3/object/b?region=eu-west-1&amp;prefix=a%7Cb%3Ec.html|Open the report>',
  );
});
