import { createMemoryStore } from '../../src/storage/memory.ts';
import { objectStoreContract } from '../contract/object-store.contract.ts';

objectStoreContract('memory', async () => ({ store: createMemoryStore(), root: 'memory:/lake/' }));

test('both spellings of a memory URL are one object', async () => {
  const store = createMemoryStore();
  await store.create('memory:///a/b', Uint8Array.of(1));
  expect((await store.read('memory:/a/b')).bytes).toEqual(Uint8Array.of(1));
});

test('what a caller does to its bytes afterwards does not reach the store', async () => {
  const store = createMemoryStore();
  const bytes = Uint8Array.of(1, 2);
  await store.create('memory:/a', bytes);
  bytes[0] = 9;
  (await store.read('memory:/a')).bytes[1] = 9;
  expect((await store.read('memory:/a')).bytes).toEqual(Uint8Array.of(1, 2));
});
