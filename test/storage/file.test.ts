import { type ChildProcess, spawn } from 'node:child_process';
import { link, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFileStore, staleTemporaries } from '../../src/storage/file.ts';
import { LOCK_FILE } from '../../src/storage/folder-lock.ts';
import { collect } from '../contract/collect.ts';
import { objectStoreContract } from '../contract/object-store.contract.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakegate-file-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

objectStoreContract('file', async () => ({ store: createFileStore(), root: `file://${folder}/` }));

const store = createFileStore();
const text = (value: string) => new TextEncoder().encode(value);
const names = async () => (await readdir(folder)).filter((name) => name !== LOCK_FILE);

describe('file store', () => {
  test('every spelling of a path is the same object', async () => {
    await store.create(`file:${folder}/a b`, text('x'));
    for (const prefix of ['', 'file:', 'file://', 'file://localhost']) {
      expect(await store.create(`${prefix}${folder}/a b`, text('y'))).toBeUndefined();
      expect(await collect(store.list(`${prefix}${folder}/`))).toMatchObject([{ url: `${prefix}${folder}/a b` }]);
    }
    expect(await names()).toEqual(['a b']);
  });

  test('writing leaves no other files behind, whoever wins', async () => {
    const url = `${folder}/a`;
    const { etag } = (await store.create(url, text('1')))!;
    await Promise.all([
      store.create(url, text('2')),
      store.replace(url, text('3'), etag),
      store.replace(url, text('4'), etag),
    ]);
    await store.copy(url, `${folder}/b`);
    await (await store.writer(`${folder}/c`)).abort();
    expect((await names()).sort()).toEqual(['a', 'b']);
  });

  test('unfinished files are not listed, and found by age', async () => {
    const writer = await store.writer(`${folder}/sub/x`);
    await writer.write(text('half'));
    expect(await collect(store.list(`${folder}/`))).toEqual([]);
    expect(await collect(staleTemporaries(`file://${folder}/`, 60_000))).toEqual([]);
    const [name] = await readdir(join(folder, 'sub'));
    await utimes(join(folder, 'sub', name!), new Date(0), new Date(0));
    const stale = await collect(staleTemporaries(`file://${folder}/`, 60_000));
    expect(stale).toEqual([`file://${folder}/sub/${name}`]);
    await store.delete(stale);
    expect(await readdir(join(folder, 'sub'))).toEqual([]);
    await writer.abort();
  });

  test('folders that cannot be made are told, with what stands in the way', async () => {
    await writeFile(join(folder, 'file'), 'x');
    await symlink(join(folder, 'nowhere'), join(folder, 'dangling'));
    const message = (path: string) =>
      store.create(path, text('x')).then(
        () => 'made',
        (error: Error) => error.message,
      );
    expect(await message(`${folder}/file/sub/deeper/a`)).toContain('a file stands where a folder is needed');
    expect(await message(`${folder}/dangling/sub/a`)).toContain('A file stands where a folder is needed');
    // Where the kernel says that a folder is missing which it will not have made.
    expect(await message('/proc/lakegate/sub/a')).toContain('Cannot create /proc/lakegate/sub/a: ');
    expect(await names()).toEqual(expect.arrayContaining(['dangling', 'file']));
  });

  test('folders that many make at once are all there', async () => {
    const urls = Array.from({ length: 20 }, (_, index) => `${folder}/a/b/c/d${index % 4}/${index}`);
    await Promise.all(urls.map((url) => store.create(url, text('x'))));
    expect(await collect(store.list(`${folder}/`))).toHaveLength(20);
  });

  test("the store's own names cannot be written to", async () => {
    await expect(store.create(`${folder}/.tmp-x`, text('x'))).rejects.toMatchObject({ kind: 'invalid' });
    await expect(store.writer(`${folder}/${LOCK_FILE}`)).rejects.toMatchObject({ kind: 'invalid' });
  });

  test('links that lead out of the listed folder are not followed', async () => {
    await mkdir(join(folder, 'raw/inner'), { recursive: true });
    await writeFile(join(folder, 'secret'), 'x');
    await writeFile(join(folder, 'raw/inner/data'), 'x');
    await symlink(join(folder, 'secret'), join(folder, 'raw/out'));
    await symlink(folder, join(folder, 'raw/outer'));
    await symlink(join(folder, 'raw'), join(folder, 'raw/circle'));
    await symlink('inner/data', join(folder, 'raw/within'));
    await symlink('nowhere', join(folder, 'raw/dangling'));
    const urls = (await collect(store.list(`${folder}/raw/`))).map(({ url }) => url);
    expect(urls).toEqual([`${folder}/raw/inner/data`, `${folder}/raw/within`]);
  });

  test('folders are no objects', async () => {
    await mkdir(join(folder, 'd'));
    expect(await store.head(`${folder}/d`)).toBeUndefined();
    await expect(store.read(`${folder}/d`)).rejects.toMatchObject({ kind: 'not_found' });
    await expect(store.create(`${folder}/d`, text('x'))).rejects.toMatchObject({ kind: 'exists' });
    await store.delete([`${folder}/d`]);
    expect(await names()).toEqual(['d']);
  });

  test('a file replaced by another program changes its etag, even at the same size and time', async () => {
    const url = `${folder}/a`;
    const { etag } = (await store.create(url, text('old')))!;
    await writeFile(join(folder, 'b'), 'new');
    await utimes(join(folder, 'b'), new Date(1000), new Date(1000));
    await rename(join(folder, 'b'), join(folder, 'a'));
    expect((await store.head(url))?.etag).not.toBe(etag);
  });

  test('a replacement is newer than what it replaced, though that lies in the future', async () => {
    const url = `${folder}/a`;
    await store.create(url, text('1'));
    const future = new Date(Date.now() + 86_400_000);
    await utimes(join(folder, 'a'), future, future);
    const before = (await store.head(url))!;
    const replaced = (await store.replace(url, text('2'), before.etag))!;
    const after = (await store.head(url))!;
    expect(after.etag).toBe(replaced.etag);
    expect(after.lastModified).toBeGreaterThanOrEqual(before.lastModified);
  });

  test('a place where no folder can be made is named, and not retried', async () => {
    // A file where a folder is needed stops every user, where missing permissions would not stop root.
    await store.create(`${folder}/file`, text('x'));
    await expect(store.create(`${folder}/file/x`, text('x'))).rejects.toMatchObject({
      retryable: false,
      message: expect.stringContaining(`${folder}/file`),
    });
  });

  test('a hard-linked second name does not share replacements', async () => {
    const { etag } = (await store.create(`${folder}/a`, text('1')))!;
    await link(join(folder, 'a'), join(folder, 'b'));
    await store.replace(`${folder}/a`, text('2'), etag);
    expect(await readFile(join(folder, 'b'), 'utf8')).toBe('1');
  });
});

describe('file store between processes', () => {
  const worker = join(__dirname, 'increment-worker.ts');
  const counter = () => `${folder}/counter`;
  const count = async () => Number(await readFile(join(folder, 'counter'), 'utf8'));

  function start(times: number, killAt = 'none', file = counter()): { child: ChildProcess; ended: Promise<number> } {
    const child = spawn(process.execPath, [worker, file, String(times), killAt], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let confirmed = 0;
    child.stdout!.on('data', (data: Buffer) => {
      confirmed += data.toString().split('\n').length - 1;
    });
    return { child, ended: new Promise((resolve) => child.once('close', () => resolve(confirmed))) };
  }

  test('racing increments lose no update', async () => {
    await store.create(counter(), text('0'));
    const workers = Array.from({ length: 6 }, () => start(25));
    await Promise.all(workers.map(({ ended }) => ended));
    expect(await count()).toBe(150);
    expect(await names()).toEqual(['counter']);
  }, 60_000);

  test('workers killed at random lose no confirmed update and stop nobody', async () => {
    await store.create(counter(), text('0'));
    const doomed = Array.from({ length: 6 }, () => start(100_000));
    for (const [i, { child }] of doomed.entries()) setTimeout(() => child.kill('SIGKILL'), 700 + i * 130);
    const confirmed = (await Promise.all(doomed.map(({ ended }) => ended))).reduce((a, b) => a + b, 0);
    const found = await count();
    // Each killed worker may have swapped once without living to say so.
    expect(found).toBeGreaterThanOrEqual(confirmed);
    expect(found).toBeLessThanOrEqual(confirmed + doomed.length);
    expect(found).toBeGreaterThan(0);
    expect(await start(5).ended).toBe(5);
    expect(await count()).toBe(found + 5);
  }, 60_000);

  test.each([
    ['open', 0],
    ['sync', 0],
    ['rename-before', 0],
    ['rename-after', 1],
  ])('a kill at %s of a replacement leaves a whole object and no lock', async (killAt, swapped) => {
    await store.create(counter(), text('0'));
    expect(await start(1, killAt).ended).toBe(0);
    expect(await count()).toBe(swapped);
    const { etag } = (await store.head(counter()))!;
    expect(await store.replace(counter(), text('9'), etag)).toBeDefined();
    expect((await collect(store.list(`${folder}/`))).map(({ url }) => url)).toEqual([counter()]);
    await store.delete(await collect(staleTemporaries(`${folder}/`, 0)));
    expect(await names()).toEqual(['counter']);
  });

  test.each([
    ['link-before', false],
    ['link-after', true],
  ])('a kill at %s of a creation leaves the whole object or none', async (killAt, there) => {
    await start(0, killAt).ended;
    expect((await store.head(counter())) !== undefined).toBe(there);
    expect((await store.create(counter(), text('1'))) !== undefined).toBe(!there);
    expect(await count()).toBe(1);
  });
});
