import { inspect } from 'node:util';
import type { LakegateError } from '../../src/errors.ts';
import { createS3Store } from '../../src/storage/s3.ts';
import { createS3Client } from '../../src/storage/s3-client.ts';
import type { ObjectStore } from '../../src/storage/store.ts';
import { type Answer, range, refusal, type StandIn, startStandIn, xml } from './s3-stand-in.ts';

let server: StandIn;
let store: ObjectStore;
beforeAll(async () => {
  server = await startStandIn();
  store = createS3Store({ client: server.client(1) });
});
afterAll(() => server.stop());

const bytes = Buffer.from('x');
const url = 's3://lake/a';
const fault = (call: Promise<unknown>): Promise<LakegateError> =>
  call.then(
    () => {
      throw new Error('no fault');
    },
    (error) => error,
  );

test.each<[string, Answer, object, RegExp]>([
  ['throttled', refusal(503, 'SlowDown'), { kind: 'unavailable', retryable: true }, /503 SlowDown/],
  ['broken', refusal(500, 'InternalError'), { kind: 'unavailable', retryable: true }, /500 InternalError/],
  ['too slow', refusal(400, 'RequestTimeout'), { kind: 'unavailable', retryable: true }, /RequestTimeout/],
  ['cut off', { breakAfter: -1 }, { kind: 'unavailable', retryable: true }, /way to S3 failed \(.*socket hang up\)/],
  ['denied', refusal(403, 'AccessDenied'), { kind: 'unavailable', retryable: false }, /s3:PutObject/],
  ['no bucket', refusal(404, 'NoSuchBucket'), { kind: 'config', retryable: false }, /no such bucket/],
  [
    'KMS',
    {
      ...refusal(403, 'AccessDenied'),
      body: '<Error><Code>AccessDenied</Code><Message>not authorized to perform: kms:GenerateDataKey</Message></Error>',
    },
    { kind: 'unavailable', retryable: false },
    /kms:Decrypt and kms:GenerateDataKey/,
  ],
  ['KMS off', refusal(400, 'KMS.DisabledException'), { kind: 'unavailable', retryable: false }, /KMS key refused/],
  [
    'another region',
    { ...refusal(301, 'PermanentRedirect'), headers: { 'x-amz-bucket-region': 'eu-west-1' } },
    { kind: 'config', retryable: false },
    /in region eu-west-1/,
  ],
  ['bad key', refusal(403, 'InvalidAccessKeyId'), { kind: 'config', retryable: false }, /AWS_PROFILE/],
  ['expired', refusal(400, 'ExpiredToken'), { kind: 'unavailable', retryable: true }, /aws sso login/],
  [
    'another refusal',
    refusal(400, 'InvalidArgument'),
    { kind: 'unavailable', retryable: false },
    /400 InvalidArgument/,
  ],
])('%s', async (_, answer, expected, message) => {
  server.answer(() => answer);
  const error = await fault(store.create(url, bytes));
  expect(error).toMatchObject({ ...expected, context: expect.objectContaining({ url }) });
  expect(error.message).toContain(url);
  expect(error.message).toMatch(message);
});

test('a version that is gone, replaced, hidden by a deletion or archived', async () => {
  for (const [answer, kind] of [
    [refusal(404, 'NoSuchKey'), 'not_found'],
    [refusal(404, 'NoSuchVersion'), 'not_found'],
    [refusal(405, 'MethodNotAllowed'), 'not_found'],
    [refusal(412, 'PreconditionFailed'), 'not_found'],
    [refusal(416, 'InvalidRange'), 'not_found'],
    [refusal(403, 'InvalidObjectState'), 'unsupported'],
    [refusal(404, 'NoSuchBucket'), 'config'],
  ] as const) {
    server.answer(() => answer);
    const reader = await store.open(url, { size: 5, etag: 'e', version: 'v7' });
    const error = await fault(reader.read(0, 5));
    expect(error).toMatchObject({ kind, message: expect.stringContaining(url) });
  }
});

test('who may not list is told that the object may be missing, and of the right to a version', async () => {
  server.answer(() => refusal(403, 'AccessDenied'));
  const reader = await store.open(url, { size: 5, etag: 'e', version: 'v7' });
  expect((await fault(reader.read(0, 5))).message).toMatch(/s3:GetObjectVersion .*Without s3:ListBucket/);
});

test('a missing bucket is no missing object, though HEAD says the same of both', async () => {
  server.answer(() => ({ status: 404 }));
  const fresh = createS3Store({ client: server.client(1) });
  await expect(fresh.head(url)).rejects.toMatchObject({
    kind: 'config',
    message: expect.stringContaining('no such bucket'),
  });
  server.answer(({ path }) => ({ status: path === '/lake/' || path === '/lake' ? 200 : 404 }));
  expect(await fresh.head(url)).toBeUndefined();
  expect(await fresh.head(url)).toBeUndefined();
  expect(server.seen.map(({ path }) => path.replace(/\/$/, ''))).toEqual(['/lake/a', '/lake', '/lake/a']);
});

test('deletions that were refused are told; those that S3 was too busy for are sent again', async () => {
  const failed = (code: string) => xml(`<R><Error><Key>a</Key><Code>${code}</Code><Message>m</Message></Error></R>`);
  server.answer((_, index) => (index === 0 ? failed('InternalError') : xml('<R></R>')));
  await store.delete(['s3://lake/a', 's3://lake/b']);
  expect(server.seen.map(({ body }) => body.toString().match(/<Key>.<\/Key>/g))).toEqual([
    ['<Key>a</Key>', '<Key>b</Key>'],
    ['<Key>a</Key>'],
  ]);
  server.answer(() => failed('AccessDenied'));
  await expect(store.delete(['s3://lake/a', 's3://lake/b'])).rejects.toMatchObject({
    kind: 'unavailable',
    retryable: false,
    message: expect.stringMatching(/s3:\/\/lake\/a.*s3:DeleteObject/),
  });
  server.answer(() => failed('NoSuchKey'));
  await store.delete(['s3://lake/a', 's3://lake/b']);
});

test('no error shows a credential, whatever S3 repeats of the request', async () => {
  const told =
    '<AWSAccessKeyId>AKIDEXAMPLE</AWSAccessKeyId><CanonicalRequest>x-amz-security-token:st0ken</CanonicalRequest>';
  server.answer(() => refusal(403, 'SignatureDoesNotMatch', told));
  const error = await fault(store.create(url, bytes));
  const shown = inspect(error, { depth: 20, showHidden: true }) + JSON.stringify(error);
  for (const secret of ['sesame', 'st0ken', 'AKIDEXAMPLE']) expect(shown).not.toContain(secret);
});

test('without credentials or region it is said what to set', async () => {
  const client = createS3Client({ endpoint: server.endpoint, env: {}, attempts: 1 });
  client.config.credentials = async () => {
    throw Object.assign(new Error('Could not load credentials from any providers'), {
      name: 'CredentialsProviderError',
    });
  };
  await expect(createS3Store({ client }).head(url)).rejects.toMatchObject({ kind: 'config', message: /AWS_PROFILE/ });
  const lost = server.client();
  lost.config.region = async () => {
    throw new Error('Region is missing');
  };
  await expect(createS3Store({ client: lost }).head(url)).rejects.toMatchObject({
    kind: 'config',
    message: /AWS_REGION/,
  });
});

test('a server that ignores ranges is found out', async () => {
  server.answer((request) => ({ ...range(Buffer.from('0123456789'), request), status: 200, headers: { etag: '"e"' } }));
  const reader = await store.open(url, { size: 10, etag: 'e' });
  await expect(reader.read(5, 10)).rejects.toMatchObject({ kind: 'unsupported' });
});

test.each([
  's3://lake',
  's3://lake/',
  's3:///a',
  's3://lake/a/',
  's3://lake/a/../b',
  's3://la ke/a',
  `s3://lake/${'k'.repeat(1025)}`,
  's3://lake/\ud800',
  's3:a',
])('%j names no object', async (wrong) => {
  await expect(store.head(wrong)).rejects.toMatchObject({ kind: 'invalid' });
  await expect(store.copy('s3://raw/a', wrong, { size: 1, etag: 'e' })).rejects.toMatchObject({ kind: 'invalid' });
  await expect(store.writer(wrong)).rejects.toMatchObject({ kind: 'invalid' });
  await expect(store.delete([wrong])).rejects.toMatchObject({ kind: 'invalid' });
});
