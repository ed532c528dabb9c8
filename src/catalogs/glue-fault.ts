import { LakegateError } from '../errors.ts';

/** Faults after which nothing was changed, and the same request may succeed a little later. */
const THROTTLED =
  /^(Throttl|TooManyRequests|RequestLimitExceeded|SlowDown|ProvisionedThroughputExceeded|ResourceNotReady|LimitExceeded)/;
const LOST_RACE = /^(ConcurrentModificationException|VersionMismatchException)$/;
const DENIED = /^(AccessDenied|UnauthorizedOperation|NotAuthorized|PermissionTypeMismatch)/;
const NO_CREDENTIALS =
  /^(CredentialsProviderError|ExpiredToken|UnrecognizedClient|InvalidClientTokenId|InvalidSignature|SignatureDoesNotMatch|IncompleteSignature|MissingAuthenticationToken|TokenRefreshRequired)/;
const INVALID = /^(InvalidInputException|ValidationException)$/;
const LIMIT = /^ResourceNumberLimitExceeded/;
const ENCRYPTION = /^GlueEncryptionException$/;

interface ServiceError {
  name: string;
  message: string;
  status: number | undefined;
  /** How often the client sent the request; undefined where it does not say. */
  attempts: number | undefined;
}

function read(error: unknown): ServiceError {
  const found = (typeof error === 'object' && error !== null ? error : {}) as {
    name?: unknown;
    message?: unknown;
    $metadata?: { httpStatusCode?: number; attempts?: number };
  };
  return {
    name: typeof found.name === 'string' ? found.name : '',
    message: String(found.message ?? error)
      .replace(/\s+/g, ' ')
      .slice(0, 500),
    status: found.$metadata?.httpStatusCode,
    attempts: found.$metadata?.attempts,
  };
}

export function isMissing(error: unknown): boolean {
  return read(error).name === 'EntityNotFoundException';
}

export function isTaken(error: unknown): boolean {
  return read(error).name === 'AlreadyExistsException';
}

/** Whether Glue refused a request for the number of requests. */
export function isThrottled(error: unknown): boolean {
  return isThrottlingCode(read(error).name);
}

/** Likewise, by the name that an answer gives to a fault of one of its entries. */
export function isThrottlingCode(code: string): boolean {
  return THROTTLED.test(code);
}

/** Whether the fault is of the way to Glue, or inside it: the same request may succeed. */
export function isTransient(error: unknown): boolean {
  const { name, status } = read(error);
  if (name === 'CredentialsProviderError') return false;
  return status === undefined || status >= 500 || status === 429 || name === 'OperationTimeoutException';
}

export function isLostRace(error: unknown): boolean {
  return LOST_RACE.test(read(error).name);
}

/**
 * Whether it is certain that a write was refused: Glue said so to the only request that was sent, or none was for want of credentials. The
 * answer to a request that the client sent again says nothing of the first one, which may have been carried out.
 */
export function isCertain(error: unknown): boolean {
  const { name, status, attempts } = read(error);
  const refused = status !== undefined && status >= 400 && status < 500 && name !== 'OperationTimeoutException';
  return attempts === 1 && (refused || name === 'CredentialsProviderError');
}

/**
 * An error of Glue's client in lakegate's terms. Its own words are kept, in one line and bounded; credentials are in none of them.
 * @param doing what was tried, for the message: `load shop.orders`
 */
export function glueFault(error: unknown, doing: string, catalog: string): LakegateError {
  if (error instanceof LakegateError) return error;
  const { name, message, status } = read(error);
  const fault = (kind: LakegateError['kind'], advice: string, retryable?: boolean): LakegateError =>
    new LakegateError(
      kind,
      `Cannot ${doing} in the catalogue ${catalog}: Glue says ${name || 'nothing'}: ${message.replace(/(?<=\w)$/, '.')} ${advice}`.trim(),
      { cause: error, context: { catalog, code: name, status }, ...(retryable === undefined ? {} : { retryable }) },
    );
  if (DENIED.test(name)) {
    return fault(
      'unavailable',
      'Give this role the glue: action on the catalogue, the database and the table; where Lake Formation governs the database, its grants on them and on the data location, too.',
      false,
    );
  }
  if (NO_CREDENTIALS.test(name)) {
    return fault(
      'unavailable',
      'Check the AWS credentials of this environment: missing, expired, or of another account.',
      false,
    );
  }
  if (/^Region is missing/.test(message)) {
    return fault('config', 'Set AWS_REGION, or `region` of the catalogue in lake.yaml.');
  }
  if (THROTTLED.test(name)) return fault('unavailable', 'Nothing was changed; try again a little later.');
  if (INVALID.test(name)) return fault('invalid', 'Correct the name or the definition.');
  if (LIMIT.test(name)) {
    return fault(
      'unavailable',
      'Delete tables or versions of tables that nobody needs, or have the quota raised.',
      false,
    );
  }
  if (ENCRYPTION.test(name)) {
    return fault(
      'unavailable',
      "Give this role the right to use the KMS key of the catalogue's encryption settings.",
      false,
    );
  }
  if (name === 'EntityNotFoundException') return fault('not_found', 'Check the name.');
  return fault('unavailable', 'Try again.');
}
