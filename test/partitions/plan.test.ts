import fc from 'fast-check';
import { inferLayout } from '../../src/partitions/infer.ts';
import { partitionPeriod } from '../../src/partitions/partition-time.ts';
import { duplicateFolders, planPartitions, type RegisteredPartition } from '../../src/partitions/plan.ts';
import { projectionStatement } from '../../src/partitions/projection.ts';
import { type GlueTableFacts, skipReason } from '../../src/partitions/skip.ts';

const KEYS = [{ name: 'dt', type: 'string' }];
const found = (dt: string) => ({ values: [dt], prefix: `dt=${dt}/` });
const registered = (dt: string, location = `s3://b/t/dt=${dt}/`): RegisteredPartition => ({ values: [dt], location });

describe('planPartitions', () => {
  test('what is missing, gone, moved, and by somebody else', () => {
    const plan = planPartitions(
      KEYS,
      's3://b/t',
      [found('a'), found('b'), found('c'), found('d')],
      [
        registered('a', 's3a://b/t/dt=a'),
        registered('c', 's3://b/t/old/c/'),
        registered('d', 's3://other/d/'),
        registered('z'),
      ],
    );
    expect(plan).toEqual({
      create: [found('b')],
      gone: [registered('z')],
      moved: [{ registered: registered('c', 's3://b/t/old/c/'), found: found('c') }],
      elsewhere: [registered('d', 's3://other/d/')],
      unchanged: 1,
    });
  });

  test('a folder of another table whose name starts the same is not ours', () => {
    const plan = planPartitions(KEYS, 's3://b/t/', [], [registered('a', 's3://b/t2/dt=a/')]);
    expect(plan).toMatchObject({ gone: [], elsewhere: [{ values: ['a'] }] });
  });

  test('whole numbers count by value, text by its letters', () => {
    const month = [{ name: 'm', type: 'int' }];
    const folders = [
      { values: ['01'], prefix: 'm=01/' },
      { values: ['1'], prefix: 'm=1/' },
    ];
    expect(planPartitions(month, 's3://b/t', folders, [{ values: ['1'], location: 's3://b/t/m=01/' }]).create).toEqual(
      [],
    );
    expect(duplicateFolders(month, folders)).toEqual([folders]);
    expect(planPartitions([{ name: 'm', type: 'string' }], 's3://b/t', folders, []).create).toEqual(folders);
  });

  test('once carried out, there is nothing left to do', () => {
    const names = fc.uniqueArray(
      fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 3 }).filter((name) => !name.includes('/')),
    );
    fc.assert(
      fc.property(names, names, (there, before) => {
        const location = 's3://b/t';
        const catalogue = before.map((name) => registered(name));
        const plan = planPartitions(KEYS, location, there.map(found), catalogue);
        const gone = new Set(plan.gone);
        const after = [
          ...catalogue.filter((partition) => !gone.has(partition)),
          ...plan.create.map(({ values, prefix }) => ({ values, location: `${location}/${prefix}` })),
        ];
        expect(planPartitions(KEYS, location, there.map(found), after)).toEqual({
          create: [],
          gone: [],
          moved: [],
          elsewhere: [],
          unchanged: there.length,
        });
      }),
    );
  });
});

describe('partitionPeriod', () => {
  const at = (keys: string[], ...values: string[]) => {
    const time = partitionPeriod(
      keys.map((name) => ({ name, type: 'string' })),
      values,
    );
    return time === undefined ? undefined : new Date(time.start).toISOString().slice(0, 16);
  };
  test.each([
    [['year', 'month', 'day', 'hour'], ['2026', '1', '05', '7'], '2026-01-05T07:00'],
    [['dt'], ['2026-11-21'], '2026-11-21T00:00'],
    [['dt', 'hour'], ['20261121', '13'], '2026-11-21T13:00'],
    [['ts'], ['20261121T060000_20261121T070000'], '2026-11-21T06:00'],
    [['shop', 'month'], ['7', '2026-03'], '2026-03-01T00:00'],
    [['width', 'update_id'], ['12', '20'], undefined],
    [['dt'], ['21-11-2026'], undefined],
    [['dt'], ['99999999'], undefined],
  ])('%j = %j is %s', (keys, values, expected) => {
    expect(at(keys, ...values)).toBe(expected);
  });
});

describe('skipReason', () => {
  const table: GlueTableFacts = { name: 't', type: 'EXTERNAL_TABLE', parameters: {}, keys: KEYS, location: 's3://b/t' };
  test.each<[Partial<GlueTableFacts>, string | undefined]>([
    [{}, undefined],
    [{ parameters: { 'projection.enabled': 'TRUE' } }, 'projection'],
    [{ parameters: { 'projection.enabled': 'false' } }, undefined],
    [{ parameters: { table_type: 'ICEBERG' } }, 'iceberg'],
    [{ parameters: { 'spark.sql.sources.provider': 'delta' } }, 'delta'],
    [{ parameters: { classification: 'parquet', 'spark.sql.sources.provider': 'delta' } }, 'delta'],
    [{ parameters: { 'hoodie.table.name': 'x' } }, 'hudi'],
    [{ type: 'VIRTUAL_VIEW' }, 'view'],
    [{ target: {} }, 'resource-link'],
    [{ keys: [] }, 'unpartitioned'],
    [{ location: 'hdfs://x' }, 'not-on-s3'],
    [{ parameters: { classification: 'parquet' } }, undefined],
  ])('%j: %s', (change, reason) => {
    expect(skipReason({ ...table, ...change })?.reason).toBe(reason);
  });
});

describe('inferLayout', () => {
  const date = [{ name: 'dt', type: 'date' }];
  const layouts = (keys: { name: string; type: string }[], prefixes: string[]) =>
    inferLayout(keys, prefixes).fitting.map(({ layout }) => layout);

  test('Hive where it fits', () => {
    expect(layouts(date, ['dt=2026-01-01/', 'dt=2026-01-02/'])).toEqual(['hive']);
  });

  test('a day that reads in two ways is shown both ways', () => {
    expect(layouts(date, ['20120115/'])).toEqual(['{dt:YYYYMMDD}', '{dt:DDMMYYYY}']);
    expect(layouts(date, ['20120115/', '20130115/'])).toEqual(['{dt:YYYYMMDD}']);
  });

  test.each<[{ name: string; type: string }[], string[], string[]]>([
    [
      ['year', 'month', 'day'].map((name) => ({ name, type: 'int' })),
      ['2026/11/21/', '2026/1/2/'],
      ['{year}/{month}/{day}'],
    ],
    [date, ['2026/11/21/'], ['{dt:YYYY}/{dt:MM}/{dt:DD}']],
    [[{ name: 'dt', type: 'timestamp' }], ['y=2026/m=11/d=21/h=06/'], ['y={dt:YYYY}/m={dt:MM}/d={dt:DD}/h={dt:HH}']],
    [date, ['day-20261121/'], ['day-{dt:YYYYMMDD}']],
    [KEYS, ['x/', 'y/'], ['{dt}']],
  ])('%j over %j', (keys, prefixes, expected) => {
    expect(layouts(keys, prefixes)).toEqual(expected);
  });

  test('where nothing fits all, the closest and what it cannot read', () => {
    const proposal = inferLayout(date, ['dt=2026-01-01/', 'dt=2026-01-02/', 'dt=old/']);
    expect(proposal).toEqual({ fitting: [], looked: 3, closest: { layout: 'hive', fits: 2, unfit: ['dt=old/'] } });
    expect(inferLayout(date, [])).toEqual({ fitting: [], looked: 0 });
  });
});

describe('projectionStatement', () => {
  const table = { database: 'web_raw', name: 'clicks', keys: [{ name: 'dt', type: 'date' }] };
  const week = Array.from({ length: 7 }, (_, i) => `2026-01-0${i + 1}`);
  const folders = week.map((dt) => ({ values: [dt], prefix: `dt=${dt}/` }));

  test('begins at the oldest day', () => {
    expect(projectionStatement(table, 's3://raw/o clicks/', folders)).toContain("'2026-01-01,NOW'");
    expect(projectionStatement(table, 's3://raw/clicks/', folders.slice(1))).toBeUndefined();
  });

  test.each([
    ['a quote in the place', table, "s3://raw/o'brien/"],
    ['a backslash at its end', table, 's3://raw/x\\/'],
    ['another key in the place', table, `s3://raw/\${other}/`],
    ['a line break', table, 's3://raw/x\n/'],
    ['a backtick in the name', { ...table, name: 'a`b' }, 's3://raw/x/'],
  ])('is not given for %s: nobody is shown SQL that says something else', (_, of, location) => {
    expect(projectionStatement(of, location, folders)).toBeUndefined();
  });
});

test('folders of which most are Hive’s are not taken for values of their own', () => {
  const proposal = inferLayout(KEYS, ['dt=a/', 'dt=b/', 'dt=/']);
  expect(proposal).toMatchObject({ fitting: [], closest: { layout: 'hive', fits: 2, unfit: ['dt=/'] } });
});
