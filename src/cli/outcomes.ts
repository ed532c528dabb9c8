import type { DeliveryRecord } from '../gate/delivery.ts';
import type { DeliveryOutcome } from '../gate/ports.ts';
import { sentence } from '../gate/settle.ts';
import { printable } from '../notify/printable.ts';
import { describeError, EXIT, type ExitCode, type Output } from './output.ts';
import { bytes, count } from './words.ts';

/** 1 when anything could not be done, else 3 when the audit stopped anything, else 0. */
export function exitOf(outcomes: readonly DeliveryOutcome[]): ExitCode {
  const codes = outcomes.map((outcome): ExitCode => {
    if (outcome.kind !== 'ended' && outcome.kind !== 'already') return EXIT.failed;
    return exitOfRecord(outcome.record);
  });
  if (codes.includes(EXIT.failed)) return EXIT.failed;
  return codes.includes(EXIT.auditFailed) ? EXIT.auditFailed : EXIT.done;
}

export function exitOfRecord(record: DeliveryRecord): ExitCode {
  if (record.state === 'published') return EXIT.done;
  return record.state === 'rejected' ? EXIT.auditFailed : EXIT.failed;
}

/** An outcome for programs. */
export function outcomeValue(outcome: DeliveryOutcome): Record<string, unknown> {
  const { kind, drop } = outcome;
  if (kind === 'unrouted') return { file: drop, outcome: kind, reason: outcome.reason };
  if (kind === 'gone') return { file: drop, outcome: kind };
  if (kind === 'unclaimed') return { file: drop, outcome: kind, error: describeError(outcome.error) };
  return {
    file: drop,
    outcome: kind,
    ...(kind === 'interrupted' ? { error: describeError(outcome.error) } : {}),
    delivery: outcome.record,
  };
}

/** Outcomes for people: a line each, and under a stopped one why and what to type next. */
export function renderOutcomes(outcomes: readonly DeliveryOutcome[], output: Output): string {
  const lines = outcomes.flatMap((outcome) => outcomeLines(outcome, output));
  if (outcomes.length > 1) {
    const of = (state: string) =>
      outcomes.filter((outcome) => 'record' in outcome && outcome.record.state === state).length;
    const published = of('published');
    lines.push(
      '',
      `${published} of ${count(outcomes.length, 'delivery').replace('deliverys', 'deliveries')} published`,
    );
  }
  return lines.join('\n');
}

function outcomeLines(outcome: DeliveryOutcome, output: Output): string[] {
  const name = printable(outcome.drop.slice(outcome.drop.lastIndexOf('/') + 1));
  switch (outcome.kind) {
    case 'unrouted':
      return [`${output.style('yellow', 'unrouted')}  ${name}: ${printable(outcome.reason)}`];
    case 'gone':
      return [`${output.style('yellow', 'gone')}  ${name}: there is no such object any more`];
    case 'unclaimed':
      return [
        `${output.style('red', 'not begun')}  ${name}: ${describeError(outcome.error)}; drop it again to deliver it`,
      ];
    case 'busy':
      return [
        `${output.style('yellow', 'busy')}  ${name}: delivery ${outcome.record.id} is worked on by process ${outcome.record.lease?.holder.pid} on ${outcome.record.lease?.holder.host}`,
      ];
    case 'interrupted':
      return [
        `${output.style('red', 'interrupted')}  ${name}: ${describeError(outcome.error)}`,
        `    lakegate delivery retry ${outcome.record.id}`,
      ];
    case 'already':
    case 'ended':
      return recordLines(outcome.record, output, outcome.kind === 'already' ? ' (before: the same file again)' : '');
  }
}

/** A delivery that has ended, in a few lines. */
export function recordLines(record: DeliveryRecord, output: Output, remark = ''): string[] {
  const name = printable(record.drop.url.slice(record.drop.url.lastIndexOf('/') + 1));
  const size = [
    record.rows === undefined ? [] : count(record.rows, 'row'),
    record.bytes === undefined ? [] : bytes(record.bytes),
  ].flat();
  const about = `${name} → ${record.table}${size.length > 0 ? ` (${size.join(', ')})` : ''}${remark}`;
  const state = { published: 'green', rejected: 'red', errored: 'red' }[record.state as string] ?? 'yellow';
  const lines = [`${output.style(state as 'green', record.state)}  ${about}`];
  if (record.addedColumns?.length) lines.push(`    new columns: ${record.addedColumns.map(printable).join(', ')}`);
  if (record.state === 'published') return lines;
  const off = (record.results ?? []).filter((result) => result.outcome !== 'passed');
  for (const result of off) {
    const rows = result.rows?.length
      ? ` (row${result.rows.length === 1 ? '' : 's'} ${result.rows.join(', ')}${(result.count ?? 0) > result.rows.length ? ', …' : ''})`
      : '';
    lines.push(`    ${printable(sentence(result))}${rows}`);
  }
  if (record.reason && off.length === 0) lines.push(`    ${printable(record.reason)}`);
  if (record.branch) lines.push(`    kept on branch ${record.branch}`);
  if (record.state === 'rejected' || record.state === 'errored') {
    lines.push(`    lakegate delivery show ${record.id}`);
    if (record.branch)
      lines.push(
        `    lakegate delivery publish ${record.id} --reason "…"`,
        `    lakegate delivery discard ${record.id}`,
      );
    else lines.push(`    lakegate delivery retry ${record.id}`);
  }
  return lines;
}
