import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { embeddedConfig } from '../../src/config/embedded.ts';

describe('embeddedConfig', () => {
  test('keeps everything in .lakegate, literal paths included', () => {
    expect(embeddedConfig('/home/me/a b%20', {})).toEqual({
      raw: 'file:///home/me/a b%20/.lakegate/raw/',
      warehouse: 'file:///home/me/a b%20/.lakegate/warehouse/',
      records: 'file:///home/me/a b%20/.lakegate/deliveries/',
      defaultCatalog: 'default',
      catalogs: {
        default: {
          type: 'sql',
          uri: 'sqlite:////home/me/a b%2520/.lakegate/catalog.db',
          catalogName: 'default',
          warehouse: 'file:///home/me/a b%20/.lakegate/warehouse/',
        },
      },
      tables: [],
      autoTables: {
        namespace: 'lake',
        format: 'auto',
        ingest: 'copy',
        mode: 'append',
        schemaPolicy: 'strict',
        partitionBy: [],
        onFailure: 'keep_branch',
        keepBranchMs: 1_209_600_000,
        rules: [{ rule: 'not_null', columns: '*' }],
        csv: { delimiter: ',', quote: '"', header: true, nullValue: [''] },
        properties: {},
      },
      notify: { suppressMs: 0 },
      name: 'lakegate',
      stages: [],
    });
  });

  test('the environment overrides it, and all its faults come at once', () => {
    const env = { SOURCE_BUCKET: './drops', SLACK_CHANNEL: '#x', SLACK_TOKEN: 't' };
    expect(embeddedConfig('/l', env)).toMatchObject({
      raw: 'file:///l/drops/',
      notify: { slack: { channel: '#x', tokenEnv: 'SLACK_TOKEN' }, suppressMs: 0 },
    });
    expect(() => embeddedConfig('/l', { SOURCE_BUCKET: 's3://a', LAKE_BUCKET: 'b' })).toThrow(
      /SOURCE_BUCKET: expected a bucket(.|\n)*LAKE_BUCKET: /,
    );
  });

  test('loads neither zod nor yaml: a command without lake.yaml starts fast', () => {
    const file = pathToFileURL(resolve('src/config/embedded.ts')).href;
    const script = `import { registerHooks } from 'node:module';
      registerHooks({ resolve(name, context, next) { if (/^(zod|yaml)/.test(name)) console.log(name); return next(name, context); } });
      await import(${JSON.stringify(file)});`;
    const node = resolve('node_modules/.bin/node');
    expect(execFileSync(node, ['--input-type=module', '-e', script], { encoding: 'utf8' })).toBe('');
  });
});
