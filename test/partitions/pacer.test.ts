import { createPacer } from '../../src/partitions/pacer.ts';

class Throttled extends Error {}

/** A service that takes so many calls in any second and refuses the rest, and a clock that moves only when somebody waits. */
function service(limit: number) {
  let now = 0;
  const waiting: { at: number; wake: () => void }[] = [];
  const taken: number[] = [];
  let refused = 0;
  return {
    now: () => now,
    sleep: (ms: number) => new Promise<void>((wake) => waiting.push({ at: now + ms, wake })),
    async call() {
      while (taken.length > 0 && taken[0]! <= now - 1000) taken.shift();
      if (taken.length >= limit) {
        refused += 1;
        throw new Throttled();
      }
      taken.push(now);
    },
    refused: () => refused,
    /** Lets time pass until the work is done. @returns milliseconds it took */
    async finish(work: Promise<unknown>): Promise<number> {
      let done = false;
      void work.finally(() => {
        done = true;
      });
      for (;;) {
        for (let i = 0; i < 200; i += 1) await Promise.resolve();
        if (done) return now;
        waiting.sort((a, b) => a.at - b.at);
        const next = waiting.shift();
        if (next === undefined) throw new Error('nobody waits, and the work is not done');
        now = Math.max(now, next.at);
        next.wake();
      }
    },
  };
}

function pacerFor(glue: ReturnType<typeof service>) {
  return createPacer({
    initialRate: 50,
    firstAtOnce: 25,
    leastRate: 1,
    mostRate: 500,
    isThrottling: (error) => error instanceof Throttled,
    now: glue.now,
    sleep: glue.sleep,
  });
}

test('1,200 calls against 100 a second all get through, near the quota’s floor, with few refusals', async () => {
  const glue = service(100);
  const pacer = pacerFor(glue);
  const ms = await glue.finish(Promise.all(Array.from({ length: 1200 }, () => pacer.run(glue.call))));
  expect(ms / 1000).toBeLessThanOrEqual((1200 / 100) * 1.2);
  expect(pacer.calls).toBe(1200 + glue.refused());
  expect(pacer.throttled).toBe(glue.refused());
  expect(glue.refused()).toBeLessThan(120);
});

test('work that is small waits for nothing', async () => {
  const glue = service(100);
  const pacer = pacerFor(glue);
  expect(await glue.finish(Promise.all(Array.from({ length: 25 }, () => pacer.run(glue.call))))).toBe(0);
});

test('what is no throttling is thrown, and is not tried again', async () => {
  const glue = service(10);
  const pacer = pacerFor(glue);
  const call = jest.fn().mockRejectedValue(new TypeError('no'));
  await expect(pacer.run(call)).rejects.toThrow('no');
  expect(call).toHaveBeenCalledTimes(1);
});
