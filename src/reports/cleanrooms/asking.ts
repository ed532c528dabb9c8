import { createPacer, type Pacer } from '../../partitions/pacer.ts';
import { type Answer, known, type Unanswered, unknown } from '../answer.ts';

/** Requests a second to Clean Rooms, which answers more than a few with throttling. */
export const CLEAN_ROOMS_RATE = 5;
const LEAST_RATE = 0.5;

/** Tries of one question. What is throttled or gets no answer is asked again, later each time. */
const TRIES = 6;
const FIRST_PAUSE_MS = 250;

export interface AskingPorts {
  now(): number;
  sleep(ms: number): Promise<void>;
  /** Uniform in [0, 1). */
  random(): number;
  /** Hears of each request before it is sent. */
  onRequest?: (action: string) => void;
  /** An error that ends the whole report: no credentials, or none that AWS knows. */
  fatal(error: unknown): Error | undefined;
}

/** Asks one question: as often as it takes, up to a limit. Undefined: the service says that there is no such thing. */
export type Ask = <T>(action: string, send: () => Promise<T>) => Promise<Answer<T | undefined>>;

/**
 * Asks at no more than a rate, which all callers share and which falls when a service throttles.
 * @param rate requests a second; absent: as they come, for services that take more than a report asks
 */
export function createAsk(ports: AskingPorts, rate?: number): Ask {
  const pacer = rate === undefined ? undefined : pacerOf(ports, rate);
  return async <T>(action: string, send: () => Promise<T>) => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const once = () => {
          ports.onRequest?.(action);
          return send();
        };
        return known(await (pacer === undefined ? once() : pacer.run(once)));
      } catch (thrown) {
        const error = thrown instanceof Throttled ? thrown.cause : thrown;
        const fatal = ports.fatal(error);
        if (fatal !== undefined) throw fatal;
        if (isMissing(error)) return known(undefined);
        const why = reasonOf(error, action);
        if (attempt === TRIES || why.reason === 'denied' || why.reason === 'other') return unknown(why);
        await ports.sleep(FIRST_PAUSE_MS * 2 ** (attempt - 1) * (0.5 + ports.random()));
      }
    }
  };
}

/** Throttling is told to the pacer, which slows down, and comes back here to be counted. */
class Throttled extends Error {}

function pacerOf(ports: AskingPorts, rate: number): Pick<Pacer, 'run'> {
  const pacer = createPacer({
    initialRate: rate,
    leastRate: LEAST_RATE,
    mostRate: rate,
    isThrottling: (error) => isThrottling(error),
    now: ports.now,
    sleep: ports.sleep,
  });
  return {
    async run(call) {
      let throttled: unknown;
      // The second turn of a throttled call gives its error back instead of asking: when to ask again is decided above.
      return pacer.run(async () => {
        if (throttled !== undefined) throw new Throttled('throttled', { cause: throttled });
        try {
          return await call();
        } catch (error) {
          if (isThrottling(error)) throttled = error;
          throw error;
        }
      });
    },
  };
}

interface AwsFault {
  name?: string;
  message?: string;
  $metadata?: { httpStatusCode?: number };
  $retryable?: { throttling?: boolean };
}

function isMissing(error: unknown): boolean {
  return /^(ResourceNotFound|EntityNotFound)/.test(nameOf(error));
}

function isThrottling(error: unknown): boolean {
  const { $metadata, $retryable } = (error ?? {}) as AwsFault;
  return (
    /^(Throttl|TooManyRequests|RequestLimitExceeded|SlowDown|RequestThrottled|LimitExceeded)/.test(nameOf(error)) ||
    $metadata?.httpStatusCode === 429 ||
    $retryable?.throttling === true
  );
}

function reasonOf(error: unknown, action: string): Unanswered {
  const { message = String(error), $metadata } = (error ?? {}) as AwsFault;
  const status = $metadata?.httpStatusCode;
  const about = { action, message: message.replace(/\s+/g, ' ').slice(0, 300) };
  if (isThrottling(error)) return { reason: 'throttled', ...about };
  if (/^(AccessDenied|UnauthorizedOperation|NotAuthorized)/.test(nameOf(error)) || status === 401 || status === 403) {
    return { reason: 'denied', ...about };
  }
  // Without a status nothing came back: the connection failed, or broke.
  return { reason: status === undefined || status >= 500 ? 'unavailable' : 'other', ...about };
}

function nameOf(error: unknown): string {
  return String((error as AwsFault | undefined)?.name ?? '');
}
