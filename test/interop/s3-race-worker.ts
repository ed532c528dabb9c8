/**
 * A thread that takes part in races on S3. It says `ready`; told the etags of the rounds, it tries in all rounds at once to create one object and
 * to replace another, and says which it won: `[{ created, replaced }, …]`.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { createS3Store } from '../../src/storage/s3.ts';

const { root, name } = workerData as { root: string; name: string };
const store = createS3Store();
const bytes = Buffer.from(name);

async function play(etag: string, round: number): Promise<{ created: boolean; replaced: boolean }> {
  const [created, replaced] = await Promise.all([
    store.create(`${root}created-${round}`, bytes),
    store.replace(`${root}replaced-${round}`, bytes, etag),
  ]);
  return { created: created !== undefined, replaced: replaced !== undefined };
}

parentPort!.on('message', async (etags: string[]) => {
  parentPort!.postMessage(await Promise.all(etags.map(play)));
});
parentPort!.postMessage('ready');
