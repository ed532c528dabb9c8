/** `lakegate dev` as people run it: a process of its own, files put under its folder in the ways that people and programs put them there. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DeliveryRecord } from '../../src/gate/delivery.ts';
import { type LakeFolder, lakeFolder, parquetBytes, removeFolders } from './lake-folder.ts';

const running: ChildProcess[] = [];

afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
  removeFolders();
});

interface Dev {
  /** Resolves once what the process said so far has this in it. */
  says(pattern: RegExp): Promise<void>;
  /** Ctrl-C. @returns the exit code and everything it said */
  stop(signal?: NodeJS.Signals): Promise<{ code: number; out: string; err: string }>;
}

function startDev(folder: LakeFolder, words: readonly string[] = [], env: Record<string, string> = {}): Dev {
  const child = spawn(process.execPath, [join(process.cwd(), 'bin/cli.ts'), 'dev', ...words], {
    cwd: folder.path,
    env: { PATH: process.env.PATH, HOME: folder.path, ...env },
  });
  running.push(child);
  let [out, err] = ['', ''];
  const exited = once(child, 'close');
  const waiting = new Set<() => void>();
  const heard = () => {
    for (const check of waiting) check();
  };
  child.stdout.on('data', (piece) => {
    out += piece;
    heard();
  });
  child.stderr.on('data', (piece) => {
    err += piece;
    heard();
  });
  return {
    says: (pattern) =>
      new Promise((resolve, reject) => {
        const check = () => {
          if (!pattern.test(out + err)) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        exited.then(() => reject(new Error(`it ended before it said ${pattern}: ${out}${err}`)));
        check();
      }),
    async stop(signal = 'SIGINT') {
      child.kill(signal);
      const [code] = (await exited) as [number];
      return { code, out, err };
    },
  };
}

/** @returns file names by state, sorted */
async function states(folder: LakeFolder): Promise<Record<string, string[]>> {
  const { value } = await folder.json<DeliveryRecord[]>('delivery list -n 1000');
  const byState: Record<string, string[]> = {};
  for (const { state, drop } of value) {
    byState[state] = [...(byState[state] ?? []), drop.url.slice(drop.url.lastIndexOf('/') + 1)].sort();
  }
  return byState;
}

test('every drop is delivered once, however it arrives; hidden files are nobody’s', async () => {
  const folder = lakeFolder();
  const raw = join(folder.path, '.lakegate', 'raw');
  mkdirSync(join(raw, 'orders'), { recursive: true });
  writeFileSync(join(raw, 'orders', 'before.parquet'), parquetBytes(2, 0));
  const dev = startDev(folder);
  await dev.says(/watching .*raw\//);
  await dev.says(/published {2}before\.parquet/);

  // By cp, a whole folder at once.
  mkdirSync(join(raw, 'events'));
  for (let n = 0; n < 12; n += 1)
    writeFileSync(join(raw, 'events', `e${n}.parquet`), parquetBytes(3 + n, n % 4 === 3 ? 1 : 0));
  // By mv.
  renameSync(folder.parquet('moved.parquet', 5), join(raw, 'orders', 'moved.parquet'));
  // Names that are none of ours.
  writeFileSync(join(raw, 'orders', '.hidden.parquet'), parquetBytes(2, 0));
  writeFileSync(join(raw, 'orders', '_SUCCESS'), '');
  mkdirSync(join(raw, '_tmp'));
  writeFileSync(join(raw, '_tmp', 'x.parquet'), parquetBytes(2, 0));
  // No table's.
  writeFileSync(join(raw, 'stray.parquet'), parquetBytes(2, 0));
  // Slowly.
  const slow = join(raw, 'orders', 'slow.parquet');
  const bytes = parquetBytes(400, 0);
  for (let part = 0; part < 8; part += 1) {
    appendFileSync(slow, bytes.subarray((bytes.length * part) / 8, (bytes.length * (part + 1)) / 8));
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  await dev.says(/published {2}slow\.parquet → lake\.orders \(400 rows/);
  await dev.says(/published {2}moved\.parquet/);
  await dev.says(/unrouted {2}stray\.parquet/);
  for (let n = 0; n < 12; n += 1)
    await dev.says(new RegExp(`${n % 4 === 3 ? 'rejected' : 'published'} {2}e${n}\\.parquet`));

  const { code, out, err } = await dev.stop();
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).not.toMatch(/hidden|_SUCCESS|x\.parquet/);
  expect(out.match(/unrouted/g)).toHaveLength(1);
  expect(await states(folder)).toEqual({
    published: [
      'before.parquet',
      'e0.parquet',
      'e1.parquet',
      'e10.parquet',
      'e2.parquet',
      'e4.parquet',
      'e5.parquet',
      'e6.parquet',
      'e8.parquet',
      'e9.parquet',
      'moved.parquet',
      'slow.parquet',
    ],
    rejected: ['e11.parquet', 'e3.parquet', 'e7.parquet'],
  });
  // Together, not one by one: many deliveries share a snapshot.
  const { value: history } = await folder.json<unknown[]>('table history events -n 100');
  expect(history.length).toBeLessThan(9);
});

test('a drop that the system told nobody of is found all the same, and taken once', async () => {
  const folder = lakeFolder();
  const raw = join(folder.path, '.lakegate', 'raw', 'orders');
  mkdirSync(raw, { recursive: true });
  writeFileSync(join(raw, 'before.parquet'), parquetBytes(1, 0));
  // The watcher looks once an hour: as good as never.
  const dev = startDev(folder, [], { CHOKIDAR_USEPOLLING: 'true', CHOKIDAR_INTERVAL: '3600000' });
  await dev.says(/published {2}before\.parquet/);
  for (const name of ['a', 'b']) writeFileSync(join(raw, `${name}.parquet`), parquetBytes(name.charCodeAt(0), 0));
  writeFileSync(join(raw, '_SUCCESS'), '');
  await dev.says(/published {2}b\.parquet/);
  await dev.says(/published {2}a\.parquet/);
  const { code, out, err } = await dev.stop();
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out.match(/published {2}\w+/g)?.sort()).toEqual(['published  a', 'published  b', 'published  before']);
});

test('what is stopped and started again delivers nothing twice and loses nothing', async () => {
  const folder = lakeFolder();
  const raw = join(folder.path, '.lakegate', 'raw', 'orders');
  mkdirSync(raw, { recursive: true });
  const names: string[] = [];
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGINT'] as const) {
    const dev = startDev(folder, ['--json']);
    for (let n = 0; n < 4; n += 1) {
      names.push(`f${names.length}.parquet`);
      writeFileSync(join(raw, names.at(-1)!), parquetBytes(names.length, 0));
    }
    await dev.says(/"file":"file:\/\/[^"]*\/f\d+\.parquet"/);
    const { code, out, err } = await dev.stop(signal);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    for (const line of out.trim().split('\n')) expect(JSON.parse(line)).toBeInstanceOf(Array);
  }
  const { code, out } = await folder.run('dev --once');
  expect({ code, out }).toMatchObject({ code: 0 });
  expect(await states(folder)).toEqual({ published: names.sort() });
  expect(await folder.run('dev --once')).toMatchObject({ code: 0, out: 'nothing new under the raw folder\n' });
  const total = names.reduce((sum, _name, n) => sum + n + 1, 0);
  expect(await folder.json('table show orders')).toMatchObject({ value: { rows: total } });
});
