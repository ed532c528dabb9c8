import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { runCli } from '../../src/cli/program.ts';
import { type AwsStandIn, Refusal, startAws } from '../partitions/aws-stand-in.ts';
import { days, tableOf } from '../partitions/lake.ts';

let aws: AwsStandIn;
let folder: string;
const before = { ...process.env };

beforeAll(async () => {
  aws = await startAws();
  // The SDK reads the process's environment, as it does for a person.
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: aws.endpoint,
    AWS_REGION: 'eu-west-1',
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'sesame',
  });
});
afterAll(async () => {
  process.env = before;
  await aws.stop();
});
beforeEach(async () => {
  aws.reset();
  folder = await mkdtemp(join(tmpdir(), 'lakegate-partitions-'));
  await write('partitions: { tables: { web_raw.kept: { skip: "by hand" } } }');
  aws.addTable('web_raw', tableOf('clicks', ['dt:date']));
  aws.addFolders('s3://raw/clicks', [...days(0, 30), 'dt=someday/']);
  aws.addTable('web_raw', tableOf('kept', ['dt:date']));
  aws.addTable('curated', tableOf('other', ['dt:date']));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const write = (text: string) => writeFile(join(folder, 'lake.yaml'), text);

async function lakegate(...words: string[]): Promise<{ code: number; out: string; err: string }> {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const code = await runCli(words, { out, err, cwd: folder, env: { ...process.env, HOME: folder } });
  return { code, out: String(out.read() ?? ''), err: String(err.read() ?? '') };
}

test('plan says what would be done and why not, and does nothing', async () => {
  const { code, out } = await lakegate('partitions', 'plan');
  expect(code).toBe(0);
  expect(out).toContain('web_raw.clicks (hive): 30 to register');
  expect(out).toContain('register: dt=2026-01-01/');
  expect(out).toContain('no partition: dt=someday/: dt: expected a date');
  expect(out).toContain('left alone  web_raw.kept: by hand');
  expect(out).toContain(
    `ALTER TABLE \`web_raw\`.\`clicks\` SET TBLPROPERTIES ('projection.enabled' = 'true', 'projection.dt.type' = 'date', 'projection.dt.format' = 'yyyy-MM-dd', 'projection.dt.range' = '2026-01-01,NOW', 'storage.location.template' = 's3://raw/clicks/dt=\${dt}/');`,
  );
  expect(out).not.toContain('curated');
  expect(aws.calls.BatchCreatePartition).toBeUndefined();
});

test('sync registers, for people and for programs', async () => {
  const first = await lakegate('partitions', 'sync', 'web_raw.clicks');
  expect(first).toMatchObject({ code: 0, err: '' });
  expect(first.out).toContain('1 table: 30 partitions registered');
  const { code, out } = await lakegate('partitions', 'sync', 'web_raw', '--full', '--remove', '--json');
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    dryRun: false,
    databases: [{ database: 'web_raw', mode: 'full', totals: { tables: 2, created: 0, unchanged: 30, skipped: 1 } }],
  });
});

test('what fails is told, and ends with 1', async () => {
  aws.before = (operation) => {
    if (operation === 'BatchCreatePartition') throw new Refusal('AccessDeniedException', 'not authorized');
  };
  const { code, out } = await lakegate('partitions', 'sync');
  expect(code).toBe(1);
  expect(out).toContain('failed  web_raw.clicks: Cannot register partitions of web_raw.clicks');
});

test('infer shows every reading', async () => {
  aws.addTable('web_raw', tableOf('days', ['dt:date']));
  aws.addFolders('s3://raw/days', ['20120115/', '20111011/']);
  const { code, out } = await lakegate('partitions', 'infer', 'web_raw.days');
  expect(code).toBe(0);
  expect(out).toContain('{dt:YYYYMMDD}');
  expect(out).toContain('{dt:DDMMYYYY}');
  expect((await lakegate('partitions', 'infer', 'web_raw.clicks')).out).toContain('dt=someday/');
  expect((await lakegate('partitions', 'infer', 'web_raw.nothing')).code).toBe(2);
});

test.each([
  [['partitions', 'sync', 'curated'], 'curated is no managed database: `partitions.databases` is *_raw'],
  [['partitions', 'plan', 'web_raw.none'], 'web_raw has no table none'],
])('%j: %s', async (words, message) => {
  const { code, err } = await lakegate(...words);
  expect(code).toBe(2);
  expect(err).toContain(message);
});

test('a lake.yaml that says nothing of partitions is told how to', async () => {
  await write('tables: { a.b: { from: b/ } }');
  const { code, err } = await lakegate('partitions', 'plan');
  expect(code).toBe(2);
  expect(err).toContain('Add `partitions: {}`');
});

test('a table whose folders the layout does not read is led to infer; the last line counts what failed', async () => {
  aws.addTable('web_raw', tableOf('compact', ['dt:date']));
  aws.addFolders('s3://raw/compact', ['01-02-2012/']);
  aws.before = (operation, body) => {
    if (operation === 'BatchCreatePartition' && body.TableName === 'clicks')
      throw new Refusal('AccessDeniedException', 'no');
  };
  const { out } = await lakegate('partitions', 'sync');
  expect(out).toContain('web_raw.compact (hive): no partitions');
  expect(out).toContain('partitions infer web_raw.compact');
  expect(out).toContain('3 tables: 0 partitions registered, 1 table failed (');
  const inferred = await lakegate('partitions', 'infer', 'web_raw.compact');
  expect(inferred.out).toContain('can be read in 2 ways');
  expect(inferred.out).toContain('web_raw.compact: { layout: "…" }');
});
