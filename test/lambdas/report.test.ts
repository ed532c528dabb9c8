/** The report function: what it writes and tells, over the SDK's own clients and a stand-in for Clean Rooms. */
import { makeReport } from '../../lambdas/report/make-report.ts';
import { parseRequest } from '../../lambdas/report/request.ts';
import { createAwsSource } from '../../src/reports/cleanrooms/aws.ts';
import { type AwsServer, startAwsServer } from '../reports/cleanrooms/aws-server.ts';
import { awkwardWorld, CONFIG } from '../reports/cleanrooms/described.ts';
import { closeStages, type TestStage, testStage } from './stage.ts';

const NOW = Date.parse('2026-11-12T10:15:03Z');
let server: AwsServer;
let stage: TestStage;
let now = NOW;

beforeEach(async () => {
  server = await startAwsServer(awkwardWorld());
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: server.endpoint,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
  });
  now = NOW;
  stage = await testStage({
    config: (config) => ({ ...config, reports: { cleanrooms: { ...CONFIG, channel: '#reports' } } }),
    lake: { now: () => now },
  });
});
afterEach(async () => {
  closeStages();
  await server.close();
});

function make(report: 'cleanrooms' | 'monitor' = 'cleanrooms') {
  let clock = 0;
  const source = createAwsSource({
    region: 'us-east-1',
    now: () => clock,
    sleep: async (ms) => {
      clock += ms;
    },
    random: () => 0.5,
  });
  return makeReport(
    {
      lake: stage.stage.lake,
      config: stage.config,
      observer: stage.observer,
      cleanRooms: () => source,
      glue: () => Promise.reject(new Error('not asked')),
    },
    report,
  );
}

async function names(): Promise<string[]> {
  const found: string[] = [];
  for await (const { url } of stage.store.list('s3://results-bucket/cleanrooms-reports/')) {
    found.push(url.slice('s3://results-bucket/cleanrooms-reports/'.length));
  }
  return found.sort();
}

test('the files lie in the results bucket, and the bus hears counts and the link', async () => {
  await expect(make()).resolves.toEqual({
    report: 'cleanrooms',
    page: 's3://results-bucket/cleanrooms-reports/ACX_Cleanroom_Report_20261112_101503.html',
    tables: 4,
    good: 1,
    bad: 3,
    unknown: 0,
    gaps: 0,
  });
  expect(await names()).toEqual([
    'ACX_Cleanroom_Report_20261112_101503.html',
    'ACX_Cleanroom_Report_20261112_101503.json',
    'ACX_Cleanroom_Report_20261112_101503_IdentityResolution.csv',
    'ACX_Cleanroom_Report_20261112_101503_Tables.csv',
    'ACX_Cleanroom_Report_latest.json',
  ]);
  expect(stage.told).toMatchObject([
    {
      event: 'report.made',
      report: 'cleanrooms',
      headline: 'Clean Rooms: 1 of 4 tables ready',
      lines: [],
      channel: '#reports',
      at: '2026-11-12T10:15:03.000Z',
      link: 'https://eu-central-1.console.aws.amazon.com/s3/object/results-bucket?region=eu-central-1&prefix=cleanrooms-reports/ACX_Cleanroom_Report_20261112_101503.html',
    },
  ]);
});

test('two runs of one second keep their files apart; what changed since the last run is told', async () => {
  await make();
  await make();
  expect((await names()).filter((name) => name.endsWith('_Tables.csv'))).toEqual([
    'ACX_Cleanroom_Report_20261112_101503-2_Tables.csv',
    'ACX_Cleanroom_Report_20261112_101503_Tables.csv',
  ]);
  await server.close();
  const world = awkwardWorld();
  delete world.tables[0]!.associations;
  world.tables[3]!.associations = [{ membership: 0 }];
  server = await startAwsServer(world);
  process.env.AWS_ENDPOINT_URL = server.endpoint;
  now += 86_400_000;
  await make();
  expect(stage.told.at(-1)).toMatchObject({
    lines: ['stopped being ready: part_plain', 'became ready: part_xss'],
  });
  const page = await stage.store.read(
    's3://results-bucket/cleanrooms-reports/ACX_Cleanroom_Report_20261113_101503.html',
  );
  const html = new TextDecoder().decode(page.bytes);
  expect(html).toContain('<strong>Stopped being ready</strong> (1): part_plain');
  // Whoever opens it from the bucket has a signed address for the page alone.
  expect(html).toMatch(/href="https:[^"]*prefix=cleanrooms-reports\/ACX_Cleanroom_Report_20261113_101503_Tables\.csv"/);
});

test('a run that was refused answers hides no change from the next one', async () => {
  await make();
  server.fail('GetConfiguredTableAnalysisRule', { type: 'AccessDeniedException', status: 403, times: 5 });
  now += 1000;
  expect(await make()).toMatchObject({ good: 0 });
  expect(stage.lines.map(({ event }) => event)).toContain('report-gap');
  expect(stage.total('ReportUnknowns')).toBeGreaterThan(0);
  expect(stage.told.at(-1)).toMatchObject({ lines: [expect.stringContaining('could not be found out')] });
});

test('a refusal that leaves every table known is an alarm all the same', async () => {
  server.fail('ListIdNamespaces', { type: 'AccessDeniedException', status: 403 });
  expect(await make()).toMatchObject({ good: 1, bad: 3, unknown: 0, gaps: 1 });
  expect(stage.total('ReportUnknowns')).toBe(1);
});

test('a report that lake.yaml does not have is refused', async () => {
  await expect(make('monitor')).rejects.toMatchObject({ kind: 'config' });
});

test.each([
  [{ report: 'cleanrooms' }, 'cleanrooms'],
  [{ detail: { report: 'monitor' } }, 'monitor'],
])('what is asked for: %j', (event, expected) => {
  expect(parseRequest(event)).toBe(expected);
});

test.each([[{}], [{ report: 'nonsense' }], [null], ['cleanrooms']])('nothing that there is: %j', (event) => {
  expect(() => parseRequest(event)).toThrow(/expected one of cleanrooms, monitor/);
});
