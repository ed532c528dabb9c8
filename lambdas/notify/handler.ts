import type { Context, SQSBatchResponse } from 'aws-lambda';
import { once } from '../once.ts';
import { openNotify } from './compose.ts';
import { tellPeople } from './tell-people.ts';

const open = once(openNotify);

/** Tells people in Slack and Teams what the events of a queue say. */
export async function handler(event: unknown, context: Context): Promise<SQSBatchResponse> {
  const ports = await open();
  ports.begin(context);
  return tellPeople({ ...ports, remainingMs: () => context.getRemainingTimeInMillis() }, event);
}
