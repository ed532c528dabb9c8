import { configFingerprint } from '../../src/config/fingerprint.ts';
import { loadStages } from '../../src/config/load.ts';

const YAML = (more = '', channel = '#lake') => `
tables:
  sales.orders: { from: orders/ }
notify:
  slack: { channel: "${channel}" }
stages:
  dev: { account: "111111111111", region: eu-west-1 }
${more}`;

const of = (text: string, path = '/lake/lake.yaml') => configFingerprint(loadStages(text, path)[0]!);

test('is the same wherever the file lies and whatever other stages it has', () => {
  expect(of(YAML())).toMatch(/^[0-9a-f]{16}$/);
  expect(of(YAML(), '/elsewhere/other.yaml')).toBe(of(YAML()));
  expect(of(YAML('  prod: { account: "222222222222", region: eu-west-1 }'))).toBe(of(YAML()));
});

test('is the same wherever a split map lies beside it, and another with another map', () => {
  const pipelines = (map: string) =>
    YAML().replace(
      'notify:',
      `pipelines: { sources: { wide: { path: wide/, map: ${map} } }, partitioned: { database: d } }\nnotify:`,
    );
  expect(of(pipelines('map.csv'), '/elsewhere/other.yaml')).toBe(of(pipelines('map.csv')));
  expect(of(pipelines('other.csv'))).not.toBe(of(pipelines('map.csv')));
  expect(of(pipelines('map.csv'))).not.toBe(of(YAML()));
});

test('is another when anything of the stage is', () => {
  expect(of(YAML('', '#other'))).not.toBe(of(YAML()));
});
