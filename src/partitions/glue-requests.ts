import { GlueClient as Client, type GlueClient, type GlueClientConfig } from '@aws-sdk/client-glue';
import { glueFault, isLostRace, isThrottled, isTransient } from '../catalogs/glue-fault.ts';
import { createPacer, type Pacer } from './pacer.ts';
import { readPartitionPages } from './partition-pages.ts';
import { count, type Tally } from './tally.ts';

export interface GlueRequestsOptions {
  client: GlueClient;
  now(): number;
  sleep(ms: number): Promise<void>;
  random(): number;
  /** Milliseconds left for work; absent where there is no end to it. */
  remainingMs?(): number;
  /** Default: a pace for requests of one process that begins where no account is throttled. */
  pacer?: Pacer;
}

/** Makes one kind of request. @param doing for messages: `list the tables of web_raw` */
export type GlueRequest = <T>(operation: string, doing: string, tally: Tally, send: () => Promise<T>) => Promise<T>;

/** Requests a second: Glue publishes no limit, and throttles accounts at some tens to hundreds. It counts over about a second: a few may go at once. */
const RATE = { initialRate: 50, leastRate: 1, mostRate: 1_000, firstAtOnce: 25 };

/** How often a request is sent that fails on the way, or loses a race to another change of the same table; the first time included. */
const ATTEMPTS = 6;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

const CONNECT_MS = 5_000;
const REQUEST_MS = 60_000;

/**
 * A client that sends each request once: what is throttled or lost is sent again here, at the pace that all requests share, and not by each
 * request for itself.
 */
export function createPacedGlueClient(options: GlueClientConfig = {}): GlueClient {
  const client = new Client({
    maxAttempts: 1,
    // Which steps a request takes is worked out once for each operation, not for each request.
    cacheMiddleware: true,
    requestHandler: { connectionTimeout: CONNECT_MS, requestTimeout: REQUEST_MS, throwOnRequestTimeout: true },
    ...options,
  });
  // It makes a copy of all that is sent and received, for a log that nobody keeps: as much work as sending it.
  client.middlewareStack.remove('loggerMiddleware');
  readPartitionPages(client);
  return client;
}

/**
 * Sends requests at a pace that Glue bears. Those that are throttled wait for another turn for as long as there is time; those that fail on the
 * way, or lose a race, are sent a few times more. All requests of partition management may be repeated: a second answer says the same.
 */
export function glueRequests(options: GlueRequestsOptions): GlueRequest {
  const { now, sleep, random, remainingMs } = options;
  const outOfTime = () => (remainingMs?.() ?? 1) <= 0;
  const pacer = options.pacer ?? createPacer({ ...RATE, isThrottling: isThrottled, now, sleep, outOfTime });
  return async (operation, doing, tally, send) => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await pacer.run(send, (throttled) => {
          count(tally, 'glue', operation);
          if (throttled) tally.throttled += 1;
        });
      } catch (error) {
        const again = !isThrottled(error) && (isLostRace(error) || isTransient(error));
        if (!again || attempt === ATTEMPTS || outOfTime()) throw glueFault(error, doing, 'glue');
        await sleep(pauseMs(attempt, random()));
      }
    }
  };
}

/** Doubles with each attempt; between half of it and all of it, so that those who failed together do not come back together. */
export function pauseMs(attempt: number, chance: number): number {
  const whole = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempt - 1));
  return whole * (0.5 + chance / 2);
}
