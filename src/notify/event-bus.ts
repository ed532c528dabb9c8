import { LakegateError } from '../errors.ts';
import { type BusEntry, busEntry, requests } from './bus-entry.ts';
import type { PutEntries } from './event-bridge.ts';
import type { DomainEvent, Notifier } from './notifier.ts';

export interface EventBusOptions {
  /** Name or ARN of the bus. */
  bus: string;
  region?: string;
  sleep(ms: number): Promise<void>;
  /** Uniform in [0, 1). */
  random(): number;
  /** Stands in for EventBridge. */
  put?: PutEntries;
}

/** Tries for what the bus refused for the moment, the first one included. The SDK retries whole requests by itself. */
const ATTEMPTS = 4;
const FIRST_PAUSE_MS = 100;

/**
 * Hands domain events on to an EventBridge bus, where rules lead them to people, archives and other systems. Entries that the bus did not take
 * are put again by themselves: one that is refused does not repeat the others.
 * @returns a notifier that @throws LakegateError `unavailable` when some were not taken after all
 */
export function createEventBusNotifier(options: EventBusOptions): Notifier {
  let loaded: Promise<PutEntries> | undefined;
  const put: PutEntries = async (entries) => {
    // Loaded with the first event: a run that has nothing to say does not pay for the client.
    loaded ??= options.put
      ? Promise.resolve(options.put)
      : import('./event-bridge.ts').then(({ openEventBridge }) => openEventBridge(options.region));
    return (await loaded)(entries);
  };

  /** @returns the error code of what was not taken in the end, undefined when all was */
  async function putAll(entries: readonly BusEntry[]): Promise<string | undefined> {
    let open = entries;
    for (let attempt = 1; ; attempt += 1) {
      const codes = await put(open);
      const refused = open.filter((_, index) => codes[index] !== undefined);
      if (refused.length === 0) return undefined;
      if (attempt === ATTEMPTS) return codes.find((code) => code !== undefined);
      await options.sleep(FIRST_PAUSE_MS * 2 ** (attempt - 1) * (0.5 + options.random()));
      open = refused;
    }
  }

  return {
    async notify(events: readonly DomainEvent[]): Promise<void> {
      const faults: unknown[] = [];
      for (const request of requests(events.map((event) => busEntry(event, options.bus)))) {
        try {
          const code = await putAll(request);
          if (code !== undefined) faults.push(new Error(`EventBridge answered ${code}`));
        } catch (error) {
          faults.push(error);
        }
      }
      if (faults.length === 0) return;
      const [cause] = faults;
      const why = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
      throw new LakegateError(
        'unavailable',
        `the event bus "${options.bus}" did not take all of ${events.length} events: ${why}. They stay pending and are handed on by the next run.`,
        { context: { bus: options.bus, events: events.length }, cause },
      );
    },
  };
}
