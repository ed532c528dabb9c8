import type { TableConfig } from '../config/model.ts';
import { isKind, LakegateError } from '../errors.ts';
import type { ClaimedDelivery } from './claim.ts';
import { writeLastWords } from './last-words.ts';
import { isEnded } from './member.ts';
import { tell } from './notify.ts';
import type { DeliveryOutcome, GatePorts, TableTarget } from './ports.ts';
import { finishPublished } from './recover.ts';
import { runBatch } from './run-batch.ts';
import { recordEnding } from './settle.ts';
import { checkTime } from './time-left.ts';

/**
 * Takes claimed deliveries of one table to their ending, tells people, and writes it down, in this order: one that is killed between the last two
 * is taken up again, so that people may hear of it twice, never not at all. What cannot end now is given back, so that the next run can take it
 * up at once.
 * @param batch deliveries that were claimed together
 * @returns an outcome for each
 */
export async function settleBatch(
  ports: GatePorts,
  table: TableConfig,
  target: TableTarget,
  batch: readonly ClaimedDelivery[],
): Promise<DeliveryOutcome[]> {
  const faults = await run(ports, table, target, batch);
  for (const delivery of batch) {
    if (!isEnded(delivery)) endOrGiveBack(delivery, faults.get(delivery.id));
  }
  const { held, unwritten } = await stillHeld(batch);
  await tellEnded(ports, table, held.filter(isEnded));
  for (const [id, fault] of await writeLastWords(ports.records, held)) unwritten.set(id, fault);
  const ended = held.filter((delivery) => isEnded(delivery) && !unwritten.has(delivery.id));
  if (ended.length > 0) ports.onStep({ step: 'recorded', ids: ended.map(({ id }) => id) });
  return batch.map((delivery) => outcomeOf(delivery, faults.get(delivery.id), unwritten.get(delivery.id)));
}

async function run(
  ports: GatePorts,
  table: TableConfig,
  target: TableTarget,
  batch: readonly ClaimedDelivery[],
): Promise<Map<string, unknown>> {
  try {
    checkTime(ports);
    return await runBatch(ports, table, target, await finishPublished(ports, table, target, batch));
  } catch (error) {
    return new Map(batch.filter((delivery) => !isEnded(delivery)).map(({ id }) => [id, error]));
  }
}

function endOrGiveBack(delivery: ClaimedDelivery, fault: unknown): void {
  const error = fault ?? new LakegateError('internal', `delivery ${delivery.id} was left without an ending`);
  if (isKind(error, 'internal') || !(error instanceof LakegateError) || !error.retryable) {
    // The same thing would happen again: it ends here, for a person to look at, rather than going round for ever.
    const reason = error instanceof Error ? error.message : String(error);
    delivery.end(recordEnding(delivery, { kind: 'errored', reason }));
    return;
  }
  delivery.note('received', `interrupted: ${error.message}`);
  delivery.end({});
}

/** Those that no other runner can have taken over: of the others it is not this one's to say anything. */
async function stillHeld(
  batch: readonly ClaimedDelivery[],
): Promise<{ held: ClaimedDelivery[]; unwritten: Map<string, unknown> }> {
  const unwritten = new Map<string, unknown>();
  await Promise.all(batch.map((delivery) => delivery.hold().catch((fault) => void unwritten.set(delivery.id, fault))));
  return { held: batch.filter(({ id }) => !unwritten.has(id)), unwritten };
}

/** Where people could not be told, the records say so, and a later run tells them. */
async function tellEnded(ports: GatePorts, table: TableConfig, ended: readonly ClaimedDelivery[]): Promise<void> {
  if (ended.length === 0) return;
  const told = await tell(
    ports,
    ended.map(({ record }) => record),
    () => table,
  );
  for (const delivery of ended) {
    if (!told) delivery.end({ notification: 'pending' });
    else if (delivery.record.notification === 'pending') delivery.end({ notification: 'sent' });
  }
  if (told) ports.onStep({ step: 'notified', ids: ended.map(({ id }) => id) });
}

function outcomeOf(delivery: ClaimedDelivery, fault: unknown, unwritten: unknown): DeliveryOutcome {
  const drop = delivery.stored.drop.url;
  if (unwritten !== undefined) {
    // The store is down, or another runner has it: then the lease runs out and the next attempt finishes.
    return isKind(unwritten, 'conflict')
      ? { kind: 'busy', drop, record: delivery.stored }
      : { kind: 'interrupted', drop, record: delivery.stored, error: fault ?? unwritten };
  }
  if (isEnded(delivery)) return { kind: 'ended', drop, record: delivery.record };
  return { kind: 'interrupted', drop, record: delivery.record, error: fault };
}
