import { LakegateError } from '../errors.ts';

const NO_CREDENTIALS = /^CredentialsProviderError$/;
const EXPIRED = /^(ExpiredToken|RequestExpired|TokenRefreshRequired|RequestTimeTooSkewed)/;
const NOT_VALID =
  /^(UnrecognizedClient|InvalidClientTokenId|InvalidAccessKeyId|SignatureDoesNotMatch|InvalidSignature|IncompleteSignature|MissingAuthenticationToken)/;
const DENIED = /^(AccessDenied|UnauthorizedOperation|NotAuthorized|AllAccessDisabled|KmsAccessDenied|Forbidden$|403$)/;

/** The error code of a service, or the name that the SDK or Node gives a fault on the way there. */
export function awsCode(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  const { name, Code, code, cause } = error as { name?: unknown; Code?: unknown; code?: unknown; cause?: unknown };
  // fetch hides what happened in the cause of a TypeError.
  const named = typeof name === 'string' && !/^(Type|Aggregate)?Error$/.test(name) ? name : undefined;
  return [named, Code, code].find((each) => typeof each === 'string') ?? (cause === undefined ? '' : awsCode(cause));
}

/** Whether the service's answer is that what was asked for is not there. */
export function isMissing(error: unknown): boolean {
  const code = awsCode(error);
  if (/^(ResourceNotFound|NoSuchBucket$|QueueDoesNotExist|AWS\.SimpleQueueService\.NonExistentQueue)/.test(code))
    return true;
  const { message, $metadata } = error as { message?: unknown; $metadata?: { httpStatusCode?: number } };
  // CloudFormation has no code of its own for it.
  if (code === 'ValidationError') return /does not exist/i.test(String(message));
  return $metadata?.httpStatusCode === 404 && (code === 'NotFound' || code === '404' || code === '');
}

/**
 * An answer of AWS, or its absence, in the project's terms. The cause keeps code and words alone: the SDK's own error may hold the signed request.
 * @param doing what was being done, as in `read the queue acme-dev-gate`
 */
export function awsFault(error: unknown, doing: string): LakegateError {
  if (error instanceof LakegateError) return error;
  const code = awsCode(error);
  // fetch says no more than that it failed, and hides why in the cause.
  const said = error instanceof TypeError && error.cause instanceof Error ? error.cause : error;
  const words = said instanceof Error ? said.message.replace(/\s+/g, ' ').slice(0, 300) : String(said);
  const options = { context: { code }, cause: new Error(code === '' ? words : `${code}: ${words}`) };
  if (said instanceof TypeError || said instanceof ReferenceError) {
    return new LakegateError('internal', `cannot ${doing}: ${words}. This is a bug in lakegate`, {
      ...options,
      cause: said,
    });
  }
  if (NO_CREDENTIALS.test(code)) {
    return new LakegateError(
      'config',
      `cannot ${doing}: no AWS credentials were found. Log in (aws sso login), or set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY`,
      options,
    );
  }
  if (EXPIRED.test(code)) {
    return new LakegateError(
      'config',
      `cannot ${doing}: the AWS session has expired, or this machine's clock is wrong (${code}). Log in again (aws sso login)`,
      options,
    );
  }
  if (NOT_VALID.test(code)) {
    return new LakegateError(
      'config',
      `cannot ${doing}: AWS does not know these credentials (${code}). Log in again (aws sso login), or set another AWS_PROFILE`,
      options,
    );
  }
  if (DENIED.test(code)) {
    return new LakegateError(
      'config',
      `cannot ${doing}: these credentials may not (${code}). Ask for the right, or use a role that has it`,
      options,
    );
  }
  return new LakegateError(
    'unavailable',
    `cannot ${doing}: AWS did not give an answer (${code || words}). Try again`,
    options,
  );
}
