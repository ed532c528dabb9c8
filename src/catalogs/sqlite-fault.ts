import { LakegateError } from '../errors.ts';

/** SQLite's primary result codes (sqlite.org/rescode.html). */
const ERROR = 1;
const BUSY = 5;
const LOCKED = 6;
const IOERR = 10;
const CORRUPT = 11;
const NOTADB = 26;
const CONSTRAINT = 19;
/** After these SQLite has rolled back, or never begun: nothing was changed, and a person has to act. */
const REFUSED: Record<number, string> = {
  3: 'Give this user the right to the file.',
  8: 'Give this user the right to write the file and its folder.',
  13: 'Free some disk space.',
  14: 'Check that the path is right and that this user may open it.',
};

function codeOf(error: unknown): number | undefined {
  // By shape, not `instanceof Error`: Node's own errors come from another realm where modules run in a vm context.
  if (typeof error !== 'object' || error === null || !('errcode' in error)) return undefined;
  return Number(error.errcode) & 0xff;
}

/** Whether a row was refused because its key is taken. */
export function isConstraint(error: unknown): boolean {
  return codeOf(error) === CONSTRAINT;
}

/**
 * A SQLite error in the catalogue's terms: `unavailable` (locked beyond the timeout, or refused), `corrupt`, and for a write of which nobody
 * can say whether it took place `unknown_outcome`.
 * @param writing whether the statement would have changed the catalogue
 */
export function sqliteFault(error: unknown, doing: string, path: string, writing: boolean): unknown {
  const code = codeOf(error);
  if (error instanceof LakegateError || code === undefined) return error;
  const say = (rest: string) => `Cannot ${doing} in the catalogue ${path}: ${rest}`;
  const options = { cause: error, context: { path, sqliteCode: code } };
  if (code === BUSY || code === LOCKED) {
    return new LakegateError(
      'unavailable',
      say('another process holds its lock. Run it again; nothing was changed.'),
      options,
    );
  }
  if (code === CORRUPT || code === NOTADB) {
    return new LakegateError(
      'corrupt',
      say(`it is no SQLite database, or a damaged one (${String(error)}). Restore it from a copy.`),
      options,
    );
  }
  const advice = REFUSED[code];
  if (advice !== undefined) {
    return new LakegateError('unavailable', say(`SQLite refused (${String(error)}). ${advice}`), {
      ...options,
      retryable: false,
    });
  }
  // A statement SQLite could not even read was not run; after anything else nobody can say how far a write came.
  if (writing && code !== ERROR) {
    return new LakegateError(
      'unknown_outcome',
      say(`SQLite failed while it wrote (${String(error)}). Reload and compare.`),
      options,
    );
  }
  if (code === IOERR) {
    return new LakegateError(
      'unavailable',
      say(`the disk failed (${String(error)}). Check it and run it again.`),
      options,
    );
  }
  return new LakegateError('internal', say(`unexpected answer of SQLite (${String(error)}).`), options);
}
