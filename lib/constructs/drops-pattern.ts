import type { EventPattern } from 'aws-cdk-lib/aws-events';
import type { StageLake } from '../stage-names.ts';

/** EventBridge takes a pattern of this many characters as JSON. @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html */
export const LONGEST_PATTERN = 2048;

/**
 * Which of S3's events the gate hears of: objects created in the raw bucket, under the prefixes that tables claim. Other objects are reported
 * by the maintenance function, which lists the bucket. A lake whose folders become tables hears of everything, and so does one with more
 * prefixes than a pattern can hold: the gate then says of each what it is. Snapshots are the pipelines': of those it need not hear.
 */
export function dropsPattern({ stage, raw, tables, autoTables, pipelines }: StageLake): EventPattern {
  const folder = raw.slice(`s3://${stage.buckets.raw.name}/`.length);
  const bucket = { name: [stage.buckets.raw.name] };
  const pattern = (key?: readonly Record<string, unknown>[]): EventPattern => ({
    source: ['aws.s3'],
    detailType: ['Object Created'],
    detail: { bucket, ...(key && { object: { key } }) },
  });
  const fits = (wanted: EventPattern) =>
    JSON.stringify({ ...wanted, 'detail-type': wanted.detailType }).length <= LONGEST_PATTERN;
  if (autoTables) return pattern(folder === '' ? undefined : [{ prefix: folder }]);
  const keys = [...new Set(tables.map(({ prefix }) => folder + prefix))].sort().map((prefix) => ({ prefix }));
  const narrow = pattern(keys);
  if (keys.length > 0 && fits(narrow)) return narrow;
  const snapshots = (pipelines?.sources ?? []).flatMap(({ path }) =>
    path.startsWith(raw) ? [folder + path.slice(raw.length)] : [],
  );
  const others = pattern([{ 'anything-but': { prefix: snapshots } }]);
  return snapshots.length > 0 && fits(others) ? others : pattern();
}
