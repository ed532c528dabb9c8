import { resolve } from 'node:path';
import type { LakeConfig } from '../config/model.ts';
import { monitorDefaults } from '../config/monitor.ts';
import { LakegateError } from '../errors.ts';
import { printable } from '../notify/printable.ts';
import type { SavedReport } from '../reports/monitor/files.ts';
import { openGlueTables } from '../reports/monitor/glue-tables.ts';
import { findingsOf, type MonitorReport, type TableReport, uncheckedOf } from '../reports/monitor/report.ts';
import { runMonitor, stageFolder } from '../reports/monitor/run-monitor.ts';
import { type Cell, columns } from './columns.ts';
import type { CommandContext } from './context.ts';
import { withLake } from './lake.ts';
import { EXIT, type ExitCode, type Output } from './output.ts';
import { outFolder } from './report-folder.ts';
import { count, number } from './words.ts';

export interface MonitorOptions {
  out?: string;
  check?: boolean;
  table?: string;
  tell?: boolean;
}

/**
 * `lakegate report monitor`: looks at the tables, writes the report, and says what was found.
 * @returns with `--check`: 3 on findings, 1 when nothing is wrong as far as could be checked, but not all could be, or there was nothing to check
 */
export async function monitor(context: CommandContext, options: MonitorOptions): Promise<ExitCode> {
  return withLake(context, async ({ config, ports }) => {
    const { output } = context;
    let glue: ReturnType<typeof openGlueTables> | undefined;
    let done = 0;
    const asked = options.table;
    const { report, saved } = await runMonitor(
      config,
      {
        gate: ports,
        glue: async () => {
          glue ??= openGlueTables(config.stage?.region);
          return glue;
        },
        onTable: ({ table_name: name }) => {
          done += 1;
          if (!output.live) return;
          context.terminal.err.write(`\r\u001b[K${number(done)} looked at, last ${printable(name).slice(0, 60)}`);
        },
      },
      {
        folder: folderOf(config, context, options.out),
        ...(options.tell && { notifier: ports.notifier }),
        ...(asked !== undefined && { wanted: (name: string) => name === asked || name.endsWith(`.${asked}`) }),
      },
    );
    if (output.live) context.terminal.err.write('\r\u001b[K');
    if (asked !== undefined && report.tables.length === 0 && report.not_listed.length === 0) {
      throw new LakegateError('not_found', `there is no table ${JSON.stringify(asked)} to look at`);
    }
    output.result({ ...report, ...(saved && { files: saved }) }, () => rendered(report, saved, output));
    return options.check ? verdict(report) : EXIT.done;
  });
}

/** A stage's reports go to its results bucket; those of a laptop beside its lake. URL ending in `/`. */
function folderOf(config: LakeConfig, { terminal }: CommandContext, out: string | undefined): string {
  if (out !== undefined) return outFolder(terminal.cwd, out);
  const { source, reports } = config;
  const home = source === undefined ? resolve(terminal.cwd, '.lakegate') : resolve(source, '..');
  return stageFolder(config) ?? `file://${home}/reports/${(reports?.monitor ?? monitorDefaults()).folder}`;
}

function verdict({ summary, not_listed: notListed }: MonitorReport): ExitCode {
  if (summary.unhealthy > 0) return EXIT.auditFailed;
  return summary.tables === 0 || summary.unknown > 0 || notListed.length > 0 ? EXIT.failed : EXIT.done;
}

function rendered(report: MonitorReport, saved: SavedReport | undefined, output: Output): string {
  const { summary, tables, not_listed: notListed } = report;
  const sorted = tables.toSorted((a, b) => rank(a) - rank(b));
  const lines = [
    tables.length === 0
      ? 'no tables to look at\n'
      : columns(
          HEAD,
          sorted.map((table) => row(table, output)),
          output.width,
        ),
    ...sorted.flatMap((table) => details(table, output)),
    ...notListed.map(
      ({ place, reason }) => `${output.style('yellow', 'not listed')}: ${printable(`${place}: ${reason}`)}\n`,
    ),
    `\n${count(summary.tables, 'table')}: ${number(summary.healthy)} healthy, ${number(summary.unhealthy)} unhealthy, ${number(summary.unknown)} not checked\n`,
    ...(saved ? [`report: ${saved.html}\n        ${saved.json}\n        ${saved.csv}\n`] : []),
  ];
  return lines.join('');
}

const HEAD = ['table', 'health', 'rows', 'before', 'snapshot', 'partitions', 'files'];

const RANKS = { unhealthy: 0, unknown: 1, healthy: 2 } as const;

function rank({ health_status: health }: TableReport): number {
  return RANKS[health];
}

const COLORS = { unhealthy: 'red', unknown: 'yellow', healthy: 'green' } as const;

function row(table: TableReport, output: Output): Cell[] {
  const known = (value: number | null | undefined) => (value === null || value === undefined ? '?' : number(value));
  const { health_status: health, previous_snapshot: before } = table;
  return [
    table.table_name,
    {
      text: health === 'unknown' ? 'not checked' : health,
      paint: (text) => output.style(COLORS[health], text),
    },
    known(table.record_count),
    before === null ? '' : known(before.rows),
    table.snapshot_at?.slice(0, 10) ?? table.snapshot ?? '',
    known(table.partition_count),
    known(table.file_count),
  ];
}

function details(table: TableReport, output: Output): string[] {
  const found = findingsOf(table).map((text) => `  ${output.style('red', '✗')} ${printable(text)}\n`);
  const open = uncheckedOf(table).map((text) => `  ${output.style('yellow', '?')} ${printable(text)}\n`);
  return found.length + open.length === 0 ? [] : [`\n${printable(table.table_name)}\n`, ...found, ...open];
}
