import { randomUUID } from 'node:crypto';
import { createS3Store } from '../../src/storage/s3.ts';
import { objectStoreContract } from '../contract/object-store.contract.ts';
import { type Emulator, startMiniStack, startSeaweed } from './emulators/index.ts';
import { newBucket, useEmulator } from './s3.ts';

describe.each([
  { name: 'SeaweedFS', start: startSeaweed, unordered: true, conditionalCopy: true },
  // It copies over what is there, If-None-Match or not.
  { name: 'MiniStack', start: startMiniStack, unordered: false, conditionalCopy: false },
])('$name', ({ name, start, unordered, conditionalCopy }) => {
  let emulator: Emulator;
  let bucket: string;
  beforeAll(async () => {
    emulator = await start();
    useEmulator(emulator);
    bucket = await newBucket();
  });
  afterAll(() => emulator?.stop());

  objectStoreContract(`s3 on ${name}`, async () => ({
    store: createS3Store({ conditionalCopy }),
    root: `${bucket}${randomUUID()}/`,
    unordered,
  }));
});
