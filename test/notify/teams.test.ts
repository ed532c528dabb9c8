import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { LakegateError } from '../../src/errors.ts';
import type { DeliveryStopped, News } from '../../src/notify/notifier.ts';
import { createTeams } from '../../src/notify/teams.ts';
import { teamsMessages } from '../../src/notify/teams-card.ts';

const stopped = (id: string, more: Partial<DeliveryStopped> = {}): DeliveryStopped => ({
  event: 'delivery.rejected',
  id,
  table: 'sales.orders',
  file: `s3://raw/orders/${id}.csv`,
  at: '2026-01-02T03:04:05Z',
  results: [{ rule: 'not_null', column: 'email', outcome: 'failed', expected: 'no nulls', found: '3 nulls' }],
  ...more,
});

const cardText = (news: readonly News[], footer?: string) => JSON.stringify(teamsMessages(news, footer));

describe('teamsMessages', () => {
  test('one Adaptive Card for each table, with what to type', () => {
    const messages = teamsMessages([stopped('a1'), stopped('b2'), stopped('c3', { table: 'sales.other' })]);
    expect(messages.map(({ summary }) => summary)).toEqual([
      'sales.orders: 2 deliveries rejected',
      'sales.other: 1 delivery rejected',
    ]);
    expect(messages[0]!.attachments[0].content).toMatchObject({ type: 'AdaptiveCard', version: '1.4' });
    expect(JSON.stringify(messages[0])).toContain('lakegate delivery show a1');
  });

  test('text from files is in runs, which know no Markdown, and controls are shown', () => {
    const text = cardText([stopped('a', { file: '[x](https://evil.example)\u202e\n**bold**' })]);
    const types = [...text.matchAll(/"type":"(\w+)"/g)].map(([, type]) => type);
    expect(new Set(types)).toEqual(new Set(['message', 'AdaptiveCard', 'RichTextBlock', 'TextRun']));
    expect(text).toContain('\\\\u{202e}\\\\u{a}**bold**');
  });

  test("keeps to Teams' 28 KB and counts the rest", () => {
    const many = Array.from({ length: 200 }, (_, index) => stopped(`d${index}`, { reason: '日'.repeat(500) }));
    const text = cardText(many, 'the footer');
    expect(Buffer.byteLength(text)).toBeLessThan(28 * 1024);
    expect(text).toMatch(/and 1\d\d more: lakegate delivery list/);
    expect(text).toContain('the footer');
  });

  test('all kinds of news have a card; deliveries that were just published have none', () => {
    const at = '2026-01-02T03:04:05Z';
    const published = {
      event: 'delivery.published',
      id: 'p',
      table: 't',
      file: 'f',
      rows: 1,
      snapshotId: '1',
      at,
    } as const;
    expect(teamsMessages([published])).toEqual([]);
    const news: News[] = [
      { ...published, addedColumns: ['note: string'] },
      { event: 'drop.unrouted', file: 's3://raw/x', reason: 'no table', at },
      { event: 'drop.missed', table: 't', file: 's3://raw/y', at },
      { event: 'alarm.raised', name: 'lake-dev-gate-dead', description: 'Look', at },
    ];
    expect(teamsMessages(news).map(({ summary }) => summary)).toEqual([
      't has 1 new column',
      '1 drop that no table claims',
      't: 1 drop that no event told of',
      'Alarm: lake-dev-gate-dead',
    ]);
  });
});

describe('createTeams', () => {
  async function send(
    statuses: readonly number[],
    options: { headers?: Record<string, string>; webhook?: string; silent?: boolean } = {},
  ): Promise<{ calls: number; fault: LakegateError | undefined; waits: number[] }> {
    let calls = 0;
    const waits: number[] = [];
    const server = createServer((request, response) => {
      request.resume();
      calls += 1;
      if (options.silent) return;
      response.writeHead(statuses[calls - 1] ?? 202, options.headers).end();
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const teams = createTeams({
      webhook: options.webhook ?? `http://127.0.0.1:${(server.address() as AddressInfo).port}/very-secret`,
      sleep: async (ms) => void waits.push(ms),
      pace: { timeoutMs: 300 },
    });
    const fault = await teams.send([stopped('a')], undefined);
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
    expect(JSON.stringify([fault?.message, fault?.stack, fault?.context, fault?.cause])).not.toContain('very-secret');
    return { calls, fault, waits };
  }

  test('sends', async () => {
    expect(await send([202])).toMatchObject({ calls: 1, fault: undefined });
  });

  test('429 and 5xx are tried again, as late as Teams asks', async () => {
    expect(await send([429, 500, 200], { headers: { 'retry-after': '7' } })).toMatchObject({
      calls: 3,
      fault: undefined,
      waits: expect.arrayContaining([7_000]),
    });
    expect(await send([500, 500, 500])).toMatchObject({ calls: 3, fault: { kind: 'unavailable' } });
    expect(await send([429], { headers: { 'retry-after': '3600' } })).toMatchObject({
      calls: 1,
      fault: { kind: 'unavailable' },
    });
  });

  test('a webhook that is gone is for a person', async () => {
    expect(await send([404])).toMatchObject({ calls: 1, fault: { kind: 'config' } });
  });

  test('is not led elsewhere', async () => {
    expect(await send([302], { headers: { location: 'http://127.0.0.1:1/' } })).toMatchObject({
      fault: { kind: 'config' },
    });
  });

  test('no answer: not sent twice', async () => {
    expect(await send([], { silent: true })).toMatchObject({ calls: 1, fault: { kind: 'unavailable' } });
  });

  test.each(['very-secret', 'http://example.org/very-secret', 'file:///very-secret'])(
    '%s is no webhook',
    async (webhook) => {
      expect(await send([], { webhook })).toMatchObject({ calls: 0, fault: { kind: 'config' } });
    },
  );
});
