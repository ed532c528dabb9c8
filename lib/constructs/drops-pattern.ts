import type { EventPattern } from 'aws-cdk-lib/aws-events';
import type { StageLake } from '../stage-names.ts';

/** EventBridge takes a pattern of this many characters as JSON. @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html */
export const LONGEST_PATTERN = 2048;

/**
 * Which of S3's events the gate hears of: objects created in the raw bucket, under the prefixes that tables claim. Other objects are reported
 * by the maintenance function, which lists the bucket. A lake whose folders become tables hears of everything, and so does one with more
 * prefixes than a pattern can hold: the gate then says of each what it is.
 */
export function dropsPattern({ stage, raw, tables, autoTables }: StageLake): EventPattern {
  const folder = raw.slice(`s3://${stage.buckets.raw.name}/`.length);
  const bucket = { name: [stage.buckets.raw.name] };
  const pattern = (object?: Record<string, unknown>): EventPattern => ({
    source: ['aws.s3'],
    detailType: ['Object Created'],
    detail: { bucket, ...(object && { object }) },
  });
  if (autoTables) return pattern(folder === '' ? undefined : { key: [{ prefix: folder }] });
  const keys = [...new Set(tables.map(({ prefix }) => folder + prefix))].sort().map((prefix) => ({ prefix }));
  const narrow = pattern({ key: keys });
  const length = JSON.stringify({ ...narrow, 'detail-type': narrow.detailType }).length;
  return keys.length > 0 && length <= LONGEST_PATTERN ? narrow : pattern();
}
