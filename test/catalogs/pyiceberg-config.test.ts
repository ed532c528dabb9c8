import { pyicebergCatalog } from '../../src/catalogs/pyiceberg-catalog.ts';
import { findPyicebergCatalogs } from '../../src/catalogs/pyiceberg-config.ts';

const SQL = `
default-catalog: sql
catalog:
  SQL:
    URI: sqlite:////lake/catalog.db
    warehouse: file:///lake/warehouse
    echo: false
  glue:
    type: glue
  cloud:
    uri: https://example.com/iceberg
    s3.endpoint: http://localhost:9000
  pg:
    uri: postgresql://u:secret@host/db
  nothing:
    warehouse: /x
  bare:
    type: sql
`;

function find(files: Record<string, string>, env: Record<string, string> = {}) {
  return findPyicebergCatalogs({ env, home: '/home/ann/', cwd: '/work', readFile: (path) => files[path] });
}

describe('.pyiceberg.yaml', () => {
  test('gives each catalogue its type, uri and warehouse; values are text', () => {
    const found = find({ '/home/ann/.pyiceberg.yaml': SQL });
    expect(found.sql).toEqual({
      type: 'sql',
      uri: 'sqlite:////lake/catalog.db',
      warehouse: 'file:///lake/warehouse',
      properties: { uri: 'sqlite:////lake/catalog.db', warehouse: 'file:///lake/warehouse', echo: 'false' },
      variables: {},
    });
    expect(Object.entries(found).map(([name, { type }]) => `${name}: ${type}`)).toEqual([
      'sql: sql',
      'glue: glue',
      'cloud: rest',
      'pg: sql',
      'nothing: unknown',
      'bare: sql',
    ]);
    expect(found.cloud!.properties['s3.endpoint']).toBe('http://localhost:9000');
  });

  test('is looked for in $PYICEBERG_HOME, at home, and here; the first with anything in it counts', () => {
    const at = (name: string) => `catalog: {${name}: {uri: "sqlite:///x.db"}}`;
    const files = {
      '/conf/.pyiceberg.yaml': at('a'),
      '/home/ann/.pyiceberg.yaml': at('b'),
      '/work/.pyiceberg.yaml': at('c'),
    };
    expect(Object.keys(find(files, { PYICEBERG_HOME: '/conf' }))).toEqual(['a']);
    expect(Object.keys(find(files))).toEqual(['b']);
    expect(Object.keys(find({ ...files, '/home/ann/.pyiceberg.yaml': '# nothing\n' }))).toEqual(['c']);
    expect(find({})).toEqual({});
  });

  test('is overridden by the environment', () => {
    const found = find(
      { '/work/.pyiceberg.yaml': SQL },
      {
        PYICEBERG_CATALOG__SQL__URI: 'sqlite:///other.db',
        pyiceberg_catalog__my_lake__uri: 'sqlite:///mine.db',
        PYICEBERG_CATALOG__CLOUD__S3__ACCESS_KEY_ID: 'key',
        PYICEBERG_MAX_WORKERS: '4',
        PATH: '/bin',
      },
    );
    expect(found.sql).toMatchObject({ uri: 'sqlite:///other.db', warehouse: 'file:///lake/warehouse' });
    expect(found['my-lake']).toMatchObject({ type: 'sql', uri: 'sqlite:///mine.db' });
    expect(found.cloud!.properties['s3.access-key-id']).toBe('key');
    expect(found.cloud!.variables).toEqual({ 's3.access-key-id': 'PYICEBERG_CATALOG__CLOUD__S3__ACCESS_KEY_ID' });
  });

  test('names from the environment reach no prototype', () => {
    const found = find(
      {},
      { PYICEBERG_CATALOG____PROTO____POLLUTED: 'yes', PYICEBERG_CATALOG__CONSTRUCTOR__URI: 'sqlite:///x' },
    );
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(Object.keys(found)).toContain('constructor');
    expect(find({}, { PYICEBERG_CATALOG__A__URI: 'x' }).constructor).toBeUndefined();
  });

  test.each(['catalog: [', '- a\n- b\n', 'catalog: &a {x: *a}', 'just text'])(
    '%j is refused with the path of the file',
    (text) => {
      expect(() => find({ '/work/.pyiceberg.yaml': text })).toThrow(
        expect.objectContaining({ kind: 'config', message: expect.stringContaining('/work/.pyiceberg.yaml') }),
      );
    },
  );
});

describe('a catalogue asked for by name', () => {
  const catalogs = find({ '/work/.pyiceberg.yaml': SQL });

  test('is opened when it is SQLite; the name as written is the one in the rows', () => {
    expect(pyicebergCatalog('Sql', catalogs.sql!, 'file:///elsewhere')).toEqual({
      type: 'sql',
      uri: 'sqlite:////lake/catalog.db',
      catalogName: 'Sql',
      warehouse: 'file:///lake/warehouse',
    });
  });

  test('falls back to the given warehouse', () => {
    const found = find({}, { PYICEBERG_CATALOG__X__URI: 'sqlite:///x.db' });
    expect(pyicebergCatalog('x', found.x!, 'file:///lake/')).toMatchObject({ warehouse: 'file:///lake/' });
  });

  const one = (yaml: string, env: Record<string, string> = {}) =>
    find({ '/work/.pyiceberg.yaml': `catalog: { x: ${yaml} }` }, env).x!;

  test('is opened when it is a REST server, whatever the lake says of warehouses', () => {
    const open = one('{ uri: "https://example.com/iceberg/", warehouse: sales }');
    expect(pyicebergCatalog('x', open, 'file:///elsewhere/')).toEqual({
      type: 'rest',
      uri: 'https://example.com/iceberg',
      serverWarehouse: 'sales',
      auth: { kind: 'none' },
    });
  });

  test('a REST server may be signed for, as S3 Tables and Glue want it', () => {
    const arn = 'arn:aws:s3tables:eu-west-1:123456789012:bucket/lake';
    const settings = `uri: "https://s3tables.eu-west-1.amazonaws.com/iceberg", warehouse: "${arn}", rest.sigv4-enabled: "true"`;
    const named = one(`{ ${settings}, rest.signing-name: s3tables, rest.signing-region: eu-west-1 }`);
    expect(pyicebergCatalog('x', named, '')).toMatchObject({
      serverWarehouse: arn,
      auth: { kind: 'sigv4', service: 's3tables', region: 'eu-west-1' },
    });
    expect(pyicebergCatalog('x', one(`{ ${settings} }`, { AWS_REGION: 'us-east-1' }), '')).toMatchObject({
      auth: { kind: 'sigv4', service: 'execute-api', region: 'us-east-1' },
    });
  });

  test('tokens and credentials are named by the variable they are in', () => {
    const uri = 'uri: "https://example.com"';
    const token = one(`{ ${uri} }`, { PYICEBERG_CATALOG__X__TOKEN: 'secret' });
    expect(pyicebergCatalog('x', token, '')).toMatchObject({
      auth: { kind: 'bearer', token: { env: 'PYICEBERG_CATALOG__X__TOKEN' } },
    });
    const oauth = one(`{ ${uri}, scope: lake, oauth2-server-uri: "https://login.example.com/token" }`, {
      pyiceberg_catalog__x__credential: 'id:secret',
    });
    expect(pyicebergCatalog('x', oauth, '')).toMatchObject({
      auth: {
        kind: 'oauth2',
        credential: { env: 'pyiceberg_catalog__x__credential' },
        scope: 'lake',
        serverUri: 'https://login.example.com/token',
      },
    });
  });

  test('is opened when it is Glue', () => {
    const glue = one('{ type: glue, warehouse: "s3://lake/w", glue.region: eu-west-1, glue.id: "123456789012" }');
    expect(pyicebergCatalog('x', glue, 's3://other/')).toEqual({
      type: 'glue',
      warehouse: 's3://lake/w',
      region: 'eu-west-1',
      catalogId: '123456789012',
    });
    expect(pyicebergCatalog('x', one('{ type: glue }', { AWS_DEFAULT_REGION: 'us-east-1' }), 's3://other/')).toEqual({
      type: 'glue',
      warehouse: 's3://other/',
      region: 'us-east-1',
    });
  });

  test.each([
    ['{ type: hive }', 'unsupported', 'type hive'],
    ['{ type: rest, uri: "https://x.com", token: secret }', 'config', 'PYICEBERG_CATALOG__X__TOKEN'],
    ['{ type: rest, uri: "https://x.com", credential: "id:secret" }', 'config', 'PYICEBERG_CATALOG__X__CREDENTIAL'],
    ['{ type: rest, uri: "https://x.com", auth: { type: basic } }', 'unsupported', 'auth.type'],
    ['{ type: rest, uri: "https://u:secret@x.com" }', 'config', 'without a user'],
    ['{ type: rest }', 'config', 'PYICEBERG_CATALOG__X__URI'],
    ['{ uri: "https://x.com", rest.sigv4-enabled: "true", rest.signing-name: s3 }', 'unsupported', 's3'],
  ])('%s is refused as %s', (yaml, kind, says) => {
    const attempt = () => pyicebergCatalog('x', one(yaml), '');
    expect(attempt).toThrow(expect.objectContaining({ kind, message: expect.stringContaining(says) }));
    expect(attempt).not.toThrow(/secret(?!s)/);
  });

  test.each([
    ['pg', 'unsupported', 'postgresql'],
    ['nothing', 'unsupported', 'type unknown'],
    ['bare', 'config', 'PYICEBERG_CATALOG__BARE__URI'],
  ])('%s is refused as %s', (name, kind, says) => {
    const attempt = () => pyicebergCatalog(name, catalogs[name]!, '');
    expect(attempt).toThrow(expect.objectContaining({ kind, message: expect.stringContaining(says) }));
    expect(attempt).not.toThrow(/secret/);
  });
});
