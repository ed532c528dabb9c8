import { totalRows } from './column.ts';
import type { AuditContext, RuleResult, RuleSpec } from './rule.ts';

/** The delivery, all files together, has at least `min` and at most `max` rows. `count` is the number of rows missing or too many. */
export async function rowCount(
  spec: Extract<RuleSpec, { rule: 'row_count' }>,
  context: AuditContext,
): Promise<RuleResult[]> {
  const { rule, min = 0, max = Number.POSITIVE_INFINITY } = spec;
  const rows = totalRows(context.files);
  const count = Math.max(min - rows, rows - max, 0);
  const expected =
    spec.max === undefined
      ? `at least ${min} rows`
      : spec.min === undefined
        ? `at most ${max} rows`
        : `between ${min} and ${max} rows`;
  return [{ rule, outcome: count > 0 ? 'failed' : 'passed', count, expected, found: `${rows} rows` }];
}
