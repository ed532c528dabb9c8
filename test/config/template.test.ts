import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { loadConfig } from '../../src/config/load.ts';
import { lakeYamlTemplate } from '../../src/config/template.ts';

describe('lakeYamlTemplate', () => {
  test('loads as it is', () => {
    const config = loadConfig(lakeYamlTemplate(), '/l/lake.yaml', {});
    expect(config.tables.map(({ name, prefix }) => [name, prefix])).toEqual([['sales.orders', 'orders/']]);
    expect(config.notify).toEqual({ suppressMs: 0 });
  });

  test('loads with every commented setting switched on', () => {
    const text = lakeYamlTemplate({ channel: '#data' })
      .replace(/^(\s*)# (columns|partition_by|owner|rules| {2}- )/gm, '$1$2')
      .replace('totals add up, ', '"totals add up", ')
      .replace('{ id: long,', '{ id: long, region: string, status: string,');
    const [orders] = loadConfig(text, '/l/lake.yaml', {}).tables;
    expect(orders!.rules).toHaveLength(7);
    expect(orders!.partitionBy).toHaveLength(2);
    expect(orders!.columns).toMatchObject({ amount: { type: 'decimal(10, 2)' } });
  });

  test('quotes what YAML would read otherwise', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-zA-Z0-9 #:_'"{&-]{1,12}$/), (folder) => {
        const text = lakeYamlTemplate({ tables: [{ name: 'n.t', from: `d/${folder}/x` }], channel: '#a-b' });
        const config = loadConfig(text, '/l/lake.yaml', {});
        expect(config.tables[0]!.prefix).toBe(`d/${folder}/x/`);
        expect(config.notify.slack!.channel).toBe('#a-b');
      }),
    );
  });
});

describe('examples', () => {
  test.each(readdirSync('examples').filter((name) => name.endsWith('.yaml')))('%s loads without faults', (name) => {
    const config = loadConfig(readFileSync(`examples/${name}`, 'utf8'), `/lake/${name}`, {});
    expect(config.tables.length).toBeGreaterThan(0);
  });
});
