import { isKind } from '../errors.ts';
import { acceptedValues } from './accepted-values.ts';
import { mapBounded } from './bounded.ts';
import { totalRows } from './column.ts';
import { sharedEvidence } from './evidence.ts';
import { freshness } from './freshness.ts';
import { maxNullFraction } from './max-null-fraction.ts';
import { notNull } from './not-null.ts';
import { range } from './range.ts';
import { rowCount } from './row-count.ts';
import type { AuditContext, AuditVerdict, RuleResult, RuleSpec } from './rule.ts';
import { schema } from './schema.ts';
import { sql } from './sql.ts';
import { unique } from './unique.ts';

/** Rules under way at once: enough to hide a store's latency, few enough that their batches fit in memory together. */
const RULES_AT_ONCE = 4;

/**
 * Checks the rules over a delivery's files; results come in the rules' order.
 * A rule that could not be checked is inconclusive, with the reason, and says nothing about the data.
 * @throws LakegateError `corrupt` when a file cannot be read as what it claims to be: that is the delivery's fault, not a rule's
 */
export async function audit(rules: readonly RuleSpec[], context: AuditContext): Promise<AuditVerdict> {
  const shared: AuditContext = { ...context, files: context.files.map(sharedEvidence) };
  // The question about all columns goes first, so that rules on single columns find it answered.
  const order = rules.map((_, index) => index).sort((a, b) => Number(asksAll(rules[b]!)) - Number(asksAll(rules[a]!)));
  const answers = new Array<RuleResult[]>(rules.length);
  const answer = async (index: number): Promise<void> => {
    answers[index] = await check(rules[index]!, shared);
  };
  const [large, small] = [
    order.filter((index) => rules[index]!.rule === 'unique'),
    order.filter((index) => rules[index]!.rule !== 'unique'),
  ];
  await mapBounded(small, RULES_AT_ONCE, answer);
  // One by one: each may hold a key of every row.
  await mapBounded(large, 1, answer);
  const results = answers.flat();
  return { outcome: outcomeOf(results), rows: totalRows(context.files), results };
}

function asksAll(spec: RuleSpec): boolean {
  return spec.rule === 'not_null' && spec.columns === '*';
}

function outcomeOf(results: readonly RuleResult[]): AuditVerdict['outcome'] {
  if (results.some((result) => result.outcome === 'failed')) return 'failed';
  return results.some((result) => result.outcome === 'inconclusive') ? 'inconclusive' : 'passed';
}

async function check(spec: RuleSpec, context: AuditContext): Promise<RuleResult[]> {
  if (context.files.length === 0 && spec.rule !== 'row_count') {
    return [inconclusive(spec, 'the delivery has no files: nothing to judge')];
  }
  try {
    return await apply(spec, context);
  } catch (error) {
    if (isKind(error, 'corrupt')) throw error;
    return [inconclusive(spec, `could not be checked: ${error instanceof Error ? error.message : String(error)}`)];
  }
}

function apply(spec: RuleSpec, context: AuditContext): Promise<RuleResult[]> {
  switch (spec.rule) {
    case 'not_null':
      return notNull(spec, context);
    case 'max_null_fraction':
      return maxNullFraction(spec, context);
    case 'row_count':
      return rowCount(spec, context);
    case 'range':
      return range(spec, context);
    case 'accepted_values':
      return acceptedValues(spec, context);
    case 'unique':
      return unique(spec, context);
    case 'schema':
      return schema(spec, context);
    case 'freshness':
      return freshness(spec, context);
    case 'sql':
      return sql(spec, context);
  }
}

function inconclusive(spec: RuleSpec, found: string): RuleResult {
  const column = columnOf(spec);
  const expected = spec.rule === 'sql' ? `${spec.name}: no row from the query` : 'the rule to be checked';
  return { rule: spec.rule, ...(column !== undefined && { column }), outcome: 'inconclusive', expected, found };
}

function columnOf(spec: RuleSpec): string | undefined {
  switch (spec.rule) {
    case 'not_null':
      return spec.columns === '*' ? '*' : spec.columns.join(', ');
    case 'unique':
      return spec.columns.join(', ');
    case 'max_null_fraction':
    case 'range':
    case 'accepted_values':
    case 'freshness':
      return spec.column;
    default:
      return undefined;
  }
}
