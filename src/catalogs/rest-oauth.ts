import type { CatalogAuth } from '../config/model.ts';
import { LakegateError } from '../errors.ts';
import { secretPlace } from '../secrets/secret.ts';
import { tokenInAnswer } from './rest-answer.ts';
import type { RestAuthPorts } from './rest-auth.ts';
import { answerFault, silenceFault } from './rest-fault.ts';

/** Access tokens by OAuth 2 client credentials (RFC 6749 section 4.4; Iceberg REST OpenAPI: `/v1/oauth/tokens`). */
export interface OauthTokens {
  /** A token that is good for a while. However many ask, one request is made. */
  current(): Promise<string>;
  /** The server did not take this token: if it is still the one held, the next one asked for is new. */
  forget(token: string): Promise<void>;
}

/** A token is renewed when this part of its life is over. */
const USED_PART = 0.9;
const TIMEOUT_MS = 30_000;
/** What Iceberg's own clients ask for. */
const DEFAULT_SCOPE = 'catalog';

/** @param uri the catalogue's, without `/v1` */
export function oauthTokens(
  auth: Extract<CatalogAuth, { kind: 'oauth2' }>,
  uri: string,
  { secret, clock }: RestAuthPorts,
): OauthTokens {
  const endpoint = auth.serverUri ?? `${uri}/v1/oauth/tokens`;
  let held: { token: Promise<string>; until: number } | undefined;

  async function fetchToken(store: (lifetimeMs: number | undefined) => void): Promise<string> {
    const [id, password] = clientOf(await secret(auth.credential), auth);
    const asked = { what: 'sign in', server: endpoint, changes: false };
    const startedMs = clock();
    let answer: { status: number; text: string };
    try {
      const response = await fetch(endpoint, {
        method: 'POST',
        headers: { accept: 'application/json' },
        body: new URLSearchParams({
          grant_type: 'client_credentials',
          client_id: id,
          client_secret: password,
          scope: auth.scope ?? DEFAULT_SCOPE,
        }),
        redirect: 'manual',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      answer = { status: response.status, text: await response.text() };
    } catch (cause) {
      throw silenceFault(cause, asked);
    }
    if (answer.status === 400 || answer.status === 401) throw refused(answerFault(answer, asked), auth);
    if (answer.status !== 200) throw answerFault(answer, asked);
    const { token, lifetimeMs } = tokenInAnswer(answer, `The token endpoint ${endpoint}`);
    store(lifetimeMs === undefined ? undefined : startedMs + lifetimeMs * USED_PART);
    return token;
  }

  return {
    current() {
      if (held !== undefined && clock() < held.until) return held.token;
      // Until the answer says how long it lives, everybody waits for this one.
      const next = { token: Promise.resolve(''), until: Number.POSITIVE_INFINITY };
      next.token = fetchToken((until) => {
        next.until = until ?? Number.POSITIVE_INFINITY;
      });
      next.token.catch(() => {
        if (held === next) held = undefined;
      });
      held = next;
      return next.token;
    },
    async forget(token) {
      const now = held;
      const current = await now?.token.catch(() => undefined);
      // Others whose requests were refused with it may have renewed it already.
      if (held === now && current?.trim() === token) held = undefined;
    },
  };
}

function clientOf(credential: string, auth: Extract<CatalogAuth, { kind: 'oauth2' }>): [id: string, password: string] {
  const at = credential.indexOf(':');
  if (at > 0) return [credential.slice(0, at).trim(), credential.slice(at + 1).trim()];
  const place = secretPlace(auth.credential);
  throw new LakegateError('config', `Cannot sign in: ${place} should hold client-id:client-secret, found no colon.`, {
    context: { secret: place },
  });
}

function refused(fault: LakegateError, auth: Extract<CatalogAuth, { kind: 'oauth2' }>): LakegateError {
  const place = secretPlace(auth.credential);
  return new LakegateError(
    'config',
    `${fault.message} The client id and secret come from ${place}${auth.scope === undefined ? '' : `, the scope is ${auth.scope}`}: check them.`,
    { context: { ...fault.context, secret: place } },
  );
}
