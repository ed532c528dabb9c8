import { LakegateError } from '../errors.ts';
import type { News } from './notifier.ts';
import { printable, shorten } from './printable.ts';
import { teamsMessages } from './teams-card.ts';

export interface TeamsOptions {
  /** The workflow's or incoming webhook's URL. It is a secret: who has it may post. */
  webhook: string;
  sleep(ms: number): Promise<void>;
  pace?: Partial<TeamsPace>;
}

/** Milliseconds. */
export interface TeamsPace {
  /** Between two messages; Teams allows four a second, and people read more slowly. */
  betweenMs: number;
  /** A message waits no longer than this when Teams asks for it (Retry-After). */
  longestWaitMs: number;
  /** For one request. */
  timeoutMs: number;
}

const PACE: TeamsPace = { betweenMs: 1_000, longestWaitMs: 30_000, timeoutMs: 10_000 };
const MAX_ATTEMPTS = 3;

/** Tells a channel of Teams. */
export interface Teams {
  /** @returns the first fault of a message that was not sent, undefined when all were; the webhook's URL is in no fault */
  send(news: readonly News[], footer: string | undefined): Promise<LakegateError | undefined>;
}

/** Sends Adaptive Cards to a webhook, one message after the other. A message that may have been taken (no answer in time) is not sent twice. */
export function createTeams({ webhook, sleep, pace: given }: TeamsOptions): Teams {
  const pace = { ...PACE, ...given };
  let isFirst = true;

  async function post(message: object, about: string): Promise<LakegateError | undefined> {
    if (!isWebhook(webhook)) return fault('config', about, 'the webhook is no https URL', ADVICE);
    for (let attempt = 1; ; attempt += 1) {
      if (!isFirst) await sleep(pace.betweenMs);
      isFirst = false;
      const answer = await ask(webhook, message, pace.timeoutMs);
      if (answer.kind === 'network') return fault('unavailable', about, answer.why, LATER);
      const { status } = answer;
      if (status >= 200 && status < 300) return undefined;
      const isTransient = status === 429 || status >= 500;
      if (!isTransient) return fault('config', about, `Teams answered HTTP ${status}`, ADVICE);
      const waitMs = answer.retryAfterMs ?? pace.betweenMs * 2 ** attempt;
      if (attempt === MAX_ATTEMPTS || waitMs > pace.longestWaitMs) {
        return fault('unavailable', about, `Teams answered HTTP ${status}`, LATER);
      }
      await sleep(waitMs);
    }
  }

  return {
    async send(news, footer) {
      let first: LakegateError | undefined;
      for (const message of teamsMessages(news, footer)) first = (await post(message, message.summary)) ?? first;
      return first;
    },
  };
}

const ADVICE = 'Put the URL of a workflow that posts to the channel into the secret that `notify.teams` names';
const LATER = 'The delivery itself is not affected; `lakegate delivery list` shows it';

type Answer = { kind: 'status'; status: number; retryAfterMs?: number } | { kind: 'network'; why: string };

/** What fetch throws may quote the URL: only a system code such as ECONNREFUSED goes on. */
async function ask(url: string, message: object, timeoutMs: number): Promise<Answer> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(message),
      signal: AbortSignal.timeout(timeoutMs),
      // A webhook answers itself; the URL, which is the secret, is taken nowhere else.
      redirect: 'manual',
    });
    await response.body?.cancel();
    const seconds = Number(response.headers.get('retry-after'));
    return { kind: 'status', status: response.status, ...(seconds > 0 && { retryAfterMs: seconds * 1000 }) };
  } catch (error) {
    const { name, cause } = (error ?? {}) as { name?: unknown; cause?: { code?: unknown } };
    if (name === 'TimeoutError') return { kind: 'network', why: `no answer within ${timeoutMs / 1000} s` };
    const code = typeof cause?.code === 'string' && /^[A-Z][A-Z0-9_]{1,40}$/.test(cause.code) ? ` (${cause.code})` : '';
    return { kind: 'network', why: `it cannot be reached${code}` };
  }
}

/** Plain http only to this machine: a stand-in of a test. */
function isWebhook(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return protocol === 'https:' || (protocol === 'http:' && ['127.0.0.1', 'localhost', '[::1]'].includes(hostname));
}

function fault(kind: 'config' | 'unavailable', about: string, why: string, advice: string): LakegateError {
  return new LakegateError(kind, `Teams was not told about "${shorten(printable(about), 150)}": ${why}. ${advice}`, {
    context: { about },
  });
}
