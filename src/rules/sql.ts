import { isKind } from '../errors.ts';
import { type AuditContext, MAX_POSITIONS, type RuleResult, type RuleSpec } from './rule.ts';

/** The query over the view `delivery` returns no row. A query that is wrong, or no engine to run it, makes the rule inconclusive. */
export async function sql(spec: Extract<RuleSpec, { rule: 'sql' }>, context: AuditContext): Promise<RuleResult[]> {
  const expected = `${spec.name}: no row from the query`;
  const result = (rest: Pick<RuleResult, 'outcome' | 'count' | 'found'>): RuleResult[] => [
    { rule: 'sql', expected, ...rest },
  ];
  if (context.sql === undefined) return result({ outcome: 'inconclusive', found: 'no SQL engine here' });
  try {
    const files = context.files.map((file) => file.url);
    const { count, sample } = await context.sql.violations(spec.query, files, MAX_POSITIONS, context.staged);
    if (count === 0) return result({ outcome: 'passed', count, found: 'no rows' });
    const found = `${count} ${count === 1 ? 'row' : 'rows'}: ${sample.join('; ')}`;
    return result({ outcome: 'failed', count, found });
  } catch (error) {
    if (isKind(error, 'invalid'))
      return result({ outcome: 'inconclusive', found: `the query is wrong: ${error.message}` });
    throw error;
  }
}
