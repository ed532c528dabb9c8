/** The whole report over a lake in a folder: none of its findings on healthy tables, and each planted fault found. */
import { readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { ColumnSource } from 'hyparquet-writer';
import type { MonitorReport } from '../../../src/reports/monitor/report.ts';
import { findingsOf, uncheckedOf } from '../../../src/reports/monitor/report.ts';
import { type LakeFolder, lakeFolder, parquetBytes, removeFolders } from '../../cli/lake-folder.ts';
import { ids, plant, plantHealthy, put } from './planted.ts';

afterAll(removeFolders);

const day = (ago: number) => new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10);
const [NEWEST, BEFORE] = [day(5), day(35)];
const newest = `snapshot_dt=${NEWEST}`;

const yaml = (monitor = '') => `version: 1
catalogs: { local: { type: sql } }
tables:
  sales.orders:
    from: orders/
    owner: sales@example.com
    columns: { id: int, name: string }
    rules: []
reports:
  monitor:
    folders: [./part]
    tables:
      "part_*": { key: customer_user_id, file_size: { min: 1B, max: 1MB } }
      sales.orders: { key: id }
${monitor}`;

interface Lake {
  folder: LakeFolder;
  part: string;
  /** @returns by table name */
  look(words?: string): Promise<{ code: number; report: MonitorReport; of(table: string): MonitorReport['tables'][0] }>;
}

function lake(monitor = ''): Lake {
  const folder = lakeFolder();
  folder.write('lake.yaml', yaml(monitor));
  return {
    folder,
    part: join(folder.path, 'part'),
    async look(words = '') {
      const { code, value } = await folder.json<MonitorReport>(`report monitor --check ${words}`.trim());
      return { code, report: value, of: (table) => value.tables.find(({ table_name: name }) => name === table)! };
    },
  };
}

async function deliver(folder: LakeFolder, name: string, bytes: Uint8Array): Promise<void> {
  folder.write(name, bytes);
  expect((await folder.run(`drop ${name} --table sales.orders`)).code).toBe(0);
}

test('a healthy lake: tables of the gate and of folders, nothing found, nothing left open', async () => {
  const { folder, part, look } = lake();
  await deliver(folder, 'a.parquet', parquetBytes(10, 0));
  plantHealthy(part, 'part_ibe_01', { before: BEFORE, newest: NEWEST });
  plantHealthy(part, 'part_miacs_01', { before: BEFORE, newest: NEWEST });
  put(part, 'metadata/snapshot_dt.txt', NEWEST);
  const { code, report, of } = await look();
  expect(report.tables.flatMap((table) => [...findingsOf(table), ...uncheckedOf(table)])).toEqual([]);
  expect(report.summary).toEqual({ tables: 3, healthy: 3, unhealthy: 0, unknown: 0, findings: 0 });
  expect(code).toBe(0);
  expect(of('part_ibe_01')).toMatchObject({
    kind: 'parquet',
    snapshot: NEWEST,
    snapshot_at: `${NEWEST}T00:00:00.000Z`,
    snapshot_age_days: 5,
    partition_count: 2,
    record_count: 104,
    previous_snapshot: { id: BEFORE, rows: 100 },
    record_change_percent: 4,
    null_keys: 0,
    duplicate_keys: 0,
    file_count: 2,
  });
  expect(of('sales.orders')).toMatchObject({
    kind: 'iceberg',
    record_count: 10,
    previous_snapshot: null,
    null_keys: 0,
    duplicate_keys: 0,
    file_count: 1,
    owner: 'sales@example.com',
  });
});

describe('planted in a folder', () => {
  const planted: [string, (part: string) => void, string[]][] = [
    [
      'fewer rows than the snapshot before',
      (part) => plant(part, `part_x/${newest}/part-1.parquet`, { ids: ids(3, 500) }),
      [`record count: expected rows within 20% of the snapshot before, found 55 rows after 100 in ${BEFORE} (-45%)`],
    ],
    [
      'null keys',
      (part) => plant(part, `part_x/${newest}/part-1.parquet`, { ids: [null, null, ...ids(50, 52)] }),
      ['key nulls: expected no nulls in customer_user_id, found 2 nulls'],
    ],
    [
      'keys that repeat across files',
      (part) => plant(part, `part_x/${newest}/part-1.parquet`, { ids: ids(52, 50) }),
      ['key duplicates: expected no customer_user_id twice, found 2 rows with the key of an earlier one'],
    ],
    [
      'a file with another column',
      (part) =>
        plant(part, `part_x/${newest}/part-1.parquet`, {
          ids: ids(52, 52),
          columns: [{ name: 'age', type: 'STRING', data: ids(52) }],
        }),
      [expect.stringMatching(/^schema: .*column age is (string instead of int|int instead of string)$/)],
    ],
    [
      'a file that is cut short',
      (part) => put(part, `part_x/${newest}/part-1.parquet`, 'PAR1 and then nothing of it'),
      [expect.stringMatching(/^schema: .*part-1.parquet/)],
    ],
    [
      'a file beside the partitions',
      (part) => plant(part, 'part_x/stray.parquet', { ids: ids(1) }),
      [expect.stringMatching(/^partitions: .*1 files outside of the partitions' folders, first .*stray.parquet$/)],
    ],
    [
      'a table without its key',
      (part) => {
        for (const file of [0, 1]) put(part, `part_x/${newest}/part-${file}.parquet`, parquetBytes(52, 0));
      },
      ['key nulls: expected no nulls in customer_user_id, found no column customer_user_id'],
    ],
    [
      'a snapshot that is too old',
      (part) => {
        rmSync(join(part, 'part_x', newest), { recursive: true });
        renameSync(join(part, `part_x/snapshot_dt=${BEFORE}`), join(part, 'part_x/snapshot_dt=2024-01-01'));
      },
      [expect.stringMatching(/^freshness: expected data of the last 45 days, found data of 2024-01-01/)],
    ],
    [
      'rows without a snapshot',
      (part) => plant(part, 'part_x/snapshot_dt=__HIVE_DEFAULT_PARTITION__/part-0.parquet', { ids: ids(1) }),
      [expect.stringMatching(/^partitions: .*1 files without a snapshot_dt/)],
    ],
  ];

  test.each(planted)('%s', async (_what, fault, expected) => {
    const { part, look } = lake();
    plantHealthy(part, 'part_x', { before: BEFORE, newest: NEWEST });
    plantHealthy(part, 'part_y', { before: BEFORE, newest: NEWEST });
    fault(part);
    const { code, of } = await look();
    expect(findingsOf(of('part_x'))).toEqual(expected);
    expect(of('part_y').health_status).toBe('healthy');
    expect(code).toBe(expected.length > 0 ? 3 : 0);
  });
});

test('numbers of partitions and sizes of files, by the thresholds of each table', async () => {
  const { part, look } = lake(`      part_few: { partitions: 3 }
      part_large: { file_size: { min: 1B, max: 100B } }
      part_small: { file_size: { min: 1MB, max: 1GB, small_files: 1 } }
      part_buckets: { partitions: 2 }
`);
  for (const table of ['part_few', 'part_large', 'part_small']) {
    plantHealthy(part, table, { before: BEFORE, newest: NEWEST });
  }
  for (const bucket of [0, 1]) {
    for (const snapshot of [BEFORE, NEWEST]) {
      const path = `part_buckets/snapshot_dt=${snapshot}/id_bucket=${bucket}/a.parquet`;
      plant(part, path, { ids: ids(20, bucket * 20) });
    }
  }
  const { code, of } = await look();
  expect(findingsOf(of('part_few'))).toEqual(['partitions: expected 3, found 2 partitions']);
  expect(findingsOf(of('part_large'))[0]).toMatch(
    /^file sizes: expected files of 1 B to 100 B, found 2 too large, first /,
  );
  expect(findingsOf(of('part_small'))).toEqual([
    'file sizes: expected files of 1 MB to 1 GB, found 2 of 2 files too small',
  ]);
  // Of the newest snapshot alone, where it is cut further.
  expect(of('part_buckets')).toMatchObject({ partition_count: 2, health_status: 'healthy' });
  expect(code).toBe(3);
});

describe('planted in a table of the gate', () => {
  test('null keys, keys that repeat from delivery to delivery, and many small files', async () => {
    const { folder, look } = lake('      orders: { key: [id], file_size: { min: 1MB, max: 1GB, small_files: 1 } }\n');
    await deliver(folder, 'a.parquet', parquetBytes(10, 0));
    await deliver(folder, 'b.parquet', parquetBytes(12, 0));
    const { of } = await look();
    expect(findingsOf(of('sales.orders'))).toEqual([
      'key duplicates: expected no id twice, found 10 rows with the key of an earlier one',
      'file sizes: expected files of 1 MB to 1 GB, found 2 of 2 files too small',
    ]);
    expect(of('sales.orders')).toMatchObject({ record_count: 22, previous_snapshot: { rows: 10 } });
    const other = lake('      sales.*: { key: name }\n');
    await deliver(other.folder, 'a.parquet', parquetBytes(10, 4));
    expect(findingsOf((await other.look()).of('sales.orders'))).toEqual([
      'key nulls: expected no nulls in name, found 4 nulls',
    ]);
  });

  test('rows that went away, against the snapshot before and not against the table itself', async () => {
    const { folder, look } = lake();
    folder.write('lake.yaml', yaml().replace('    from: orders/', '    from: orders/\n    mode: overwrite'));
    await deliver(folder, 'a.parquet', parquetBytes(100, 0));
    await deliver(folder, 'b.parquet', parquetBytes(50, 0));
    const { of } = await look();
    expect(of('sales.orders')).toMatchObject({ record_count: 50, record_change_percent: -50, file_count: 1 });
    expect(findingsOf(of('sales.orders'))).toEqual([
      expect.stringMatching(/^record count: .*found 50 rows after 100 in \d+ \(-50%\)$/),
    ]);
  });

  test('a table partitioned by its snapshots is judged by the newest of them, against the one before', async () => {
    const { folder, look } = lake();
    folder.write(
      'lake.yaml',
      yaml('      "*.orders": { key: id }\n').replace(
        'columns: { id: int, name: string }',
        'columns: { id: int, snapshot_dt: string }\n    partition_by: [snapshot_dt]',
      ),
    );
    const rows = (snapshot: string, amount: number) => ids(amount).map((_, row) => `${row},${snapshot}`);
    for (const [name, lines] of [
      ['before.csv', rows(BEFORE, 100)],
      ['newest.csv', [...rows(NEWEST, 60), `7,${NEWEST}`]],
    ] as const) {
      await deliver(folder, name, new TextEncoder().encode(`id,snapshot_dt\n${lines.join('\n')}\n`));
    }
    const table = (await look()).of('sales.orders');
    expect(table).toMatchObject({
      snapshot: NEWEST,
      snapshot_age_days: 5,
      record_count: 61,
      previous_snapshot: { id: BEFORE, rows: 100 },
      partition_count: 2,
      file_count: 1,
    });
    expect(findingsOf(table)).toEqual([
      expect.stringMatching(/^record count: .*61 rows after 100 .*\(-39%\)$/),
      // The same key in another snapshot is none.
      'key duplicates: expected no id twice, found 1 row with the key of an earlier one',
    ]);
  });

  test('columns other than lake.yaml declares', async () => {
    const { folder, look } = lake();
    await deliver(folder, 'a.parquet', parquetBytes(10, 0));
    const declared = yaml().replace('{ id: int, name: string }', '{ id: long, name: string, region: string }');
    folder.write('lake.yaml', declared);
    expect(findingsOf((await look()).of('sales.orders'))).toEqual([
      'schema: expected the columns declared, in every file, found column id is int instead of long; column region is missing',
    ]);
  });

  test('metadata that is gone leaves the table unchecked, and the others are looked at all the same', async () => {
    const { folder, part, look } = lake();
    await deliver(folder, 'a.parquet', parquetBytes(10, 0));
    plantHealthy(part, 'part_x', { before: BEFORE, newest: NEWEST });
    const metadata = join(folder.path, 'warehouse/sales/orders/metadata');
    for (const name of readdirSync(metadata).filter((file) => file.endsWith('.avro'))) rmSync(join(metadata, name));
    const { code, of } = await look();
    expect(of('sales.orders')).toMatchObject({ health_status: 'unknown', record_count: null });
    expect(findingsOf(of('sales.orders'))).toEqual([]);
    expect(uncheckedOf(of('sales.orders'))[0]).toMatch(/not checked: .*\.avro/);
    expect(of('part_x').health_status).toBe('healthy');
    // Nothing is known to be wrong, but not all could be checked.
    expect(code).toBe(1);
  });
});

test('repeats are not looked for in more rows than allowed, which is no finding', async () => {
  const { part, look } = lake('      part_x: { key_rows: 100 }\n');
  plantHealthy(part, 'part_x', { before: BEFORE, newest: NEWEST });
  const { of } = await look();
  expect(of('part_x')).toMatchObject({ health_status: 'unknown', null_keys: 0, duplicate_keys: null });
  expect(uncheckedOf(of('part_x'))).toEqual([
    'key duplicates not checked: 104 rows, and repeats are looked for in at most 100 (key_rows)',
  ]);
});

test('a table without snapshots in itself is compared with the report that saw another state of it', async () => {
  const { part, folder, look } = lake();
  const write = (rows: number, columns?: ColumnSource[]) =>
    plant(part, 'ext_x/a.parquet', { ids: ids(rows), ...(columns && { columns }) });
  put(part, 'metadata/snapshot_dt.txt', BEFORE);
  write(100);
  expect((await look()).of('ext_x')).toMatchObject({ health_status: 'healthy', previous_snapshot: null });
  put(part, 'metadata/snapshot_dt.txt', NEWEST);
  write(40, [{ name: 'income', type: 'INT32', data: ids(40).map((_, row) => row) }]);
  const second = await look();
  expect(second.of('ext_x')).toMatchObject({ record_count: 40, snapshot_at: `${NEWEST}T00:00:00.000Z` });
  expect(findingsOf(second.of('ext_x'))).toEqual([
    'schema: expected the columns of the report before, found column income is new; column age is missing',
    expect.stringMatching(/^record count: .*found 40 rows after 100 in .* \(-60%\)$/),
  ]);
  // Looked at again: the rows are still too few against the snapshot before.
  const third = await look();
  expect(third.of('ext_x')).toMatchObject({ record_change_percent: -60, previous_snapshot: { rows: 100 } });
  expect(readdirSync(join(folder.path, 'reports/data-monitor')).filter((name) => name.endsWith('.json'))).toHaveLength(
    3,
  );
});

test('a report that cannot be read is not taken for none', async () => {
  const { part, folder, look } = lake();
  plant(part, 'ext_x/a.parquet', { ids: ids(10) });
  put(
    join(folder.path, 'reports/data-monitor'),
    'ACX_Data_Monitor_Report_2026-01-01.json',
    '{"version": 1, "tables": 7}',
  );
  const { of } = await look();
  expect(uncheckedOf(of('ext_x'))).toEqual([
    expect.stringMatching(/^schema not checked: the report before, .* is no data monitor report/),
    expect.stringMatching(/^record count not checked: the report before, /),
  ]);
});

test('a folder that is not there is said, and one table can be looked at by itself', async () => {
  const { part, folder, look } = lake();
  const { code, report } = await look();
  expect([code, report.tables]).toEqual([1, []]);
  expect(report.not_listed).toEqual([
    { place: expect.stringMatching(/^the folder .*part\/$/), reason: 'it holds no such tables' },
  ]);
  plantHealthy(part, 'part_x', { before: BEFORE, newest: NEWEST });
  plantHealthy(part, 'part_y', { before: BEFORE, newest: NEWEST });
  const one = await look('--table part_x');
  expect(one.report.tables.map(({ table_name: name }) => name)).toEqual(['part_x']);
  expect(one.report).not.toHaveProperty('files');
  expect((await folder.run('report monitor --table part_z')).err).toMatch(/there is no table "part_z"/);
});

test('a lake without a table is no healthy lake to whoever asks by --check', async () => {
  const { look } = lake();
  const { code, report } = await look();
  expect([code, report.summary.tables]).toEqual([1, 0]);
});

test('JSON, CSV and page are written under the documented names, into --out where that is given', async () => {
  const { part, folder } = lake();
  plantHealthy(part, 'part_<b>x', { before: BEFORE, newest: NEWEST });
  const { out, code } = await folder.run('report monitor --out out');
  expect(code).toBe(0);
  const stem = `ACX_Data_Monitor_Report_${day(0)}`;
  expect(readdirSync(join(folder.path, 'out')).sort()).toEqual([`${stem}.csv`, `${stem}.html`, `${stem}.json`]);
  expect(out).toMatch(/1 table: 1 healthy, 0 unhealthy, 0 not checked/);
  const csv = readFileSync(join(folder.path, 'out', `${stem}.csv`), 'utf8').split('\r\n');
  expect(csv[0]).toMatch(/^table_name,table_kind,health_status,partition_count,schema_valid,record_count,/);
  expect(csv[1]).toMatch(/^part_<b>x,parquet,healthy,2,N\/A,104,100,4,customer_user_id,0,0,/);
  const page = readFileSync(join(folder.path, 'out', `${stem}.html`), 'utf8');
  expect(page).toContain('part_&lt;b&gt;x');
  expect(page).not.toContain('part_<b>x');
});
