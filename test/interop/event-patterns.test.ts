/** The rules' patterns, as CloudFormation gets them, in EventBridge's own matcher (event-ruler), on events as S3 and CloudWatch send them. */
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { LONGEST_PATTERN } from '../../lib/constructs/drops-pattern.ts';
import { type Synthesized, synthesize } from '../stacks/stage.ts';

const RAW = 'acme-dev-raw-111111111111-eu-west-1';

const lake = (tables: string, name = 'acme') =>
  `name: ${name}\ntables: ${tables}\nstages: { dev: { account: "111111111111", region: eu-west-1 } }\n`;

const few = synthesize(lake('{ shop.orders: { from: orders/ }, shop.visits: { from: "web visits/é+%20/" } }'));
const many = synthesize(
  lake(`{ ${Array.from({ length: 100 }, (_, n) => `shop.t${n}: { from: area/of/table/number-${n}/ }`).join(', ')} }`),
);

/** S3's event as its documentation shows it: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html */
function created(key: string, over: { bucket?: string; type?: string; source?: string; reason?: string } = {}): object {
  return {
    version: '0',
    id: '17793124-05d4-b198-2fde-7ededc63b103',
    'detail-type': over.type ?? 'Object Created',
    source: over.source ?? 'aws.s3',
    account: '111111111111',
    time: '2026-11-12T00:00:00Z',
    region: 'eu-west-1',
    resources: [`arn:aws:s3:::${over.bucket ?? RAW}`],
    detail: {
      version: '0',
      bucket: { name: over.bucket ?? RAW },
      object: {
        key,
        size: 5,
        etag: 'b1946ac92492d2347c6235b4d2611184',
        'version-id': 'IYV3p45BT0ac8hjHg1houSdS1a.Mro8e',
        sequencer: '617f08299329d189',
      },
      'request-id': 'N4N7GDK58NMKJ12R',
      requester: '123456789012',
      'source-ip-address': '1.2.3.4',
      reason: over.reason ?? 'PutObject',
    },
  };
}

const alarm = (alarmName: string, value = 'ALARM') => ({
  source: 'aws.cloudwatch',
  'detail-type': 'CloudWatch Alarm State Change',
  detail: { alarmName, state: { value, reason: 'x' }, previousState: { value: 'OK' } },
});

function patternOf(stage: Synthesized, rule: string): unknown {
  const found = stage.all('AWS::Events::Rule').filter(({ Properties }) => Properties.Name === rule);
  expect(found).toHaveLength(1);
  return found[0]!.Properties.EventPattern;
}

/** @returns for each event whether the rule gets it */
function matched(rule: unknown, events: readonly object[]): boolean[] {
  const jars = join(resolve(__dirname, '../../.interop/event-ruler-jars'), '*');
  const { status, stdout, stderr } = spawnSync('java', ['-cp', jars, join(__dirname, 'java', 'MatchEvents.java')], {
    input: JSON.stringify(events.map((event) => ({ rule, event }))),
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`MatchEvents ended with ${status}: ${stderr}`);
  return stdout
    .trim()
    .split('\n')
    .map((line) => line === 'true');
}

test('the gate hears of objects under the prefixes of tables, however they were put there', () => {
  const cases: [object, boolean][] = [
    [created('orders/2026/11/a.parquet'), true],
    [created('orders/with space+plus%percent.csv'), true],
    [created('orders/日本語.csv', { reason: 'CompleteMultipartUpload' }), true],
    [created('orders/copied.csv', { reason: 'CopyObject' }), true],
    [created('web visits/é+%20/a.csv'), true],
    [created('web+visits/%C3%A9%2B%2520/a.csv'), false],
    [created('orders'), false],
    [created('orders-old/a.csv'), false],
    [created('Orders/a.csv'), false],
    [created('other/orders/a.csv'), false],
    [created('orders/a.csv', { type: 'Object Deleted' }), false],
    [created('orders/a.csv', { type: 'Object Tags Added' }), false],
    [created('orders/a.csv', { type: 'Object Restore Completed' }), false],
    [created('orders/a.csv', { bucket: 'acme-dev-lake-111111111111-eu-west-1' }), false],
    [created('orders/a.csv', { bucket: `${RAW}-2` }), false],
    [created('orders/a.csv', { source: 'custom.s3' }), false],
  ];
  const answers = matched(
    patternOf(few, 'acme-dev-drops'),
    cases.map(([event]) => event),
  );
  expect(cases.map(([event], index) => [event, answers[index]])).toEqual(cases);
});

test('more prefixes than a pattern holds: it hears of all objects of the bucket, and a pattern is never too long', () => {
  const pattern = patternOf(many, 'acme-dev-drops');
  expect(JSON.stringify(pattern).length).toBeLessThanOrEqual(LONGEST_PATTERN);
  const events = [
    created('area/of/table/number-99/a.csv'),
    created('nobody/a.csv'),
    created('a.csv', { bucket: 'other' }),
    created('area/of/table/number-1/a.csv', { type: 'Object Deleted' }),
  ];
  expect(matched(pattern, events)).toEqual([true, true, false, false]);
});

const marked = synthesize(`
name: acme
pipelines:
  sources:
    infobase: { path: infobase/, marker: _SUCCESS }
    odd: { path: "s3://other-bucket/a b/é+[1]/", marker: done.flag }
  partitioned: { database: consumer }
  start: { on_marker: true }
stages: { dev: { account: "111111111111", region: eu-west-1 } }
`);

test('the pipelines are started by the marker of a snapshot of the source, and by no other object', () => {
  const cases: [object, boolean][] = [
    [created('infobase/snapshot_dt=2026-11-01/_SUCCESS'), true],
    [created('infobase/snapshot_dt=2026-11-01/_SUCCESS', { reason: 'CopyObject' }), true],
    [created('infobase/snapshot_dt=2026-11-01/part-0.parquet'), false],
    [created('infobase/snapshot_dt=2026-11-01/_SUCCESS.crc'), false],
    [created('infobase/snapshot_dt=2026-11-01/_success'), false],
    [created('infobase/_SUCCESS'), false],
    [created('infobase2/snapshot_dt=2026-11-01/_SUCCESS'), false],
    [created('x/infobase/snapshot_dt=2026-11-01/_SUCCESS'), false],
    [created('infobase/snapshot_dt=2026-11-01/_SUCCESS', { type: 'Object Deleted' }), false],
    [created('infobase/snapshot_dt=2026-11-01/_SUCCESS', { bucket: 'other-bucket' }), false],
  ];
  const answers = matched(
    patternOf(marked, 'acme-dev-tables-on-infobase'),
    cases.map(([event]) => event),
  );
  expect(cases.map(([event], index) => [event, answers[index]])).toEqual(cases);
  // The gate of this lake, which has no tables, hears of no snapshot.
  expect(
    matched(patternOf(marked, 'acme-dev-drops'), [
      created('infobase/snapshot_dt=2026-11-01/part-0.parquet'),
      created('infobase2/a.csv'),
      created('a.csv'),
    ]),
  ).toEqual([false, true, true]);
  const odd = patternOf(marked, 'acme-dev-tables-on-odd');
  const other = (key: string) => created(key, { bucket: 'other-bucket' });
  expect(
    matched(odd, [
      other('a b/é+[1]/snapshot_dt=2026-11-01/done.flag'),
      other('a b/é+1/snapshot_dt=2026-11-01/done.flag'),
      other('a b/é+[1]/snapshot_dt=2026-11-01/doneXflag'),
    ]),
  ).toEqual([true, false, false]);
});

test('people hear of domain events and of the alarms of this stage, but for those of telling itself', () => {
  expect(
    matched(patternOf(few, 'acme-dev-notify-events'), [
      { source: 'lakegate', 'detail-type': 'delivery.rejected', detail: {} },
      { source: 'somebody', 'detail-type': 'delivery.rejected', detail: {} },
    ]),
  ).toEqual([true, false]);
  expect(
    matched(patternOf(few, 'acme-dev-notify-alarms'), [
      alarm('acme-dev-gate-dead-letters'),
      alarm('acme-dev-wap-audit-errors', 'OK'),
      alarm('acme-dev-wap-audit-errors', 'INSUFFICIENT_DATA'),
      alarm('acme-dev-notify-dead-letters'),
      alarm('acme-prod-gate-dead-letters'),
      alarm('acme-dev2-gate-dead-letters'),
    ]),
  ).toEqual([true, true, false, false, false, false]);
});
