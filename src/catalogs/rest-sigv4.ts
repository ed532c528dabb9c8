import { createHash } from 'node:crypto';
import type { CatalogAuth } from '../config/model.ts';
import { LakegateError } from '../errors.ts';
import type { RestAuth } from './rest-auth.ts';

type Sign = RestAuth['headers'];

/**
 * Signs requests with AWS Signature Version 4 and the credentials of the process (environment, profile, role: whatever the AWS SDK finds, renewed
 * by it). Signer and credentials are loaded by the first request: no other catalogue pays for them.
 * @throws LakegateError `config` when there are no credentials
 */
export function signedBy({ service, region }: Extract<CatalogAuth, { kind: 'sigv4' }>): Sign {
  let loaded: Promise<Sign> | undefined;
  return async (request) => {
    loaded ??= signer(service, region);
    return (await loaded)(request);
  };
}

async function signer(service: string, region: string): Promise<Sign> {
  const [{ AwsV4Signer }, { defaultProvider }] = await Promise.all([
    import('aws4fetch'),
    import('../aws/credentials.ts'),
  ]);
  const provider = defaultProvider();
  const keys = new Map<string, ArrayBuffer>();
  return async ({ method, url, body }) => {
    const credentials = await provider().catch((cause: unknown) => {
      throw new LakegateError(
        'config',
        `Cannot sign the request to ${new URL(url).origin}: no AWS credentials were found. Sign in to AWS, or set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.`,
        { context: { service, region }, cause },
      );
    });
    const { headers } = await new AwsV4Signer({
      method,
      url,
      ...(body === undefined ? {} : { body }),
      // Some servers behind the S3 Tables protocol want the hash as a header, as S3 does.
      headers: {
        'x-amz-content-sha256': createHash('sha256')
          .update(body ?? '')
          .digest('hex'),
      },
      accessKeyId: credentials.accessKeyId,
      secretAccessKey: credentials.secretAccessKey,
      ...(credentials.sessionToken === undefined ? {} : { sessionToken: credentials.sessionToken }),
      service,
      region,
      cache: keys,
    }).sign();
    return Object.fromEntries(headers);
  };
}
