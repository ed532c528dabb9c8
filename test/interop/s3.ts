import { randomUUID } from 'node:crypto';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { createS3Client } from '../../src/storage/s3-client.ts';
import type { Emulator } from './emulators/index.ts';

/** From here on, this test file's AWS clients talk to the emulator, by the variables that a person would set. */
export function useEmulator({ env }: Emulator): void {
  Object.assign(process.env, env);
}

/** A new bucket's URL, ending in `/`. SeaweedFS has room for a few only, since each takes volumes of its own. */
export async function newBucket(): Promise<string> {
  const bucket = `test-${randomUUID().slice(0, 18)}`;
  await createS3Client().send(new CreateBucketCommand({ Bucket: bucket }));
  return `s3://${bucket}/`;
}
