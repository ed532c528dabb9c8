/**
 * A process that increments a counter object by compare-and-swap, for the races in file.test.ts.
 * Arguments: URL of the counter, how many times, and the file system call to be killed at (`none`, `link`, `open`, `sync`, `rename-before`, …).
 * Prints a line per increment the store confirmed.
 */
import fs from 'node:fs';
import fsp from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

const [url, times, killAt] = process.argv.slice(2) as [string, string, string];

function die(): never {
  process.kill(process.pid, 'SIGKILL');
  // The signal is taken before this spin ends.
  for (;;);
}

if (killAt === 'rename-before') fs.renameSync = die;
if (killAt === 'rename-after') {
  const rename = fs.renameSync;
  fs.renameSync = (from, to) => {
    rename(from, to);
    die();
  };
}
if (killAt === 'open') {
  const { open } = fsp;
  fsp.open = async (...args: Parameters<typeof open>) => {
    const handle = await open(...args);
    return args[1] === 'wx' ? die() : handle;
  };
}
if (killAt === 'sync') {
  const { open } = fsp;
  fsp.open = async (...args: Parameters<typeof open>) => {
    const handle = await open(...args);
    if (args[1] === 'wx') handle.sync = async () => die();
    return handle;
  };
}
if (killAt === 'link-before') fsp.link = async () => die();
if (killAt === 'link-after') {
  const { link } = fsp;
  fsp.link = async (from, to) => {
    await link(from, to);
    die();
  };
}
syncBuiltinESMExports();

const { createFileStore } = await import('../../src/storage/file.ts');
const store = createFileStore();
if (killAt.startsWith('link')) await store.create(url, new TextEncoder().encode('1'));
for (let done = 0; done < Number(times); ) {
  const { bytes, etag } = await store.read(url);
  const next = String(Number(new TextDecoder().decode(bytes)) + 1);
  if ((await store.replace(url, new TextEncoder().encode(next), etag)) !== undefined) {
    done += 1;
    fs.writeSync(1, `${next}\n`);
  }
}
