/** Another try of a state after refusals that pass. Full jitter, so that what failed together does not come back in step. */
export interface Retry {
  ErrorEquals: readonly string[];
  IntervalSeconds: number;
  BackoffRate: number;
  MaxAttempts: number;
  MaxDelaySeconds: number;
  JitterStrategy: 'FULL';
}

/** @param first seconds before the first of so many attempts; each later one waits twice as long, two minutes at most */
export function retryOf(errors: readonly string[], attempts: number, first: number): Retry {
  return {
    ErrorEquals: errors,
    IntervalSeconds: first,
    BackoffRate: 2,
    MaxAttempts: attempts,
    MaxDelaySeconds: 120,
    JitterStrategy: 'FULL',
  };
}

/** Lambda's own refusals. @see https://docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html#bp-lambda-serviceexception */
export const RETRY_LAMBDA = retryOf(
  [
    'Lambda.ServiceException',
    'Lambda.AWSLambdaException',
    'Lambda.SdkClientException',
    'Lambda.TooManyRequestsException',
    'Lambda.ClientExecutionTimeoutException',
  ],
  6,
  2,
);

/** Glue has no room for another run of the job, or for the request. */
export const RETRY_GLUE = retryOf(
  [
    'Glue.ConcurrentRunsExceededException',
    'Glue.ResourceNumberLimitExceededException',
    'Glue.ThrottlingException',
    'Glue.OperationTimeoutException',
    'Glue.InternalServiceException',
    'Glue.AWSGlueException',
    'Glue.SdkClientException',
  ],
  10,
  10,
);

/** Athena has no room for another query. What a query itself fails with is none of these. */
export const RETRY_ATHENA = retryOf(
  [
    'Athena.TooManyRequestsException',
    'Athena.InternalServerException',
    'Athena.AmazonAthenaException',
    'Athena.SdkClientException',
  ],
  10,
  5,
);
