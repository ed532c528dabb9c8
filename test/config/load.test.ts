import fc from 'fast-check';
import { parseSqliteUri } from '../../src/catalogs/sqlite-uri.ts';
import { embeddedConfig } from '../../src/config/embedded.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { LakeConfig, SqlCatalogConfig } from '../../src/config/model.ts';
import { LakegateError } from '../../src/errors.ts';

/** The catalogue, which must be a SQLite one. */
function sql(config: LakeConfig, name: string): SqlCatalogConfig {
  const found = config.catalogs[name];
  if (found?.type !== 'sql') throw new Error(`${name} is ${found?.type}`);
  return found;
}

const load = (text: string, env: Record<string, string> = {}) => loadConfig(text, '/home/me/my lake/lake.yaml', env);

function faultsOf(text: string, env: Record<string, string> = {}): string[] {
  try {
    load(text, env);
  } catch (error) {
    if (!(error instanceof LakegateError)) throw error;
    expect(error.kind).toBe('config');
    const lines = error.message.split('\n').slice(1);
    expect(error.context.faults).toHaveLength(lines.length);
    return lines.map((line) => line.trim());
  }
  return [];
}

const table = (settings: string) => `tables: { a.b: { from: b/, ${settings} } }`;

describe('loadConfig', () => {
  test('fills in every default', () => {
    expect(load('tables: { sales.orders: { from: ./orders } }')).toEqual({
      source: '/home/me/my lake/lake.yaml',
      raw: 'file:///home/me/my lake/raw/',
      warehouse: 'file:///home/me/my lake/warehouse/',
      records: 'file:///home/me/my lake/warehouse/.lakegate/deliveries/',
      defaultCatalog: 'local',
      catalogs: {
        local: {
          type: 'sql',
          uri: 'sqlite:////home/me/my lake/catalog.db',
          catalogName: 'local',
          warehouse: 'file:///home/me/my lake/warehouse/',
        },
      },
      tables: [
        {
          name: 'sales.orders',
          prefix: 'orders/',
          format: 'auto',
          ingest: 'copy',
          mode: 'append',
          schemaPolicy: 'strict',
          partitionBy: [],
          onFailure: 'keep_branch',
          keepBranchMs: 14 * 86_400_000,
          rules: [{ rule: 'not_null', columns: '*' }],
          csv: { delimiter: ',', quote: '"', header: true, nullValue: [''] },
          properties: {},
        },
      ],
      notify: { suppressMs: 0 },
      name: 'lakegate',
      stages: [],
    });
  });

  test('reads every kind of rule', () => {
    const [orders] = load(`
tables:
  sales.orders:
    from: orders/
    rules:
      - not_null: "*"
      - not_null: [id, customer.email, id]
      - max_null_fraction: { column: amount, at_most: 0.05 }
      - row_count: { min: 1, max: 10_000_000 }
      - range: { column: amount, min: 0 }
      - range: { column: day, min: 2024-01-01, max: 2024-12-31 }
      - accepted_values: { column: code, values: [007, 12, yes, "x", true, 9007199254740993] }
      - unique: id
      - schema: { columns: { id: LONG, amount: decimal(10,2) } }
      - freshness: { column: at, within: 24h }
      - sql: { name: totals, query: SELECT * FROM delivery WHERE a <> b }
`).tables;
    expect(orders!.rules).toEqual([
      { rule: 'not_null', columns: '*' },
      { rule: 'not_null', columns: ['id', 'customer.email'] },
      { rule: 'max_null_fraction', column: 'amount', atMost: 0.05 },
      { rule: 'row_count', min: 1, max: 10_000_000 },
      { rule: 'range', column: 'amount', min: 0 },
      { rule: 'range', column: 'day', min: '2024-01-01', max: '2024-12-31' },
      { rule: 'accepted_values', column: 'code', values: ['007', 12, 'yes', 'x', true, '9007199254740993'] },
      { rule: 'unique', columns: ['id'] },
      { rule: 'schema', columns: { id: 'long', amount: 'decimal(10, 2)' }, allowExtra: false },
      { rule: 'freshness', column: 'at', withinMs: 86_400_000 },
      { rule: 'sql', name: 'totals', query: 'SELECT * FROM delivery WHERE a <> b' },
    ]);
  });

  test('a comma inside parentheses does not end a word', () => {
    const [config] = load(`
tables:
  a.b:
    from: b/
    columns: { id: long, amount: decimal(10,2), at: { type: timestamp, required: true }, price: {type: decimal(12, 4), required: false} }
    partition_by: [ day(at), bucket(16, id), amount, { field: truncate(10, id), name: tens } ]
`).tables;
    expect(config!.columns).toEqual({
      id: { type: 'long', required: false },
      amount: { type: 'decimal(10, 2)', required: false },
      at: { type: 'timestamp', required: true },
      price: { type: 'decimal(12, 4)', required: false },
    });
    expect(config!.partitionBy).toEqual([
      { column: 'at', transform: 'day' },
      { column: 'id', transform: 'bucket[16]' },
      { column: 'amount', transform: 'identity' },
      { column: 'id', transform: 'truncate[10]', name: 'tens' },
    ]);
  });

  test('defaults stand where a table says nothing, and [] means no rules', () => {
    const { tables } = load(`
defaults: { rules: [{ unique: id }], csv: { delimiter: ";" }, properties: { a: 1, b: x }, keep_branch_for: 2h }
tables:
  n.own: { from: own, rules: [{ not_null: x }], csv: { header: false }, properties: { b: y }, keep_branch_for: 1d }
  n.none: { from: none, rules: [] }
  n.default: { from: default }
`);
    expect(tables.map(({ rules }) => rules)).toEqual([
      [{ rule: 'not_null', columns: ['x'] }],
      [],
      [{ rule: 'unique', columns: ['id'] }],
    ]);
    expect(tables.map(({ keepBranchMs }) => keepBranchMs)).toEqual([86_400_000, 7_200_000, 7_200_000]);
    expect(tables[0]).toMatchObject({ csv: { delimiter: ';', header: false }, properties: { a: '1', b: 'y' } });
  });

  test('anchors and merge keys work', () => {
    const { tables } = load(`
tables:
  n.a: &a { from: a, owner: me, rules: &rules [{ unique: id }] }
  n.b: { <<: *a, from: b }
  n.c: { from: c, rules: *rules }
`);
    expect(tables[1]).toMatchObject({ prefix: 'b/', owner: 'me' });
    expect(tables[2]!.rules).toEqual(tables[0]!.rules);
  });

  test('a fault in a table that merges another is found in its own lines', () => {
    const text = 'tables:\n  n.a: &a { from: a, owner: me }\n  n.b:\n    from: ../b\n    <<: *a\n    format: x\n';
    expect(faultsOf(text)).toEqual([
      expect.stringMatching(/^lake.yaml:4:11 tables.n.b.from/),
      expect.stringMatching(/^lake.yaml:6:13 tables.n.b.format/),
    ]);
  });

  test('catalogues: own, elsewhere, the default one', () => {
    const elsewhere = { type: 'sql' as const, uri: 'sqlite:////x.db', catalogName: 'sql', warehouse: 'file:///w/' };
    const text = `
catalog: sql
catalogs:
  here: { type: sql, uri: "sqlite:///sub/../c.db", catalog_name: default, warehouse: /data/w }
`;
    const config = loadConfig(text, '/l/lake.yaml', {}, { sql: elsewhere });
    expect(config.defaultCatalog).toBe('sql');
    expect(config.catalogs).toEqual({
      sql: elsewhere,
      here: { type: 'sql', uri: 'sqlite:////l/c.db', catalogName: 'default', warehouse: 'file:///data/w/' },
    });
    expect(faultsOf(text)).toEqual([expect.stringContaining('lake.yaml:2:10 catalog: expected a catalogue')]);
  });

  test("a catalogue's uri leads to the file beside lake.yaml, whatever its folder is called", () => {
    for (const folder of ['/a b', '/50%', '/a%20b', '/what?', '/ä#']) {
      const { uri } = sql(loadConfig('catalogs: { l: { type: sql } }', `${folder}/lake.yaml`, {}), 'l');
      expect(parseSqliteUri(uri, '/elsewhere').path).toBe(`${folder}/catalog.db`);
      const { uri: embedded } = sql(embeddedConfig(folder, {}), 'default');
      expect(parseSqliteUri(embedded, '/elsewhere').path).toBe(`${folder}/.lakegate/catalog.db`);
    }
    const options = 'catalogs: { l: { type: sql, uri: "sqlite:////x%20y.db?timeout=5" } }';
    expect(sql(load(options), 'l').uri).toBe('sqlite:////x%20y.db?timeout=5');
    expect(faultsOf(options.replace('timeout', 'mode'))).toEqual([expect.stringMatching(/no options but \?timeout/)]);
  });

  test('the environment overrides folders and channel, and no token is ever read', () => {
    const env = {
      SOURCE_BUCKET: '/drops',
      LAKE_BUCKET: 'file:///a b%20/lake',
      SLACK_CHANNEL: '#ops',
      SLACK_TOKEN: 'xoxb-1',
    };
    const config = load('notify: { slack: { channel: "#x", token_env: OTHER } }', env);
    expect(config).toMatchObject({
      raw: 'file:///drops/',
      warehouse: 'file:///a b%20/lake/',
      records: 'file:///a b%20/lake/.lakegate/deliveries/',
      notify: { slack: { channel: '#ops', tokenEnv: 'SLACK_TOKEN' } },
    });
    expect(sql(config, 'local').warehouse).toBe('file:///a b%20/lake/');
    expect(JSON.stringify(config)).not.toContain('xoxb');
    expect(faultsOf('version: 1', { SOURCE_BUCKET: 's3://b/p', LAKE_BUCKET: 'My_Bucket' })).toEqual([
      expect.stringMatching(/^environment SOURCE_BUCKET: expected a bucket and perhaps a prefix.*found s3:\/\/b\/p/),
      expect.stringMatching(/^environment LAKE_BUCKET: expected a bucket/),
    ]);
    // On AWS these variables hold the bucket's bare name.
    expect(load('version: 1', { SOURCE_BUCKET: 'acme-raw', LAKE_BUCKET: 's3a://acme-lake/x' })).toMatchObject({
      raw: 's3://acme-raw/',
      warehouse: 's3://acme-lake/x/',
    });
  });
});

describe('faults', () => {
  test('all at once, in the order of the file, with lines and suggestions', () => {
    expect(
      faultsOf(`version: 2
warehose: ./w
defaults: { on_failure: keep, rules: [{ not_nul: "*" }, 5, {}] }
tables:
  sales.orders:
    from: orders/
    onFailure: discard
    columns: { id: bigint, ok: date }
    rules:
      - not_null: [id, okk]
      - row_count: { min: 10, max: 1 }
  sales.items: { from: orders/2024 }
`),
    ).toEqual([
      'lake.yaml:1:10 version: expected 1, found 2',
      'lake.yaml:2:1 warehose: expected a known key, found warehose. Did you mean warehouse?',
      'lake.yaml:3:25 defaults.on_failure: expected one of keep_branch, discard, found keep',
      'lake.yaml:3:41 defaults.rules[0].not_nul: expected a known key, found not_nul. Did you mean not_null?',
      'lake.yaml:3:57 defaults.rules[1]: expected a mapping, found 5',
      expect.stringMatching(/^lake.yaml:3:60 defaults.rules\[2\]: expected one of the rules .*, found none$/),
      'lake.yaml:7:5 tables.sales.orders.onFailure: expected a known key, found onFailure. Did you mean on_failure?',
      expect.stringMatching(/^lake.yaml:8:20 tables.sales.orders.columns.id: "bigint" .* did you mean "long"/),
      'lake.yaml:10:24 tables.sales.orders.rules[0].not_null[1]: expected a column that sales.orders declares, found okk. Did you mean ok?',
      expect.stringMatching(
        /^lake.yaml:11:20 tables.sales.orders.rules\[1\].row_count: expected `min` not above `max`/,
      ),
      expect.stringMatching(
        /^lake.yaml:12:24 tables.sales.items.from: expected a folder of its own, found orders\/2024\//,
      ),
    ]);
  });

  test.each([
    ['not_null: *', /^lake.yaml:1:11: a bare `\*` starts an alias in YAML. Quote it/],
    ['a: [1', /^lake.yaml:1:\d+: not valid YAML/],
    ['\tversion: 1', /spaces/],
    ['', /found an empty file/],
    ['- x', /expected a mapping, found a list/],
    ['raw: a\nraw: b', /^lake.yaml:2:1: expected each key once/],
    ['a: &a [*a]', /contains itself/],
    ['a: *nowhere', /no anchor &nowhere/],
    ['raw: ~/drops', /not expanded/],
    ['raw: gs://x', /expected a folder or a file/],
    [
      'catalogs: { g: { type: gleu } }',
      /expected one of sql, glue, rest, s3tables, nessie, found gleu. Did you mean glue/,
    ],
    ['catalogs: { g: { type: glue, uri: "http://x" } }', /catalogs.g.uri: expected a key of catalogues of type glue/],
    ['catalogs: { r: { type: rest } }', /expected a key `uri` in a catalogue of type rest/],
    ['catalogs: { r: { type: rest, uri: "ftp://x" } }', /expected the URL of a server/],
    ['catalogs: { r: { type: rest, uri: "https://me:pw@x" } }', /expected the URL of a server/],
    ['catalogs: { t: { type: s3tables, arn: x } }', /expected the ARN of an S3 table bucket/],
    ['catalogs: { r: { type: rest, uri: "https://x", auth: {} } }', /expected one of sigv4, .* found none/],
    [
      'catalogs: { r: { type: rest, uri: "https://x", auth: { sigv4: glue, token_env: T } } }',
      /found sigv4 and token_env/,
    ],
    [
      'catalogs: { r: { type: rest, uri: "https://x", auth: { token_env: T, scope: x } } }',
      /together with credential_env/,
    ],
    ['catalogs: { l: { type: sql, uri: "sqlite:///:memory:" } }', /expected a database file/],
    ['catalogs: { l: { type: sql }, m: { type: sql } }', /catalog: NAME/],
    ['tables: { orders: { from: x } }', /tables.orders: expected namespace.table/],
    ['tables: { ../x.y: { from: x } }', /expected namespace.table/],
    ['tables: { a.b: {} }', /tables.a.b.from: expected a key `from`/],
    ['tables: { a.b: { from: ../x } }', /expected a folder under `raw`/],
    ['tables: { a.b: { from: /x } }', /expected a folder under `raw`/],
    ['tables: { a.b: { from: x }, a.b.c: { from: y } }', /outside the table a.b/],
    ['tables: { a.b: { from: x }, a.c: { from: ./x/ } }', /the same folder as x\//],
    ['raw: ./w\nwarehouse: ./w/x\ntables: { a.b: { from: x } }', /apart from the drops of a.b/],
    [table('ingest: register, format: csv'), /expected `ingest: copy` for csv/],
    [`defaults: { ingest: register }\n${table('format: jsonl')}`, /a.b.format: expected `ingest: copy` for jsonl/],
    [table('mode: overwrite_partitions'), /partition_by/],
    [table('keep_branch_for: 14'), /expected a duration such as 14d, 12h or 30m, found 14$/],
    [table('keep_branch_for: 9000d'), /at most ten years/],
    [table('catalog: x'), /expected a catalogue of this lake, found x/],
    [table('channel: orders'), /expected a Slack channel in quotes/],
    [`tables:\n  a.b:\n    from: b\n    channel: #orders\n`, /without quotes `#` starts a comment/],
    [table('channel: "#orders"'), /notify/],
    [table('csv: { delimiter: ";;" }'), /expected one character/],
    [table("csv: { delimiter: '\"' }"), /other than the quote/],
    [table('partition_by: [dayy(x)]'), /found dayy\(x\)\. Did you mean day\?/],
    [table('partition_by: [bucket(id, 16)]'), /such as bucket\(16, id\)/],
    [table('partition_by: [day(x), days(x)]'), /once/],
    [table('columns: { x: long }, partition_by: [day(x)]'), /cannot take a column of type long/],
    [table('columns: { region: string }, partition_by: [regoin]'), /Did you mean region\?/],
    [table('rules: [{ unique: [] }]'), /at least one entry/],
    [table('rules: [{ unique: "*" }]'), /columns that make up the key/],
    [table('rules: [{ unique: id, not_null: id }]'), /one rule in each list entry/],
    [table('rules: [{ range: { column: x } }]'), /`min`, `max` or both/],
    [table('rules: [{ range: { column: x, min: 1, max: "2024-01-01" } }]'), /of one kind/],
    [table('rules: [{ range: { column: x, min: 2024-02-01, max: 2024-01-01 } }]'), /not above/],
    [table('rules: [{ accepted_values: { column: x, values: [] } }]'), /at least one entry/],
    [table('rules: [{ max_null_fraction: { column: x, at_most: 5 } }]'), /at most 1, found 5/],
    [table('rules: [{ sql: { name: n, query: SELECT 1 } }]'), /view `delivery`/],
    [table('rules: [not_null]'), /expected a mapping, found not_null/],
  ])('%s', (text, expected) => {
    expect(faultsOf(text)).toEqual([expect.stringMatching(expected)]);
  });

  test('a token in the wrong place is not repeated', () => {
    const faults = faultsOf('notify: { slack: { channel: "#x", token: xoxb-1, token_env: xoxb-1-secret } }').join('\n');
    expect(faults).toMatch(/never the token itself/);
    expect(faults).not.toMatch(/xoxb/);
  });

  test('a rule on an undeclared column is let be where deliveries may add columns', () => {
    expect(faultsOf(table('columns: { x: long }, schema: add_columns, rules: [{ unique: y }]'))).toEqual([]);
    expect(faultsOf(`defaults: { rules: [{ unique: y }] }\n${table('columns: { x: long }')}`)).toEqual([
      expect.stringMatching(/^lake.yaml:1:31 defaults.rules\[0\].unique: expected a column that a.b declares, found y/),
    ]);
  });

  test('nothing in the file can write to the terminal', () => {
    const faults = faultsOf('"a\\e[2Jb": 1\ntables: { n.t: { from: "x\\e]0;y\\a/..", columns: { c: "lon\\eg" } } }');
    expect(faults).toHaveLength(3);
    expect(faults.join('')).not.toMatch(/\p{Cc}/u);
  });

  test('keys such as __proto__ are keys', () => {
    expect(faultsOf('__proto__: { raw: x }')).toEqual([expect.stringMatching(/expected a known key, found __proto__/)]);
    expect(faultsOf(table('properties: { constructor: x }'))).toEqual([]);
  });

  test('any text is either a configuration or a config error', () => {
    const words = fc.constantFrom(
      ...'tables: a.b: from: rules: [ ] { } , - * & ! | > # " \n \t unique not_null "*" columns long decimal(10, 2) << null 007 :'.split(
        ' ',
      ),
      '\n  ',
      '\n    ',
      ' ',
    );
    fc.assert(
      fc.property(fc.array(words, { maxLength: 30 }), (parts) => {
        faultsOf(parts.join(' '));
      }),
      { numRuns: 500 },
    );
  });
});
