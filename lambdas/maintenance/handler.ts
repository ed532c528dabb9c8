import type { Context } from 'aws-lambda';
import { openStage } from '../compose.ts';
import { once } from '../once.ts';
import { type MaintenanceAnswer, maintain } from './maintain.ts';
import { parseRequest } from './request.ts';

const stage = once(openStage);

/** Tidies up on schedule: `{ "mode": "resume" | "reconcile" | "expire" | "plan-optimize" | "all" }`. */
export async function handler(event: unknown, context: Context): Promise<MaintenanceAnswer> {
  const request = parseRequest(event);
  const { lake, config, observer, begin } = await stage();
  begin(context);
  return maintain({ lake, config, observer, remainingMs: () => context.getRemainingTimeInMillis() }, request);
}
