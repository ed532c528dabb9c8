import { LakegateError } from '../errors.ts';

const ADVICE: Record<string, string> = {
  EACCES: 'Give this user the right to it, or run as the user that owns it.',
  EPERM: 'Give this user the right to it, or run as the user that owns it.',
  EROFS: 'Mount the file system for writing, or choose another folder.',
  ENOSPC: 'Free some disk space and run it again.',
  EDQUOT: 'Free some of the quota and run it again.',
  EEXIST: 'A file stands where a folder is needed: move it, or choose another folder.',
  EMFILE: 'Raise the limit of open files (ulimit -n) and run it again.',
};
/** Faults that waiting does not cure: a person has to act first. */
const LASTING = new Set(['EACCES', 'EEXIST', 'EPERM', 'EROFS', 'ENAMETOOLONG', 'ELOOP']);

/** The errno name of a file system error (`ENOENT`), or undefined when it is something else. */
export function errnoOf(error: unknown): string | undefined {
  // By shape, not `instanceof Error`: Node's own errors come from another realm where modules run in a vm context.
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/** Whether the error says that there is no such file. */
export function isMissing(error: unknown): boolean {
  const code = errnoOf(error);
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** A file system error in the port's terms: `not_found`, `invalid` (a name no file can have) or `unavailable`. */
export function fileFault(error: unknown, doing: string, url: string): unknown {
  const code = errnoOf(error);
  if (error instanceof LakegateError || code === undefined) return error;
  const context = { url, errno: code };
  if (isMissing(error)) {
    const found = code === 'ENOTDIR' ? 'a file stands where a folder is needed' : 'there is no such file';
    return new LakegateError('not_found', `Cannot ${doing} ${url}: ${found}.`, { cause: error, context });
  }
  if (code === 'ENAMETOOLONG' || code === 'ELOOP') {
    return new LakegateError('invalid', `Cannot ${doing} ${url}: the file system refuses the name (${code}).`, {
      cause: error,
      context,
    });
  }
  const advice = ADVICE[code] ?? 'Check the disk and run it again.';
  return new LakegateError('unavailable', `Cannot ${doing} ${url}: the file system answered ${code}. ${advice}`, {
    cause: error,
    context,
    retryable: !LASTING.has(code),
  });
}
