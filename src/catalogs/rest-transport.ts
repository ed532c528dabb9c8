import { LakegateError } from '../errors.ts';
import type { RestAnswer } from './rest-answer.ts';
import type { RestAuth } from './rest-auth.ts';
import { type Asked, answerFault, silenceFault } from './rest-fault.ts';

export interface RestRequest {
  method: 'GET' | 'POST' | 'DELETE';
  url: string;
  /** JSON. */
  body?: string;
  headers?: Readonly<Record<string, string>>;
  /** The request in words, for errors: `load shop.orders`. */
  what: string;
}

export interface RestTransportOptions {
  /** The server's address, for errors. */
  server: string;
  auth: RestAuth;
  /** Milliseconds since the epoch, UTC. */
  clock: () => number;
  sleep: (ms: number) => Promise<void>;
  /** Hears of every request before it is sent: what a delivery costs is counted by it. */
  onRequest?: (method: string, url: string) => void;
}

/** Sends a request and gives the answer, whatever its status, except those below. */
export type RestTransport = (request: RestRequest) => Promise<RestAnswer>;

/** How long an answer may take to be whole. Milliseconds. */
const TIMEOUT_MS = 60_000;
/** A read is asked for so often when the server is busy or silent; a change is never sent twice. */
const READ_ATTEMPTS = 3;
const FIRST_DELAY_MS = 200;
/** A server that wants to be left alone for longer is not waited for: the delivery comes back later. Milliseconds. */
const LONGEST_WAIT_MS = 20_000;

/**
 * The way to one catalogue server over `fetch`.
 * - 401 and 419: signs in once more, where that can help, and asks again; such an answer says that nothing was done.
 * - 429 and 503 with Retry-After: the server is left alone for so long, by every later request too.
 * - Reads are repeated when the server is busy or does not answer; changes are not, since they may have been made.
 * - Redirects are not followed: they would carry the credentials elsewhere.
 * @throws LakegateError `unavailable`; `unknown_outcome` for a change that was sent and not answered
 */
export function restTransport(options: RestTransportOptions): RestTransport {
  const { server, auth, clock, sleep, onRequest } = options;
  let quietUntil = 0;

  async function once(request: RestRequest, asked: Asked): Promise<RestAnswer> {
    const wait = quietUntil - clock();
    if (wait > 0) await sleep(wait);
    const presented = await auth.headers(request);
    const answer = await send(request, presented, asked, clock, onRequest);
    const { retryAfterMs } = answer;
    if (retryAfterMs !== undefined && (answer.status === 429 || answer.status === 503)) {
      quietUntil = clock() + Math.min(retryAfterMs, LONGEST_WAIT_MS);
    }
    if (answer.status !== 401 && answer.status !== 419) return answer;
    return (await auth.renew(presented)) ? send(request, await auth.headers(request), asked, clock, onRequest) : answer;
  }

  return async (request) => {
    const asked = { what: request.what, server, changes: request.method !== 'GET' };
    if (asked.changes) return once(request, asked);
    for (let attempt = 1; ; attempt += 1) {
      let fault: LakegateError;
      try {
        const answer = await once(request, asked);
        if (!isBusy(answer)) return answer;
        fault = answerFault(answer, asked);
      } catch (error) {
        if (!(error instanceof LakegateError) || error.kind !== 'unavailable') throw error;
        fault = error;
      }
      const retryAfterMs = Number(fault.context.retryAfterMs ?? 0);
      if (attempt === READ_ATTEMPTS || retryAfterMs > LONGEST_WAIT_MS) throw fault;
      await sleep(FIRST_DELAY_MS * 4 ** (attempt - 1));
    }
  };
}

function isBusy({ status }: RestAnswer): boolean {
  return status === 429 || (status >= 502 && status <= 504);
}

async function send(
  { method, url, body, headers }: RestRequest,
  signature: Readonly<Record<string, string>>,
  asked: Asked,
  clock: () => number,
  onRequest: RestTransportOptions['onRequest'],
): Promise<RestAnswer> {
  onRequest?.(method, url);
  try {
    const response = await fetch(url, {
      method,
      headers: {
        accept: 'application/json',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
        ...signature,
      },
      ...(body === undefined ? {} : { body }),
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const etag = response.headers.get('etag');
    const retryAfterMs = delayOf(response.headers.get('retry-after'), clock());
    return {
      status: response.status,
      text: await response.text(),
      ...(etag === null ? {} : { etag }),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    };
  } catch (cause) {
    throw silenceFault(cause, asked);
  }
}

/** Retry-After: seconds or a date (RFC 9110 section 10.2.3). Milliseconds. */
function delayOf(header: string | null, nowMs: number): number | undefined {
  if (header === null) return undefined;
  if (/^\s*\d{1,9}\s*$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}
