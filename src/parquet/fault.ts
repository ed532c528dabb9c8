import { LakegateError } from '../errors.ts';

/** The error for a file that cannot be read as Parquet. `fault` says what was expected and what was found. */
export function corrupt(name: string, fault: string, options: { cause?: unknown; next?: string } = {}): LakegateError {
  const next = options.next ?? 'Write the file again, or ask its producer to.';
  return new LakegateError('corrupt', `${name} is not a readable Parquet file: ${fault}. ${next}`, {
    context: { url: name },
    cause: options.cause,
  });
}

/** The error for a valid Parquet file that uses something lakegate does not read. */
export function unsupported(name: string, what: string, next: string): LakegateError {
  return new LakegateError('unsupported', `${name} cannot be used: ${what}. ${next}`, { context: { url: name, what } });
}

/** The error for a Parquet file, or columns of one, that somebody encrypted (Parquet modular encryption). `what` says which. */
export function encrypted(name: string, what: string): LakegateError {
  return new LakegateError(
    'unsupported',
    `${name} cannot be used: ${what}. Drop it decrypted; buckets encrypt at rest.`,
    { context: { url: name, what, encrypted: true } },
  );
}

/** Runs `read`, turning whatever is thrown that is not yet a LakegateError into a `corrupt` one about `where` in the file. */
export function readingOf<T>(name: string, where: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof LakegateError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw corrupt(name, `${where}: ${reason}`, { cause: error });
  }
}
