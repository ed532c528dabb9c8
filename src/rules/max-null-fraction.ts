import { ancestors, fileOf, findColumn, totalRows } from './column.ts';
import { firstNulls } from './not-null.ts';
import type { AuditContext, RuleResult, RuleSpec } from './rule.ts';

/**
 * At most this share of a column's values is null. A top-level column is measured against all rows, a struct's field against the rows in which
 * its parent is present; inside lists and maps there is no such number and the rule is inconclusive. No rows: passed.
 */
export async function maxNullFraction(
  spec: Extract<RuleSpec, { rule: 'max_null_fraction' }>,
  context: AuditContext,
): Promise<RuleResult[]> {
  const { rule, column, atMost } = spec;
  const expected = `at most ${percent(atMost)} nulls`;
  const found = await findColumn(rule, column, expected, context);
  if ('result' in found) return [found.result];
  const parents = ancestors(column, found.fields);
  const container = parents.find((field) => !field.type.startsWith('struct'));
  if (container !== undefined) {
    const reason = `${column} lies inside ${container.name}, a ${container.type}, and has not one value per row`;
    return [{ rule, column, outcome: 'inconclusive', expected, found: reason }];
  }
  const counts = await Promise.all(
    context.files.map((file) => file.nulls([column, ...parents.map((field) => field.name)])),
  );
  const nullsIn = counts.map((file) => file.find((count) => count.name === column)!.nulls);
  const nulls = nullsIn.reduce((sum, count) => sum + count, 0);
  const absent = counts.flat().reduce((sum, count) => sum + (count.name === column ? 0 : count.nulls), 0);
  const rows = totalRows(context.files) - absent;
  // Division rounds to the nearest double, as reading `atMost` did, so that 3 of 30 is at most 0.1.
  if (rows === 0 || nulls / rows <= atMost) {
    return [{ rule, column, outcome: 'passed', count: 0, expected, found: `${nulls} nulls in ${rows} values` }];
  }
  const file = context.files[nullsIn.findIndex((count) => count > 0)]!;
  const positions = await firstNulls(file, column);
  return [
    {
      rule,
      column,
      outcome: 'failed',
      count: nulls,
      ...(positions && { rows: positions }),
      ...fileOf(file, context),
      expected,
      found: `${nulls} nulls in ${rows} values (${percent(nulls / rows)})`,
    },
  ];
}

function percent(fraction: number): string {
  return `${Number((fraction * 100).toPrecision(4))}%`;
}
