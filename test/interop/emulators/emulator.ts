/** A stand-in for a service that lakegate talks to, running on this machine. */
export interface Emulator {
  /** `http://127.0.0.1:<port>`, without a slash at the end. */
  endpoint: string;
  /** What AWS clients, the CDK and Lambdas take from the environment to talk to it, and to nothing else. */
  env: Record<string, string>;
  /** The end of its log. */
  log(): string;
  /** Ends it; what it held is gone. */
  stop(): Promise<void>;
}

/** The region and the account that emulators are asked in. */
export const REGION = 'us-east-1';
export const ACCOUNT = '000000000000';

/** The variables that send every AWS client of a process to one endpoint, with keys that open nothing anywhere. */
export function awsEnvironment(endpoint: string): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_EC2_METADATA_DISABLED: 'true',
    // A developer's own profile would win over the keys in some clients.
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  };
}
