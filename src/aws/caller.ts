import { LakegateError } from '../errors.ts';
import { awsFault } from './aws-fault.ts';

/** Whose credentials they are. */
export interface Caller {
  /** Twelve digits. */
  account: string;
  arn: string;
}

const TIMEOUT_MS = 10_000;

/**
 * Asks AWS whose credentials the environment's are (STS, GetCallerIdentity: needs no permission). One request, made by hand: a client for it
 * would be one more package.
 * @param region the regional endpoint that is asked
 * @throws LakegateError `config` without valid credentials, `unavailable` without an answer
 * @see https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
 */
export async function awsCaller(region: string, env: Readonly<Record<string, string | undefined>>): Promise<Caller> {
  const doing = 'ask AWS whose credentials these are';
  const [{ AwsV4Signer }, { defaultProvider }] = await Promise.all([import('aws4fetch'), import('./credentials.ts')]);
  let status: number;
  let answer: string;
  try {
    const { accessKeyId, secretAccessKey, sessionToken } = await defaultProvider()();
    const signed = await new AwsV4Signer({
      method: 'POST',
      url: endpointOf(region, env),
      headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
      body: 'Action=GetCallerIdentity&Version=2011-06-15',
      accessKeyId,
      secretAccessKey,
      ...(sessionToken === undefined ? {} : { sessionToken }),
      service: 'sts',
      region,
    }).sign();
    const response = await fetch(signed.url, {
      method: signed.method,
      headers: signed.headers,
      body: signed.body ?? null,
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    status = response.status;
    answer = await response.text();
  } catch (error) {
    throw awsFault(error, doing);
  }
  const account = element(answer, 'Account');
  const arn = element(answer, 'Arn');
  if (status === 200 && account !== undefined && arn !== undefined) return { account, arn };
  const code = element(answer, 'Code') ?? `HTTP ${status}`;
  throw awsFault(Object.assign(new Error(element(answer, 'Message') ?? ''), { name: code }), doing);
}

/**
 * Makes sure that the credentials are of the account that a stage is in, so that nothing is ever written to the wrong one.
 * @throws LakegateError `config` when they are of another, and as `awsCaller`
 */
export function checkAccount(caller: Caller, stage: { name: string; account: string }): void {
  if (caller.account === stage.account) return;
  throw new LakegateError(
    'config',
    `stage ${stage.name} is in account ${stage.account}, but these AWS credentials are of account ${caller.account} (${caller.arn}). Set AWS_PROFILE to a profile of account ${stage.account}`,
    { context: { stage: stage.name, expected: stage.account, found: caller.account } },
  );
}

function endpointOf(region: string, env: Readonly<Record<string, string | undefined>>): string {
  const other =
    env.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS === 'true' ? '' : env.AWS_ENDPOINT_URL_STS || env.AWS_ENDPOINT_URL;
  if (other) return `${other.replace(/\/+$/, '')}/`;
  return `https://sts.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}/`;
}

/** The text of an element of STS's answer, which is XML of a fixed shape. */
function element(xml: string, name: string): string | undefined {
  return new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
}
