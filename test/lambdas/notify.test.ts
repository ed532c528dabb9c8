import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openNotify } from '../../lambdas/notify/compose.ts';
import { tellPeople } from '../../lambdas/notify/tell-people.ts';
import { LakegateError } from '../../src/errors.ts';
import { busEntry } from '../../src/notify/bus-entry.ts';
import type { DomainEvent } from '../../src/notify/notifier.ts';
import type { ObjectStore } from '../../src/storage/store.ts';
import { batch } from '../events/samples.ts';
import { type Chat, chatServer } from './slack-server.ts';
import { closeStages, memoryBuckets, newFolder, seeing, stageConfig } from './stage.ts';

const HOUR = 60 * 60_000;
const START = Date.UTC(2026, 10, 12);

let slack: Chat;
let teams: Chat;

beforeEach(async () => {
  [slack, teams] = await Promise.all([chatServer(), chatServer()]);
});

afterEach(async () => {
  closeStages();
  await Promise.all([slack.stop(), teams.stop()]);
});

interface Options {
  suppressMs?: number;
  teams?: boolean;
  store?: ObjectStore;
  remainingMs?: number;
  noSecret?: boolean;
}

/** The function with its clock in hand. */
async function notify(options: Options = {}) {
  const folder = newFolder();
  const path = join(folder, 'lake.json');
  const notifyConfig = {
    slack: { channel: '#data', tokenEnv: 'SLACK_TOKEN', tokenSecret: { secret: 'slack' } },
    ...(options.teams && { teams: { webhook: { secret: 'teams' } } }),
    suppressMs: options.suppressMs ?? HOUR,
  };
  writeFileSync(path, JSON.stringify({ ...stageConfig(folder), notify: notifyConfig }));
  const clock = { now: START };
  const seen = seeing();
  const secrets: Record<string, string> = { slack: 'xoxb-token', teams: `${teams.url}/teams` };
  const ports = await openNotify({
    env: { LAKEGATE_CONFIG_FILE: path, SLACK_API_URL: `${slack.url}/api/` },
    store: options.store ?? memoryBuckets(),
    now: () => clock.now,
    secret: async (source) => {
      if (options.noSecret) throw new LakegateError('config', 'there is no such entry');
      return secrets['secret' in source ? source.secret : '']!;
    },
    slackPace: { betweenMs: 1, timeoutMs: 2_000 },
    teamsPace: { betweenMs: 1, timeoutMs: 2_000 },
  });
  const remainingMs = () => options.remainingMs ?? 120_000;
  return {
    ...seen,
    clock,
    async tell(bodies: readonly (object | string)[]): Promise<string[]> {
      const answer = await tellPeople({ ...ports, observer: seen.observer, remainingMs }, batch(bodies));
      return answer.batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);
    },
  };
}

/** An event as the bus hands it to a queue. */
function onBus(event: DomainEvent): object {
  const { Source, DetailType, Detail } = busEntry(event, 'lake-dev');
  return {
    version: '0',
    id: '6a7e8feb-b491-4cf7-a9f1-bf3703467718',
    'detail-type': DetailType,
    source: Source,
    account: '111122223333',
    time: '2026-11-12T00:00:00Z',
    region: 'eu-central-1',
    resources: [],
    detail: JSON.parse(Detail),
  };
}

function rejected(id: string, { table = 'shop.orders', column = 'note' } = {}): DomainEvent {
  return {
    event: 'delivery.rejected',
    id,
    table,
    file: `s3://raw-bucket/orders/${id}.csv`,
    at: '2026-11-12T00:00:00.000Z',
    results: [{ rule: 'not_null', column, outcome: 'failed', expected: 'no nulls', found: '1 null' }],
  };
}

function errored(id: string): DomainEvent {
  const file = `s3://raw-bucket/orders/${id}.csv`;
  const reason = `${file}: 12 bytes, no Parquet file`;
  return {
    event: 'delivery.errored',
    id,
    table: 'shop.orders',
    file,
    at: '2026-11-12T00:00:00.000Z',
    results: [],
    reason,
  };
}

/** CloudWatch's event, as its User Guide shows it. */
function alarm(alarmName: string, value: string, previous: string): object {
  return {
    version: '0',
    id: `${alarmName}-${value}`,
    'detail-type': 'CloudWatch Alarm State Change',
    source: 'aws.cloudwatch',
    account: '111122223333',
    time: '2026-11-12T00:00:00Z',
    region: 'eu-central-1',
    resources: [`arn:aws:cloudwatch:eu-central-1:111122223333:alarm:${alarmName}`],
    detail: {
      alarmName,
      state: { value, reason: 'Threshold Crossed: 1 datapoint', timestamp: '2026-11-12T00:00:00.000+0000' },
      previousState: { value: previous },
      configuration: { description: 'Drops were given up. Runbook: https://example.org/runbook#drops', metrics: [] },
    },
  };
}

test('one message for each table, to the channel, with what to type', async () => {
  const { tell, total } = await notify();
  const failed = await tell([
    onBus(rejected('a1')),
    onBus(rejected('b2')),
    onBus(rejected('c3', { table: 'shop.other' })),
  ]);
  expect(failed).toEqual([]);
  expect(slack.messages.map(({ channel }) => channel)).toEqual(['#data', '#data']);
  expect(slack.messages[0]!.text).toContain('shop.orders: 2 deliveries rejected');
  expect(slack.messages[0]!.text).toContain('lakegate delivery show b2 --stage dev');
  expect(total('MessagesSent')).toBe(2);
});

test('rejected and errored deliveries of one table are one message', async () => {
  const { tell } = await notify();
  await tell([onBus(rejected('a1')), onBus(errored('b2'))]);
  expect(slack.messages.map(({ text }) => /shop.orders: [^"]*/.exec(text)?.[0])).toEqual([
    'shop.orders: 1 delivery rejected, 1 errored',
  ]);
});

test('the same event twice is told once', async () => {
  const { tell } = await notify({ suppressMs: 0 });
  await tell([onBus(rejected('a1')), onBus(rejected('a1'))]);
  await tell([onBus(rejected('a1'))]);
  expect(slack.messages).toHaveLength(1);
});

test('the same trouble is held back for a while, then told with how many there were', async () => {
  const { tell, clock, total } = await notify();
  await tell([onBus(errored('a1'))]);
  clock.now += HOUR / 2;
  await tell([onBus(errored('a2')), onBus(errored('a3'))]);
  expect(slack.messages).toHaveLength(1);
  expect(total('MessagesHeld')).toBe(2);
  await tell([onBus(rejected('b1'))]);
  expect(slack.messages).toHaveLength(2);
  clock.now += HOUR;
  await tell([onBus(errored('a4'))]);
  expect(slack.messages).toHaveLength(3);
  expect(slack.messages[2]!.text).toContain('2 more of the same since the last message');
  expect(slack.messages[2]!.text).toContain('not told again for 60 min');
});

test('Slack does not answer: the messages fail, come again, and Teams is not told twice', async () => {
  const { tell, total } = await notify({ teams: true });
  const events = [onBus(rejected('a1')), onBus(rejected('b2'))];
  slack.fail = { status: 200, body: { ok: false, error: 'channel_not_found' } };
  expect(await tell(events)).toEqual(['m0', 'm1']);
  expect(total('MessagesFailed')).toBe(2);
  delete slack.fail;
  expect(await tell(events)).toEqual([]);
  expect(slack.messages).toHaveLength(1);
  expect(teams.messages).toHaveLength(1);
});

test('Teams refuses: no fault or log line holds the webhook', async () => {
  const { tell, lines } = await notify({ teams: true });
  teams.fail = { status: 403 };
  expect(await tell([onBus(rejected('a1'))])).toEqual(['m0']);
  expect(slack.messages).toHaveLength(1);
  const log = JSON.stringify(lines, (_, value) => (value instanceof Error ? `${value.message} ${value.stack}` : value));
  expect(log).toContain('Teams answered HTTP 403');
  expect(log).not.toContain(teams.url);
});

test('a secret that cannot be read fails what should be told, and nothing else', async () => {
  const { tell } = await notify({ noSecret: true });
  const published: DomainEvent = {
    event: 'delivery.published',
    id: 'p',
    table: 'shop.orders',
    file: 'f',
    rows: 1,
    snapshotId: '1',
    at: '2026-11-12T00:00:00Z',
  };
  expect(await tell([onBus(published), onBus(rejected('a1'))])).toEqual(['m1']);
});

test('no time left: what was not told comes again', async () => {
  const { tell } = await notify({ remainingMs: 5_000 });
  expect(await tell([onBus(rejected('a1'))])).toEqual(['m0']);
  expect(slack.messages).toEqual([]);
});

test('alarms are told as they begin and end; those about telling people are not', async () => {
  const { tell, lines } = await notify();
  const events = [
    alarm('lake-dev-gate-dead', 'ALARM', 'OK'),
    alarm('lake-dev-gate-dead', 'OK', 'ALARM'),
    alarm('lake-dev-gate-old', 'OK', 'INSUFFICIENT_DATA'),
    alarm('lake-dev-notify-errors', 'ALARM', 'OK'),
  ];
  expect(await tell(events)).toEqual([]);
  expect(slack.messages.map(({ text }) => /(Alarm|Over): [\w-]+/.exec(text)?.[0])).toEqual([
    'Alarm: lake-dev-gate-dead',
    'Over: lake-dev-gate-dead',
  ]);
  expect(slack.messages[0]!.text).toContain('https://example.org/runbook#drops');
  expect(lines.filter(({ event }) => event === 'news-ignored')).toHaveLength(2);
});

test('unrouted and missed drops are told; events of a newer lakegate are passed over', async () => {
  const { tell } = await notify();
  const at = '2026-11-12T00:00:00Z';
  const events = [
    onBus({ event: 'drop.unrouted', file: 's3://raw-bucket/x/a.csv', reason: 'no table claims "x/a.csv"', at }),
    onBus({ event: 'drop.unrouted', file: 's3://raw-bucket/y/b.csv', reason: 'no table claims "y/b.csv"', at }),
    onBus({ event: 'drop.missed', table: 'shop.orders', file: 's3://raw-bucket/orders/m.csv', at, channel: '#orders' }),
    { source: 'lakegate', 'detail-type': 'table.upkeep_failed', detail: { event: 'table.upkeep_failed' } },
  ];
  expect(await tell(events)).toEqual([]);
  expect(slack.messages.map(({ channel }) => channel)).toEqual(['#data', '#orders']);
  expect(slack.messages[0]!.text).toContain('2 drops that no table claims');
  expect(slack.messages[1]!.text).toContain('1 drop that no event told of');
});

test('what is not understood fails by itself', async () => {
  const { tell } = await notify();
  const strange = { source: 'lakegate', detail: { event: 'delivery.rejected', table: 7 } };
  expect(await tell(['{', onBus(rejected('a1')), strange, { source: 'aws.ec2', detail: {} }])).toEqual([
    'm0',
    'm2',
    'm3',
  ]);
  expect(slack.messages).toHaveLength(1);
});

test('a store that fails keeps nobody from coming again', async () => {
  const inner = memoryBuckets();
  let broken = true;
  const store: ObjectStore = {
    ...inner,
    read: async (url) => {
      if (broken) throw new LakegateError('unavailable', 'no answer');
      return inner.read(url);
    },
  };
  const { tell } = await notify({ store });
  expect(await tell([onBus(rejected('a1'))])).toEqual(['m0']);
  broken = false;
  expect(await tell([onBus(rejected('a1'))])).toEqual([]);
  expect(slack.messages).toHaveLength(1);
});
