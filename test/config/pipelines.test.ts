import { loadConfig } from '../../src/config/load.ts';
import { LakegateError } from '../../src/errors.ts';

const STAGE = 'stages: { dev: { account: "111111111111", region: eu-west-1 } }';
const load = (text: string, stage?: string) => loadConfig(text, '/l/lake.yaml', {}, {}, stage).pipelines!;

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

const LEAST = `pipelines:
  sources:
    infobase: { path: infobase/, map: map.csv }
  partitioned: { database: consumer }
`;

test('every default', () => {
  expect(load(LEAST)).toEqual({
    sources: [
      {
        name: 'infobase',
        path: 'file:///l/raw/infobase/',
        map: 'file:///l/map.csv',
        table: 'infobase',
        key: 'customer_user_id',
        aliases: {},
        strict: false,
        audit: {
          rules: [
            { rule: 'row_count', min: 1 },
            { rule: 'not_null', columns: ['customer_user_id'] },
            { rule: 'unique', columns: ['customer_user_id'] },
          ],
          maxRowChange: 0.2,
        },
      },
    ],
    partitioned: {
      sources: ['infobase'],
      target: 'file:///l/tables/partitioned/',
      engine: 'copy',
      database: 'consumer',
      tablePrefix: 'part_',
      maxColumns: 100,
      tooWide: 'fail',
      audit: { rules: [{ rule: 'not_null', columns: ['customer_user_id'] }] },
      reports: [],
      prepare: 'sync',
    },
    targetBytes: 512 * 2 ** 20,
    concurrency: 5,
    glue: { workerType: 'G.4X', workers: 8, timeoutMinutes: 240 },
    start: { onMarker: false },
    runs: 'file:///l/warehouse/.lakegate/tables/',
  });
});

test("on a stage snapshots are in its raw bucket, tables and runs in its lake's", () => {
  const found = load(
    `${LEAST}  bucketed: { database: consumer, target: s3://elsewhere/tables, bucketing: ctas, audit: off }\n${STAGE}`,
    'dev',
  );
  const bucket = (purpose: string) => `s3://lakegate-dev-${purpose}-111111111111-eu-west-1/`;
  expect(found.sources[0]).toMatchObject({ path: `${bucket('raw')}infobase/`, map: 'file:///l/map.csv' });
  expect(found.partitioned?.target).toBe(`${bucket('lake')}tables/partitioned/`);
  expect(found.bucketed).toMatchObject({
    target: 's3://elsewhere/tables/',
    engine: 'copy',
    bucketing: 'ctas',
    keepMs: 604_800_000,
  });
  expect(found.bucketed).not.toHaveProperty('audit');
  expect(found.runs).toBe(`${bucket('lake')}lakegate/tables/`);
});

test('names of columns are lower case, whatever the file has', () => {
  const text = LEAST.replace('map: map.csv', 'map: map.csv, key: Cust_Id, aliases: { Customer_User_Id: CUST_ID }');
  expect(load(text).sources[0]).toMatchObject({ key: 'cust_id', aliases: { customer_user_id: 'cust_id' } });
});

test('faults, each with its line', () => {
  expect(
    faultsOf(`tables: { a.b: { from: wide/ } }
pipelines:
  sources:
    infobase: { path: wide/part, map: map.csv, table: x }
    other: { path: "../up", audit: { rules: [{ range: { column: a } }] } }
  bucketed: { database: consumer, engine: copy, sources: [infobas] }
  glue: { timeout: 90s }
  start: { on_marker: true }
`),
  ).toEqual([
    expect.stringMatching(/lake.yaml:4:.*apart from the drops of a.b/),
    expect.stringMatching(/lake.yaml:4:.*expected `map` or `table`/),
    expect.stringMatching(/lake.yaml:5:.*path: expected a folder/),
    expect.stringMatching(/lake.yaml:5:.*audit.rules/),
    expect.stringMatching(/lake.yaml:6:.*engine: expected `spark`/),
    expect.stringMatching(/lake.yaml:6:.*sources.*infobas.*infobase/),
    expect.stringMatching(/lake.yaml:7:.*timeout: expected whole minutes/),
    expect.stringMatching(/lake.yaml:8:.*on_marker: expected a source with a `marker`/),
  ]);
  expect(
    faultsOf(`pipelines:
  sources: { a: { path: /data/a }, b: { path: "s3://bucket/a*b/" } }
  partitioned: { database: d, target: file:///data/out, reports: [monitor] }
  bucketed: { database: d, audit: { rules: [{ sql: { name: n, query: "select * from delivery" } }] } }
${STAGE}`),
  ).toEqual([
    expect.stringMatching(/lake.yaml:2:.*path: expected an s3:\/\/ URL/),
    expect.stringMatching(/lake.yaml:2:.*path: expected a folder without wildcards/),
    expect.stringMatching(/lake.yaml:3:.*target: expected an s3:\/\/ URL/),
    expect.stringMatching(/lake.yaml:3:.*expected a report that this lake makes/),
    expect.stringMatching(/lake.yaml:4:.*sql: expected another rule/),
  ]);
  expect(
    faultsOf(`pipelines:
  sources: { a: { path: a/ } }
  bucketed: { database: d, target: wide }
  partitioned: { database: d, target: wide/ }
`),
  ).toEqual([expect.stringMatching(/lake.yaml:4:.*target: expected another folder than that of `bucketed`/)]);
  expect(faultsOf('pipelines: { sources: { a: { path: a/ } } }')).toEqual([
    expect.stringContaining('expected `bucketed`, `partitioned` or both'),
  ]);
});
