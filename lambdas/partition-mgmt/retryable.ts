import { LakegateError } from '../../src/errors.ts';

/** Name of what the function throws when the same call may succeed later. The state machine retries by it: a name is all that Lambda tells of an error's kind. */
export const RETRYABLE = 'Lakegate.Retryable';

/** The error as it leaves the function. */
export function asThrown(error: unknown): unknown {
  if (error instanceof LakegateError && error.retryable) error.name = RETRYABLE;
  return error;
}
