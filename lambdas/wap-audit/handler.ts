import type { Context, SQSBatchResponse } from 'aws-lambda';
import { openStage } from '../compose.ts';
import { once } from '../once.ts';
import { auditDrops, type DirectAnswer } from './audit-drops.ts';

const stage = once(openStage);

/** Takes drops through the gate: events of S3 in a queue, from S3 or a bus themselves, or `{ "drops": ["s3://…"] }`. */
export async function handler(event: unknown, context: Context): Promise<SQSBatchResponse | DirectAnswer> {
  const { lake, config, observer, begin } = await stage();
  begin(context);
  return auditDrops({ lake, config, observer, remainingMs: () => context.getRemainingTimeInMillis() }, event);
}
