/**
 * The data monitor over tables as the dual pipeline writes them (pyarrow), in folders and in Glue on S3 (moto). DuckDB says what is in them;
 * what is read to know it is counted.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { CreateDatabaseCommand, CreatePartitionCommand, CreateTableCommand } from '@aws-sdk/client-glue';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { type Browser, chromium, type Page } from 'playwright-core';
import { composeLake } from '../../src/compose.ts';
import { loadConfig } from '../../src/config/load.ts';
import { openGlueTables } from '../../src/reports/monitor/glue-tables.ts';
import { monitorLake } from '../../src/reports/monitor/monitor-lake.ts';
import { findingsOf, type MonitorReport, type TableReport, uncheckedOf } from '../../src/reports/monitor/report.ts';
import { createS3Client } from '../../src/storage/s3-client.ts';
import type { ObjectStore, RangeReader } from '../../src/storage/store.ts';
import { createStores } from '../../src/storage/stores.ts';
import { type Emulator, startMoto } from './emulators/index.ts';
import { clientOf } from './glue-client.ts';
import { makeLake } from './lake.ts';
import { newBucket, useEmulator } from './s3.ts';

const day = (ago: number) => new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10);
const [NEWEST, BEFORE] = [day(5), day(35)];

interface Oracle {
  rows: number;
  nulls: number;
  duplicates: number;
  before: number | null;
}

let home: string;
let folder: string;
let oracle: Record<string, Oracle>;

beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'lakegate-monitor-'));
  folder = join(home, 'part');
  const python = resolve(__dirname, '../../.interop/venv/bin/python');
  const script = join(__dirname, 'python/monitor.py');
  oracle = JSON.parse(execFileSync(python, [script, folder, NEWEST, BEFORE], { encoding: 'utf8' }));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

const yaml = (rest: string) => `version: 1
catalogs: { local: { type: sql } }
reports:
  monitor:
    file_size: { min: 1B, max: 1GB }
${rest}
`;

/** What the store was read for, in bytes and requests. Seeks count as dear, so that files are read as on S3. */
interface Reads {
  ranges: { url: string; start: number; end: number }[];
}

function counted(store: ObjectStore, reads: Reads): ObjectStore {
  return new Proxy(store, {
    get(target, name: keyof ObjectStore) {
      if (name !== 'open') return target[name]?.bind(target);
      return async (...args: Parameters<ObjectStore['open']>): Promise<RangeReader> => {
        const reader = await target.open(...args);
        return {
          url: reader.url,
          byteLength: reader.byteLength,
          cheapSeeks: false,
          read: (start, end, room) => {
            reads.ranges.push({ url: args[0], start, end });
            return reader.read(start, end, room);
          },
          close: () => reader.close(),
        };
      };
    },
  });
}

async function look(text: string, reads: Reads = { ranges: [] }): Promise<MonitorReport> {
  const path = join(home, 'lake.yaml');
  const config = loadConfig(yaml(text), path, {});
  const lake = await composeLake(config, { env: {}, cwd: home, store: counted(createStores(), reads) });
  try {
    const ports = { gate: lake.ports, glue: async () => openGlueTables(undefined) };
    return await monitorLake(lake.config, ports, { known: undefined });
  } finally {
    lake.close();
  }
}

const byName = (report: MonitorReport) => new Map(report.tables.map((table) => [table.table_name, table]));

function expectAsDuckDB(tables: ReadonlyMap<string, TableReport>, prefix = ''): void {
  for (const [name, truth] of Object.entries(oracle)) {
    expect(tables.get(`${prefix}${name}`)).toMatchObject({
      record_count: truth.rows,
      null_keys: truth.nulls,
      duplicate_keys: truth.duplicates,
      previous_snapshot: truth.before === null ? null : { id: BEFORE, rows: truth.before },
    });
  }
}

test('rows, nulls and repeats are what DuckDB counts, and only what was planted is found', async () => {
  const report = await look('    folders: [./part]\n    key: customer_user_id');
  const tables = byName(report);
  expect([...tables.keys()]).toEqual(Object.keys(oracle).sort());
  expectAsDuckDB(tables);
  expect(report.tables.flatMap(uncheckedOf)).toEqual([]);
  expect(Object.fromEntries(report.tables.map((table) => [table.table_name, findingsOf(table)]))).toEqual({
    ext_flat: [],
    part_wide: [],
    part_nulls: ['key nulls: expected no nulls in customer_user_id, found 21 nulls'],
    part_repeats: [
      'key nulls: expected no nulls in customer_user_id, found 2 nulls',
      expect.stringMatching(/^key duplicates: .* found 13 rows with the key of an earlier one$/),
    ],
    part_fewer: [expect.stringMatching(/^record count: .*6,000 rows after 9,000 in .*\(-33.33%\)$/)],
    part_drift: [
      expect.stringMatching(/^schema: .*found snapshot_dt=.*part-00001.*column age is long instead of int$/),
    ],
    part_numbers: [expect.stringMatching(/^key duplicates: .*found 17 rows/)],
  });
});

test('rows come from footers alone: one ranged read a file, of its end; the key from its own column', async () => {
  const files = readdirSync(join(folder, 'part_wide'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.parquet'))
    .map((name) => join(folder, 'part_wide', name));
  const total = files.reduce((sum, file) => sum + statSync(file).size, 0);
  const bytesOf = ({ ranges }: Reads) =>
    ranges.filter(({ url }) => url.includes('part_wide')).reduce((sum, { start, end }) => sum + end - start, 0);

  const footers: Reads = { ranges: [] };
  await look('    folders: [./part]', footers);
  const ofWide = footers.ranges.filter(({ url }) => url.includes('part_wide'));
  expect(ofWide).toHaveLength(files.length);
  for (const { url, start, end } of ofWide) {
    const { size } = statSync(url.replace('file://', ''));
    expect([end, end - start]).toEqual([size, 512 * 1024]);
  }
  expect(bytesOf(footers) / total).toBeLessThan(0.03);

  const withKey: Reads = { ranges: [] };
  await look('    folders: [./part]\n    key: customer_user_id', withKey);
  // The key is one of 42 columns.
  expect(bytesOf(withKey) / total).toBeLessThan(0.09);
});

test('a table of the gate: counts over all deliveries, no data file opened without a key', async () => {
  const lake = await makeLake('monitored', '  sales.orders: { from: orders/, rules: [], mode: append }\n');
  try {
    for (const [i, source] of ['part-00000', 'part-00001'].entries()) {
      const target = lake.inRaw(`orders/${i}.parquet`);
      const from = join(folder, `part_repeats/snapshot_dt=${NEWEST}/${source}.snappy.parquet`);
      writeFileSync(target, readFileSync(from));
      await lake.deliver(target);
    }
    const path = join(lake.folder, 'lake.yaml');
    const config = (extra: string) =>
      loadConfig(`${readFileSync(path, 'utf8')}reports: { monitor: { ${extra} } }\n`, path, {});
    const run = async (extra: string, reads: Reads) => {
      const opened = await composeLake(config(extra), {
        env: {},
        cwd: lake.folder,
        store: counted(createStores(), reads),
      });
      try {
        const ports = { gate: opened.ports, glue: async () => openGlueTables(undefined) };
        return (await monitorLake(opened.config, ports, { known: undefined })).tables[0]!;
      } finally {
        opened.close();
      }
    };
    const without: Reads = { ranges: [] };
    const plain = await run('freshness: 45d', without);
    expect(without.ranges).toEqual([]);
    expect(plain).toMatchObject({ health_status: 'healthy', record_count: oracle.part_repeats!.rows, file_count: 2 });
    expect(plain.previous_snapshot?.rows).toBe(5_011);
    const keyed = await run('key: customer_user_id', { ranges: [] });
    expect(keyed).toMatchObject({
      null_keys: oracle.part_repeats!.nulls,
      duplicate_keys: oracle.part_repeats!.duplicates,
    });
  } finally {
    await lake.remove();
  }
});

describe('in Glue, on S3', () => {
  let emulator: Emulator;
  let bucket: string;
  beforeAll(async () => {
    emulator = await startMoto();
    useEmulator(emulator);
    bucket = await newBucket();
    const s3 = createS3Client();
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.parquet'),
    );
    for (const name of names) {
      const Body = readFileSync(join(folder, name));
      await s3.send(new PutObjectCommand({ Bucket: new URL(bucket).hostname, Key: `data/${name}`, Body }));
    }
    const glue = clientOf(emulator);
    await glue.send(new CreateDatabaseCommand({ DatabaseInput: { Name: 'consumer' } }));
    for (const table of Object.keys(oracle)) {
      const isPartitioned = table.startsWith('part_');
      const storage = (Location: string) => ({
        Location,
        InputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
        SerdeInfo: { SerializationLibrary: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe' },
        Columns: [
          { Name: 'customer_user_id', Type: table === 'part_numbers' ? 'bigint' : 'string' },
          { Name: 'age', Type: 'int' },
          // Nobody has this one.
          ...(table === 'part_fewer' ? [{ Name: 'income', Type: 'decimal(10,2)' }] : []),
        ],
      });
      await glue.send(
        new CreateTableCommand({
          DatabaseName: 'consumer',
          TableInput: {
            Name: table,
            Description: `Bucketed table created from snapshot_dt=${NEWEST}`,
            TableType: 'EXTERNAL_TABLE',
            PartitionKeys: isPartitioned ? [{ Name: 'snapshot_dt', Type: 'string' }] : [],
            StorageDescriptor: storage(`${bucket}data/${table}`),
          },
        }),
      );
      if (!isPartitioned) continue;
      // The newest of one table was forgotten, and one of another was deleted.
      const days =
        table === 'part_nulls'
          ? [BEFORE]
          : table === 'part_numbers'
            ? [BEFORE, NEWEST, '2020-01-01']
            : [BEFORE, NEWEST];
      for (const value of days) {
        await glue.send(
          new CreatePartitionCommand({
            DatabaseName: 'consumer',
            TableName: table,
            PartitionInput: {
              Values: [value],
              StorageDescriptor: storage(`${bucket}data/${table}/snapshot_dt=${value}/`),
            },
          }),
        );
      }
    }
    await glue.send(
      new CreateTableCommand({
        DatabaseName: 'consumer',
        TableInput: { Name: 'part_view', TableType: 'VIRTUAL_VIEW', ViewOriginalText: 'select 1' },
      }),
    );
  });
  afterAll(() => emulator?.stop());

  test('the same numbers by ranged reads of S3, columns against Glue, partitions against those registered', async () => {
    const report = await look('    databases: [{ name: consumer }]\n    key: customer_user_id');
    expect(report.not_listed).toEqual([]);
    const tables = byName(report);
    expect([...tables.keys()]).toEqual(
      Object.keys(oracle)
        .map((name) => `consumer.${name}`)
        .sort(),
    );
    expectAsDuckDB(tables, 'consumer.');
    const found = (name: string) => findingsOf(tables.get(`consumer.${name}`)!);
    expect(found('part_wide')).toEqual([]);
    expect(found('ext_flat')).toEqual([]);
    expect(tables.get('consumer.ext_flat')!.snapshot_at).toBe(`${NEWEST}T00:00:00.000Z`);
    expect(found('part_nulls')[0]).toBe(
      `partitions: expected any number, found 2 partitions; 1 partition not in the catalogue, so that queries miss them: snapshot_dt=${NEWEST}`,
    );
    expect(found('part_numbers')[0]).toMatch(/1 partition in the catalogue without files: snapshot_dt=2020-01-01$/);
    expect(found('part_fewer')[0]).toMatch(/^schema: .*column income is missing \(as the catalogue has it\)$/);
  });

  test('only the tables of the prefix; a database that is not there is said, and is no finding', async () => {
    const report = await look('    databases: [{ name: consumer, prefix: ext_ }, { name: nowhere }]');
    expect(report.tables.map(({ table_name: name }) => name)).toEqual(['consumer.ext_flat']);
    expect(report.not_listed).toEqual([
      { place: 'the Glue database nowhere', reason: expect.stringMatching(/nowhere/) },
    ]);
  });
});

describe('the page in a browser', () => {
  let browser: Browser;
  let page: Page;
  const complaints: string[] = [];
  beforeAll(async () => {
    const lake = join(home, 'page');
    const { mkdirSync } = await import('node:fs');
    mkdirSync(lake);
    writeFileSync(
      join(lake, 'lake.yaml'),
      yaml('    folders: [../part]\n    key: customer_user_id\n    tables: { part_wide: { key_rows: 10 } }'),
    );
    const node = resolve(__dirname, '../../node_modules/.bin/node');
    const cli = resolve(__dirname, '../../bin/cli.ts');
    execFileSync(node, [cli, 'report', 'monitor', '--out', 'out'], { cwd: lake });
    browser = await chromium.launch({
      executablePath: '/usr/bin/chromium',
      args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking'],
    });
    page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => {
      if (!/^(file|data):/.test(request.url())) complaints.push(`asked for ${request.url()}`);
    });
    await page.goto(`file://${join(lake, 'out', `ACX_Data_Monitor_Report_${day(0)}.html`)}`);
  });
  afterAll(() => browser?.close());

  test('shows every table, unhealthy ones first, and filters them', async () => {
    expect(await page.locator('[data-row]').count()).toBe(7);
    expect(await page.locator('[data-row]').first().getAttribute('data-status')).toBe('unhealthy');
    await page.locator('[data-filter="unknown"]').click();
    expect(await page.locator('[data-row]:visible').count()).toBe(1);
    expect(await page.locator('[data-row]:visible').textContent()).toMatch(/part_wide.*key duplicates not checked/s);
    await page.locator('[data-filter=""]').click();
    await page.locator('[data-search]').fill('age is long');
    expect(await page.locator('[data-row]:visible').allTextContents()).toEqual([expect.stringMatching(/part_drift/)]);
    await page.locator('[data-search]').fill('');
    expect(complaints).toEqual([]);
  });

  test('fits a phone', async () => {
    await page.setViewportSize({ width: 375, height: 800 });
    const [scroll, inner] = await page.evaluate<[number, number]>(
      '[document.documentElement.scrollWidth, window.innerWidth]',
    );
    expect(scroll).toBeLessThanOrEqual(inner);
  });
});
