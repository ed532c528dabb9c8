import { type ErrorKind, LakegateError } from '../errors.ts';

/** What was being done, for the message: `Cannot <doing> <url>`, and the permission it takes. */
export interface S3Doing {
  doing: string;
  url: string;
  permission: string;
}

interface Facts {
  /** S3's error code, or Node's (`ECONNRESET`). */
  code: string;
  message: string;
  status?: number;
  requestId?: string;
  /** Where the bucket is, as S3 says it to those who ask in another region. */
  region?: string;
}

interface Verdict {
  kind: ErrorKind;
  retryable?: boolean;
  found: string;
  next: string;
}

const GONE = new Set(['NoSuchKey', 'NotFound', 'NoSuchVersion', 'MethodNotAllowed']);
const WRONG_REGION = new Set([
  'PermanentRedirect',
  'AuthorizationHeaderMalformed',
  'IllegalLocationConstraintException',
]);
const BAD_CREDENTIALS = new Set([
  'CredentialsProviderError',
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'InvalidToken',
]);
const EXPIRED = new Set(['ExpiredToken', 'ExpiredTokenException', 'TokenRefreshRequired', 'RequestTimeTooSkewed']);
const TRANSIENT = /Throttl|SlowDown|TooManyRequests|RequestLimitExceeded|Busy|Timeout|InternalError|ServiceUnavailable/;

/** S3's code of an error, and its HTTP status; undefined for an error that did not come from S3 or the way to it. */
export function s3ErrorOf(error: unknown): Facts | undefined {
  // By shape, not `instanceof`: the SDK's and Node's errors may come from another realm.
  if (typeof error !== 'object' || error === null || error instanceof LakegateError) return undefined;
  const { name, code, message, $metadata, $response } = error as Record<string, unknown> & {
    $metadata?: { httpStatusCode?: number; requestId?: string };
    $response?: { headers?: Record<string, string> };
  };
  const status = $metadata?.httpStatusCode;
  const regionMissing = message === 'Region is missing';
  const fromWay = typeof code === 'string' || name === 'TimeoutError' || name === 'CredentialsProviderError';
  if ($metadata === undefined && !fromWay && !regionMissing) return undefined;
  const ofService = status !== undefined && typeof name === 'string' && name !== 'Error';
  return {
    code: regionMissing ? 'RegionMissing' : ofService || typeof code !== 'string' ? String(name) : code,
    message: String(message),
    ...(status !== undefined && { status }),
    ...($metadata?.requestId !== undefined && { requestId: $metadata.requestId }),
    ...($response?.headers?.['x-amz-bucket-region'] && { region: $response.headers['x-amz-bucket-region'] }),
  };
}

/** Whether the error is S3's answer with this HTTP status. */
export function isStatus(error: unknown, ...statuses: number[]): boolean {
  const status = s3ErrorOf(error)?.status;
  return status !== undefined && statuses.includes(status);
}

/** Whether S3 says that there is no such object or version. A missing bucket is another matter. */
export function isGone(error: unknown): boolean {
  const facts = s3ErrorOf(error);
  return facts !== undefined && facts.code !== 'NoSuchBucket' && isGoneFact(facts);
}

/**
 * An error of S3 in the port's terms; others are given back as they are. The cause keeps S3's code and words only: the SDK's own error may
 * hold the signed request, session token included.
 */
export function s3Fault(error: unknown, what: S3Doing): unknown {
  const facts = s3ErrorOf(error);
  if (facts === undefined) return error;
  const { kind, retryable, found, next } = verdict(facts, what);
  const { message, ...told } = facts;
  return new LakegateError(kind, `Cannot ${what.doing} ${what.url}: ${found}. ${next}`, {
    cause: new Error(`${facts.code}: ${message}`),
    context: { url: what.url, ...told },
    ...(retryable !== undefined && { retryable }),
  });
}

const NO_BUCKET: Verdict = {
  kind: 'config',
  found: 'there is no such bucket',
  next: 'Check its name in lake.yaml, and the account.',
};

/** For where S3's own answer does not tell a missing bucket from a missing object. */
export function noSuchBucket(url: string): LakegateError {
  return new LakegateError(NO_BUCKET.kind, `Cannot reach ${url}: ${NO_BUCKET.found}. ${NO_BUCKET.next}`, {
    context: { url, code: 'NoSuchBucket' },
  });
}

function verdict(facts: Facts, { permission }: S3Doing): Verdict {
  const { code, status, message, region } = facts;
  if (code === 'NoSuchBucket') return NO_BUCKET;
  if (isGoneFact(facts)) return { kind: 'not_found', found: 'there is no such object', next: 'Check the name.' };
  if (code === 'RegionMissing') {
    return { kind: 'config', found: 'no AWS region is set', next: 'Set AWS_REGION, or a region in the AWS profile.' };
  }
  if (WRONG_REGION.has(code) || status === 301 || (status === 400 && region !== undefined)) {
    const where = region === undefined ? 'another region' : `region ${region}`;
    return { kind: 'config', found: `the bucket is in ${where}`, next: `Set AWS_REGION to the bucket's region.` };
  }
  if (BAD_CREDENTIALS.has(code)) {
    return {
      kind: 'config',
      found: `there are no valid AWS credentials (${code})`,
      next: 'Set AWS_PROFILE, or log in (aws sso login).',
    };
  }
  if (EXPIRED.has(code)) {
    return {
      kind: 'unavailable',
      found: `the AWS session has expired or the clock is wrong (${code})`,
      next: 'Log in again (aws sso login).',
    };
  }
  if (code === 'InvalidObjectState') {
    return {
      kind: 'unsupported',
      found: 'it is archived (Glacier)',
      next: 'Restore it first; lakegate reads what S3 gives at once.',
    };
  }
  if (transient(facts)) {
    const answer =
      status === undefined ? `the way to S3 failed (${code}: ${message})` : `S3 answered ${status} ${code}`;
    return { kind: 'unavailable', found: answer, next: 'This passes by itself most times; run it again.' };
  }
  // KMS speaks through S3: by its own codes, or as AccessDenied with the action in the message.
  if (code.startsWith('KMS.') || /\bkms:/i.test(message)) {
    return {
      kind: 'unavailable',
      retryable: false,
      found: `the bucket's KMS key refused (${code}: ${message})`,
      next: 'Give this role kms:Decrypt and kms:GenerateDataKey on the key, and check that the key is enabled.',
    };
  }
  if (status === 403) {
    const missing = permission.includes('Get')
      ? ' Without s3:ListBucket, S3 says the same of objects that are not there.'
      : '';
    return {
      kind: 'unavailable',
      retryable: false,
      found: `S3 denied access (${code}: ${message})`,
      next: `It takes ${permission} in the role's policy, and no deny in the bucket's.${missing}`,
    };
  }
  return {
    kind: status === 412 || status === 409 ? 'conflict' : 'unavailable',
    ...(status !== 412 && status !== 409 && { retryable: false }),
    found: `S3 answered ${status ?? ''} ${code}: ${message}`,
    next: 'See the S3 API reference under this code.',
  };
}

function isGoneFact({ code, status }: Facts): boolean {
  return status === 404 || GONE.has(code);
}

/** Without a status, no answer of S3 came: the fault is of the way to it. */
function transient({ code, status }: Facts): boolean {
  return status === undefined || status >= 500 || status === 429 || TRANSIENT.test(code);
}
