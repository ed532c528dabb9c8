import { setTimeout as sleep } from 'node:timers/promises';
import type { WebClient } from '@slack/web-api';
import type { LakegateError } from '../errors.ts';
import type { News, Notifier } from './notifier.ts';
import { printable, shorten } from './printable.ts';
import { type SlackMessage, slackMessages } from './slack-blocks.ts';
import { type SlackFailure, slackFault } from './slack-fault.ts';

/** How patient the notifier is. Milliseconds. */
export interface SlackPace {
  /** Between two messages to one channel; Slack allows one a second. */
  betweenMs: number;
  /** A message waits no longer than this in all, whether Slack asks for it (Retry-After) or many messages are before it. */
  longestWaitMs: number;
  /** For one request. */
  timeoutMs: number;
}

export interface SlackOptions {
  token: string;
  /** Where tables name no channel. */
  channel: string;
  /** Default: Slack's own, `https://slack.com/api/`. */
  apiUrl?: string;
  /** Hears of every message that was not sent, and why. */
  onFault: (fault: LakegateError) => void;
  pace?: Partial<SlackPace>;
}

/** Also tells of alarms, and puts a last line under its messages. */
export interface SlackNotifier extends Notifier {
  notify(events: readonly News[], footer?: string): Promise<void>;
}

const PACE: SlackPace = { betweenMs: 1_000, longestWaitMs: 60_000, timeoutMs: 10_000 };
const MAX_ATTEMPTS = 3;

/**
 * Tells Slack through a bot (chat.postMessage). `notify` returns when every message is sent or given up, and never throws. A message that
 * may have been taken (no answer in time) is not sent twice. The token appears in no fault.
 */
export function createSlackNotifier(options: SlackOptions): SlackNotifier {
  const pace = { ...PACE, ...options.pace };
  const nextTurn = new Map<string, number>();
  let client: Promise<WebClient> | undefined;

  /** Waits for the channel's next free turn. Gives how long that would be, in milliseconds, when it is after the deadline. */
  async function waitForTurn(channel: string, deadline: number): Promise<number | undefined> {
    const now = Date.now();
    const turn = Math.max(now, nextTurn.get(channel) ?? 0);
    if (turn > deadline) return turn - now;
    nextTurn.set(channel, turn + pace.betweenMs);
    if (turn > now) await sleep(turn - now);
    return undefined;
  }

  async function send(message: SlackMessage, channel: string): Promise<SlackFailure | undefined> {
    if (!/^[\x21-\x7e]+$/.test(options.token)) return { kind: 'token' };
    client ??= createClient(options.token, options.apiUrl, pace.timeoutMs);
    const slack = await client;
    const deadline = Date.now() + pace.longestWaitMs;
    for (let attempt = 1; ; attempt++) {
      const tooLong = await waitForTurn(channel, deadline);
      if (tooLong !== undefined) return { kind: 'rate_limited', retryAfterMs: tooLong };
      try {
        const { text, blocks } = message;
        await slack.chat.postMessage({ channel, text, blocks, unfurl_links: false, unfurl_media: false });
        return undefined;
      } catch (error) {
        const failure = failureOf(error, pace.timeoutMs);
        const isTransient = failure.kind === 'rate_limited' || (failure.kind === 'http' && failure.status >= 500);
        if (!isTransient || attempt === MAX_ATTEMPTS) return failure;
        const pause = failure.kind === 'rate_limited' ? failure.retryAfterMs : pace.betweenMs;
        nextTurn.set(channel, Math.max(nextTurn.get(channel) ?? 0, Date.now() + pause));
      }
    }
  }

  return {
    async notify(events: readonly News[], footer?: string): Promise<void> {
      await Promise.all(
        slackMessages(events, footer).map(async (message) => {
          const channel = message.channel ?? options.channel;
          // What the client throws unforeseen may quote the request, token included: it is not looked at.
          const failure = await send(message, channel).catch((): SlackFailure => ({ kind: 'client' }));
          if (failure === undefined) return;
          options.onFault(slackFault(failure, shorten(printable(message.text), 150), printable(channel)));
        }),
      );
    },
  };
}

/** Loaded with the first message: most runs of the command send none. Retries are ours, so that waits stay bounded. */
async function createClient(token: string, slackApiUrl: string | undefined, timeout: number): Promise<WebClient> {
  const { WebClient, LogLevel } = await import('./slack-client.ts');
  const quiet = () => {};
  return new WebClient(token, {
    ...(slackApiUrl !== undefined && { slackApiUrl }),
    timeout,
    fetch: (url, init) =>
      fetch(url, init).catch((error: unknown) => {
        throw networkError(error);
      }),
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    allowAbsoluteUrls: false,
    // The client logs requests as they fail; a terminal and a log are no place for them.
    logger: {
      debug: quiet,
      info: quiet,
      warn: quiet,
      error: quiet,
      setLevel: quiet,
      setName: quiet,
      getLevel: () => LogLevel.ERROR,
    },
  });
}

interface ClientError {
  name?: unknown;
  code?: unknown;
  statusCode?: unknown;
  retryAfter?: unknown;
  original?: { name?: unknown; code?: unknown };
  data?: { error?: unknown; response_metadata?: { retryAfter?: unknown } };
}

/** Takes from the client's error only what is known to be harmless: codes and numbers. */
function failureOf(error: unknown, timeoutMs: number): SlackFailure {
  const { name, code, statusCode, retryAfter, original, data } = (error ?? {}) as ClientError;
  if (code === 'slack_webapi_rate_limited_error')
    return { kind: 'rate_limited', retryAfterMs: (Number(retryAfter) || 1) * 1000 };
  if (code === 'slack_webapi_platform_error') {
    if (data?.error === 'ratelimited') {
      return { kind: 'rate_limited', retryAfterMs: (Number(data.response_metadata?.retryAfter) || 1) * 1000 };
    }
    return { kind: 'answer', error: String(data?.error) };
  }
  if (code === 'slack_webapi_http_error') return { kind: 'http', status: Number(statusCode) };
  if (name === 'TimeoutError' || original?.name === 'TimeoutError') return { kind: 'timeout', timeoutMs };
  return typeof original?.code === 'string' ? { kind: 'network', code: original.code } : { kind: 'network' };
}

/** What fetch throws may quote the request's headers: only its name and a system code such as ECONNREFUSED go on. */
function networkError(error: unknown): Error {
  const { name, cause } = (error ?? {}) as { name?: unknown; cause?: { code?: unknown } };
  const isTimeout = name === 'TimeoutError' || name === 'AbortError';
  const code = cause?.code;
  return Object.assign(new Error('the request failed'), {
    ...(isTimeout && { name: 'TimeoutError' }),
    ...(typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,40}$/.test(code) && { code }),
  });
}
