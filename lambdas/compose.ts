import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Context } from 'aws-lambda';
import { describeMetadataSize } from '../src/catalogs/metadata-size.ts';
import { type ComposeOptions, composeLake, type Lake } from '../src/compose.ts';
import type { PutEntries } from '../src/notify/event-bridge.ts';
import { createEventBusNotifier } from '../src/notify/event-bus.ts';
import type { Notifier } from '../src/notify/notifier.ts';
import { METRICS } from './metric-names.ts';
import { createObserver, type Observer } from './observer.ts';
import { BUS, lakeName, readStageConfig, type StageLakeConfig } from './stage-config.ts';

/** A stage's lake opened for a function. */
export interface StageLake {
  config: StageLakeConfig;
  lake: Lake;
  observer: Observer;
  /** To be called when an invocation begins. */
  begin(context: Context): void;
}

/** Stand-ins for what a function meets on AWS. */
export interface StageOptions {
  env?: Readonly<Record<string, string | undefined>>;
  lake?: Partial<ComposeOptions>;
  put?: PutEntries;
}

/**
 * Builds the adapters that a stage's packed configuration asks for. Domain events go to the stage's bus.
 * @throws LakegateError `config`
 */
export async function openStage({ env = process.env, lake: given, put }: StageOptions = {}): Promise<StageLake> {
  const config = readStageConfig(env, import.meta.dirname);
  const name = lakeName(config);
  const { observer, begin } = createObserver(name);
  const bus = createEventBusNotifier({
    bus: env[BUS] || name,
    region: config.stage.region,
    sleep: (ms) => sleep(ms),
    random: Math.random,
    ...(put && { put }),
  });
  const lake = await composeLake(config, {
    env,
    cwd: import.meta.dirname,
    // Functions share their host's name and their process numbers, so neither tells one from another.
    host: `lambda ${randomUUID()}`,
    notifier: observed(bus, observer),
    onMetadataSize: (report) => observer.warn('metadata-large', { ...report, told: describeMetadataSize(report) }),
    ...given,
  });
  return { config, lake, observer, begin };
}

/** Whoever hands events on may go on without them: what the bus did not take is said here. */
function observed(notifier: Notifier, observer: Observer): Notifier {
  return {
    async notify(events) {
      try {
        await notifier.notify(events);
      } catch (error) {
        observer.error('events-untold', { events: events.length, error });
        observer.measure({ [METRICS.eventsUntold]: events.length });
        throw error;
      }
    },
  };
}
