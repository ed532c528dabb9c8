import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { LakegateError } from '../../src/errors.ts';
import type { DeliveryStopped } from '../../src/notify/notifier.ts';
import { combineNotifiers, configuredNotifiers } from '../../src/notify/notifiers.ts';
import { createSlackNotifier, type SlackPace } from '../../src/notify/slack.ts';

const TOKEN = 'xoxb-very-secret';
const stopped: DeliveryStopped = {
  event: 'delivery.rejected',
  id: 'a1',
  table: 'sales.orders',
  file: 'orders/x.csv',
  at: '2026-01-02T03:04:05Z',
  results: [],
  reason: 'no',
};

type Answer = (response: ServerResponse, n: number) => void;
const json =
  (body: object, status = 200, headers = {}) =>
  (response: ServerResponse) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  };
const ok = json({ ok: true, ts: '1.1', channel: 'C1' });

interface Call {
  at: number;
  url: string | undefined;
  auth: string | undefined;
  body: URLSearchParams;
}

/** A server that speaks chat.postMessage, and what a notifier against it did. */
async function withSlack(
  answer: Answer,
  run: (notifier: ReturnType<typeof createSlackNotifier>) => Promise<void>,
  options: { pace?: Partial<SlackPace>; token?: string } = {},
): Promise<{ calls: Call[]; faults: LakegateError[] }> {
  const calls: Call[] = [];
  const faults: LakegateError[] = [];
  const server = createServer(async (request: IncomingMessage, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { url, headers } = request;
    calls.push({ at: Date.now(), url, auth: headers.authorization, body: new URLSearchParams(body) });
    answer(response, calls.length);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const notifier = createSlackNotifier({
    token: options.token ?? TOKEN,
    channel: '#data',
    apiUrl: `http://127.0.0.1:${port}/api/`,
    onFault: (fault) => faults.push(fault),
    pace: { betweenMs: 20, longestWaitMs: 3_000, timeoutMs: 2_000, ...options.pace },
  });
  try {
    await run(notifier);
  } finally {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  }
  for (const fault of faults) {
    expect(JSON.stringify([fault.message, fault.stack, fault.context, fault.cause])).not.toContain('secret');
  }
  return { calls, faults };
}

const one = (notifier: ReturnType<typeof createSlackNotifier>) => notifier.notify([stopped]);

describe('createSlackNotifier', () => {
  test('posts blocks to the channel with the token in the header', async () => {
    const { calls, faults } = await withSlack(ok, (slack) => slack.notify([stopped, { ...stopped, channel: '#own' }]));
    expect(faults).toEqual([]);
    expect(calls.map(({ body }) => body.get('channel')).sort()).toEqual(['#data', '#own']);
    const [{ url, auth, body }] = calls as [Call];
    expect(url).toBe('/api/chat.postMessage');
    expect(auth).toBe(`Bearer ${TOKEN}`);
    expect(JSON.parse(body.get('blocks')!)[0]).toMatchObject({ type: 'header' });
    expect(body.get('unfurl_links')).toBe('false');
  });

  test('nothing to say, nothing asked', async () => {
    const { calls } = await withSlack(ok, (slack) => slack.notify([]));
    expect(calls).toEqual([]);
  });

  test('one message at a time to a channel, also over several calls', async () => {
    const tables = ['a.a', 'a.b', 'a.c'].map((table) => ({ ...stopped, table }));
    const run = async (slack: ReturnType<typeof createSlackNotifier>) => {
      await Promise.all([slack.notify(tables.slice(0, 2)), slack.notify(tables.slice(2))]);
    };
    const { calls } = await withSlack(ok, run, { pace: { betweenMs: 150 } });
    const gaps = calls.slice(1).map((call, i) => call.at - calls[i]!.at);
    expect(calls).toHaveLength(3);
    expect(Math.min(...gaps)).toBeGreaterThan(90);
  });

  test('429: waits as long as asked, then sends', async () => {
    const limited = json({ ok: false, error: 'ratelimited' }, 429, { 'retry-after': '1' });
    const { calls, faults } = await withSlack((r, n) => (n === 1 ? limited : ok)(r), one);
    expect(faults).toEqual([]);
    expect(calls).toHaveLength(2);
    expect(calls[1]!.at - calls[0]!.at).toBeGreaterThan(950);
  });

  test('429: does not wait longer than it may', async () => {
    const { calls, faults } = await withSlack(json({ ok: false }, 429, { 'retry-after': '3600' }), one);
    expect(calls).toHaveLength(1);
    expect(faults).toEqual([
      expect.objectContaining({ kind: 'unavailable', message: expect.stringMatching(/wait 3600 s/) }),
    ]);
  });

  test.each([
    ['invalid_auth', 'config', /bot token .*token_env/],
    ['channel_not_found', 'config', /Check the channel/],
    ['not_in_channel', 'config', /Invite the bot/],
    ['something_new', 'unavailable', /something_new/],
  ])('%s is reported with what to do', async (error, kind, advice) => {
    const { calls, faults } = await withSlack(json({ ok: false, error }), one);
    expect(calls).toHaveLength(1);
    expect(faults.map((fault) => fault.kind)).toEqual([kind]);
    expect(faults[0]!.message).toMatch(advice);
    expect(faults[0]!.message).toMatch(/"sales.orders: 1 delivery rejected" in #data: Slack answered/);
  });

  test('500: tries again, then reports', async () => {
    const { calls, faults } = await withSlack((r, n) => (n === 1 ? json({}, 500) : ok)(r), one);
    expect([calls.length, faults.length]).toEqual([2, 0]);
    const never = await withSlack(json({ secret: TOKEN }, 500), one);
    expect(never.calls).toHaveLength(3);
    expect(never.faults[0]!.message).toMatch(/HTTP 500/);
  });

  test('a sign-in page is not taken for Slack, nor repeated', async () => {
    const page: Answer = (r) => r.writeHead(200, { 'content-type': 'text/html' }).end(`<html>${TOKEN}</html>`);
    const { faults } = await withSlack(page, one);
    expect(faults[0]!.message).toMatch(/the answer is not Slack's/);
  });

  test('no answer: gives up in time, and does not send twice', async () => {
    const started = Date.now();
    const { calls, faults } = await withSlack(() => {}, one, { pace: { timeoutMs: 300 } });
    expect(Date.now() - started).toBeLessThan(2_500);
    expect(calls).toHaveLength(1);
    expect(faults[0]).toMatchObject({ kind: 'unavailable', message: expect.stringMatching(/no answer within 0.3 s/) });
  });

  test('an answer that never ends counts as none', async () => {
    const endless: Answer = (r) => void r.writeHead(200, { 'content-type': 'application/json' }).write('{');
    const { calls, faults } = await withSlack(endless, one, { pace: { timeoutMs: 300 } });
    expect([calls.length, faults.length]).toEqual([1, 1]);
    expect(faults[0]!.kind).toBe('unavailable');
  });

  test('too many messages for one channel: the last ones are reported, not waited for', async () => {
    const tables = ['a', 'b', 'c', 'd'].map((name) => ({ ...stopped, table: `n.${name}` }));
    const pace = { betweenMs: 200, longestWaitMs: 450 };
    const { calls, faults } = await withSlack(ok, (slack) => slack.notify(tables), { pace });
    expect([calls.length, faults.length]).toEqual([3, 1]);
    expect(faults[0]!.message).toMatch(/"n.d: /);
  });

  test('connection refused', async () => {
    const faults: LakegateError[] = [];
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const apiUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    await new Promise((done) => server.close(done));
    const slack = createSlackNotifier({
      token: TOKEN,
      channel: '#data',
      apiUrl,
      onFault: (fault) => faults.push(fault),
    });
    await slack.notify([stopped]);
    expect(faults).toEqual([
      expect.objectContaining({ message: expect.stringMatching(/cannot be reached \(ECONNREFUSED\)/) }),
    ]);
  });

  test('a token that cannot be one is reported without being shown', async () => {
    const { calls, faults } = await withSlack(ok, one, { token: 'xoxb-secret\nx' });
    expect(calls).toEqual([]);
    expect(faults.map((fault) => fault.kind)).toEqual(['config']);
  });
});

describe('configuredNotifiers', () => {
  const slack = { channel: '#x', tokenEnv: 'MY_TOKEN' };
  const silent = () => {};

  test('none without channel or token', () => {
    expect(configuredNotifiers({ suppressMs: 0 }, { MY_TOKEN: 't' }, silent)).toEqual([]);
    expect(configuredNotifiers({ slack, suppressMs: 0 }, { SLACK_TOKEN: 't', MY_TOKEN: ' ' }, silent)).toEqual([]);
    expect(configuredNotifiers({ slack, suppressMs: 0 }, { MY_TOKEN: 't' }, silent)).toHaveLength(1);
  });

  test('one that throws does not keep the others from hearing', async () => {
    const heard: number[] = [];
    const notifier = combineNotifiers([
      { notify: () => Promise.reject(new Error('x')) },
      {
        notify: () => {
          throw new Error('y');
        },
      },
      { notify: async (events) => void heard.push(events.length) },
    ]);
    await notifier.notify([stopped]);
    expect(heard).toEqual([1]);
  });
});
