/** `lakegate tables split`: options that do not go together, what is left and who makes it. */
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { runCli } from '../../src/cli/program.ts';
import { createStores } from '../../src/storage/stores.ts';
import { sealed, splitMapCsv, UNCOPYABLE_WRITER, writeSource } from '../tables/generator.ts';

const TABLES = { A: 3, B: 4 };
const SNAPSHOT = '2026-01-31';
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakegate-tables-'));
  await writeFile(join(folder, 'map.csv'), splitMapCsv(TABLES));
  const source = `file://${folder}/my source/snapshot_dt=${SNAPSHOT}`;
  await writeSource(createStores(), `${source}/`, { tables: TABLES, rows: 5 });
  // One of table B's columns is missing in a second file.
  await writeSource(createStores(), `${source}/more-`, { tables: { A: 3, B: 3 }, rows: 5 });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function split(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const env = { HOME: folder, PATH: process.env.PATH };
  const code = await runCli(['tables', 'split', ...words], { out, err, cwd: folder, env });
  return { code, out: String(out.read() ?? ''), err: String(err.read() ?? '') };
}

const SOURCE = ['--source', 'my source', '--target', 'out'];
const MAP = [...SOURCE, '--map', 'map.csv'];

test.each([
  [SOURCE, 'expected --map, or --table for all columns as one table, found neither'],
  [[...MAP, '--table', 'T'], 'found both'],
  [[...SOURCE, '--table', '../x'], 'expected letters, digits and underscores'],
  [[...SOURCE, '--table', 'T', '--tables', 'A'], 'there is none with --table'],
  [['--source', 'my source', '--map', 'map.csv'], '--target is missing'],
  [[...MAP, '--engine', 'spark', '--otherwise', 'duckdb'], 'found it with --engine spark'],
  [[...MAP, '--bucketing', 'direct', '--engine', 'duckdb'], 'found --layout partitioned --engine duckdb'],
  [[...MAP, '--bucketing', 'direct', '--layout', 'plain'], 'found --layout plain --engine copy'],
  [[...MAP, '--engine', 'virtual'], 'found no --database'],
  [[...MAP, '--engine', 'virtual', '--database', 'd', '--layout', 'plain'], 'found --layout plain'],
  [[...MAP, '--engine', 'virtual', '--database', 'd'], 'expected no --target'],
  [[...MAP, '--database', 'd'], '--database is for --engine virtual'],
  [[...MAP, '--tables', ' ,'], 'expected names by commas, found " ,"'],
  [[...MAP, '--tables', ''], 'expected names by commas, found ""'],
  [[...MAP, '--alias', ','], 'expected names by commas, found ","'],
  [[...MAP, '--snapshot', 'latest'], 'expected a date such as 2026-01-31, found "latest"'],
  [[...MAP, '--prefix', 'my-'], 'expected letters, digits and underscores, found "my-"'],
])('%j is refused', async (words, message) => {
  const { code, err } = await split(...words);
  expect([code, err]).toEqual([2, expect.stringContaining(message)]);
});

test('names of a map do nothing to the terminal', async () => {
  await writeFile(join(folder, 'odd.csv'), `${splitMapCsv({ A: 3 })}A,a\u001b[31m_red,x\n`);
  const { out } = await split('--source', 'my source', '--target', 'odd', '--map', 'odd.csv');
  expect(out).toContain('the source has no column `a\\u{1b}[31m_red` for A');
  expect(out).not.toContain('\u001b');
});

test('what a killed copy left in the middle of its writes takes no room for long', async () => {
  const staging = join(folder, 'left', '_staging', 'A.snapshot_dt=2025-12-31');
  await mkdir(staging, { recursive: true });
  for (const name of ['.tmp-old', '.tmp-young']) await writeFile(join(staging, name), 'half');
  await utimes(join(staging, '.tmp-old'), new Date(0), new Date(0));
  await split('--source', 'my source', '--target', 'left', '--map', 'map.csv');
  expect(await readdir(staging)).toEqual(['.tmp-young']);
});

test('what cannot be copied is named with the command that makes it, and that command does', async () => {
  const { code, out } = await split(...MAP, '--key', 'Customer_User_id');
  expect(code).toBe(1);
  expect(out).toMatch(/A +written/);
  expect(out).toMatch(/B +left +.*has no column `B_Field_002`/);
  const command = /lakegate (tables split .*)$/m.exec(out)?.[1];
  expect(command).toBe(
    `tables split --source 'my source' --target out --map map.csv --tables B --snapshot ${SNAPSHOT} --key Customer_User_id --engine duckdb`,
  );
  const words = command!.split(/ (?=--)/).flatMap((word) => word.replace(/'/g, '').split(/(?<=^--\w+) /));
  const made = await split(...words.filter((word) => word !== 'tables split'));
  expect([made.code, made.err]).toEqual([0, '']);
  expect(made.out).toMatch(/B +written +1 +10 /);
});

test('all at once with --otherwise; a dry run makes nothing', async () => {
  const planned = await split(
    '--source',
    'my source',
    '--map',
    'map.csv',
    '--target',
    'dry',
    '--engine',
    'duckdb',
    '--dry-run',
  );
  expect([planned.code, planned.out]).toEqual([0, expect.stringMatching(/A +planned[\s\S]*B +planned/)]);
  const all = ['--source', 'my source', '--map', 'map.csv', '--target', 'all', '--otherwise', 'duckdb'];
  const { code, out } = await split(...all, '--json');
  expect([code, JSON.parse(out)]).toMatchObject([
    0,
    {
      snapshot: SNAPSHOT,
      engine: 'copy',
      tables: [
        { table: 'A', outcome: 'written', rows: 10 },
        { table: 'B', outcome: 'written', rows: 10, engine: 'duckdb' },
      ],
    },
  ]);
  expect((await split(...all)).out).toMatch(/B +already +1 +10 .*by duckdb/);
});

test('a snapshot of which no file can be copied from: the reason and who may; with --otherwise spark it is asked', async () => {
  const own = `file://${folder}/old/snapshot_dt=${SNAPSHOT}/`;
  await writeSource(createStores(), own, { tables: TABLES, createdBy: UNCOPYABLE_WRITER });
  const words = ['--source', 'old', '--map', 'map.csv', '--target', 'old-out'];
  const { code, err } = await split(...words);
  expect([code, err]).toEqual([
    1,
    expect.stringMatching(/no file of .* can be copied from:\n.*part-00000.*IMPALA-694[\s\S]*--engine spark/),
  ]);
  const asked = await split(...words, '--otherwise', 'spark', '--python', './none');
  expect(asked.err).toContain(`${join(folder, 'none')}: that program is not there`);
  expect((await split(...words, '--otherwise', 'duckdb')).err).toContain('--engine spark');
});

test.each([
  ['all of its files', 'sealed', 0],
  ['one of its files', 'half-sealed', 1],
])('a snapshot of which somebody encrypted %s: no other engine is asked, or advised', async (_, name, others) => {
  const own = join(folder, name, `snapshot_dt=${SNAPSHOT}`);
  const urls = await writeSource(createStores(), `file://${own}/`, { tables: TABLES, files: 1 + others });
  const path = urls.at(-1)!.slice('file://'.length);
  await writeFile(path, sealed(await readFile(path)));
  const words = ['--source', name, '--map', 'map.csv', '--target', `${name}-out`];
  const advice = `No engine here reads file://${path}: it is encrypted. Have it written without`;
  for (const more of [
    [],
    ['--otherwise', 'duckdb'],
    ['--otherwise', 'spark', '--python', './none'],
    ['--engine', 'duckdb'],
    ['--engine', 'spark', '--dry-run'],
  ]) {
    const { code, out, err } = await split(...words, ...more);
    expect([more, code, out + err]).toEqual([more, 1, expect.stringContaining(advice)]);
    expect(out + err).not.toMatch(/--engine (duckdb|spark)|that program is not there/);
  }
});

test('Spark where there is none says what to put there', async () => {
  const { code, err } = await split(...MAP, '--engine', 'spark', '--python', './none');
  expect([code, err]).toEqual([1, expect.stringContaining(`${join(folder, 'none')}: that program is not there`)]);
});
