import * as z from 'zod';
import { LakegateError } from '../../src/errors.ts';
import type { PipelineRequest } from '../../src/pipelines/model.ts';

const pipeline = z.enum(['bucketed', 'partitioned']);
const number = z.int().min(0);
const error = z.string().nullable();
const job = z.enum(['validate', 'audit', 'split', 'register', 'bucket', 'prepare', 'er']);

const item = z.strictObject({
  pipeline,
  run: z.string(),
  source: z.string(),
  snapshot: z.string(),
  engine: z.enum(['copy', 'spark']),
  skip: z.boolean(),
  shares: z.array(number),
  arguments: z.record(z.string(), z.string()).nullable(),
  tables: z.array(z.string()),
});

/** Of the whole: whether run, source and table are the lake's is for the steps to see. */
const REQUEST = z.discriminatedUnion('mode', [
  z.strictObject({
    mode: z.literal('validate'),
    pipeline,
    input: z.unknown(),
    execution: z.string().min(1),
    since: z.iso.datetime().exactOptional(),
  }),
  z.strictObject({ mode: z.literal('audit'), item, share: number }),
  z.strictObject({ mode: z.literal('judge'), item }),
  z.strictObject({ mode: z.literal('plan'), item }),
  z.strictObject({ mode: z.literal('copy'), item, piece: number }),
  z.strictObject({ mode: z.literal('collect'), item, error }),
  z.strictObject({ mode: z.literal('register'), item, table: z.string() }),
  z.strictObject({ mode: z.literal('settle'), item, table: z.string(), error }),
  z.strictObject({ mode: z.literal('er'), item }),
  z.strictObject({ mode: z.literal('settle-er'), item, error }),
  z.strictObject({ mode: z.literal('failed'), item, job, table: z.string().nullable(), error: z.string() }),
  z.strictObject({ mode: z.literal('finish'), pipeline, run: z.string(), execution: z.string().min(1) }),
]);

/** What the state machine asks for. @throws LakegateError `usage` with every fault of the request */
export function parseRequest(event: unknown): PipelineRequest {
  const { success, data, error: fault } = REQUEST.safeParse(event);
  if (success) return data;
  const faults = fault.issues.map(({ path, message }) => `\n  ${path.join('.') || 'the request'}: ${message}`);
  throw new LakegateError('usage', `this is no step of a table pipeline:${faults.join('')}`);
}
