import { didYouMean } from './did-you-mean.ts';
import type { YamlPath } from './fault.ts';
import type { RuleYaml } from './schema.ts';
import { found, type PathFault } from './shape-faults.ts';

/** Checked values with holes where something was faulty. */
export type Partially<T> = T extends readonly (infer E)[]
  ? (Partially<E> | undefined)[]
  : T extends object
    ? { [K in keyof T]?: Partially<T[K]> | undefined }
    : T;

/** The rules there are, as lake.yaml writes them. */
const RULES = [
  'not_null',
  'max_null_fraction',
  'row_count',
  'range',
  'accepted_values',
  'unique',
  'schema',
  'freshness',
  'sql',
] as const satisfies (keyof RuleYaml)[];

/** Faults inside rules that no table is needed for: an entry with no or several rules, bounds the wrong way round, empty demands. */
export function checkRules(rules: readonly (Partially<RuleYaml> | undefined)[], path: YamlPath): PathFault[] {
  return rules.flatMap((rule, i) => (rule === undefined ? [] : checkRule(rule, [...path, i])));
}

function checkRule(rule: Partially<RuleYaml>, path: YamlPath): PathFault[] {
  const faults: PathFault[] = [];
  const report = (at: YamlPath, message: string) => faults.push({ path: [...path, ...at], part: 'value', message });
  const named = RULES.filter((name) => rule[name] !== undefined);
  if (named.length > 1) {
    report([], `expected one rule in each list entry, found ${named.join(' and ')}. Give each its own \`- \``);
  }
  if (Object.keys(rule).length === 0) report([], `expected one of the rules ${RULES.join(', ')}, found none`);
  if (rule.row_count !== undefined) checkBounds('row_count', rule.row_count.min, rule.row_count.max, report);
  if (rule.range !== undefined) checkBounds('range', rule.range.min, rule.range.max, report);
  if (rule.schema?.columns !== undefined && Object.keys(rule.schema.columns).length === 0) {
    report(['schema', 'columns'], 'expected at least one column, found none');
  }
  if (Array.isArray(rule.not_null) && rule.not_null.length > 1 && rule.not_null.includes('*')) {
    report(['not_null'], 'expected "*" alone, since it means all columns, or names');
  }
  if (rule.unique === '*' || (Array.isArray(rule.unique) && rule.unique.includes('*'))) {
    report(['unique'], 'expected the names of the columns that make up the key, found "*"');
  }
  const query = rule.sql?.query;
  if (query !== undefined && !/\bdelivery\b/i.test(query)) {
    report(
      ['sql', 'query'],
      "expected a query over the view `delivery`, which holds the delivery's rows; this one does not name it",
    );
  }
  return faults;
}

type Bound = number | string | undefined;

function checkBounds(
  name: 'row_count' | 'range',
  min: Bound,
  max: Bound,
  report: (at: YamlPath, message: string) => void,
) {
  if (min === undefined && max === undefined) {
    report([name], 'expected `min`, `max` or both, found neither');
  } else if (min !== undefined && max !== undefined && typeof min !== typeof max) {
    report([name], `expected \`min\` and \`max\` of one kind, found ${typeof min} ${min} and ${typeof max} ${max}`);
  } else if (min !== undefined && max !== undefined && isAbove(min, max)) {
    report([name], `expected \`min\` not above \`max\`: nothing lies between ${min} and ${max}. Swap them?`);
  }
}

function isAbove(min: number | string, max: number | string): boolean {
  if (typeof min === 'number' && typeof max === 'number') return min > max;
  const digits = /^[-+]?\d+$/;
  const [low, high] = [String(min), String(max)];
  if (digits.test(low) && digits.test(high)) return BigInt(low) > BigInt(high);
  // Only dates written alike can be held against each other as text; anything else is left to the audit.
  const date = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?)?$/;
  return date.test(low) && date.test(high) && low.replace(' ', 'T') > high.replace(' ', 'T');
}

/**
 * Rules on columns that a table does not declare.
 * @param path where the rules stand: the table's own list, or that of `defaults`
 */
export function checkRuleColumns(
  rules: readonly (Partially<RuleYaml> | undefined)[],
  path: YamlPath,
  declared: readonly string[],
  table: string,
): PathFault[] {
  return rules.flatMap((rule, i) =>
    rule === undefined
      ? []
      : ruleColumns(rule)
          .filter(({ name }) => !declared.includes(name))
          .map(({ at, name }) => ({
            path: [...path, i, ...at],
            part: 'value' as const,
            message: `expected a column that ${table} declares, ${found(name)}.${didYouMean(name, declared) || ` It declares ${declared.join(', ')}`}`,
          })),
  );
}

function ruleColumns(rule: Partially<RuleYaml>): { at: YamlPath; name: string }[] {
  const result: { at: YamlPath; name: string }[] = [];
  const add = (name: string | undefined, ...at: YamlPath) => {
    if (name !== undefined && name !== '*') result.push({ at, name });
  };
  for (const kind of ['not_null', 'unique'] as const) {
    const columns = rule[kind];
    if (typeof columns === 'string') add(columns, kind);
    else for (const [i, name] of (columns ?? []).entries()) add(name, kind, i);
  }
  for (const kind of ['max_null_fraction', 'range', 'accepted_values', 'freshness'] as const) {
    add(rule[kind]?.column, kind, 'column');
  }
  for (const name of Object.keys(rule.schema?.columns ?? {})) add(name, 'schema', 'columns', name);
  return result;
}
