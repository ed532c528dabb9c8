import type { RuleSpec } from '../rules/rule.ts';
import { columnType } from './column-type.ts';
import { parseDuration } from './duration.ts';
import type { RuleYaml } from './schema.ts';

/** A checked rule of lake.yaml in the terms of the audit. Columns named twice count once. */
export function ruleSpec(rule: RuleYaml): RuleSpec {
  if (rule.not_null !== undefined) {
    const columns = columnNames(rule.not_null);
    return { rule: 'not_null', columns: columns.includes('*') ? '*' : columns };
  }
  if (rule.max_null_fraction !== undefined) {
    return { rule: 'max_null_fraction', column: rule.max_null_fraction.column, atMost: rule.max_null_fraction.at_most };
  }
  if (rule.row_count !== undefined) return { rule: 'row_count', ...given(rule.row_count) };
  if (rule.range !== undefined) return { rule: 'range', column: rule.range.column, ...given(rule.range) };
  if (rule.accepted_values !== undefined) return { rule: 'accepted_values', ...rule.accepted_values };
  if (rule.unique !== undefined) return { rule: 'unique', columns: columnNames(rule.unique) };
  if (rule.schema !== undefined) {
    const columns = Object.entries(rule.schema.columns).map(([name, type]) => [name, String(columnType(type))]);
    return { rule: 'schema', columns: Object.fromEntries(columns), allowExtra: rule.schema.allow_extra ?? false };
  }
  if (rule.freshness !== undefined) {
    const withinMs = parseDuration(rule.freshness.within);
    if (withinMs === undefined) throw new TypeError(`no duration: ${rule.freshness.within}`);
    return { rule: 'freshness', column: rule.freshness.column, withinMs };
  }
  if (rule.sql !== undefined) return { rule: 'sql', ...rule.sql };
  throw new TypeError('a rule without a rule passed the checks');
}

function columnNames(columns: string | string[]): string[] {
  return [...new Set([columns].flat())];
}

function given<T>(bounds: { min?: T; max?: T }): { min?: T; max?: T } {
  return {
    ...(bounds.min !== undefined && { min: bounds.min }),
    ...(bounds.max !== undefined && { max: bounds.max }),
  };
}
