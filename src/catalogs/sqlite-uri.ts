import { resolve } from 'node:path';
import { LakegateError } from '../errors.ts';

/** Where a SQLite catalogue lies, and how long to wait for its lock. */
export interface SqliteLocation {
  /** Absolute path, or `:memory:`. */
  path: string;
  busyTimeoutMs: number;
}

/** What Python's sqlite3 waits. */
const DEFAULT_BUSY_TIMEOUT_MS = 5_000;

/**
 * A catalogue's `uri` as PyIceberg (SQLAlchemy) reads it: `sqlite:///rel/x.db` is relative to the working folder, `sqlite:////abs/x.db`
 * absolute, `sqlite:///:memory:` and `sqlite://` in memory. `%20` is a blank here, unlike in table locations. `?timeout=` is in seconds.
 * @throws LakegateError `config` when it is no SQLite URI, `unsupported` for options it does not know
 */
export function parseSqliteUri(uri: string, cwd: string): SqliteLocation {
  const match = /^sqlite(?:\+pysqlite)?:\/\/(?:\/([^?]*))?(?:\?(.*))?$/s.exec(uri);
  if (match === null) {
    throw new LakegateError(
      'config',
      `"${uri}" is not a SQLite catalogue's uri: expected sqlite:////absolute/path.db or sqlite:///relative/path.db.`,
      { context: { uri } },
    );
  }
  const path = decoded(match[1] ?? '');
  if (path.startsWith('file:')) throw unsupported(uri, 'a SQLite "file:" URI');
  const options = new URLSearchParams(match[2] ?? '');
  for (const key of options.keys()) if (key !== 'timeout') throw unsupported(uri, `the option "${key}"`);
  const seconds = options.get('timeout');
  const busyTimeoutMs = seconds === null ? DEFAULT_BUSY_TIMEOUT_MS : Math.round(Number(seconds) * 1000);
  if (!(busyTimeoutMs >= 0 && busyTimeoutMs <= 0x7fffffff)) throw unsupported(uri, `the timeout "${seconds}"`);
  return { path: path === '' || path === ':memory:' ? ':memory:' : resolve(cwd, path), busyTimeoutMs };
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    // A percent sign that encodes nothing stands for itself.
    return path;
  }
}

function unsupported(uri: string, what: string): LakegateError {
  return new LakegateError(
    'unsupported',
    `"${uri}": ${what} is not supported; expected sqlite:////path.db, with ?timeout=SECONDS at most.`,
    {
      context: { uri },
    },
  );
}
