/** The command as it is installed: the bundle behind `bin/lakegate.js`, on the Node of the Lambda and on an older one. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { VERSION } from '../../src/version.ts';
import { type LakeFolder, lakeFolder, parquetBytes, removeFolders } from './lake-folder.ts';

let folder: LakeFolder;
let launcher: string;

/** Makes this Node say that it is an old one, to whom the command must not be given. */
const OLD_NODE = [
  '--import',
  'data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"20.19.0"}})',
];

beforeAll(() => {
  folder = lakeFolder();
  const home = join(folder.path, 'installed here');
  mkdirSync(join(home, 'bin'), { recursive: true });
  execFileSync(process.execPath, ['scripts/build.ts', join(home, 'dist')]);
  cpSync('bin/lakegate.js', join(home, 'bin', 'lakegate.js'));
  cpSync('package.json', join(home, 'package.json'));
  symlinkSync(join(process.cwd(), 'node_modules'), join(home, 'node_modules'));
  launcher = join(home, 'bin', 'lakegate.js');
});

afterAll(removeFolders);

function lakegate(node: readonly string[], words: string, cwd = folder.path, env: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...node, launcher, ...words.split(' ')], {
    cwd,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, HOME: cwd, ...env },
  });
  return { code: status, out: stdout, err: stderr };
}

test.each([
  ['this Node', []],
  ['an old Node', OLD_NODE],
])('%s: output, errors and exit codes are the command’s', (_what, node) => {
  const lake = lakeFolder();
  const run = (words: string) => lakegate(node, words, lake.path);
  expect(run('--version')).toEqual({ code: 0, out: `${VERSION}\n`, err: '' });
  expect(run('drp')).toMatchObject({ code: 2, out: '', err: expect.stringContaining('Did you mean drop?') });
  lake.parquet('clean.parquet', 3);
  lake.parquet('bad.parquet', 3, 1);
  lake.write('corrupt.parquet', 'none at all, whatever it is');
  expect(run('drop clean.parquet --table t')).toMatchObject({ code: 0, err: '' });
  expect(run('drop bad.parquet --table t')).toMatchObject({ code: 3, err: '' });
  expect(run('drop corrupt.parquet --table t')).toMatchObject({ code: 1, err: '' });
  expect(run('audit bad.parquet')).toMatchObject({ code: 3 });
  expect(run('table show t --json')).toMatchObject({ code: 0, out: expect.stringContaining('"rows": 3') });
  lake.write('lines.csv', 'id,name\n1,a\n');
  expect(run('drop lines.csv')).toMatchObject({ code: 0, err: '' });
  lake.write(
    'lake.yaml',
    'version: 1\ntables: { s.t: { from: t/, rules: [{ sql: { name: none, query: SELECT * FROM delivery WHERE id < 0 } }] } }\n',
  );
  expect(run('drop clean.parquet --config lake.yaml')).toMatchObject({ code: 0, err: '' });
  expect(run('demo')).toMatchObject({ code: 0, err: '' });
});

test('the reader of its output may leave', () => {
  const { status, stderr } = spawnSync('/bin/sh', ['-c', `"${process.execPath}" "${launcher}" schema | head -c 10`], {
    cwd: folder.path,
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});

test.each([
  ['this Node', []],
  ['an old Node', OLD_NODE],
])('%s: a signal ends dev after its batch', async (_what, node) => {
  const raw = join(folder.path, '.lakegate', 'raw', 'watched');
  mkdirSync(raw, { recursive: true });
  const child = spawn(process.execPath, [...node, launcher, 'dev', '--config', 'watched.yaml'], {
    cwd: folder.path,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const said = new Promise<void>((resolve) => child.stdout.once('data', () => resolve()));
  folder.write('watched.yaml', 'version: 1\nraw: ./.lakegate/raw\ntables: { s.w: { from: watched/ } }\n');
  writeFileSync(join(raw, 'w.parquet'), parquetBytes(1, 0));
  await said;
  child.kill('SIGTERM');
  expect(await once(child, 'close')).toEqual([0, null]);
});

test('says what is missing before it is built', () => {
  const bare = lakeFolder();
  mkdirSync(join(bare.path, 'bin'));
  cpSync('bin/lakegate.js', join(bare.path, 'bin', 'lakegate.mjs'));
  const { status, stderr } = spawnSync(process.execPath, [join(bare.path, 'bin', 'lakegate.mjs')], {
    encoding: 'utf8',
  });
  expect({ status, stderr }).toEqual({ status: 1, stderr: expect.stringContaining('npm run build') });
});

test('no part that is loaded later is a CommonJS package itself: the bundle would not give it by its names', () => {
  const dist = join(launcher, '..', '..', 'dist');
  const nameless = readdirSync(dist).filter(
    (name) => name.endsWith('.js') && /^export default require_/m.test(readFileSync(join(dist, name), 'utf8')),
  );
  expect(nameless).toEqual([]);
});

test('a stage is asked for with the credentials of the environment', () => {
  const lake = lakeFolder();
  lake.write(
    'lake.yaml',
    'tables: { s.t: { from: t/ } }\nstages: { dev: { account: "111111111111", region: eu-west-1 } }\n',
  );
  const nobody = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_ENDPOINT_URL: 'http://127.0.0.1:1' };
  const { code, err } = lakegate([], 'delivery list --stage dev', lake.path, nobody);
  expect({ code, err }).toMatchObject({
    code: 1,
    err: expect.stringMatching(/AWS did not give an answer \((ECONNREFUSED|bad port)/),
  });
});
