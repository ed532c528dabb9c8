import type { DuckDBConnection } from '@duckdb/node-api';
import { LakegateError } from '../errors.ts';
import type { SqlEngine } from '../rules/rule.ts';
import { pathOf } from '../storage/urls.ts';

type DuckDb = typeof import('@duckdb/node-api');

export interface DuckDbOptions {
  /** Memory that a query may take before it fails, as DuckDB writes it. Default `1GB`. */
  memoryLimit?: string;
  /** Milliseconds after which a query is stopped. Default 5 minutes. */
  timeoutMs?: number;
}

/** Characters of a sample row that a person is shown. */
const LONGEST_ROW = 200;
/** The fault classes that DuckDB puts before a message when the query, not the machine, is at fault. */
const WRONG_QUERY =
  /^(Parser|Binder|Catalog|Syntax|Permission|Conversion|Out of Range|Invalid Input|Mismatch Type|Invalid type|Not implemented|Constraint|Parameter Not Resolved) Error/i;

/**
 * DuckDB in this process over local files (`file://`). Every query gets a database of its own, in memory, in which one SELECT can be run that reads
 * the delivery's files and nothing else: no other file, no network, no extension, no setting.
 */
export function createDuckDb(options: DuckDbOptions = {}): SqlEngine {
  const { memoryLimit = '1GB', timeoutMs = 300_000 } = options;
  return {
    async violations(query, files, sample) {
      const paths = files.map(localPath);
      const duckdb = await load();
      const instance = await duckdb.DuckDBInstance.create(':memory:');
      const connection = await instance.connect();
      const alarm = { rang: false };
      const timer = setTimeout(() => {
        alarm.rang = true;
        connection.interrupt();
      }, timeoutMs);
      try {
        await confine(connection, paths, memoryLimit);
        await openDelivery(connection, paths);
        await accept(duckdb, connection, query);
        return await run(connection, query, sample);
      } catch (error) {
        throw explain(error, alarm.rang ? timeoutMs : undefined);
      } finally {
        clearTimeout(timer);
        connection.closeSync();
        instance.closeSync();
      }
    },
  };
}

/** Imported on first use: it loads 50 MB that an audit without SQL does not need. */
async function load(): Promise<DuckDb> {
  try {
    return await import('@duckdb/node-api');
  } catch (cause) {
    throw new LakegateError('unavailable', 'sql rules need DuckDB: npm install @duckdb/node-api', {
      cause,
      retryable: false,
    });
  }
}

function localPath(url: string): string {
  if (!url.startsWith('file:')) {
    throw new LakegateError('unsupported', `DuckDB reads local files here, expected a file:// URL, found ${url}`, {
      context: { url },
    });
  }
  // Paths in object URLs are literal: `%20` is three characters of a file's name.
  return pathOf(url, 'file');
}

/** The files are allowed first: once access is off and the configuration locked, nothing can be opened up again. */
async function confine(connection: DuckDBConnection, paths: readonly string[], memoryLimit: string): Promise<void> {
  const allowed = paths.flatMap((path) => [path, literalGlob(path)]);
  for (const setting of [
    `allowed_paths = ${list(allowed)}`,
    'autoinstall_known_extensions = false',
    'autoload_known_extensions = false',
    `memory_limit = ${quote(memoryLimit)}`,
    // No spilling: what does not fit fails, instead of filling a disk.
    `temp_directory = ''`,
    `TimeZone = 'UTC'`,
    'enable_external_access = false',
    'lock_configuration = true',
  ]) {
    await connection.run(`SET ${setting}`);
  }
}

/** Columns by name, since files of one delivery may differ in their order; folder names like `day=1` are not columns. */
async function openDelivery(connection: DuckDBConnection, paths: readonly string[]): Promise<void> {
  const files = list(paths.map(literalGlob));
  try {
    await connection.run(
      `CREATE VIEW delivery AS SELECT * FROM read_parquet(${files}, union_by_name = true, hive_partitioning = false)`,
    );
  } catch (cause) {
    throw new LakegateError('unavailable', `DuckDB cannot read the delivery: ${messageOf(cause)}`, { cause });
  }
}

/** @throws LakegateError `invalid` unless the query is exactly one SELECT */
async function accept(duckdb: DuckDb, connection: DuckDBConnection, query: string): Promise<void> {
  const statements = await connection.extractStatements(query).catch((cause: unknown) => {
    // For a query of nothing but comments the driver has no words.
    const found = WRONG_QUERY.test(messageOf(cause)) ? messageOf(cause) : 'found none';
    throw new LakegateError('invalid', `expected one SELECT statement, ${found}`, { cause });
  });
  if (statements.count !== 1) {
    throw new LakegateError('invalid', `expected one SELECT statement, found ${statements.count} statements`);
  }
  const statement = await statements.prepare(0);
  const type = statement.statementType;
  statement.destroySync();
  if (type !== duckdb.StatementType.SELECT) {
    throw new LakegateError('invalid', `expected a SELECT statement, found ${duckdb.StatementType[type]}`);
  }
}

/** As a view, the query may end in a semicolon or a comment; DuckDB then counts without holding the rows. */
async function run(
  connection: DuckDBConnection,
  query: string,
  sample: number,
): Promise<{ count: number; sample: string[] }> {
  await connection.run(`CREATE TEMP VIEW violations AS ${query}`);
  const counted = await connection.runAndReadAll('SELECT count(*) FROM temp.violations');
  const count = Number(counted.value(0, 0));
  if (count === 0) return { count, sample: [] };
  const rows = await connection.runAndReadAll(`SELECT * FROM temp.violations LIMIT ${Math.max(0, Math.trunc(sample))}`);
  const names = rows.columnNames();
  return { count, sample: rows.getRows().map((row) => shown(names, row)) };
}

function shown(names: readonly string[], row: readonly unknown[]): string {
  const text = row.map((value, i) => `${names[i]}=${value === null ? 'null' : String(value)}`).join(', ');
  return text.length > LONGEST_ROW ? `${text.slice(0, LONGEST_ROW - 1)}…` : text;
}

function explain(error: unknown, timeoutMs: number | undefined): LakegateError {
  if (error instanceof LakegateError) return error;
  const message = messageOf(error);
  if (timeoutMs !== undefined) {
    const text = `the query was stopped after ${timeoutMs / 1000} s: make it simpler`;
    return new LakegateError('unavailable', text, { cause: error });
  }
  return WRONG_QUERY.test(message)
    ? new LakegateError('invalid', message, { cause: error })
    : new LakegateError('unavailable', `DuckDB: ${message}`, { cause: error });
}

/** Without the part that repeats the query. By shape: an error from native code need not be of this realm's Error. */
function messageOf(error: unknown): string {
  const message = typeof error === 'object' && error !== null && 'message' in error ? error.message : error;
  return String(message).split('\n\n')[0]!.replace('Failed to extract statements: ', '').trim();
}

/** read_parquet takes paths as patterns: in brackets, a character stands for itself. */
function literalGlob(path: string): string {
  return path.replace(/[*?[]/g, '[$&]');
}

function list(texts: readonly string[]): string {
  return `[${texts.map(quote).join(', ')}]`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
