/** Emulators take a write as soon as they say that they are there, and are gone when they are stopped. Those left out here are started by the suites that use them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { Emulator } from './emulator.ts';
import { startMiniStack, startSeaweed } from './index.ts';
import { freePorts, startServer } from './process.ts';

const running: Emulator[] = [];

async function track<E extends Emulator>(starting: Promise<E>): Promise<E> {
  const emulator = await starting;
  running.push(emulator);
  return emulator;
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((emulator) => emulator.stop()));
});

function s3Of({ endpoint, env }: Emulator): S3Client {
  const credentials = { accessKeyId: env.AWS_ACCESS_KEY_ID!, secretAccessKey: env.AWS_SECRET_ACCESS_KEY! };
  return new S3Client({ endpoint, region: env.AWS_REGION!, credentials, forcePathStyle: true });
}

async function createTwice(s3: S3Client): Promise<string> {
  await s3.send(new CreateBucketCommand({ Bucket: 'bucket' }));
  const once = { Bucket: 'bucket', Key: 'k', Body: 'first', IfNoneMatch: '*' };
  await s3.send(new PutObjectCommand(once));
  return s3.send(new PutObjectCommand(once)).then(
    () => 'overwritten',
    (error: Error) => error.name,
  );
}

async function refused(endpoint: string): Promise<boolean> {
  return fetch(endpoint).then(
    () => false,
    () => true,
  );
}

test.each([
  ['MiniStack', startMiniStack],
  ['SeaweedFS', startSeaweed],
])('%s takes a conditional write at once', async (_name, start) => {
  const emulator = await track(start());
  expect(await createTwice(s3Of(emulator))).toBe('PreconditionFailed');
  await emulator.stop();
  expect(await refused(emulator.endpoint)).toBe(true);
});

test('a server that cannot start says so with its log', async () => {
  const [port] = await freePorts(1);
  const failing = startServer({
    name: 'nobody',
    command: 'sh',
    args: ['-c', 'echo no such luck >&2; exit 7'],
    health: `http://127.0.0.1:${port}/`,
  });
  await expect(failing).rejects.toThrow(/nobody ended with 7[\s\S]*no such luck/);
});

test('a server ends with the process that started it, even when that is killed', async () => {
  const parent = spawn('node_modules/.bin/node', ['test/interop/emulators/try.ts', 'moto'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(parent.stdout, 'data')) as [Buffer];
  const endpoint = /http:\/\/127\.0\.0\.1:\d+/.exec(line.toString())![0];
  expect(await refused(endpoint)).toBe(false);
  parent.kill('SIGKILL');
  await once(parent, 'exit');
  const deadline = Date.now() + 20_000;
  while (!(await refused(endpoint))) {
    if (Date.now() > deadline) throw new Error(`${endpoint} still answers 20 s after its parent's end`);
    await new Promise((done) => setTimeout(done, 20));
  }
});
