import { mkdtemp, open, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileWriter } from '../../src/storage/file-writer.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakegate-file-writer-'));
});
afterEach(async () => {
  jest.restoreAllMocks();
  await rm(folder, { recursive: true, force: true });
});

/** What all open files have their methods from. */
async function fileHandles(): Promise<{ datasync(): Promise<void> }> {
  const handle = await open(folder, 'r');
  await handle.close();
  return Object.getPrototypeOf(handle);
}

const PIECE = new Uint8Array(1024 * 1024);

test('a fault of a sync while the file was being written is not lost: the kernel tells it once', async () => {
  const syncs = jest
    .spyOn(await fileHandles(), 'datasync')
    .mockRejectedValueOnce(Object.assign(new Error('EIO'), { code: 'EIO' }));
  const writer = await fileWriter(join(folder, 'a'), 'file:///a');
  for (let piece = 0; piece < 10; piece += 1) await writer.write(PIECE);
  await expect(writer.finish()).rejects.toMatchObject({ kind: 'unavailable', context: { errno: 'EIO' } });
  expect(syncs).toHaveBeenCalled();
  await writer.abort();
  expect(await readdir(folder)).toEqual([]);
});

test('many files that are written side by side, ended and given up, are whole or not there', async () => {
  const writers = await Promise.all(
    Array.from({ length: 8 }, (_, index) => fileWriter(join(folder, String(index)), `file:///${index}`)),
  );
  for (let piece = 0; piece < 9; piece += 1) await Promise.all(writers.map((writer) => writer.write(PIECE)));
  const sizes = await Promise.all(
    writers.map(async (writer, index) => {
      if (index % 2 === 0) return (await writer.finish()).size;
      await writer.abort();
      return undefined;
    }),
  );
  expect(sizes.filter((size) => size !== undefined)).toEqual(Array(4).fill(9 * PIECE.length));
  expect((await readdir(folder)).sort()).toEqual(['0', '2', '4', '6']);
});
