/** The servers that tests are hung on do what they say: above all, that a lost answer belongs to a request that was done. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { GlueClient, UpdateTableCommand } from '@aws-sdk/client-glue';
import { CopyObjectCommand, HeadObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { WebClient } from '@slack/web-api';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { startSlack } from './slack.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

/** A server that takes everything, and the paths it was asked for. */
async function proxied(): Promise<{ proxy: FaultProxy; done: string[] }> {
  const done: string[] = [];
  const origin = createServer((request, response) => {
    request.resume().once('end', () => {
      done.push(`${request.method} ${request.url}`);
      response.writeHead(200).end(request.headers['x-amz-target'] ? '{}' : '');
    });
  });
  await new Promise<void>((listening) => origin.listen(0, '127.0.0.1', listening));
  closing.push(async () => {
    origin.closeAllConnections();
    origin.close();
  });
  const proxy = await startFaultProxy(`http://127.0.0.1:${(origin.address() as AddressInfo).port}`);
  closing.push(proxy.close);
  return { proxy, done };
}

function clientOptions(endpoint: string) {
  return { endpoint, region: 'us-east-1', credentials: { accessKeyId: 'a', secretAccessKey: 'b' }, maxAttempts: 1 };
}

function s3Of({ endpoint }: FaultProxy): S3Client {
  return new S3Client({ ...clientOptions(endpoint), forcePathStyle: true });
}

const put = new PutObjectCommand({ Bucket: 'bucket', Key: 'a b', Body: 'x' });

async function failure(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'done',
    (error: Error & { code?: string }) => error.code ?? error.name,
  );
}

test('requests are counted by operation and go on as they are', async () => {
  const { proxy, done } = await proxied();
  const s3 = s3Of(proxy);
  await s3.send(put);
  await s3.send(new HeadObjectCommand({ Bucket: 'bucket', Key: 'a b' }));
  await failure(s3.send(new CopyObjectCommand({ Bucket: 'bucket', Key: 'c', CopySource: 'bucket/a' })));
  await new GlueClient(clientOptions(proxy.endpoint)).send(
    new UpdateTableCommand({ DatabaseName: 'd', TableInput: { Name: 't' } }),
  );
  expect(proxy.counts()).toEqual({ 'glue:UpdateTable': 1, 's3:CopyObject': 1, 's3:HeadObject': 1, 's3:PutObject': 1 });
  expect(done).toHaveLength(4);
});

test('a refused request was not done, and says why', async () => {
  const { proxy, done } = await proxied();
  const rule = proxy.inject({
    match: ({ operation }) => operation === 's3:PutObject',
    fault: { kind: 'refuse', status: 503, code: 'SlowDown' },
    after: 1,
    times: 1,
  });
  const s3 = s3Of(proxy);
  expect(await failure(s3.send(put))).toBe('done');
  expect(await failure(s3.send(put))).toBe('SlowDown');
  expect(await failure(s3.send(put))).toBe('done');
  expect(rule.befallen).toBe(1);
  expect(done).toHaveLength(2);
});

test('a request whose answer was lost was done', async () => {
  const { proxy, done } = await proxied();
  proxy.inject({ match: () => true, fault: { kind: 'lose-answer' }, times: 1 });
  proxy.inject({ match: () => true, fault: { kind: 'deny-answer', status: 500, code: 'InternalError' }, times: 1 });
  const s3 = s3Of(proxy);
  expect(await failure(s3.send(put))).not.toBe('done');
  expect(await failure(s3.send(put))).toBe('InternalError');
  expect(await failure(s3.send(put))).toBe('done');
  expect(done).toHaveLength(3);
});

test('a dropped request was not done', async () => {
  const { proxy, done } = await proxied();
  proxy.inject({ match: () => true, fault: { kind: 'drop' } });
  expect(await failure(s3Of(proxy).send(put))).not.toBe('done');
  proxy.heal();
  expect(await failure(s3Of(proxy).send(put))).toBe('done');
  expect(done).toHaveLength(1);
});

test('Slack takes messages of its own client, and refuses as it is told', async () => {
  const slack = await startSlack({ token: 'xoxb-good' });
  closing.push(slack.close);
  const client = (token: string) =>
    new WebClient(token, { slackApiUrl: slack.url, retryConfig: { retries: 0 }, rejectRateLimitedCalls: true });
  const post = (token: string) =>
    failure(client(token).chat.postMessage({ channel: '#lake', text: 'hi', blocks: [{ type: 'divider' }] }));
  expect(await post('xoxb-good')).toBe('done');
  expect(slack.messages).toEqual([{ channel: '#lake', text: 'hi', blocks: [{ type: 'divider' }] }]);
  expect(await post('xoxb-bad')).toBe('slack_webapi_platform_error');
  slack.answer('ratelimited', 1);
  expect(await post('xoxb-good')).toBe('slack_webapi_rate_limited_error');
  slack.answer('failing', 1);
  expect(await post('xoxb-good')).toBe('slack_webapi_http_error');
  expect(await post('xoxb-good')).toBe('done');
  expect(slack.messages).toHaveLength(2);
  expect(slack.requests).toBe(5);
});
