import { loadConfig } from '../../src/config/load.ts';
import { LakegateError } from '../../src/errors.ts';

const LAKE = `
name: acme
catalogs:
  local: { type: sql }
  tables: { type: s3tables, arn: "arn:aws:s3tables:us-east-1:222222222222:bucket/acme" }
  partner: { type: rest, uri: "https://catalog.example.com/", auth: { credential_secret: "acme/partner#oauth", scope: all } }
catalog: local
tables:
  sales.orders: { from: orders/, channel: "#orders" }
  sales.partners: { from: partners/, catalog: partner }
  sales.here: { from: here/, catalog: local }
notify:
  slack: { channel: "#data", token_secret: "acme/slack#token" }
  teams: { webhook_secret: acme/teams }
  suppress_for: 30m
stages:
  dev: { account: "111111111111", region: eu-west-1, channel: "#dev", destroy_data: true }
  prod:
    account: "222222222222"
    region: us-east-1
    catalog: tables
    buckets: { raw: { name: acme-drops, existing: true } }
    gate: { timeout: 15m, batch_size: 500, batch_window: 30s, concurrency: 2, memory: 2048, attempts: 3 }
    log_days: 365
    alarm_email: ops@example.com
    nessie: fargate
`;

const on = (stage: string, text = LAKE) => loadConfig(text, '/lake/lake.yaml', { LAKE_BUCKET: 'elsewhere' }, {}, stage);

function faultsOf(stages: string): string[] {
  try {
    loadConfig(`catalogs: { local: { type: sql } }\ncatalog: local\nstages: ${stages}`, '/l/lake.yaml', {});
  } catch (error) {
    if (error instanceof LakegateError) return error.message.split('\n').slice(1);
    throw error;
  }
  return [];
}

describe('a lake on a stage', () => {
  test('lies in the buckets of the stage, whatever the environment of this machine says', () => {
    expect(on('dev')).toMatchObject({
      name: 'acme',
      stages: ['dev', 'prod'],
      raw: 's3://acme-dev-raw-111111111111-eu-west-1/',
      warehouse: 's3://acme-dev-lake-111111111111-eu-west-1/warehouse/',
      records: 's3://acme-dev-lake-111111111111-eu-west-1/lakegate/deliveries/',
      defaultCatalog: 'glue',
      stage: {
        name: 'dev',
        account: '111111111111',
        region: 'eu-west-1',
        buckets: { results: { name: 'acme-dev-results-111111111111-eu-west-1', existing: false } },
        gate: { memory: 1024, timeout: 300, batchSize: 100, batchWindow: 5, concurrency: 10, attempts: 5 },
        logDays: 30,
        destroyData: true,
      },
    });
    expect(on('prod')).toMatchObject({
      raw: 's3://acme-drops/',
      defaultCatalog: 'tables',
      stage: {
        buckets: { raw: { name: 'acme-drops', existing: true } },
        gate: { memory: 2048, timeout: 900, batchSize: 500, batchWindow: 30, concurrency: 2, attempts: 3 },
        logDays: 365,
        alarmEmail: 'ops@example.com',
        nessie: 'fargate',
        destroyData: false,
      },
    });
  });

  test('has the catalogues that AWS can reach, and no SQLite', () => {
    const { catalogs } = on('prod');
    expect(Object.keys(catalogs).sort()).toEqual(['glue', 'nessie', 'partner', 'tables']);
    expect(catalogs.glue).toEqual({
      type: 'glue',
      warehouse: 's3://acme-prod-lake-222222222222-us-east-1/warehouse/',
      region: 'us-east-1',
    });
    expect(catalogs.tables).toEqual({
      type: 'rest',
      uri: 'https://s3tables.us-east-1.amazonaws.com/iceberg',
      serverWarehouse: 'arn:aws:s3tables:us-east-1:222222222222:bucket/acme',
      auth: { kind: 'sigv4', service: 's3tables', region: 'us-east-1' },
    });
    expect(catalogs.partner).toEqual({
      type: 'rest',
      uri: 'https://catalog.example.com',
      auth: { kind: 'oauth2', credential: { secret: 'acme/partner', key: 'oauth' }, scope: 'all' },
    });
    const byName = Object.fromEntries(on('dev').tables.map(({ name, catalog }) => [name, catalog]));
    expect(byName).toEqual({ 'sales.orders': undefined, 'sales.partners': 'partner', 'sales.here': undefined });
  });

  test('tells whom the stage names, with secrets by name', () => {
    expect(on('dev').notify).toEqual({
      slack: { channel: '#dev', tokenEnv: 'SLACK_TOKEN', tokenSecret: { secret: 'acme/slack', key: 'token' } },
      teams: { webhook: { secret: 'acme/teams' } },
      suppressMs: 1_800_000,
    });
    expect(on('dev').tables.map(({ channel }) => channel)).toEqual(['#dev', '#dev', '#dev']);
    expect(on('prod').tables.map(({ channel }) => channel)).toEqual(['#orders', undefined, undefined]);
  });

  test('trouble is told each time where nothing holds it back', () => {
    const text = 'notify: { suppress_for: off }\nstages: { dev: { account: "111111111111", region: eu-west-1 } }';
    expect(loadConfig(text, '/l/lake.yaml', {}, {}, 'dev').notify.suppressMs).toBe(0);
  });

  test('an unknown stage is answered with the right one', () => {
    expect(() => on('pord')).toThrow(/has no stage pord: it has dev, prod. Did you mean prod/);
    expect(() => on('dev', 'version: 1')).toThrow(/has no stage dev: it describes none/);
  });

  test.each([
    ['{ dev: { region: eu-west-1 } }', /expected a key `account`/],
    ['{ dev: { account: 111111111111, region: eu-west-1 } }', /twelve digits, in quotes/],
    ['{ dev: { account: "111111111111", region: europe } }', /expected an AWS region such as eu-west-1, found europe/],
    ['{ Dev: { account: "111111111111", region: eu-west-1 } }', /12 lower case letters/],
    [
      '{ dev: { account: "111111111111", region: eu-west-1, catalog: local } }',
      /reached from AWS \(SQLite is for one machine\)/,
    ],
    ['{ dev: { account: "111111111111", region: eu-west-1, catalog: gleu } }', /Did you mean glue/],
    ['{ dev: { account: "111111111111", region: eu-west-1, gate: { timeout: 16m } } }', /at most 15m/],
    ['{ dev: { account: "111111111111", region: eu-west-1, gate: { batch_window: 6m } } }', /at most 5m/],
    [
      '{ dev: { account: "111111111111", region: eu-west-1, gate: { concurrency: 1 } } }',
      /expected at least 2, found 1/,
    ],
    [
      '{ dev: { account: "111111111111", region: eu-west-1, log_days: 31 } }',
      /CloudWatch's retention times: 1, 3, .* found 31/,
    ],
    [
      '{ dev: { account: "111111111111", region: eu-west-1, buckets: { raw: { name: A_B } } } }',
      /name of an S3 bucket/,
    ],
    [
      '{ dev: { account: "111111111111", region: eu-west-1, buckets: { raw: { existing: true } } } }',
      /expected `name` too/,
    ],
    [
      '{ dev: { account: "111111111111", region: eu-west-1, buckets: { raw: { name: abc }, lake: { name: abc } } } }',
      /a bucket of its own, found that of raw/,
    ],
  ])('%s', (stages, expected) => {
    expect(faultsOf(stages)).toEqual([expect.stringMatching(expected)]);
  });
});
