import { parseEvent } from '../../src/events/parse.ts';
import { queueMessages } from '../../src/events/sqs.ts';
import { created, notification, sns, TEST_EVENT } from './samples.ts';

const KEYS = [
  'orders/plain.parquet',
  'orders/with space.csv',
  'orders/a+b.csv',
  'orders/100%.csv',
  'orders/100%25.csv',
  'orders/größe-日本-😀.csv',
  'orders/a&b=c?d#e.csv',
  "orders/it's (1)!*.csv",
];

describe('keys', () => {
  test.each(KEYS)('%s comes literally through EventBridge', (key) => {
    expect(parseEvent(created({ key }))).toMatchObject({ kind: 'drops', drops: [{ url: `s3://raw-bucket/${key}` }] });
  });

  test.each(KEYS)("%s comes URL-encoded in S3's own notification", (key) => {
    expect(parseEvent(notification([{ key }]))).toMatchObject({ drops: [{ url: `s3://raw-bucket/${key}` }] });
  });

  test('a key that cannot be decoded is malformed', () => {
    const event = notification([{ key: 'x' }]);
    event.Records[0]!.s3.object.key = 'orders/%E0%A4%A';
    expect(() => parseEvent(event)).toThrow(/URL-encoded key/);
  });
});

describe('versions', () => {
  test('EventBridge tells size, ETag and version id', () => {
    expect(parseEvent(created({ key: 'a', version: 'v1' }))).toEqual({
      kind: 'drops',
      drops: [
        {
          url: 's3://raw-bucket/a',
          size: 5,
          etag: 'b1946ac92492d2347c6235b4d2611184',
          version: 'v1',
          at: Date.UTC(2026, 10, 12),
        },
      ],
    });
  });

  test('a notification tells them under other names, and quotes are taken off an ETag', () => {
    const event = notification([{ key: 'a', version: 'v1' }]);
    event.Records[0]!.s3.object.eTag = '"abc"';
    expect(parseEvent(event)).toMatchObject({ drops: [{ size: 1024, etag: 'abc', version: 'v1' }] });
  });

  test('a bucket without versions names none', () => {
    const event = created({ key: 'a', version: 'null' });
    expect((parseEvent(event) as { drops: object[] }).drops[0]).not.toHaveProperty('version');
  });
});

describe('what is ignored', () => {
  test.each([
    ["S3's test event", TEST_EVENT],
    ['a deletion through EventBridge', created({ key: 'a', type: 'Object Deleted' })],
    ['tags through EventBridge', created({ key: 'a', type: 'Object Tags Added' })],
    ['a deletion as a notification', notification([{ key: 'a', eventName: 'ObjectRemoved:Delete' }])],
    [
      'a delete marker as a notification',
      notification([{ key: 'a', eventName: 's3:ObjectRemoved:DeleteMarkerCreated' }]),
    ],
  ])('%s', (_, event) => {
    expect(parseEvent(event)).toMatchObject({ kind: 'ignored' });
  });

  test('drops beside deletions in one notification are taken', () => {
    const event = notification([{ key: 'gone', eventName: 'ObjectRemoved:Delete' }, { key: 'there' }]);
    expect(parseEvent(event)).toMatchObject({ drops: [{ url: 's3://raw-bucket/there' }] });
  });
});

describe('wrappings', () => {
  test('SNS to Lambda, SNS to SQS, and both', () => {
    const event = notification([{ key: 'a b' }]);
    for (const wrapped of [sns(event).toLambda, sns(event).toQueue, sns(sns(event).toQueue).toQueue]) {
      expect(parseEvent(JSON.stringify(wrapped))).toMatchObject({ drops: [{ url: 's3://raw-bucket/a b' }] });
    }
  });

  test("S3's test event inside SNS is ignored", () => {
    expect(parseEvent(sns(TEST_EVENT).toLambda)).toMatchObject({ kind: 'ignored' });
  });

  test('direct invocation', () => {
    expect(parseEvent({ drops: ['s3://b/a%20b'] })).toEqual({ kind: 'drops', drops: [{ url: 's3://b/a%20b' }] });
  });

  test('what wraps itself without end is refused', () => {
    let event: object = notification([{ key: 'a' }]);
    for (let depth = 0; depth < 8; depth += 1) event = sns(event).toQueue;
    expect(() => parseEvent(event)).toThrow(/not understood/);
  });
});

describe('what is malformed', () => {
  test.each([
    ['no JSON', 'hello'],
    ['null', null],
    ['a number', 7],
    ['an empty object', {}],
    ['no records', { Records: [] }],
    ['records of something else', { Records: [{ dynamodb: {} }] }],
    ['another source', { ...created({ key: 'a' }), source: 'aws.ec2' }],
    ['no detail', { source: 'aws.s3', 'detail-type': 'Object Created' }],
    ['no key', created({ key: '' })],
    ['a key that is too long', created({ key: 'x'.repeat(1025) })],
    ['a bucket that can be none', created({ key: 'a', bucket: '../x' })],
    ['a drop that is no text', { drops: [7] }],
  ])('%s', (_, event) => {
    expect(() => parseEvent(event)).toThrow(expect.objectContaining({ kind: 'invalid' }));
  });
});

describe('queueMessages', () => {
  test('tells how long a message waited and how often it came', () => {
    const attributes = { ApproximateReceiveCount: '3', SentTimestamp: '1700000000000' };
    const event = { Records: [{ messageId: 'm', body: '{}', eventSource: 'aws:sqs', attributes }] };
    expect(queueMessages(event)).toEqual([{ id: 'm', body: '{}', sentAt: 1_700_000_000_000, receives: 3 }]);
  });

  test.each([[{}], [{ Records: [] }], [notification([{ key: 'a' }])], [created({ key: 'a' })], ['x']])(
    'is not taken for one: %j',
    (event) => {
      expect(queueMessages(event)).toBeUndefined();
    },
  );
});
