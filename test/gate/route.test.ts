import fc from 'fast-check';
import { tableDefaults } from '../../src/config/defaults.ts';
import type { LakeConfig } from '../../src/config/model.ts';
import { autoTable, isNoData, route, tableOf } from '../../src/gate/route.ts';
import { lakeConfig } from '../faults/lake.ts';

const declared = lakeConfig('/lake');
const automatic: LakeConfig = { ...declared, tables: [], autoTables: { namespace: 'lake', ...tableDefaults() } };
const RAW = declared.raw;

test.each([
  ['orders/a.parquet', 'shop.orders'],
  ['orders/2026/11/21/a.parquet', 'shop.orders'],
  ['orders/a b%20+é\n.csv', 'shop.orders'],
])('%j belongs to the table of its prefix', (key, name) => {
  expect(route(declared, RAW + key)).toMatchObject({ kind: 'table', table: { name } });
});

test.each([
  ['ordersX/a.parquet', /no table claims "ordersX\/a\.parquet"; known prefixes: orders\//],
  ['a.parquet', /no table claims/],
  ['', /folder/],
  ['orders/', /folder/],
  ['orders/_SUCCESS', /start with \. or _/],
  ['orders/.a.parquet.crc', /start with \. or _/],
  ['orders/_tmp/a.parquet', /start with \. or _/],
  ['orders/../secret/a.parquet', /start with \. or _/],
])('%j is not routed', (key, reason) => {
  expect(route(declared, RAW + key)).toEqual({ kind: 'unrouted', reason: expect.stringMatching(reason) });
});

test('an object outside the raw area is nobody’s, whatever its name begins with', () => {
  for (const url of ['file:///lake/rawer/orders/a', 'file:///lake/warehouse/orders/a', 'orders/a', ''])
    expect(route(declared, url)).toMatchObject({ kind: 'unrouted', reason: expect.stringMatching(/raw area/) });
});

test('where tables are made as they come, the folder names the table', () => {
  expect(route(automatic, `${RAW}customers/x/a.csv`)).toMatchObject({
    kind: 'table',
    table: { name: 'lake.customers', prefix: 'customers/' },
  });
  expect(route(automatic, `${RAW}a.csv`)).toMatchObject({ kind: 'unrouted' });
  for (const folder of ['with space', 'a.b', '2026', 'ünï', "'; drop table x", 'a'.repeat(129)])
    expect(route(automatic, `${RAW}${folder}/a.csv`)).toMatchObject({
      kind: 'unrouted',
      reason: expect.stringMatching(/no table name/),
    });
});

test('snapshots are the pipelines’, and nobody misses them', () => {
  const source = {
    name: 'infobase',
    path: `${RAW}infobase/`,
    table: 'infobase',
    key: 'id',
    aliases: {},
    strict: false,
  };
  const glue = { workerType: 'G.4X', workers: 8, timeoutMinutes: 240 };
  const pipelines = {
    sources: [source],
    targetBytes: 1,
    concurrency: 1,
    glue,
    start: { onMarker: false },
    runs: `${RAW}runs/`,
  };
  const snapshot = `${RAW}infobase/snapshot_dt=2026-11-01/part-0.parquet`;
  for (const config of [declared, automatic].map((lake) => ({ ...lake, pipelines }))) {
    expect(route(config, snapshot)).toMatchObject({
      kind: 'unrouted',
      reason: expect.stringMatching(/snapshots infobase/),
    });
    expect(isNoData(config, snapshot)).toBe(true);
    expect(isNoData(config, `${RAW}infobaseX/a.parquet`)).toBe(false);
  }
  expect(isNoData(declared, snapshot)).toBe(false);
  expect(route({ ...declared, pipelines }, `${RAW}orders/a.parquet`)).toMatchObject({ kind: 'table' });
});

test('whatever the key, a route is to a table whose prefix it has, or nowhere', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (key) => {
      for (const config of [declared, automatic]) {
        const routed = route(config, RAW + key);
        if (routed.kind === 'table') expect(key.startsWith(routed.table.prefix)).toBe(true);
      }
    }),
  );
});

test('a table is found by its whole name, and only by that', () => {
  expect(tableOf(declared, 'shop.orders')).toBe(declared.tables[0]);
  for (const name of ['orders', 'shop.order', '']) expect(tableOf(declared, name)).toBeUndefined();
  expect(tableOf(automatic, 'lake.customers')).toEqual(autoTable(automatic, 'customers'));
  for (const name of ['customers', 'lakecustomers', 'lake.', 'lake.a.b', 'shop.customers'])
    expect(tableOf(automatic, name)).toBeUndefined();
});
