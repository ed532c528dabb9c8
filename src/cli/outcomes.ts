import type { DeliveryRecord } from '../gate/delivery.ts';
import { sentence } from '../gate/settle.ts';
import { printable, shorten } from '../notify/printable.ts';
import type { RuleResult } from '../rules/rule.ts';
import type { StageOutcome } from './await-gate.ts';
import { describeError, EXIT, type ExitCode, type Output } from './output.ts';
import { bytes, count, fileName, number } from './words.ts';

/** Findings and columns shown of one delivery; a file may have thousands. */
const SHOWN = 10;

/** Characters of a reason: one may name thousands of columns that do not fit. The record has it whole. */
const REASON_LENGTH = 500;

/** 1 when anything could not be done, else 3 when the audit stopped anything, else 0. */
export function exitOf(outcomes: readonly StageOutcome[]): ExitCode {
  const codes = outcomes.map((outcome): ExitCode => {
    if (outcome.kind === 'dropped') return EXIT.done;
    if (outcome.kind !== 'ended' && outcome.kind !== 'already') return EXIT.failed;
    return exitOfRecord(outcome.record);
  });
  if (codes.includes(EXIT.failed)) return EXIT.failed;
  return codes.includes(EXIT.auditFailed) ? EXIT.auditFailed : EXIT.done;
}

function exitOfRecord(record: DeliveryRecord): ExitCode {
  if (record.state === 'published') return EXIT.done;
  return record.state === 'rejected' ? EXIT.auditFailed : EXIT.failed;
}

/** An outcome for programs. */
export function outcomeValue(outcome: StageOutcome): Record<string, unknown> {
  const { kind, drop } = outcome;
  if (kind === 'unrouted') return { file: drop, outcome: kind, reason: outcome.reason };
  if (kind === 'gone' || kind === 'postponed') return { file: drop, outcome: kind };
  if (kind === 'dropped') return { file: drop, outcome: kind, id: outcome.id };
  if (kind === 'waiting') return { file: drop, outcome: kind, id: outcome.id, delivery: outcome.record };
  if (kind === 'unclaimed') return { file: drop, outcome: kind, error: describeError(outcome.error) };
  return {
    file: drop,
    outcome: kind,
    ...(kind === 'interrupted' ? { error: describeError(outcome.error) } : {}),
    delivery: outcome.record,
  };
}

/** Outcomes for people: a line each, and under a stopped one why and what to type next. */
export function renderOutcomes(outcomes: readonly StageOutcome[], output: Output): string {
  const lines = outcomes.flatMap((outcome) => outcomeLines(outcome, output));
  if (outcomes.length > 1) {
    const published = outcomes.filter((outcome) => 'record' in outcome && outcome.record?.state === 'published').length;
    lines.push('', `${number(published)} of ${count(outcomes.length, 'delivery', 'deliveries')} published`);
  }
  return lines.join('\n');
}

function outcomeLines(outcome: StageOutcome, output: Output): string[] {
  const name = printable(fileName(outcome.drop));
  switch (outcome.kind) {
    case 'unrouted':
      return [`${output.style('yellow', 'unrouted')}  ${name}: ${printable(outcome.reason)}`];
    case 'gone':
      return [`${output.style('yellow', 'gone')}  ${name}: there is no such file any more`];
    case 'postponed':
      return [`${output.style('yellow', 'postponed')}  ${name}: there was no time left to begin it; drop it again`];
    case 'busy':
      return [
        `${output.style('yellow', 'busy')}  ${name}: delivery ${outcome.record.id} is worked on by process ${outcome.record.lease?.holder.pid} on ${outcome.record.lease?.holder.host}`,
      ];
    case 'dropped':
      return [
        `${output.style('yellow', 'dropped')}  ${name}: the gate takes it from here, as delivery ${outcome.id}`,
        `    ${output.command(`delivery show ${outcome.id}`)}`,
      ];
    case 'waiting':
      return waitingLines(name, outcome, output);
    case 'unclaimed':
      return [`${output.style('red', 'not begun')}  ${name}: ${describeError(outcome.error)}; drop it again`];
    case 'interrupted':
      return [
        `${output.style('red', 'interrupted')}  ${name}: ${describeError(outcome.error)}`,
        `    ${output.command(`delivery retry ${outcome.record.id}`)}`,
      ];
    case 'already':
    case 'ended':
      return recordLines(outcome.record, output, outcome.kind === 'already' ? ' (before: the same file again)' : '');
  }
}

/** Not decided yet: what to look at, and how to go on all the same. */
function waitingLines(
  name: string,
  { id, record }: Extract<StageOutcome, { kind: 'waiting' }>,
  output: Output,
): string[] {
  const lines =
    record === undefined
      ? [`${output.style('yellow', 'waiting')}  ${name}: it lies in the raw bucket, but the gate has not begun with it`]
      : [`${output.style('yellow', 'waiting')}  ${name}: the gate is at it and has not ended (${record.state})`];
  lines.push(`    ${output.command('doctor')}`);
  if (record !== undefined) lines.push(`    ${output.command(`delivery show ${id}`)}`);
  return lines;
}

/** A delivery in a few lines: its state and, where it was stopped, why and what to type next. */
export function recordLines(record: DeliveryRecord, output: Output, remark = ''): string[] {
  const size = [
    record.rows === undefined ? [] : count(record.rows, 'row'),
    record.bytes === undefined ? [] : bytes(record.bytes),
  ].flat();
  const about = `${printable(fileName(record.drop.url))} → ${printable(record.table)}${size.length > 0 ? ` (${size.join(', ')})` : ''}${remark}`;
  const lines = [
    `${styledState(record, output)}  ${about}`,
    ...columnLines('new table', record.tableColumns),
    ...columnLines('new columns', record.addedColumns),
  ];
  if (record.state === 'published' || record.state === 'discarded' || record.state === 'rolled_back') return lines;
  const off = (record.results ?? []).filter((result) => result.outcome !== 'passed');
  lines.push(...off.slice(0, SHOWN).map((result) => `    ${findingLine(result)}`));
  if (off.length > SHOWN) lines.push(`    … and ${number(off.length - SHOWN)} more`);
  if (record.reason && off.length === 0) lines.push(`    ${shorten(printable(record.reason), REASON_LENGTH)}`);
  if (record.branch) lines.push(`    kept on branch ${record.branch}`);
  return [...lines, ...nextCommands(record, output).map((command) => `    ${command}`)];
}

/** A delivery's state, in its colour. */
export function styledState({ state }: DeliveryRecord, output: Output): string {
  const color = state === 'published' ? 'green' : state === 'rejected' || state === 'errored' ? 'red' : 'yellow';
  return output.style(color, state.replace('_', ' '));
}

/** `not_null on email: 3 nulls, expected no nulls (rows 4, 7, 9, counted from 0)` */
export function findingLine(result: RuleResult): string {
  const { rows = [] } = result;
  if (result.outcome === 'passed') {
    return printable(`${result.rule}${result.column === undefined ? '' : ` on ${result.column}`}: ${result.found}`);
  }
  const more = (result.count ?? 0) > rows.length ? ', …' : '';
  const where = `${rows.length === 1 && !more ? 'row' : 'rows'} ${rows.join(', ')}${more}, counted from 0`;
  return `${printable(sentence(result))}${rows.length === 0 ? '' : ` (${where})`}`;
}

function columnLines(what: string, names: readonly string[] | undefined): string[] {
  if (!names?.length) return [];
  const more = names.length > SHOWN ? ` … and ${number(names.length - SHOWN)} more` : '';
  return [`    ${what}: ${names.slice(0, SHOWN).map(printable).join(', ')}${more}`];
}

function nextCommands(record: DeliveryRecord, output: Output): string[] {
  const command = (verb: string, more = '') => output.command(`delivery ${verb} ${record.id}${more}`);
  if (record.state !== 'rejected' && record.state !== 'errored') return [command('retry')];
  return [
    command('show'),
    ...(record.branch ? [command('publish', ' --reason "…"')] : [command('retry')]),
    command('discard'),
  ];
}
