import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { createDuckDb } from '../../src/sql/duckdb.ts';

/** Characters that mean something in SQL, in globs, in URLs and in Hive paths. */
const ODD_NAME = `day=1 it's [a]*?%20.parquet`;

let folder: string;
let file: string;
let odd: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lakegate-duckdb-'));
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const write = async (query: string, name: string) => {
    const path = join(folder, name);
    await connection.run(`COPY (${query}) TO '${path.replaceAll("'", "''")}' (FORMAT parquet)`);
    return `file://${path}`;
  };
  file = await write(`SELECT i AS id, 'r' || i AS name, i * 1.5 AS total FROM range(1000) t(i)`, 'a.parquet');
  odd = await write('SELECT 7.5 AS total, 7 AS id', ODD_NAME);
  await write('SELECT 42 AS secret', 'other.parquet');
  // What the odd name would match as a pattern.
  await write('SELECT 42 AS id', "day=1 it's axyz%20.parquet");
  await writeFile(join(folder, 'secret.csv'), 'secret\n42\n');
  connection.closeSync();
  instance.closeSync();
});

afterAll(() => rm(folder, { recursive: true }));

const run = (query: string, files = [file]) => createDuckDb().violations(query, files, 2);

test('counts all rows and shows a few', async () => {
  expect(await run('SELECT id, name FROM delivery WHERE id >= 990')).toEqual({
    count: 10,
    sample: ['id=990, name=r990', 'id=991, name=r991'],
  });
  expect(await run('SELECT * FROM delivery WHERE id < 0')).toEqual({ count: 0, sample: [] });
});

test.each([
  'SELECT id, id FROM delivery LIMIT 1;',
  'SELECT id FROM delivery LIMIT 1; -- the first',
  'WITH violations AS (FROM delivery) SELECT * FROM violations LIMIT 1',
  '(SELECT 1)',
])('takes a query as people write it: %s', async (query) => {
  expect(await run(query)).toMatchObject({ count: 1 });
});

test('files are taken by name, whatever is in it, and columns by theirs', async () => {
  expect(await run('SELECT * FROM delivery', [odd])).toEqual({ count: 1, sample: ['total=7.5, id=7'] });
  expect(await run('SELECT id, total, name FROM delivery WHERE name IS NULL OR id = 999', [file, odd])).toEqual({
    count: 2,
    sample: ['id=999, total=1498.5, name=r999', 'id=7, total=7.5, name=null'],
  });
});

test('a long row is shortened', async () => {
  const { sample } = await run(`SELECT repeat('x', 1000) AS x`);
  expect(sample[0]).toHaveLength(200);
});

test.each([
  '',
  '-- nothing',
  'SELEC 1',
  'SELECT nope FROM delivery',
  'SELECT 1; SELECT 2',
  'SELECT 1) ; DROP VIEW delivery; --',
  'SELECT name::INT FROM delivery',
  'SELECT * FROM delivery WHERE id = ?',
  'EXPLAIN SELECT 1',
  'DROP VIEW delivery',
  'CREATE TABLE t AS SELECT 1',
  'PRAGMA version',
  'SET threads = 1',
  'INSTALL httpfs',
  'LOAD httpfs',
])('a query that is wrong or no SELECT is invalid: %s', async (query) => {
  await expect(run(query)).rejects.toMatchObject({ kind: 'invalid' });
});

test.each([
  (at: string) => `SELECT * FROM '${at}/other.parquet'`,
  (at: string) => `SELECT * FROM read_parquet('${at}/*.parquet')`,
  (at: string) => `SELECT * FROM read_parquet('${at}/a.parquet/../other.parquet')`,
  (at: string) => `SELECT * FROM read_csv('${at}/secret.csv')`,
  (at: string) => `SELECT * FROM read_text('${at}/secret.csv')`,
  (at: string) => `SELECT * FROM glob('${at}/*')`,
  (at: string) => `SELECT * FROM query('SELECT * FROM ''${at}/secret.csv''')`,
  () => `SELECT * FROM read_text('/etc/passwd')`,
  () => `SELECT * FROM read_parquet('https://example.com/a.parquet')`,
  (at: string) => `COPY delivery TO '${at}/written.csv'`,
  (at: string) => `COPY delivery TO '${at}/a.parquet'`,
  (at: string) => `EXPORT DATABASE '${at}/written.csv'`,
  (at: string) => `ATTACH '${at}/written.csv'`,
  () => `SELECT getenv('HOME')`,
])('a query reads and writes nothing but the delivery: %s', async (query) => {
  await expect(run(query(folder))).rejects.toMatchObject({ kind: 'invalid' });
  await expect(stat(join(folder, 'written.csv'))).rejects.toMatchObject({ code: 'ENOENT' });
  expect(await run('SELECT * FROM delivery')).toMatchObject({ count: 1000 });
});

test('a name with pattern characters in it does not open what it matches', async () => {
  const pattern = join(folder, ODD_NAME).replaceAll("'", "''");
  await expect(run(`SELECT * FROM read_parquet('${pattern}')`, [odd])).rejects.toMatchObject({ kind: 'invalid' });
});

test('a query that never ends is stopped, and one that needs too much memory fails', async () => {
  const endless = createDuckDb({ timeoutMs: 200 }).violations(
    'SELECT 1 FROM range(1000000000) a, range(1000000000) b WHERE a.range + b.range < 0',
    [file],
    1,
  );
  await expect(endless).rejects.toMatchObject({
    kind: 'unavailable',
    message: expect.stringContaining('stopped after 0.2 s'),
  });
  const greedy = createDuckDb({ memoryLimit: '50MB' }).violations(
    'SELECT list(range) FROM range(100000000)',
    [file],
    1,
  );
  await expect(greedy).rejects.toMatchObject({
    kind: 'unavailable',
    message: expect.stringContaining('Out of Memory'),
  });
});

test('what is no local file is refused, and a file that is gone is not the fault of the query', async () => {
  await expect(run('SELECT 1', ['s3://bucket/a.parquet'])).rejects.toMatchObject({ kind: 'unsupported' });
  const gone = `file://${join(folder, 'gone.parquet')}`;
  await expect(run('SELECT 1', [gone])).rejects.toMatchObject({ kind: 'unavailable' });
});
