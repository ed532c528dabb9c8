import { S3Client } from '@aws-sdk/client-s3';

export interface S3ClientOptions {
  /** Default: as the AWS SDK finds it (AWS_REGION, the profile). */
  region?: string;
  /** Another server than Amazon's. Default: AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, the profile. */
  endpoint?: string;
  /** `http://host/bucket/key` in place of `http://bucket.host/key`. Default: where an endpoint is given, by option or environment. */
  pathStyle?: boolean;
  /** Attempts per request, the first one included. Default: 5. */
  attempts?: number;
  /** Milliseconds without a byte after which a connection counts as dead. Default: 60,000. */
  idleTimeoutMs?: number;
  env?: Readonly<Record<string, string | undefined>>;
}

/** Time to connect, milliseconds: a server that is there answers within a few. */
const CONNECT_MS = 5_000;

/**
 * An S3 client with the timeouts, retries and checksums that lakegate wants. Credentials are found by the SDK's usual chain.
 * Retries are the SDK's `standard` ones (exponential with jitter, under a quota). Its `adaptive` mode would slow all prefixes down for one
 * that is throttled.
 */
export function createS3Client(options: S3ClientOptions = {}): S3Client {
  const env = options.env ?? process.env;
  const ofEnvironment =
    env.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS === 'true' ? undefined : env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL;
  const endpoint = options.endpoint ?? ofEnvironment;
  // AWS_DEFAULT_REGION is the CLI's and Python's name of it. Other servers than Amazon's take any region.
  const region = options.region ?? (env.AWS_REGION || env.AWS_DEFAULT_REGION || (endpoint && 'us-east-1') || undefined);
  return new S3Client({
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint }),
    forcePathStyle: options.pathStyle ?? endpoint !== undefined,
    maxAttempts: options.attempts ?? 5,
    retryMode: 'standard',
    requestHandler: { connectionTimeout: CONNECT_MS, socketTimeout: options.idleTimeoutMs ?? 60_000 },
    // What is sent carries a CRC-32 that the server checks. What is read comes in ranges, for which S3 has no checksum to send.
    requestChecksumCalculation: 'WHEN_SUPPORTED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
}

/** Tells `listener` the operation (`GetObject`) of every HTTP request that the client sends, attempts counted singly. */
export function onS3Request(client: S3Client, listener: (operation: string) => void): void {
  client.middlewareStack.add(
    (next, context) => (args) => {
      listener((context.commandName ?? 'unknown').replace(/Command$/, ''));
      return next(args);
    },
    // The last step before the wire, inside the retries.
    { step: 'deserialize', priority: 'low', name: 'lakegateOnRequest', override: true },
  );
}
