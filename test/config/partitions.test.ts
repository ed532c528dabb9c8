import { loadConfig } from '../../src/config/load.ts';
import { LakegateError } from '../../src/errors.ts';
import { isManaged, settingsOf } from '../../src/partitions/settings.ts';

const load = (text: string) => loadConfig(text, '/l/lake.yaml', {}).partitions!;

function faultsOf(text: string): string[] {
  try {
    load(text);
  } catch (error) {
    if (error instanceof LakegateError)
      return error.message
        .split('\n')
        .slice(1)
        .map((line) => line.trim());
  }
  return [];
}

test('every default', () => {
  expect(load('partitions: {}')).toEqual({
    databases: ['*_raw'],
    exclude: [],
    lookbackMs: 3 * 86_400_000,
    remove: false,
    updateSchema: false,
    schedule: { incrementalMs: 15 * 60_000, fullMs: 86_400_000, reconcileMs: 7 * 86_400_000 },
    concurrency: 10,
    buckets: [],
    tables: [],
    state: 'file:///l/warehouse/.lakegate/partitions/',
  });
  expect(load('tables: { a.b: { from: b/ } }')).toBeUndefined();
});

test('on a stage the state lies in its lake bucket', () => {
  const text = 'partitions: {}\nstages: { dev: { account: "111111111111", region: eu-west-1 } }';
  expect(loadConfig(text, '/l/lake.yaml', {}, {}, 'dev').partitions?.state).toBe(
    's3://lakegate-dev-lake-111111111111-eu-west-1/lakegate/partitions/',
  );
});

test('of the entries that match a table, the last one that says something counts', () => {
  const config = load(`
partitions:
  databases: ["*_raw", landing]
  exclude: scratch_raw
  schedule: { full: off }
  tables:
    "web_raw.*": { layout: "{day}", remove: true }
    web_raw.clicks: { layout: hive, lookback: 12h }
`);
  expect(settingsOf(config, 'web_raw', 'clicks')).toEqual({
    layout: 'hive',
    lookbackMs: 12 * 3_600_000,
    remove: true,
    updateSchema: false,
  });
  expect(settingsOf(config, 'web_raw', 'visits')).toMatchObject({ layout: '{day}', remove: true });
  expect(['web_raw', 'landing', 'scratch_raw', 'raw', 'web_raw_old'].filter((name) => isManaged(config, name))).toEqual(
    ['web_raw', 'landing'],
  );
  expect(config.schedule).toEqual({ incrementalMs: 900_000, reconcileMs: 604_800_000 });
});

test('faults, each with its line', () => {
  expect(
    faultsOf(`partitions:
  schedule: { incremental: 90s, full: sometimes }
  buckets: [Not_A_Bucket]
  tables:
    web.clicks: { layout: "{day}" }
    web_raw.a: { layout: "{day" }
    web_raw.b: { layout: "plain/folders" }
    nodot: {}
    web_raw.c: { lookbak: 3d }
`),
  ).toEqual([
    expect.stringMatching(/lake.yaml:2:.*incremental: expected whole minutes/),
    expect.stringMatching(/lake.yaml:2:.*full: expected/),
    expect.stringMatching(/lake.yaml:3:.*expected the name of an S3 bucket/),
    expect.stringMatching(/lake.yaml:5:.*expected a table of a managed database \(`databases`: \*_raw\)/),
    expect.stringMatching(/lake.yaml:6:.*layout: expected \{key\} or \{key:FORMAT\}/),
    expect.stringMatching(/lake.yaml:7:.*layout: expected `hive`, or a template/),
    expect.stringMatching(/lake.yaml:8:.*expected database.table/),
    expect.stringMatching(/lake.yaml:9:.*Did you mean lookback/),
  ]);
});
