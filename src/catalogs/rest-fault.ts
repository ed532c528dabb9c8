import { type ErrorKind, LakegateError } from '../errors.ts';
import type { RestAnswer } from './rest-answer.ts';

/** What was asked, as errors name it. */
export interface Asked {
  /** The request in words: `load shop.orders`. */
  what: string;
  /** The server's address. */
  server: string;
  /** Whether the request may have changed something although no answer says so. */
  changes: boolean;
}

const MAX_MESSAGE = 500;

/**
 * The error for an answer that is no success and that has no meaning of its own for the request (Iceberg REST OpenAPI: responses of
 * updateTable). 503 and 429 say that nothing was done; any other 5xx leaves open what became of a change.
 */
export function answerFault(answer: RestAnswer, asked: Asked): LakegateError {
  const { status, retryAfterMs } = answer;
  const { kind, advice } = meaningOf(status, asked.changes);
  const said = serversWords(answer.text);
  return new LakegateError(
    kind,
    `Cannot ${asked.what}: the catalogue server ${asked.server} answered ${status}${said === '' ? '' : ` (${said})`}. ${advice}`,
    { context: { server: asked.server, status, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) } },
  );
}

/** Connections that were never made: whatever was to be sent, the server has not seen it. */
const NOT_SENT =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|ERR_TLS)/;

/** The error for a request without an answer. */
export function silenceFault(cause: unknown, asked: Asked): LakegateError {
  const code = codeOf(cause);
  const unknown = asked.changes && !NOT_SENT.test(code);
  const why = code || String((cause as { name?: unknown } | undefined)?.name ?? 'no reason known');
  return new LakegateError(
    unknown ? 'unknown_outcome' : 'unavailable',
    `Cannot ${asked.what}: the catalogue server ${asked.server} did not answer (${why}). ${unknown ? 'Whether it was done is not known: reload and compare.' : 'Check that it can be reached from here, and try again.'}`,
    { context: { server: asked.server, code: why }, cause },
  );
}

/** A server's words for people: bounded, and with nothing in them that a terminal would act on. */
export function serversWords(body: string): string {
  let words = body;
  try {
    const found = JSON.parse(body) as { error?: unknown; message?: unknown; error_description?: unknown } | null;
    const error = found?.error;
    // Iceberg's ErrorModel, OAuth's error, AWS's own.
    words = [
      typeof error === 'object' && error !== null ? (error as { message?: unknown }).message : error,
      found?.error_description,
      found?.message,
    ]
      .filter((part) => typeof part === 'string' && part !== '')
      .join(': ');
  } catch {
    // A proxy's page of HTML: its tags say nothing.
    words = /^\s*</.test(body) ? '' : body;
  }
  const plain = words
    .slice(0, MAX_MESSAGE * 2)
    .replace(/[\p{C}\p{Z}]+/gu, ' ')
    .trim();
  return plain.length <= MAX_MESSAGE ? plain : `${plain.slice(0, MAX_MESSAGE).toWellFormed()}…`;
}

function meaningOf(status: number, changes: boolean): { kind: ErrorKind; advice: string } {
  if (status >= 300 && status < 400) {
    return { kind: 'config', advice: 'It has moved: set `uri` to where it is now.' };
  }
  switch (status) {
    case 400:
      return { kind: 'invalid', advice: 'The server refuses the request as it is; nothing was changed.' };
    case 401:
    case 419:
      return { kind: 'config', advice: 'Check `auth` of the catalogue, and that its secret or credentials are valid.' };
    case 403:
      return { kind: 'config', advice: 'Allow it to the user or role that lakegate signs in as.' };
    case 404:
      return { kind: 'not_found', advice: 'Check `uri` and `server_warehouse` of the catalogue, and the name.' };
    case 405:
    case 406:
    case 501:
      return { kind: 'unsupported', advice: 'The server does not offer this operation.' };
    case 409:
      return { kind: 'conflict', advice: 'Somebody else was first: reload the table and try again.' };
    case 429:
    case 503:
      return { kind: 'unavailable', advice: 'It is busy, and nothing was changed: try again later.' };
    default:
      if (status < 500) return { kind: 'invalid', advice: 'The server refuses the request; nothing was changed.' };
      return changes
        ? { kind: 'unknown_outcome', advice: 'Whether it was done is not known: reload and compare.' }
        : { kind: 'unavailable', advice: "Try again; if it stays, look into the server's log." };
  }
}

/** The system's word for what went wrong, from wherever in the chain it is; of several addresses that were tried, the first one's. */
function codeOf(cause: unknown): string {
  // By shape, not by class: fetch's errors may come from another realm than ours.
  const { code, cause: below, errors } = (cause ?? {}) as { code?: unknown; cause?: unknown; errors?: unknown };
  if (typeof code === 'string') return code;
  if (Array.isArray(errors) && errors.length > 0) return codeOf(errors[0]);
  return below === undefined ? '' : codeOf(below);
}
