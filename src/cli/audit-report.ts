import { printable } from '../notify/printable.ts';
import type { NullCount } from '../parquet/model.ts';
import type { RuleResult } from '../rules/rule.ts';
import { columns as table } from './columns.ts';
import { findingLine } from './outcomes.ts';
import type { Output } from './output.ts';
import { count, number } from './words.ts';

/** The verdict on a file. */
export interface AuditReport {
  /** URL */
  file: string;
  rows: number;
  outcome: 'passed' | 'failed' | 'inconclusive';
  columns: NullCount[];
  rules: RuleResult[];
}

/** Findings and columns shown to people; `--json` has all of them. */
const SHOWN = 20;

/** The report for programs: the same keys for every file and every rule. */
export function auditValue({ file, rows, outcome, columns, rules }: AuditReport): Record<string, unknown> {
  return {
    file,
    rows,
    outcome,
    columns: columns.map(({ name, nulls, from }) => ({ name, nulls, from })),
    rules: rules.map((result) => ({
      rule: result.rule,
      column: result.column ?? null,
      outcome: result.outcome,
      count: result.count ?? null,
      rows: result.rows ?? [],
    })),
  };
}

/** A line for each check that did not pass, the first ones. */
export function findings(report: AuditReport, output: Output): string[] {
  const off = report.rules.filter(({ outcome }) => outcome !== 'passed');
  const lines = off
    .slice(0, SHOWN)
    .map(
      (result) =>
        `${output.style(result.outcome === 'failed' ? 'red' : 'yellow', result.outcome)}  ${findingLine(result)}`,
    );
  return off.length > SHOWN ? [...lines, `… and ${number(off.length - SHOWN)} more`] : lines;
}

/** The report for people: what is wrong first, then the columns, those with nulls before the others. */
export function renderAudit(report: AuditReport, output: Output): string {
  const color = report.outcome === 'passed' ? 'green' : report.outcome === 'failed' ? 'red' : 'yellow';
  const passed = report.rules.filter(({ outcome }) => outcome === 'passed').length;
  const path = printable(report.file.replace(/^file:\/\//, ''));
  const wrong = findings(report, output);
  return [
    `${output.style(color, report.outcome)}  ${path} (${count(report.rows, 'row')})`,
    ...(wrong.length > 0 ? ['', ...wrong] : []),
    '',
    ...(report.columns.length > 0 ? [columnTable(report.columns, output)] : []),
    report.rules.length === 0
      ? 'there are no rules to check'
      : `${number(passed)} of ${count(report.rules.length, 'check')} passed`,
  ].join('\n');
}

function columnTable(all: readonly NullCount[], output: Output): string {
  const withNulls = all.filter(({ nulls }) => nulls > 0);
  const shown = [...withNulls, ...all.filter(({ nulls }) => nulls === 0)].slice(0, SHOWN);
  const rest = all.length - shown.length;
  const restWithNulls = Math.max(0, withNulls.length - SHOWN);
  const lines = table(
    ['column', 'nulls', 'known from'],
    shown.map(({ name, nulls, from }) => [
      name,
      nulls > 0 ? { text: number(nulls), paint: (text) => output.style('red', text) } : number(nulls),
      from,
    ]),
    output.width,
  );
  const others = restWithNulls === 0 ? 'none' : number(restWithNulls);
  return rest === 0
    ? lines
    : `${lines}… and ${count(rest, 'more column')}, ${others} of them with nulls (--json lists all)\n`;
}
