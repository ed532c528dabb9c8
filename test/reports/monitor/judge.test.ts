import { monitorDefaults, thresholdsOf } from '../../../src/config/monitor.ts';
import type { MonitorThresholds } from '../../../src/config/monitor-model.ts';
import type { Fact, TableFacts } from '../../../src/reports/monitor/facts.ts';
import { unknownFacts } from '../../../src/reports/monitor/facts.ts';
import { type Before, judge } from '../../../src/reports/monitor/judge.ts';
import { type CheckName, findingsOf, uncheckedOf } from '../../../src/reports/monitor/report.ts';

const NOW = Date.UTC(2026, 10, 21, 12);
const DAY = 86_400_000;

const thresholds: MonitorThresholds = {
  ...monitorDefaults().thresholds,
  partitions: { min: 2, max: 4 },
  key: ['id'],
};

const healthy: TableFacts = {
  table: 'part_ibe_01',
  kind: 'parquet',
  location: 's3://b/part_ibe_01/',
  snapshot: { known: { id: '2026-11-01', at: { known: Date.UTC(2026, 10, 1) }, isAppend: false } },
  rows: { known: 1000 },
  previous: { known: { id: '2026-10-01', rows: 950 } },
  partitions: { known: 2 },
  partitionFaults: { known: [] },
  columns: { known: [{ name: 'id', type: 'string' }] },
  schemaFaults: { known: [] },
  files: { known: [{ url: 's3://b/part_ibe_01/a.parquet', size: 20e6, partition: 'snapshot_dt=2026-11-01' }] },
  key: { columns: ['id'], missing: [], nulls: { known: 0 }, duplicates: { known: 0 } },
};

const none: Fact<Before> = { known: undefined };

function look(change: Partial<TableFacts>, before: Fact<Before> = none, own: Partial<MonitorThresholds> = {}) {
  return judge({ ...healthy, ...change }, { ...thresholds, ...own }, before, NOW);
}

const statusOf = (report: ReturnType<typeof look>, name: CheckName) =>
  report.checks.find(({ check }) => check === name)!.status;

const files = (sizes: number[], partition = 'p') =>
  ({ known: sizes.map((size, i) => ({ url: `s3://b/${i}.parquet`, size, partition })) }) as const;

test('a healthy table has no findings, and its numbers stand in the report', () => {
  const report = look({});
  expect(report.checks.map(({ status }) => status)).toEqual(Array(7).fill('ok'));
  expect(report).toMatchObject({
    health_status: 'healthy',
    snapshot: '2026-11-01',
    snapshot_age_days: 20,
    record_count: 1000,
    previous_snapshot: { id: '2026-10-01', rows: 950 },
    record_change_percent: 5.26,
    null_keys: 0,
    duplicate_keys: 0,
    files_too_small: 0,
  });
});

test.each<[string, CheckName, Partial<TableFacts>, RegExp]>([
  ['too few partitions', 'partitions', { partitions: { known: 1 } }, /expected 2 to 4, found 1 partition$/],
  ['too many partitions', 'partitions', { partitions: { known: 256 } }, /found 256 partitions/],
  ['partitions that nobody registered', 'partitions', { partitionFaults: { known: ['one is lost'] } }, /one is lost/],
  ['a column that is gone', 'schema', { schemaFaults: { known: ['column id is missing'] } }, /column id is missing/],
  ['fewer rows', 'record_count', { rows: { known: 700 } }, /700 rows after 950 in 2026-10-01 \(-26.32%\)/],
  ['more rows', 'record_count', { rows: { known: 2000 } }, /\(\+110.53%\)/],
  ['no rows', 'record_count', { rows: { known: 0 } }, /expected rows, found none/],
  ['null keys', 'key_nulls', { key: { ...healthy.key!, nulls: { known: 3 } } }, /no nulls in id, found 3 nulls/],
  ['no key at all', 'key_nulls', { key: { ...healthy.key!, missing: ['id'] } }, /found no column id/],
  ['repeated keys', 'key_duplicates', { key: { ...healthy.key!, duplicates: { known: 2 } } }, /2 rows with the key/],
  [
    'an old snapshot',
    'freshness',
    { snapshot: { known: { id: 'x', at: { known: NOW - 46 * DAY }, isAppend: false } } },
    /data of the last 45 days, found data of 2026-10-06, 46 days old/,
  ],
  [
    'a snapshot of the future',
    'freshness',
    { snapshot: { known: { id: 'x', at: { known: NOW + 3 * DAY }, isAppend: false } } },
    /in the future/,
  ],
  ['many small files', 'file_sizes', { files: files(Array(24).fill(1e6)) }, /24 of 24 files too small/],
  ['a file that is too large', 'file_sizes', { files: files([3e9]) }, /1 too large, first s3:\/\/b\/0.parquet/],
])('%s: a finding', (_what, name, change, words) => {
  const report = look(change);
  expect(report.health_status).toBe('unhealthy');
  expect(report.checks.filter(({ status }) => status === 'finding').map(({ check }) => check)).toEqual([name]);
  expect(findingsOf(report)).toEqual([expect.stringMatching(words)]);
});

test('what could not be checked is no finding, and no health either', () => {
  const facts = unknownFacts({ table: 't', kind: 'iceberg', location: 's3://b/t' }, 'access denied', ['id']);
  const report = judge(facts, thresholds, none, NOW);
  expect(report.health_status).toBe('unknown');
  expect(findingsOf(report)).toEqual([]);
  expect(uncheckedOf(report)).toHaveLength(7);
  expect(uncheckedOf(report)[0]).toBe('partitions not checked: access denied');
  expect(report).toMatchObject({ record_count: null, null_keys: null, file_count: null, snapshot: null });
});

test('a finding weighs more than what is not known beside it', () => {
  const report = look({ rows: { unknown: 'no right' }, partitions: { known: 9 } });
  expect(report.health_status).toBe('unhealthy');
  expect(statusOf(report, 'record_count')).toBe('not_checked');
});

test('a table that is appended to may grow, but not shrink', () => {
  const snapshot = { known: { id: '7', at: { known: NOW }, isAppend: true } };
  expect(statusOf(look({ snapshot, rows: { known: 9000 } }), 'record_count')).toBe('ok');
  expect(statusOf(look({ snapshot, rows: { known: 500 } }), 'record_count')).toBe('finding');
});

test('small files count where there are several in a partition, and beyond the number that is allowed', () => {
  const alone = { known: [files([1], 'a').known[0]!, files([1], 'b').known[0]!] };
  expect(look({ files: alone }, none, { fileSize: { min: 10, max: 100, smallFiles: 0 } })).toMatchObject({
    files_too_small: 0,
    health_status: 'healthy',
  });
  const ten = look({ files: files(Array(10).fill(1e6)) });
  expect(ten).toMatchObject({ files_too_small: 10, health_status: 'healthy' });
});

describe('without a snapshot before in the table', () => {
  const first: Partial<TableFacts> = {
    snapshot: { known: { id: 'b', at: { known: NOW }, isAppend: false } },
    previous: { known: undefined },
    schemaFaults: { known: undefined },
  };
  const last = (snapshot: string, rows: number): Fact<Before> => ({
    known: {
      snapshot,
      record_count: rows,
      previous_snapshot: { id: '0', rows: 100 },
      columns: [{ name: 'id', type: 'long' }],
    },
  });

  test('the first report has nothing to compare with', () => {
    const report = look(first);
    expect(report.health_status).toBe('healthy');
    expect(statusOf(report, 'schema')).toBe('off');
  });

  test('rows are compared with the report that saw another snapshot', () => {
    expect(look(first, last('a', 500)).previous_snapshot).toEqual({ id: 'a', rows: 500 });
  });

  test('a report of the same snapshot hands its own comparison on: never the table against itself', () => {
    expect(look(first, last('b', 1000)).previous_snapshot).toEqual({ id: '0', rows: 100 });
  });

  test('columns are compared with that report', () => {
    const report = look(first, last('a', 1000));
    expect(findingsOf(report)).toEqual([
      'schema: expected the columns of the report before, found column id is string instead of long',
    ]);
  });

  test('a report that cannot be read leaves open what needs it', () => {
    const report = look(first, { unknown: 'the report before: no answer' });
    expect(uncheckedOf(report)).toEqual([
      'schema not checked: the report before: no answer',
      'record count not checked: the report before: no answer',
    ]);
  });
});

test('thresholds by name: the last pattern that fits wins, a name without its namespace does too', () => {
  const config = {
    ...monitorDefaults(),
    tables: [
      { pattern: 'part_*', thresholds: { rowChange: 5, key: ['customer_user_id'] } },
      { pattern: 'consumer.part_ibe_01', thresholds: { rowChange: 50 } },
    ],
  };
  expect(thresholdsOf(config, 'consumer.part_ibe_01')).toMatchObject({ rowChange: 50, key: ['customer_user_id'] });
  expect(thresholdsOf(config, 'part_x').rowChange).toBe(5);
  expect(thresholdsOf(config, 'sales.orders').rowChange).toBe(20);
});
