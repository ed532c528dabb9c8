import { restAuth } from '../../src/catalogs/rest-auth.ts';
import type { CatalogAuth } from '../../src/config/model.ts';
import { LakegateError } from '../../src/errors.ts';
import {
  type Received,
  type Reply,
  refusal,
  restClient,
  startTestServer,
  type TestServer,
} from './rest-test-server.ts';

/** How lakegate signs in to a catalogue server: what is presented, when it is renewed, and that no secret is ever shown. */

const TABLE = { namespace: ['shop'], name: 'orders' };
const CREDENTIAL = { env: 'CATALOG_CREDENTIAL' };

let server: TestServer | undefined;
const before = { ...process.env };
afterEach(async () => {
  process.env = { ...before };
  await server?.stop();
  server = undefined;
});

interface OauthServer {
  /** Seconds that tokens live. */
  lifetime?: number | undefined;
  /** Whether a table's request with this Authorization is let in. */
  lets?: (authorization: string | undefined) => boolean;
  refusal?: Reply;
  path?: string;
}

/** Gives tokens t1, t2, …; requests for tables find none. */
async function oauthServer({ lifetime, lets = () => true, refusal: refused, path = '/v1/oauth/tokens' }: OauthServer) {
  let tokens = 0;
  server = await startTestServer((request: Received) => {
    if (request.path === path) {
      if (refused !== undefined) return refused;
      tokens += 1;
      return { status: 200, body: { access_token: `t${tokens}`, token_type: 'bearer', expires_in: lifetime } };
    }
    return lets(request.headers.authorization) ? undefined : refusal(401, 'NotAuthorizedException', 'unknown token');
  });
  return server;
}

const presented = (path: string) =>
  server!.received.filter((request) => request.path.startsWith(path)).map(({ headers }) => headers.authorization);
const signIns = (path = '/v1/oauth/tokens') => server!.received.filter((request) => request.path === path);

function oauth(changes: Partial<Extract<CatalogAuth, { kind: 'oauth2' }>> = {}): CatalogAuth {
  return { kind: 'oauth2', credential: CREDENTIAL, ...changes };
}

describe('a bearer token', () => {
  test('goes with every request, asked for by its name each time', async () => {
    server = await startTestServer(() => undefined);
    const asked: unknown[] = [];
    const { catalog } = restClient(
      server.uri,
      { auth: { kind: 'bearer', token: { secret: 'lake/token' } } },
      {
        secret: async (source) => {
          asked.push(source);
          return 'sesame\n';
        },
      },
    );
    await catalog.findTable(TABLE);
    expect(presented('/')).toEqual(['Bearer sesame', 'Bearer sesame']);
    expect(asked).toEqual([{ secret: 'lake/token' }, { secret: 'lake/token' }]);
  });

  test('that no header can carry is refused without being shown', async () => {
    server = await startTestServer(() => undefined);
    const { catalog } = restClient(
      server.uri,
      { auth: { kind: 'bearer', token: { env: 'TOKEN' } } },
      { secret: async () => 'two\nsesames' },
    );
    const error = await catalog.findTable(TABLE).catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ kind: 'config' });
    expect(String(error)).not.toContain('sesame');
    expect(server.received).toEqual([]);
  });

  test('that is refused is a matter of configuration, asked once', async () => {
    await oauthServer({ lets: () => false });
    const { catalog } = restClient(
      server!.uri,
      { auth: { kind: 'bearer', token: { env: 'TOKEN' } } },
      { secret: async () => 'sesame' },
    );
    const error = await catalog.findTable(TABLE).catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ kind: 'config', message: expect.stringContaining('unknown token') });
    expect(String(error)).not.toContain('sesame');
    expect(server!.received).toHaveLength(1);
  });
});

describe('OAuth 2', () => {
  const client = (auth: CatalogAuth = oauth(), secret = async () => 'id:pass:word') =>
    restClient(server!.uri, { auth }, { secret });

  test('client credentials become a token, which everybody shares', async () => {
    await oauthServer({ lifetime: 3600 });
    const { catalog } = client();
    await Promise.all([catalog.findTable(TABLE), catalog.findTable(TABLE), catalog.findTable(TABLE)]);
    await catalog.findTable(TABLE);
    expect(signIns()).toHaveLength(1);
    const [signIn] = signIns();
    expect(signIn!.headers['content-type']).toContain('application/x-www-form-urlencoded');
    expect(Object.fromEntries(new URLSearchParams(signIn!.body))).toEqual({
      grant_type: 'client_credentials',
      client_id: 'id',
      client_secret: 'pass:word',
      scope: 'catalog',
    });
    expect(new Set(presented('/v1/namespaces'))).toEqual(new Set(['Bearer t1']));
  });

  test('another token endpoint and another scope', async () => {
    await oauthServer({ path: '/login/token' });
    const { catalog } = client(oauth({ serverUri: `${server!.uri}/login/token`, scope: 'lake:write' }));
    await catalog.findTable(TABLE);
    expect(new URLSearchParams(signIns('/login/token')[0]!.body).get('scope')).toBe('lake:write');
    expect(presented('/v1/namespaces')).toEqual(['Bearer t1']);
  });

  test('a token is renewed before it ends; one without an end is kept', async () => {
    await oauthServer({ lifetime: 1000 });
    const { catalog, clock } = client();
    await catalog.findTable(TABLE);
    clock.now += 800_000;
    await catalog.findTable(TABLE);
    clock.now += 150_000;
    await catalog.findTable(TABLE);
    expect(presented('/v1/namespaces')).toEqual(['Bearer t1', 'Bearer t1', 'Bearer t2']);
    await server!.stop();
    await oauthServer({});
    const other = client();
    await other.catalog.findTable(TABLE);
    other.clock.now += 1e12;
    await other.catalog.findTable(TABLE);
    expect(signIns()).toHaveLength(1);
  });

  test.each([401, 419])(
    '%i: signed in once more, by one of all those refused, and asked again, changes too',
    async (status) => {
      let valid = 'Bearer t1';
      server = await startTestServer(({ path, headers }) => {
        if (path === '/v1/oauth/tokens') return { status: 200, body: { access_token: `t${signIns().length}` } };
        return headers.authorization === valid ? undefined : refusal(status, 'AuthenticationTimeoutException', 'old');
      });
      const { catalog } = client();
      await catalog.findTable(TABLE);
      valid = 'Bearer t2';
      const all = await Promise.allSettled([
        catalog.findTable(TABLE),
        catalog.findTable(TABLE),
        catalog.dropTable(TABLE),
      ]);
      expect(all.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
      expect(all[2]).toMatchObject({ reason: { kind: 'not_found' } });
      expect(signIns()).toHaveLength(2);
    },
  );

  test('a server that takes no token at all is asked twice, not for ever', async () => {
    await oauthServer({ lets: () => false });
    const { catalog } = client();
    await expect(catalog.findTable(TABLE)).rejects.toMatchObject({ kind: 'config' });
    expect(presented('/v1/config')).toEqual(['Bearer t1', 'Bearer t2']);
  });

  test.each<[string, Reply, string]>([
    ['a wrong password', { status: 401, body: { error: 'invalid_client', error_description: 'who?' } }, 'config'],
    ['a wrong scope', { status: 400, body: { error: 'invalid_scope' } }, 'config'],
    ['an endpoint that is none', refusal(404, 'NotFound', 'no'), 'not_found'],
    ['an endpoint that is down', refusal(503, 'Down', 'no'), 'unavailable'],
    ['an endpoint that says nothing', 'drop', 'unavailable'],
    ['an answer that is no token', { status: 200, body: { token: 'x' } }, 'corrupt'],
    ['an answer that is no JSON', { status: 200, body: 'access_token=word' }, 'corrupt'],
  ])('%s: said so, without the secret; the next request signs in again', async (_, reply, kind) => {
    await oauthServer({ refusal: reply });
    const { catalog } = client();
    const error = await catalog.findTable(TABLE).catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ kind });
    if (kind === 'config') expect(String(error)).toContain('CATALOG_CREDENTIAL');
    expect(`${error}${JSON.stringify(error)}${error instanceof LakegateError ? error.cause : ''}`).not.toContain(
      'word',
    );
    const signedIn = signIns().length;
    await catalog.findTable(TABLE).catch(() => undefined);
    expect(signIns().length).toBeGreaterThan(signedIn);
  });

  test('a credential without a colon is refused without being shown', async () => {
    await oauthServer({});
    const { catalog } = client(oauth(), async () => 'password');
    const error = await catalog.findTable(TABLE).catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ kind: 'config', message: expect.stringContaining('CATALOG_CREDENTIAL') });
    expect(String(error)).not.toContain('password');
  });
});

describe('SigV4', () => {
  const signed = (service: 'glue' | 's3tables' | 'execute-api', region = 'eu-west-1') =>
    restClient(server!.uri, { auth: { kind: 'sigv4', service, region }, serverWarehouse: '123456789012' });

  test.each(['glue', 's3tables', 'execute-api'] as const)(
    '%s: requests are signed for service and region',
    async (service) => {
      Object.assign(process.env, {
        AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
        AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI',
        AWS_SESSION_TOKEN: 'session',
      });
      server = await startTestServer(() => undefined);
      await signed(service).catalog.findTable(TABLE);
      for (const { headers } of server.received) {
        expect(headers.authorization).toMatch(
          new RegExp(
            `^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/\\d{8}/eu-west-1/${service}/aws4_request, SignedHeaders=host;x-amz-[a-z0-9;-]+, Signature=[0-9a-f]{64}$`,
          ),
        );
        expect(headers['x-amz-security-token']).toBe('session');
        expect(headers['x-amz-date']).toMatch(/^\d{8}T\d{6}Z$/);
        expect(JSON.stringify(headers)).not.toContain('wJalrXUtnFEMI');
      }
      expect(server.received.map(({ path }) => path)).toEqual([
        '/v1/config?warehouse=123456789012',
        service === 'glue'
          ? '/v1/catalogs/123456789012/namespaces/shop/tables/orders?snapshots=all'
          : '/v1/namespaces/shop/tables/orders?snapshots=all',
      ]);
    },
  );

  test('without credentials it is said what is missing', async () => {
    for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) delete process.env[name];
    Object.assign(process.env, {
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    });
    server = await startTestServer(() => undefined);
    await expect(signed('glue').catalog.findTable(TABLE)).rejects.toMatchObject({ kind: 'config' });
    expect(server.received).toEqual([]);
  });

  test('without a region it is said what is missing', () => {
    const ports = { secret: async () => '', clock: Date.now };
    const auth: CatalogAuth = { kind: 'sigv4', service: 'glue', region: '' };
    expect(() => restAuth(auth, 'https://glue', ports)).toThrow(expect.objectContaining({ kind: 'config' }));
  });
});
