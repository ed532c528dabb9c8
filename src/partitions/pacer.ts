/** How fast calls to a service may go, found out as it goes: it publishes no limit, and answers throttling when there were too many. */
export interface Pacer {
  /**
   * Makes a call when its turn comes. One that is throttled is made again later, in a new turn.
   * @param heard is told of each call: whether it was throttled
   * @throws what the call throws, but for throttling; that too once `outOfTime` says so
   */
  run<T>(call: () => Promise<T>, heard?: (throttled: boolean) => void): Promise<T>;
  /** Calls made so far, throttled ones included. */
  readonly calls: number;
  readonly throttled: number;
  /** Calls a second at present. */
  readonly rate: number;
}

export interface PacerOptions {
  /** Calls a second to begin with. */
  initialRate: number;
  /** Never fewer calls a second than this. */
  leastRate: number;
  /** Never more calls a second than this. */
  mostRate: number;
  /** Calls that need not wait for their turn at the beginning, as long as nothing was throttled. Default: none, where the rate itself is a promise. */
  firstAtOnce?: number;
  isThrottling(error: unknown): boolean;
  now(): number;
  sleep(ms: number): Promise<void>;
  /** Whether there is no time left to make a throttled call again. Default: there always is. */
  outOfTime?(): boolean;
}

/**
 * As long as nothing was throttled yet, a second of calls multiplies the rate by about e to this: the limit is looked for quickly, as TCP does. How
 * far it is passed is bounded by the calls that are under way when the first is refused, and those are made again.
 */
const FIRST_GROWTH = 6;

/** Calls a second that a second without throttling adds from then on: quickly up to near the rate that was too much last time, then with care. */
const INCREASE = { below: 20, near: 3 };

/** What counts as near the rate that was too much. */
const NEAR = 0.95;

/** Throttling leaves this part of the rate. */
const DECREASE = 0.85;

/** Timers wake late; turns that were missed this recently are made up for. Milliseconds. */
const CATCH_UP_MS = 50;

/** Services count calls over about a second: what is refused within one was made at the rate before the cut. Milliseconds. */
const SETTLE_MS = 1000;

/**
 * Additive increase, multiplicative decrease, as TCP does it: all callers share one rate, it rises slowly while calls succeed, and falls at once
 * when one is throttled. Calls wait for their turn rather than being made and retried, so that throttling does not feed on itself.
 */
export function createPacer(options: PacerOptions): Pacer {
  const { now, sleep, isThrottling } = options;
  let rate = options.initialRate;
  let lastTurn = Number.NEGATIVE_INFINITY;
  let cutAt = Number.NEGATIVE_INFINITY;
  let tooMuch = Number.POSITIVE_INFINITY;
  let calls = 0;
  let throttled = 0;
  let atOnce = options.firstAtOnce ?? 0;
  /** When calls of the last second went well. */
  const done: number[] = [];

  // One waits at a time, so that each wait is as long as the rate is by then.
  let before: Promise<void> = Promise.resolve();
  function turn(): Promise<void> {
    if (atOnce >= 1 && throttled === 0) {
      atOnce -= 1;
      return before;
    }
    before = before.then(async () => {
      const wait = lastTurn + 1000 / rate - now();
      if (wait > 0) await sleep(wait);
      lastTurn = Math.max(now() - CATCH_UP_MS, lastTurn + 1000 / rate);
    });
    return before;
  }

  /** What one call that went well adds to the rate. */
  function increase(): number {
    if (tooMuch === Number.POSITIVE_INFINITY) return FIRST_GROWTH;
    return (rate < NEAR * tooMuch ? INCREASE.below : INCREASE.near) / rate;
  }

  return {
    get calls() {
      return calls;
    },
    get throttled() {
      return throttled;
    },
    get rate() {
      return rate;
    },
    async run(call, heard) {
      for (;;) {
        await turn();
        calls += 1;
        try {
          const answer = await call();
          heard?.(false);
          done.push(now());
          while (done[0]! < now() - SETTLE_MS) done.shift();
          rate = Math.min(options.mostRate, rate + increase());
          return answer;
        } catch (error) {
          const refused = isThrottling(error);
          heard?.(refused);
          if (!refused) throw error;
          throttled += 1;
          if (options.outOfTime?.()) throw error;
          if (now() - cutAt >= SETTLE_MS) {
            cutAt = now();
            // The first search goes far beyond the limit: what went well in a second is nearer to it.
            const borne = done.filter((at) => at >= cutAt - SETTLE_MS).length;
            tooMuch =
              tooMuch === Number.POSITIVE_INFINITY ? Math.min(rate, Math.max(borne, options.initialRate / 2)) : rate;
            rate = Math.max(options.leastRate, tooMuch * DECREASE);
          }
        }
      }
    },
  };
}
