import type { QueryExecutionStatus } from '@aws-sdk/client-athena';
import { LakegateError } from '../errors.ts';

/**
 * The codes that the engine puts before a message when the query is at fault, and nothing but it (Trino's user errors). Others of that class
 * (a missing table, a bucket without permission) are the installation's.
 */
const WRONG_QUERY =
  /^(SYNTAX_ERROR|COLUMN_NOT_FOUND|FUNCTION_NOT_FOUND|TYPE_MISMATCH|TYPE_NOT_FOUND|AMBIGUOUS_\w+|MISSING_\w+|DUPLICATE_\w+|INVALID_(CAST_ARGUMENT|FUNCTION_ARGUMENT|LITERAL|ARGUMENTS|COLUMN_REFERENCE|WINDOW_\w+|PARAMETER_\w+)|DIVISION_BY_ZERO|NUMERIC_VALUE_OUT_OF_RANGE|NOT_SUPPORTED|EXPRESSION_NOT_\w+|NESTED_\w+|SUBQUERY_MULTIPLE_ROWS|MISMATCHED_COLUMN_ALIASES|COLUMN_TYPE_UNKNOWN|TOO_MANY_(ARGUMENTS|GROUPING_SETS)|FUNCTION_NOT_\w+)\b/;
const THROTTLED = /^(Throttling|TooManyRequests|RequestLimitExceeded|InternalServer|ServiceUnavailable)/;
const LONGEST_REASON = 500;

/** Why a query that ended badly did: `invalid` when the query is wrong, `unavailable` for everything else. */
export function failedQuery(status: QueryExecutionStatus): LakegateError {
  const reason = oneLine(status.AthenaError?.ErrorMessage ?? status.StateChangeReason ?? 'no reason was given');
  const context = { state: status.State, category: status.AthenaError?.ErrorCategory };
  if (status.State === 'CANCELLED') {
    // By a person, or by the workgroup's limit on what a query may scan: the same query again would end alike.
    return new LakegateError('unavailable', `Athena: the query was cancelled: ${reason}`, {
      context,
      retryable: false,
    });
  }
  // The reason begins with the code where the error's own message leaves it out.
  const wrong = [status.StateChangeReason, reason].find((text) => text !== undefined && WRONG_QUERY.test(text));
  if (wrong !== undefined) return new LakegateError('invalid', oneLine(wrong), { context });
  return new LakegateError('unavailable', `Athena: ${reason}`, {
    context,
    ...(status.AthenaError?.Retryable === false ? { retryable: false } : {}),
  });
}

/** An error of Athena's client in lakegate's terms. @param doing what was tried, for the message */
export function athenaFault(error: unknown, doing: string): LakegateError {
  if (error instanceof LakegateError) return error;
  const found = (typeof error === 'object' && error !== null ? error : {}) as {
    name?: string;
    message?: string;
    AthenaErrorCode?: string;
    $metadata?: { httpStatusCode?: number };
  };
  const message = oneLine(found.message ?? String(error));
  const context = { code: found.name, status: found.$metadata?.httpStatusCode };
  if (found.AthenaErrorCode === 'MALFORMED_QUERY' || /^line \d+:\d+: /.test(message)) {
    return new LakegateError('invalid', message, { cause: error, context });
  }
  const status = found.$metadata?.httpStatusCode;
  const refused = status !== undefined && status >= 400 && status < 500 && !THROTTLED.test(found.name ?? '');
  return new LakegateError(
    'unavailable',
    `Athena: cannot ${doing}: ${found.name ?? 'error'}: ${message}${refused ? ' Check the workgroup, where its results go, and the permissions of this role.' : ''}`,
    { cause: error, context, retryable: !refused },
  );
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim().slice(0, LONGEST_REASON);
}
