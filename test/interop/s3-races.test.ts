import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { isKind } from '../../src/errors.ts';
import { createS3Store } from '../../src/storage/s3.ts';
import type { ObjectStore } from '../../src/storage/store.ts';
import { type Emulator, startSeaweed } from './emulators/index.ts';
import { newBucket, useEmulator } from './s3.ts';

const WRITERS = 12;
const ROUNDS = 20;

let emulator: Emulator;
let root: string;
let store: ObjectStore;
const open: { stop(): Promise<void> }[] = [];
beforeAll(async () => {
  emulator = await startSeaweed();
  useEmulator(emulator);
  root = await newBucket();
  store = createS3Store();
});
afterEach(() => Promise.all(open.splice(0).map((way) => way.stop())));
afterAll(() => emulator?.stop());

async function contents(url: string): Promise<string> {
  return Buffer.from((await store.read(url)).bytes).toString();
}

test(`of ${WRITERS} threads that create and replace at once, one wins each of ${ROUNDS} rounds`, async () => {
  const names = Array.from({ length: WRITERS }, (_, i) => `writer ${i}`);
  const workers = names.map(
    (name) => new Worker(join(__dirname, 's3-race-worker.ts'), { workerData: { root, name }, env: { ...process.env } }),
  );
  try {
    await Promise.all(workers.map((worker) => once(worker, 'message')));
    const etags: string[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      etags.push((await store.create(`${root}replaced-${round}`, Buffer.from('start')))!.etag);
    }
    // All rounds at once: SeaweedFS lets those who wait for one key's lock look again after a second only.
    const answers = workers.map((worker) => once(worker, 'message'));
    for (const worker of workers) worker.postMessage(etags);
    const results = (await Promise.all(answers)).map(([answer]) => answer);
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const what of ['created', 'replaced']) {
        const winners = names.filter((_, i) => results[i][round][what]);
        expect(winners).toEqual([await contents(`${root}${what}-${round}`)]);
      }
    }
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
});

/** What a faulty way to S3 does with a request. */
type Fault = 'none' | 'busy' | 'cut before' | 'cut after' | 'broken answer';

/** A proxy that lets a request through or not, in a fixed pattern. */
async function startFaultyWay(target: string, faultOf: (index: number, incoming: IncomingMessage) => Fault) {
  let index = 0;
  const server = createServer(async (incoming, outgoing) => {
    index += 1;
    const fault = faultOf(index, incoming);
    if (fault === 'cut before') return void incoming.socket.destroy();
    const body: Buffer[] = [];
    for await (const chunk of incoming) body.push(chunk as Buffer);
    if (fault === 'busy') return void outgoing.writeHead(503).end('<Error><Code>SlowDown</Code></Error>');
    await pass(target, incoming, Buffer.concat(body), outgoing, fault);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const way = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  open.push(way);
  return way;
}

async function pass(
  target: string,
  incoming: IncomingMessage,
  body: Buffer,
  outgoing: ServerResponse,
  fault: Fault,
): Promise<void> {
  // The host stays as it was signed.
  const onward = request(`${target}${incoming.url}`, { method: incoming.method, headers: incoming.headers });
  onward.end(body);
  const [answer] = (await once(onward, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of answer) chunks.push(chunk as Buffer);
  if (fault === 'cut after') return void incoming.socket.destroy();
  const whole = Buffer.concat(chunks);
  outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
  if (fault !== 'broken answer' || whole.length < 2) return void outgoing.end(whole);
  outgoing.write(whole.subarray(0, whole.length >> 1), () => setTimeout(() => incoming.socket.destroy(), 10));
}

test('over a way that throttles, cuts and loses answers, nothing is lost and nothing is done twice', async () => {
  const pattern: Fault[] = [
    'none',
    'cut after',
    'none',
    'busy',
    'none',
    'cut before',
    'none',
    'none',
    'broken answer',
    'none',
    'cut after',
  ];
  const way = await startFaultyWay(emulator.endpoint, (index) => pattern[index % pattern.length] ?? 'none');
  const faulty = createS3Store({ endpoint: way.endpoint, attempts: 6 });
  const url = `${root}list`;
  await store.create(url, Buffer.from(''));

  /** Adds a name to the list; who is told that the outcome is unknown looks before it goes on. */
  async function add(name: string): Promise<void> {
    for (;;) {
      const { bytes, etag } = await faulty.read(url);
      const list = Buffer.from(bytes).toString();
      if (list.split('\n').includes(name)) return;
      try {
        if ((await faulty.replace(url, Buffer.from(`${list}${name}\n`), etag)) !== undefined) return;
      } catch (error) {
        if (!isKind(error, 'unknown_outcome')) throw error;
      }
    }
  }
  const names = Array.from({ length: 40 }, (_, i) => `n${i}`);
  const added = (from: number) => names.filter((_, i) => i % 4 === from);
  await Promise.all(
    [0, 1, 2, 3].map(async (from) => {
      for (const name of added(from)) await add(name);
    }),
  );
  expect((await contents(url)).trim().split('\n').sort()).toEqual([...names].sort());

  // Writers and copies over the same way.
  const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => i % 251);
  for (let i = 0; i < 6; i += 1) {
    const writer = await faulty.writer(`${root}w${i}`);
    await writer.write(bytes);
    await writer.finish();
    await faulty.copy(`${root}w${i}`, `${root}c${i}`);
    expect(Buffer.compare((await faulty.read(`${root}c${i}`)).bytes, bytes)).toBe(0);
    expect(await faulty.create(`${root}w${i}`, Buffer.from('x'))).toBeUndefined();
  }
});

test('a way that is cut for good is said to be so', async () => {
  const way = await startFaultyWay(emulator.endpoint, () => 'cut before');
  const cut = createS3Store({ endpoint: way.endpoint, attempts: 2 });
  await expect(cut.create(`${root}x`, Buffer.from('x'))).rejects.toMatchObject({
    kind: 'unavailable',
    retryable: true,
  });
  await way.stop();
  await expect(cut.head(`${root}x`)).rejects.toMatchObject({ kind: 'unavailable', retryable: true });
});
