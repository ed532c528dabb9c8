import { parseSqliteUri } from '../../src/catalogs/sqlite-uri.ts';

describe('SQLite URIs', () => {
  // As SQLAlchemy 2.1 reads them.
  test.each([
    ['sqlite:///rel/x.db', '/work/rel/x.db', 5000],
    ['sqlite:////abs/x.db', '/abs/x.db', 5000],
    ['sqlite+pysqlite:////abs/x.db', '/abs/x.db', 5000],
    ['sqlite:///:memory:', ':memory:', 5000],
    ['sqlite://', ':memory:', 5000],
    ['sqlite:///a%20b.db', '/work/a b.db', 5000],
    ['sqlite:////100%/x.db', '/100%/x.db', 5000],
    ['sqlite:////x.db?timeout=30', '/x.db', 30_000],
  ])('%s', (uri, path, busyTimeoutMs) => {
    expect(parseSqliteUri(uri, '/work')).toEqual({ path, busyTimeoutMs });
  });

  test.each([
    ['/abs/x.db', 'config'],
    ['sqlite://host/x.db', 'config'],
    ['postgresql://x', 'config'],
    ['sqlite:////x.db?mode=ro', 'unsupported'],
    ['sqlite:////x.db?timeout=soon', 'unsupported'],
    ['sqlite:///file:/tmp/x.db', 'unsupported'],
  ])('%s is refused', (uri, kind) => {
    expect(() => parseSqliteUri(uri, '/work')).toThrow(expect.objectContaining({ kind }));
  });
});
