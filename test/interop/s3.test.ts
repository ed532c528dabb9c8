import { randomUUID } from 'node:crypto';
import { UploadPartCopyCommand } from '@aws-sdk/client-s3';
import { createS3Store, type S3StoreOptions } from '../../src/storage/s3.ts';
import { createS3Client } from '../../src/storage/s3-client.ts';
import { createStores } from '../../src/storage/stores.ts';
import { collect } from '../contract/collect.ts';
import { type Emulator, startMiniStack, startSeaweed } from './emulators/index.ts';
import { newBucket, useEmulator } from './s3.ts';

const MIB = 1024 * 1024;

describe.each([
  // It has no empty folders in a key, and takes a backslash for a slash.
  { name: 'SeaweedFS', start: startSeaweed, odd: [] },
  { name: 'MiniStack', start: startMiniStack, odd: ['\\back', '/lead', 'a//b'] },
])('$name', ({ start, odd }) => {
  let emulator: Emulator;
  let root: string;
  beforeAll(async () => {
    emulator = await start();
    useEmulator(emulator);
    root = `${await newBucket()}${randomUUID()}/`;
  });
  afterAll(() => emulator?.stop());

  /** A store that counts, in small parts. */
  function counting(options: S3StoreOptions = {}) {
    const seen: string[] = [];
    const store = createS3Store({
      onRequest: (name) => seen.push(name),
      copyAtOnce: 5 * MIB,
      copyPartSize: 5 * MIB,
      partSize: 5 * MIB,
      ...options,
    });
    return { store, seen, count: (name: string) => seen.filter((one) => one === name).length };
  }

  const noise = (size: number) => Uint8Array.from({ length: size }, (_, i) => (i * 2654435761) >>> 24);

  test('names with every odd character are written, read, copied, listed and deleted', async () => {
    const store = createStores();
    const folder = `${root}odd/`;
    const names = [
      'a b',
      'a+b',
      '%20',
      '%',
      '#',
      '?x=1&y',
      "it's",
      '"q"<&>',
      'ü日本😀',
      'e\u0301',
      '(a)!*',
      '~',
      ':@;,=$',
      '.hid',
      'x..',
      'end ',
      '[1]{2}|^`',
      ...odd,
    ];
    for (const name of names) await store.create(`${folder}${name}`, Buffer.from(name));
    for (const name of names) await store.copy(`${folder}${name}`, `${folder}copy/${name}`);
    const listed = (await collect(store.list(folder))).map(({ url }) => url.slice(folder.length));
    expect(listed.sort()).toEqual([...names, ...names.map((name) => `copy/${name}`)].sort());
    for (const name of listed) {
      expect(Buffer.from((await store.read(folder + name)).bytes).toString()).toBe(name.replace(/^copy\//, ''));
    }
    await store.delete(listed.map((name) => folder + name));
    expect(await collect(store.list(folder))).toEqual([]);
  });

  test('a large object is written, read and copied in parts', async () => {
    const { store, count } = counting();
    const bytes = noise(12 * MIB);
    const writer = await store.writer(`${root}large`);
    for (let start = 0; start < bytes.length; start += 700_000)
      await writer.write(bytes.subarray(start, start + 700_000));
    expect(await writer.finish()).toEqual({ size: bytes.length });
    expect(count('UploadPart')).toBe(3);
    await store.copy(`${root}large`, `${root}large-copy`);
    expect(count('UploadPartCopy')).toBe(3);
    expect(Buffer.compare((await store.read(`${root}large-copy`)).bytes, bytes)).toBe(0);
    // Done before: nothing is copied again. Another object of the name is left alone.
    await store.copy(`${root}large`, `${root}large-copy`);
    expect(count('UploadPartCopy')).toBe(3);
    await store.create(`${root}taken`, Buffer.from('x'));
    await expect(store.copy(`${root}large`, `${root}taken`)).rejects.toMatchObject({ kind: 'exists' });
  });

  test('an interrupted copy is gone on with; one of a source replaced since is not', async () => {
    const source = `${root}source`;
    const target = `${root}target`;
    const { store } = counting();
    const first = await store.writer(source);
    await first.write(noise(17 * MIB));
    await first.finish();
    const expected = (await store.head(source))!;

    const client = createS3Client({ attempts: 1 });
    const parts: unknown[] = [];
    client.middlewareStack.add(
      (next, context) => (args) => {
        if (context.commandName === UploadPartCopyCommand.name && parts.push(args) === 3) {
          throw Object.assign(new Error('cut'), { code: 'ECONNRESET', $metadata: {} });
        }
        return next(args);
      },
      { step: 'finalizeRequest' },
    );
    await expect(counting({ client }).store.copy(source, target, expected)).rejects.toMatchObject({ retryable: true });
    expect(await store.head(target)).toBeUndefined();
    expect(await collect(store.list(target))).toEqual([]);

    const again = counting();
    await again.store.copy(source, target, expected);
    expect(again.count('CreateMultipartUpload')).toBe(0);
    expect(again.count('UploadPartCopy')).toBe(1);
    expect(Buffer.compare((await store.read(target)).bytes, noise(17 * MIB))).toBe(0);

    await expect(store.copy(source, `${root}never`, { ...expected, etag: '0'.repeat(32) })).rejects.toMatchObject({
      kind: 'not_found',
    });
    expect(await store.head(`${root}never`)).toBeUndefined();
  });

  test('what a killed writer left is found when it is old, and deleted', async () => {
    const folder = `${root}left/`;
    const { store } = counting();
    // SeaweedFS says that it encodes the keys of uploads, but does not: no plus or percent sign here.
    const killed = await store.writer(`${folder}a b`);
    await killed.write(noise(6 * MIB));
    const aborted = await store.writer(`${folder}aborted`);
    await aborted.write(noise(6 * MIB));
    await aborted.abort();

    expect(await collect(store.unfinished!(folder, 60_000))).toEqual([]);
    const later = counting({ now: () => Date.now() + 3_600_000 }).store;
    const left = await collect(later.unfinished!(folder, 60_000));
    expect(left).toEqual([expect.stringMatching(/^s3-upload:.*\/a b$/)]);
    await createStores().delete(left);
    expect(await collect(later.unfinished!(folder, 60_000))).toEqual([]);
    await store.delete(left);
    await expect(killed.finish()).rejects.toMatchObject({ name: 'LakegateError' });
  });
});
