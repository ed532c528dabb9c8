import pLimit from 'p-limit';
import type { Lake } from '../compose.ts';
import { isKind } from '../errors.ts';
import type { DeliveryRecord } from '../gate/delivery.ts';
import { printable, shorten } from '../notify/printable.ts';
import type { RuleResult } from '../rules/rule.ts';
import { namedTable } from './choose-table.ts';
import { columns } from './columns.ts';
import type { CommandContext } from './context.ts';
import { findRecord } from './find-record.ts';
import { withLake } from './lake.ts';
import { findingLine, recordLines, styledState } from './outcomes.ts';
import { describeError, EXIT, type ExitCode } from './output.ts';
import { bytes, count, fileName, number } from './words.ts';

/** Records read at the same time. */
const AT_ONCE = 16;

/** Passed checks that `delivery show` spells out; beyond, their number has to do. */
const PASSED_SHOWN = 20;

/** Characters of a step's remark; one that names a thousand columns is told below, rule by rule. */
const DETAIL_LENGTH = 120;

interface ListOptions {
  table?: string;
  state?: string;
  limit: number;
}

/** `lakegate delivery list`: the newest ones; older records are not even read. */
export async function list(context: CommandContext, options: ListOptions): Promise<ExitCode> {
  const { output } = context;
  const { shown, unread } = await withLake(context, (lake) => newest(context, lake, options));
  output.result(shown, () => {
    const isFiltered = options.table !== undefined || options.state !== undefined;
    if (shown.length === 0) {
      return isFiltered ? 'no such deliveries' : `no deliveries yet; \`${output.command('drop FILE')}\` makes one`;
    }
    const table = columns(
      ['id', 'table', 'state', 'rows', 'when (UTC)', 'file'],
      shown.map((record) => [
        record.id,
        record.table,
        { text: record.state.replace('_', ' '), paint: () => styledState(record, output) },
        record.rows === undefined ? '' : number(record.rows),
        lastChange(record).slice(0, 19).replace('T', ' '),
        fileName(record.drop.url),
      ]),
      output.width,
    );
    if (unread === 0) return table;
    return isFiltered
      ? `${table}there may be older ones (--limit)`
      : `${table}${count(unread, 'older one')} not shown (--limit)`;
  });
  return EXIT.done;
}

async function newest(
  context: CommandContext,
  lake: Lake,
  options: ListOptions,
): Promise<{ shown: DeliveryRecord[]; unread: number }> {
  const { records } = lake.ports;
  const table = options.table === undefined ? undefined : namedTable(lake.config, options.table).name;
  const ids = await records.idsByChange();
  const limit = pLimit(AT_ONCE);
  const shown: DeliveryRecord[] = [];
  let read = 0;
  while (read < ids.length && shown.length < options.limit) {
    const wanted = Math.max(AT_ONCE, options.limit - shown.length);
    const batch = ids.slice(read, read + wanted);
    read += batch.length;
    const loaded = await Promise.all(batch.map((id) => limit(() => loadOrSay(context, lake, id))));
    for (const record of loaded) {
      if (record === undefined || (table !== undefined && record.table !== table)) continue;
      if (options.state === undefined || record.state === options.state) shown.push(record);
    }
  }
  shown.sort((a, b) => lastChange(b).localeCompare(lastChange(a)));
  const unread = ids.length - read + Math.max(0, shown.length - options.limit);
  return { shown: shown.slice(0, options.limit), unread };
}

/** A record that cannot be read must not hide the others. */
async function loadOrSay(context: CommandContext, lake: Lake, id: string): Promise<DeliveryRecord | undefined> {
  try {
    return (await lake.ports.records.load(id))?.record;
  } catch (error) {
    if (!isKind(error, 'corrupt')) throw error;
    context.terminal.err.write(`lakegate: ${describeError(error)}\n`);
    return undefined;
  }
}

/** `lakegate delivery show ID` */
export async function show(context: CommandContext, idStart: string): Promise<ExitCode> {
  const { output } = context;
  const record = await withLake(context, (lake) => findRecord(lake.ports.records, idStart));
  output.result(record, () => {
    const way = record.history.map(({ at, state, detail }) =>
      `${at.slice(0, 23).replace('T', ' ')}  ${state.replace('_', ' ').padEnd(12)} ${shorten(printable(detail ?? ''), DETAIL_LENGTH)}`.trimEnd(),
    );
    return [
      ...recordLines(record, output),
      '',
      ...facts(record).map(([name, value]) => `${name.padEnd(9)} ${printable(value)}`),
      '',
      output.style('bold', 'its way (UTC)'),
      ...way,
      ...checks(record.results ?? [], (title) => output.style('bold', title)),
    ].join('\n');
  });
  return EXIT.done;
}

function facts(record: DeliveryRecord): [string, string][] {
  const size = [
    record.bytes === undefined ? [] : bytes(record.bytes),
    record.rows === undefined ? [] : count(record.rows, 'row'),
  ].flat();
  const { decision } = record;
  return [
    ['delivery', record.id],
    ['table', `${record.table} (catalogue ${record.catalog})`],
    ['file', record.drop.url],
    ['size', size.join(', ')],
    ...(record.branch ? [['branch', record.branch] as [string, string]] : []),
    ...(record.publishedSnapshotId ? [['snapshot', record.publishedSnapshotId] as [string, string]] : []),
    ...(decision
      ? [['decision', `${decision.action} by ${decision.by} at ${decision.at}: ${decision.reason}`] as [string, string]]
      : []),
  ];
}

function checks(results: readonly RuleResult[], title: (text: string) => string): string[] {
  if (results.length === 0) return [];
  const passed = results.filter(({ outcome }) => outcome === 'passed');
  const off = results.filter(({ outcome }) => outcome !== 'passed');
  const shown = passed.length > PASSED_SHOWN ? off : [...off, ...passed];
  return [
    '',
    title('rules'),
    ...shown.map((result) => `${result.outcome.padEnd(12)} ${findingLine(result)}`),
    ...(passed.length > PASSED_SHOWN
      ? [`${'passed'.padEnd(12)} ${count(passed.length, 'check')} (--json lists them)`]
      : []),
  ];
}

function lastChange(record: DeliveryRecord): string {
  return record.history.at(-1)?.at ?? '';
}
