import { printable } from '../notify/printable.ts';
import type { DatabaseResult, Some, TableResult } from '../partitions/result.ts';
import { type Output, quoted } from './output.ts';
import type { FailedDatabase } from './partitions.ts';
import { count, number } from './words.ts';

/** Entries of a kind that are shown. */
const SHOWN = 5;

/** What was done, or would be, for people: a line for each table, and under it what is worth knowing. */
export function renderDatabases(
  databases: readonly (DatabaseResult | FailedDatabase)[],
  dryRun: boolean,
  output: Output,
): string {
  if (databases.length === 0) return 'no managed databases: `partitions.databases` in lake.yaml says which';
  const lines = databases.flatMap((one) =>
    'error' in one
      ? [`${output.style('red', 'failed')}  ${printable(one.database)}: ${one.error}`]
      : one.tables.flatMap((table) => tableLines(one.database, table, dryRun, output)),
  );
  const ended = databases.filter((one) => 'totals' in one);
  const sum = (of: (one: DatabaseResult) => number) => ended.reduce((total, one) => total + of(one), 0);
  const done = dryRun
    ? `${count(
        sum(({ totals }) => totals.missing),
        'partition',
      )} to register`
    : `${count(
        sum(({ totals }) => totals.created),
        'partition',
      )} registered`;
  const calls = `${number(sum(({ totals }) => totals.tally.glue))} requests to Glue, ${number(sum(({ totals }) => totals.tally.s3))} to S3`;
  const failed = sum(({ totals }) => totals.failed);
  const others = [
    [failed, `${count(failed, 'table')} failed`],
    [databases.length - ended.length, `${count(databases.length - ended.length, 'database')} failed`],
    [sum(({ totals }) => totals.errors), `${number(sum(({ totals }) => totals.errors))} not taken`],
  ] as const;
  const bad = others.filter(([amount]) => amount > 0).map(([, words]) => `, ${output.style('red', words)}`);
  lines.push(
    '',
    `${count(
      sum(({ totals }) => totals.tables),
      'table',
    )}: ${done}${bad.join('')} (${calls})`,
  );
  return lines.join('\n');
}

function tableLines(database: string, result: TableResult, dryRun: boolean, output: Output): string[] {
  const name = printable(`${database}.${result.table}`);
  if (result.skip !== undefined)
    return [`${output.style('dim', 'left alone')}  ${name}: ${printable(result.skip.text)}`];
  const error =
    result.error === undefined ? [] : [`${output.style('red', 'failed')}  ${name}: ${printable(result.error.message)}`];
  // Where it failed at once, nothing else is known of it.
  if (error.length > 0 && result.layout === undefined) return error;
  const { missing, created, already, removed, updated, gone, unchanged, drifted } = result;
  const parts: (readonly [number, string])[] = [
    dryRun ? [missing.count, 'to register'] : [created, 'registered'],
    [already, 'by somebody else meanwhile'],
    dryRun || removed === 0 ? [gone.count, 'whose folder is gone'] : [removed, 'taken out'],
    [updated, 'given the columns of the table'],
    [drifted, 'with other columns than the table'],
    [unchanged, 'as they are'],
  ];
  const told = parts.filter(([amount]) => amount > 0).map(([amount, words]) => `${number(amount)} ${words}`);
  const open = result.outcome === 'unfinished' ? ' (not finished)' : '';
  const nothing = result.rejected.count > 0 ? 'no partitions' : 'no folders';
  return [
    ...error,
    `${name} (${result.layout})${open}: ${told.join(', ') || nothing}`,
    ...(dryRun ? someLines('register', missing, printable) : []),
    ...someLines(removed > 0 ? 'was gone' : 'gone', gone, printable),
    ...someLines('no partition', result.rejected, ({ prefix, reason }) => printable(`${prefix}: ${reason}`)),
    ...(told.length === 0 && result.rejected.count > 0
      ? [
          `    another layout? \`${output.command(`partitions infer ${quoted(`${database}.${result.table}`)}`)}\` proposes one`,
        ]
      : []),
    ...someLines('registered elsewhere', result.moved, ({ registered, folder }) =>
      printable(`${registered}, the folder is ${folder}`),
    ),
    ...someLines('not taken', result.errors, ({ values, code, message }) =>
      printable(`${JSON.stringify(values)}: ${code}: ${message}`),
    ),
    ...(result.projection === undefined
      ? []
      : [
          '    Athena could work these out by itself (other engines would see no partitions):',
          `      ${printable(result.projection)}`,
        ]),
  ];
}

function someLines<T>(what: string, { count: all, first }: Some<T>, text: (one: T) => string): string[] {
  const lines = first.slice(0, SHOWN).map((one) => `    ${what}: ${text(one)}`);
  if (all > lines.length) lines.push(`    … and ${number(all - lines.length)} more`);
  return lines;
}
