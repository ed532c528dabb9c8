/** A service that takes a request and never answers. */
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { GetTablesCommand, GlueClient } from '@aws-sdk/client-glue';
import { clientSettings } from '../../src/aws/client-settings.ts';

test('silence is no answer after the time that was set', async () => {
  const server = createServer(() => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { requestHandler, ...settings } = clientSettings('eu-central-1');
  const client = new GlueClient({
    ...settings,
    maxAttempts: 1,
    requestHandler: { ...requestHandler, requestTimeout: 50 },
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  await expect(client.send(new GetTablesCommand({ DatabaseName: 'd' }))).rejects.toMatchObject({
    name: 'TimeoutError',
  });
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

test('wherever a request is given a time, the SDK is told to end it then: by itself it only writes a warning', () => {
  const texts = ['src', 'lambdas'].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => ({ path, text: readFileSync(join(folder, path), 'utf8') })),
  );
  const timed = texts.filter(({ text }) => text.includes('requestTimeout:'));
  expect(timed.length).toBeGreaterThan(3);
  expect(timed.filter(({ text }) => !text.includes('throwOnRequestTimeout: true')).map(({ path }) => path)).toEqual([]);
});
