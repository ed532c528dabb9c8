import type { Context } from 'aws-lambda';
import { composePartitions } from '../../src/compose-partitions.ts';
import { createPartitionEvents } from '../../src/partitions/events.ts';
import type { PartitionPorts } from '../../src/partitions/ports.ts';
import { openStage, type StageOptions } from '../compose.ts';
import { workTime } from '../deadline.ts';
import type { ManagePorts } from './manage.ts';

export interface PartitionStage {
  begin(context: Context): void;
  /** The function's parts for one invocation. @param remainingMs Lambda's own count, called when the invocation begins */
  within(remainingMs: () => number): ManagePorts;
}

/** A run that stops to go on is no invocation near its timeout, which is an alarm: it ends well before. */
const KEPT_MOST_MS = 150_000;

/** Stand-ins for what the function meets on AWS. */
export interface PartitionOptions extends StageOptions {
  partitions?: Partial<PartitionPorts>;
}

/**
 * Builds what partition management needs from a stage's packed configuration.
 * @throws LakegateError `config`
 */
export async function openPartitions(options: PartitionOptions = {}): Promise<PartitionStage> {
  const { config, lake, observer, begin } = await openStage(options);
  // What is remembered of tables outlives an invocation, whose time does not: the clock of the one under way is looked up.
  let left = () => Number.POSITIVE_INFINITY;
  const { store, now, notifier } = lake.ports;
  const managed = composePartitions(config, {
    env: options.env ?? process.env,
    store,
    now,
    remainingMs: () => left(),
  });
  const partitions = { ...managed.ports, ...options.partitions };
  const manage: ManagePorts = {
    partitions,
    events: createPartitionEvents(partitions, managed.config),
    config: managed.config,
    notifier,
    observer,
  };
  return {
    begin,
    within(remainingMs) {
      left = workTime(remainingMs, KEPT_MOST_MS);
      return manage;
    },
  };
}
