/** The data monitor as a stage's function makes it: into the results bucket, and onto the bus. */
import { makeReport } from '../../../lambdas/report/make-report.ts';
import { monitorDefaults } from '../../../src/config/monitor.ts';
import { deliverObjects } from '../../../src/gate/deliver.ts';
import type { GlueTables } from '../../../src/reports/monitor/glue-tables.ts';
import { orders, parquet } from '../../faults/lake.ts';
import { closeStages, type TestStage, testStage } from '../../lambdas/stage.ts';

afterEach(closeStages);

const glue: GlueTables = {
  list: async () => {
    throw new Error('access denied');
  },
  withPartitions: async (table) => table,
};

function run({ stage: { lake, config }, observer }: TestStage) {
  const noRooms = () => {
    throw new Error('the monitor asks nothing of Clean Rooms');
  };
  return makeReport({ lake, config, observer, cleanRooms: noRooms, glue: async () => glue }, 'monitor');
}

test('an unhealthy table is told to its channel, the report to everybody; what could not be listed is measured', async () => {
  const monitor = {
    ...monitorDefaults(),
    databases: [{ name: 'consumer', prefix: '', buckets: [] }],
    tables: [{ pattern: 'orders', thresholds: { partitions: { min: 7 } } }],
  };
  const test = await testStage({
    table: { rules: [], channel: '#orders' },
    config: (config) => ({ ...config, reports: { monitor } }),
  });
  const { object } = (await test.put('orders/a.parquet', parquet(orders(0, 3)))).detail;
  const drop = { url: `s3://raw-bucket/${object.key}`, size: object.size, etag: object.etag };
  await deliverObjects(test.stage.lake.ports, test.stage.config, [drop]);
  const answer = await run(test);
  expect(answer).toEqual({
    report: 'monitor',
    page: expect.stringMatching(/^s3:\/\/results-bucket\/data-monitor\/ACX_Data_Monitor_Report_\d{4}-\d\d-\d\d\.html$/),
    tables: 1,
    good: 0,
    bad: 1,
    unknown: 0,
    gaps: 1,
  });
  expect(await test.store.head(answer.page)).toBeDefined();
  expect(test.told.filter(({ event }) => !event.startsWith('delivery.'))).toEqual([
    expect.objectContaining({
      event: 'table.unhealthy',
      table: 'shop.orders',
      channel: '#orders',
      checks: ['partitions'],
      link: expect.stringMatching(/^https:\/\/eu-central-1\.console\.aws\.amazon\.com\/s3\/object\/results-bucket/),
    }),
    expect.objectContaining({
      event: 'report.made',
      report: 'monitor',
      headline: 'Data monitor: 0 of 1 table healthy, 1 unhealthy, 0 not checked',
      lines: ['shop.orders: 1 finding', 'the Glue database consumer could not be listed: access denied'],
    }),
  ]);
  expect(test.total('ReportUnknowns')).toBe(1);
});

test('a stage without the report says so', async () => {
  await expect(run(await testStage())).rejects.toThrow(/lake.yaml has no `reports: monitor:`/);
});
