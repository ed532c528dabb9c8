/** What went wrong, in the terms a caller can act on. */
export type ErrorKind =
  | 'usage' // the command was called wrongly
  | 'config' // lake.yaml or the environment is wrong
  | 'not_found' // a table, object, branch or delivery is not there
  | 'exists' // something is already there
  | 'invalid' // the data or request is well-formed but not allowed here (schema mismatch, bad value)
  | 'corrupt' // a file cannot be read as what it claims to be
  | 'unsupported' // a valid thing that lakegate does not handle (format v3, encrypted Parquet)
  | 'conflict' // somebody else committed first: reload and try again
  | 'unknown_outcome' // a commit's answer was lost: reload and compare before anything else
  | 'unavailable' // an outside system did not answer
  | 'internal'; // a bug in lakegate

const RETRYABLE: ReadonlySet<ErrorKind> = new Set(['conflict', 'unknown_outcome', 'unavailable']);

/**
 * The one error type of the project: an infrastructure fault or a refused input, never an audit's verdict.
 * The message names the thing, what was expected, what was found and what to do next.
 */
export class LakegateError extends Error {
  readonly kind: ErrorKind;
  /** Whether the same call may succeed later with nothing changed by a person. */
  readonly retryable: boolean;
  /** Plain values that locate the fault: urls, ids, column names. */
  readonly context: Readonly<Record<string, unknown>>;

  constructor(
    kind: ErrorKind,
    message: string,
    options: { context?: Record<string, unknown>; cause?: unknown; retryable?: boolean } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'LakegateError';
    this.kind = kind;
    this.retryable = options.retryable ?? RETRYABLE.has(kind);
    this.context = options.context ?? {};
  }
}

/** Whether `error` is a LakegateError of one of the given kinds. */
export function isKind(error: unknown, ...kinds: ErrorKind[]): error is LakegateError {
  return error instanceof LakegateError && kinds.includes(error.kind);
}
