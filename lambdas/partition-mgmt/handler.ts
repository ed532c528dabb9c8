import type { Context } from 'aws-lambda';
import { once } from '../once.ts';
import { openPartitions } from './compose.ts';
import { managePartitions, type PartitionAnswer } from './manage.ts';
import { asThrown } from './retryable.ts';

const open = once(openPartitions);

/**
 * Registers partitions: `{ "mode": "databases" | "database" | "summary", … }` from the state machine, or events of S3 in a queue, from a bus or
 * from S3 itself.
 */
export async function handler(event: unknown, context: Context): Promise<PartitionAnswer> {
  const stage = await open();
  stage.begin(context);
  return managePartitions(
    stage.within(() => context.getRemainingTimeInMillis()),
    event,
  ).catch((error: unknown) => {
    throw asThrown(error);
  });
}
