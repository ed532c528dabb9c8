/** `lakegate report cleanrooms` and `report check` against a stand-in of AWS: exit codes and what a program gets. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { runCli } from '../../src/cli/program.ts';
import { outFolder } from '../../src/cli/report-folder.ts';
import { type AwsServer, startAwsServer } from '../reports/cleanrooms/aws-server.ts';
import { awkwardWorld } from '../reports/cleanrooms/described.ts';

let folder: string;
let server: AwsServer;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lakegate-report-'));
  const world = awkwardWorld();
  server = await startAwsServer({ ...world, namespaces: [], mappings: [], tables: world.tables.slice(0, 2) });
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: server.endpoint,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
  });
});
afterEach(async () => {
  rmSync(folder, { recursive: true, force: true });
  await server.close();
});

async function lakegate(lake: string, ...words: string[]): Promise<{ code: number; out: string; err: string }> {
  writeFileSync(join(folder, 'lake.yaml'), lake);
  const [out, err] = [new PassThrough(), new PassThrough()];
  const code = await runCli(words, { out, err, cwd: folder, env: { AWS_REGION: 'us-east-1' } });
  out.end();
  err.end();
  return { code, out: await text(out), err: await text(err) };
}

const LAKE = (more = '') => `reports: { cleanrooms: { database: acme_prod${more} } }\n`;

test('a table that should be ready and is not: 3, and why', async () => {
  const { code, out } = await lakegate(LAKE(), 'report', 'check', '--json');
  expect(code).toBe(3);
  expect(JSON.parse(out)).toMatchObject({
    verdict: 'not_ready',
    demanded: 2,
    notReady: [{ table: 'part_bare', reasons: expect.arrayContaining(['missing configured table']) }],
    unknown: [],
  });
}, 30_000);

test('what could not be found out is no failed check: 1', async () => {
  server.fail('GetConfiguredTableAnalysisRule', { type: 'AccessDeniedException', status: 403 });
  const { code, out } = await lakegate(LAKE(', must_be_ready: [part_plain]'), 'report', 'check', '--json');
  expect([code, JSON.parse(out)]).toMatchObject([1, { verdict: 'unknown', notReady: [] }]);
}, 30_000);

test('the report lies beside lake.yaml, and says what it found', async () => {
  const { code, out, err } = await lakegate(LAKE(), 'report', 'cleanrooms');
  expect([code, err]).toEqual([0, '']);
  expect(out).toContain('1 of 2 tables ready');
  expect(out).toMatch(/report: file:\S+\/reports\/cleanrooms-reports\/ACX_Cleanroom_Report_\d{8}_\d{6}\.html/);
}, 30_000);

test('a lake without the report says what to write', async () => {
  const { code, err } = await lakegate('tables: {}\n', 'report', 'check');
  expect(code).toBe(2);
  expect(err).toContain('reports: { cleanrooms: { database: … } }');
});

test('a folder of --out, or an s3:// URL', () => {
  expect([
    outFolder('/home/me', 'out/'),
    outFolder('/home/me', '/tmp/x'),
    outFolder('/', 's3://bucket/reports'),
  ]).toEqual(['file:///home/me/out/', 'file:///tmp/x/', 's3://bucket/reports/']);
});
