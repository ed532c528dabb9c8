import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createStores } from '../../src/storage/stores.ts';
import { collect } from '../contract/collect.ts';
import { objectStoreContract } from '../contract/object-store.contract.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakegate-stores-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

objectStoreContract('by scheme, memory', async () => ({ store: createStores(), root: 'memory:///m/' }));
objectStoreContract('by scheme, bare path', async () => ({ store: createStores(), root: `${folder}/` }));

test('an unknown scheme is named, with those that are known', async () => {
  const store = createStores();
  for (const call of [
    () => store.head('gs://bucket/x'),
    () => store.copy('/a', 'gs://bucket/x'),
    () => store.delete(['gs://bucket/x']),
    () => collect(store.list('gs://bucket/')),
  ]) {
    await expect(call()).rejects.toMatchObject({
      kind: 'unsupported',
      message: expect.stringMatching(/"gs:".*file:, memory:/),
    });
  }
});

test('copies across schemes stream, and follow the rules of a copy', async () => {
  const store = createStores();
  const bytes = new Uint8Array(9 * 1024 * 1024).map((_, i) => i % 253);
  await store.create('memory:/big', bytes);
  await store.copy('memory:/big', `${folder}/big`);
  expect(Buffer.compare((await store.read(`file://${folder}/big`)).bytes, bytes)).toBe(0);
  await store.copy('memory:/big', `${folder}/big`);
  await store.create('memory:/small', Uint8Array.of(1));
  await expect(store.copy('memory:/small', `${folder}/big`)).rejects.toMatchObject({ kind: 'exists' });
  await store.delete(['memory:/small', `${folder}/big`]);
  expect(await store.head('memory:/small')).toBeUndefined();
  expect(await store.head(`${folder}/big`)).toBeUndefined();
});
