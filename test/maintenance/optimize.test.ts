import { planOptimize } from '../../src/maintenance/optimize.ts';

test('a statement each; names that Athena wants quoted are quoted as its manual says', () => {
  expect(planOptimize([{ namespace: ['shop'], name: '_orders' }]).tables).toEqual([
    {
      database: 'shop',
      table: '_orders',
      optimize: 'OPTIMIZE shop._orders REWRITE DATA USING BIN_PACK',
      vacuum: 'VACUUM shop.`_orders`',
    },
  ]);
});

test.each([['a b'], ['orders; DROP TABLE x'], ['orders--'], ['Orders'], ['1st'], ['a`b'], ['a"b']])(
  'the name %s goes into no statement',
  (name) => {
    const plan = planOptimize([{ namespace: ['shop'], name }]);
    expect([plan.tables, plan.skipped.map(({ table }) => table)]).toEqual([[], [`shop.${name}`]]);
  },
);

test('Glue knows databases of one level', () => {
  expect(planOptimize([{ namespace: ['a', 'b'], name: 'c' }]).skipped).toHaveLength(1);
});
