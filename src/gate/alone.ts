import { LakegateError } from '../errors.ts';
import type { ClaimedDelivery } from './claim.ts';

/** Runs that a delivery may have to itself and take down with it. A machine that fails by chance does not do so three times in a row. */
const MOST_LOST_RUNS = 3;

/**
 * Which claimed deliveries are settled together: new ones, and those that were given back. Each that lost its runner goes by itself, which may be no
 * safer beside others than that runner was; its ending is written before the next is begun. Those come first that have not yet lost a run of
 * their own: the one that brings runners down is the last, and holds up nothing but itself.
 */
export function settledTogether(deliveries: readonly ClaimedDelivery[]): ClaimedDelivery[][] {
  const together = deliveries.filter(({ wasDropped }) => !wasDropped);
  const alone = deliveries.filter(({ wasDropped }) => wasDropped).sort((a, b) => lostRuns(a) - lostRuns(b));
  return [...(together.length > 0 ? [together] : []), ...alone.map((delivery) => [delivery])];
}

/**
 * Notes that a delivery which lost its runner is taken up by itself, so that it shows if it loses this one too. The note goes with the delivery's
 * ending, and when it is given back: whoever can give it back is not brought down by it.
 * @throws LakegateError `unsupported` when it has lost as many runs as it may: it ends, rather than take down one run after another for ever;
 *   `conflict` when another runner has taken it over
 */
export async function beginAlone(delivery: ClaimedDelivery): Promise<void> {
  const lost = lostRuns(delivery);
  if (lost >= MOST_LOST_RUNS) {
    throw new LakegateError(
      'unsupported',
      `${lost} runs that had nothing but ${delivery.record.drop.url} to do ended without a word, most likely for want of memory or time. Give them more (gate.memory and gate.timeout of a stage), or drop the data in smaller files; then \`lakegate delivery retry ${delivery.id}\``,
      { context: { id: delivery.id, lostRuns: lost } },
    );
  }
  await delivery.begin(lost + 1);
}

function lostRuns({ stored }: ClaimedDelivery): number {
  return stored.alone ?? 0;
}
