import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { awsCaller, checkAccount } from '../../src/aws/caller.ts';

let server: Server;
let answer: { status: number; body: string };
const asked: { headers: NodeJS.Dict<string | string[]>; body: string }[] = [];
const before = { ...process.env };

beforeAll(async () => {
  server = createServer(async (request, response) => {
    let body = '';
    for await (const piece of request) body += String(piece);
    asked.push({ headers: request.headers, body });
    response.writeHead(answer.status, { 'content-type': 'text/xml' }).end(answer.body);
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
});

afterAll(() => new Promise((closed) => server.close(closed)));

beforeEach(() => {
  asked.length = 0;
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'AKIATEST', AWS_SECRET_ACCESS_KEY: 'secret-key' });
});

afterEach(() => {
  process.env = { ...before };
});

function caller() {
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return awsCaller('eu-west-1', { AWS_ENDPOINT_URL: endpoint });
}

// The shapes of STS's API reference, GetCallerIdentity and "Common errors".
const IDENTITY = `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:sts::111111111111:assumed-role/Admin/ann</Arn><UserId>AROA:ann</UserId><Account>111111111111</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>`;
const refusal = (code: string) =>
  `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>No.</Message></Error></ErrorResponse>`;

test('asks STS in the region, signed', async () => {
  answer = { status: 200, body: IDENTITY };
  expect(await caller()).toEqual({ account: '111111111111', arn: 'arn:aws:sts::111111111111:assumed-role/Admin/ann' });
  const [request] = asked;
  expect(request?.body).toBe('Action=GetCallerIdentity&Version=2011-06-15');
  expect(request?.headers.authorization).toMatch(
    /^AWS4-HMAC-SHA256 Credential=AKIATEST\/\d{8}\/eu-west-1\/sts\/aws4_request/,
  );
});

test.each([
  [403, refusal('InvalidClientTokenId'), 'config', 'AWS does not know these credentials'],
  [403, refusal('SignatureDoesNotMatch'), 'config', 'AWS does not know these credentials'],
  [403, refusal('ExpiredToken'), 'config', 'the AWS session has expired'],
  [400, refusal('Throttling'), 'unavailable', 'AWS did not give an answer (Throttling)'],
  [503, '', 'unavailable', 'AWS did not give an answer (HTTP 503)'],
  [200, '<html>a proxy</html>', 'unavailable', 'AWS did not give an answer (HTTP 200)'],
])('%i %s is %s', async (status, body, kind, words) => {
  answer = { status, body };
  await expect(caller()).rejects.toMatchObject({ kind, message: expect.stringContaining(words) });
});

test('a server that is not there is no answer', async () => {
  await expect(awsCaller('eu-west-1', { AWS_ENDPOINT_URL: 'http://127.0.0.1:9' })).rejects.toMatchObject({
    kind: 'unavailable',
  });
});

test('no credentials is said as such, and nothing is sent', async () => {
  for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_PROFILE']) delete process.env[name];
  Object.assign(process.env, {
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
  });
  await expect(caller()).rejects.toMatchObject({
    kind: 'config',
    message: expect.stringContaining('no AWS credentials were found. Log in'),
  });
  expect(asked).toEqual([]);
});

test('another account than the stage is in is refused, and both are named', () => {
  const stage = { name: 'prod', account: '111111111111' };
  expect(() => checkAccount({ account: '111111111111', arn: 'a' }, stage)).not.toThrow();
  expect(() => checkAccount({ account: '222222222222', arn: 'arn:aws:iam::222222222222:user/bob' }, stage)).toThrow(
    'stage prod is in account 111111111111, but these AWS credentials are of account 222222222222 (arn:aws:iam::222222222222:user/bob). Set AWS_PROFILE',
  );
});
