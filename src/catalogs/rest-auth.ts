import type { CatalogAuth } from '../config/model.ts';
import { LakegateError } from '../errors.ts';
import type { ReadSecret } from '../secrets/secret.ts';
import { oauthTokens } from './rest-oauth.ts';
import { signedBy } from './rest-sigv4.ts';

/** What is signed: all of the request but the headers that signing adds. */
export interface Unsigned {
  method: string;
  url: string;
  body?: string;
}

/** How requests say who is asking. */
export interface RestAuth {
  /** The headers to add. @throws LakegateError `config` when there is nothing to sign in with, `unavailable` */
  headers(request: Unsigned): Promise<Readonly<Record<string, string>>>;
  /** The server did not take these headers. Gives whether asking again can help, now that what was presented is forgotten. */
  renew(presented: Readonly<Record<string, string>>): Promise<boolean>;
}

export interface RestAuthPorts {
  secret: ReadSecret;
  /** Milliseconds since the epoch, UTC. */
  clock: () => number;
}

/**
 * @param uri the catalogue's, without `/v1`: also the default place of the token endpoint
 * @throws LakegateError `config` for SigV4 without a region
 */
export function restAuth(auth: CatalogAuth, uri: string, ports: RestAuthPorts): RestAuth {
  switch (auth.kind) {
    case 'none':
      return { headers: async () => ({}), renew: async () => false };
    case 'bearer':
      return {
        headers: async () => ({ authorization: `Bearer ${headerSafe(await ports.secret(auth.token))}` }),
        renew: async () => false,
      };
    case 'oauth2': {
      const tokens = oauthTokens(auth, uri, ports);
      return {
        headers: async () => ({ authorization: `Bearer ${headerSafe(await tokens.current())}` }),
        renew: async ({ authorization = '' }) => {
          await tokens.forget(authorization.slice('Bearer '.length));
          return true;
        },
      };
    }
    case 'sigv4':
      if (auth.region === '') {
        throw new LakegateError(
          'config',
          `The catalogue at ${uri} is to be asked with SigV4, but no region is known. Set \`region\` of the catalogue, or AWS_REGION.`,
          { context: { uri } },
        );
      }
      return { headers: signedBy(auth), renew: async () => false };
  }
}

/** A token with a line break or the like in it cannot be sent, and the error that says so must not repeat it. */
function headerSafe(token: string): string {
  const trimmed = token.trim();
  if (/^[\x21-\x7e]+$/.test(trimmed)) return trimmed;
  throw new LakegateError(
    'config',
    'The token for the catalogue holds characters that no token has (white space, or none of ASCII). Store it again, without quotes and line breaks.',
  );
}
