import fc from 'fast-check';
import { renderConsole } from '../../src/notify/console.ts';
import type { DeliveryPublished, DeliveryStopped } from '../../src/notify/notifier.ts';

const rejected: DeliveryStopped = {
  event: 'delivery.rejected',
  id: 'a1b2',
  table: 'sales.orders',
  file: 'orders/x.csv',
  rows: 3,
  at: '2026-01-02T03:04:05Z',
  owner: 'me',
  branch: 'wap-a1b2',
  results: [
    {
      rule: 'unique',
      column: 'id',
      outcome: 'failed',
      count: 1,
      rows: [2],
      expected: 'no repeats',
      found: 'id 7 again',
    },
  ],
};

describe('renderConsole', () => {
  test('says what Slack would say', () => {
    const grown: DeliveryPublished = {
      event: 'delivery.published',
      id: 'c',
      table: 'a.b',
      file: 'f',
      rows: 1,
      snapshotId: '1',
      at: '',
      addedColumns: ['x: int'],
    };
    expect(renderConsole([rejected, grown], { color: false })).toBe(`✗ sales.orders: 1 delivery rejected owner me
  orders/x.csv
    rejected · 3 rows · 2026-01-02T03:04:05Z · branch wap-a1b2
    unique on id: expected no repeats, found id 7 again (1 violation), first at row 2 counted from 0
    $ lakegate delivery show a1b2
    $ lakegate delivery publish a1b2 --reason "…"
    $ lakegate delivery discard a1b2

+ a.b has 1 new column
    x: int
  from f
`);
    expect(renderConsole([], { color: true })).toBe('');
  });

  test('colours frame the same words', () => {
    const esc = String.fromCharCode(27);
    const coloured = renderConsole([rejected], { color: true });
    expect(coloured).toContain(`${esc}[31m✗${esc}[0m`);
    const bare = coloured.split(esc).map((part, i) => (i === 0 ? part : part.replace(/^\[\d+m/, '')));
    expect(bare.join('')).toBe(renderConsole([rejected], { color: false }));
  });

  test('no text from outside reaches the terminal as anything but visible characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const event = { ...rejected, file: text, table: text, owner: text, branch: text, reason: text, id: text };
        const rendered = renderConsole([event], { color: false });
        expect(rendered.replaceAll('\n', '')).not.toMatch(/\p{C}/u);
        const lines = renderConsole([{ ...event, table: 't', file: 'f', owner: 'o', branch: 'b', reason: 'r' }], {
          color: false,
        });
        expect(rendered.split('\n')).toHaveLength(lines.split('\n').length);
      }),
    );
  });
});
