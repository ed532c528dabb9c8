/** Alarms look at a function's metrics over all its tables: what the functions log has to hold that sum, not only the tables' own. */
import { createObserver } from '../../lambdas/observer.ts';

test('a metric of a table is logged over all tables too, by the function’s name alone', () => {
  const lines: string[] = [];
  const said = jest.spyOn(process.stdout, 'write').mockImplementation((line) => {
    lines.push(
      ...String(line)
        .split('\n')
        .filter((part) => part !== ''),
    );
    return true;
  });
  process.env.POWERTOOLS_SERVICE_NAME = 'acme-dev-wap-audit';
  try {
    createObserver('acme-dev').observer.measure({ DeliveriesErrored: 2 }, { table: 'shop.orders' });
  } finally {
    delete process.env.POWERTOOLS_SERVICE_NAME;
    said.mockRestore();
  }
  const logged = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  const sets = logged.map(
    ({ _aws }) => (_aws as { CloudWatchMetrics: { Dimensions: string[][] }[] }).CloudWatchMetrics[0]!.Dimensions,
  );
  expect(sets.flat()).toEqual([['service'], ['service', 'table']]);
  for (const values of logged) {
    expect(values).toMatchObject({ service: 'acme-dev-wap-audit', DeliveriesErrored: 2 });
  }
});
