import { resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LakeConfig } from '../config/model.ts';
import type { CleanRoomsReportConfig } from '../config/reports.ts';
import { LakegateError } from '../errors.ts';
import { printable } from '../notify/printable.ts';
import { createAwsSource } from '../reports/cleanrooms/aws.ts';
import { nameText } from '../reports/cleanrooms/build.ts';
import type { Changes } from '../reports/cleanrooms/changes.ts';
import { unknownsOf } from '../reports/cleanrooms/json.ts';
import { lookAt, saveReports } from '../reports/cleanrooms/make.ts';
import type { CleanRoomsReport, TableState } from '../reports/cleanrooms/model.ts';
import { reportNews } from '../reports/cleanrooms/news.ts';
import { type Verdict, verdictOf } from '../reports/cleanrooms/verdict.ts';
import { s3ConsoleLink } from '../reports/console-links.ts';
import { type Cell, columns } from './columns.ts';
import type { CommandContext } from './context.ts';
import { withLake } from './lake.ts';
import { EXIT, type ExitCode, type Output } from './output.ts';
import { outFolder } from './report-folder.ts';
import { count, number } from './words.ts';

export interface CleanRoomsOptions {
  membership?: string;
  out?: string;
  tell?: boolean;
}

/** `lakegate report cleanrooms`: asks AWS, writes the report, and says which tables are ready. */
export async function cleanrooms(context: CommandContext, options: CleanRoomsOptions): Promise<ExitCode> {
  return withLake(context, async ({ config, ports }) => {
    const { output } = context;
    const settings = settingsOf(config, options);
    const region = regionOf(config, settings, context);
    const reports = await look(context, settings, region);
    const folder = folderOf(config, settings, context, options.out);
    const saved = await saveReports(ports.store, folder, settings, reports);
    if (options.tell) {
      const link = saved.page.startsWith('s3:') ? s3ConsoleLink(saved.page, region) : undefined;
      const { channel } = settings;
      await ports.notifier.notify([
        reportNews(reports, saved.changes, {
          ...(link !== undefined && { link }),
          ...(channel !== undefined && { channel }),
        }),
      ]);
    }
    const value = {
      page: saved.page,
      files: saved.files,
      reports: reports.map((report, index) => summaryOf(report, saved.changes[index])),
    };
    output.result(value, () =>
      [
        ...reports.map((report, index) => rendered(report, saved.changes[index], output)),
        `report: ${saved.page}`,
        ...saved.files.slice(0, -1).map((url) => `        ${url}`),
      ].join('\n'),
    );
    return EXIT.done;
  });
}

/**
 * `lakegate report check`: the verdict alone, for pipelines.
 * @returns 3 when a table that should be ready is not; 1 when none is known to be, but not all could be found out
 */
export async function check(
  context: CommandContext,
  options: Pick<CleanRoomsOptions, 'membership'>,
): Promise<ExitCode> {
  return withLake(context, async ({ config }) => {
    const settings = settingsOf(config, options);
    const reports = await look(context, settings, regionOf(config, settings, context));
    const verdict = verdictOf(reports, settings.mustBeReady);
    context.output.result(verdict, () => renderedVerdict(verdict, context.output));
    return { ready: EXIT.done, not_ready: EXIT.auditFailed, unknown: EXIT.failed }[verdict.verdict];
  });
}

function settingsOf({ reports, source }: LakeConfig, { membership }: CleanRoomsOptions): CleanRoomsReportConfig {
  if (reports?.cleanrooms === undefined) {
    throw new LakegateError(
      'config',
      `${source ?? 'lake.yaml'}: expected \`reports: { cleanrooms: { database: … } }\`, found none. docs/lake-yaml.md explains it`,
    );
  }
  return { ...reports.cleanrooms, ...(membership !== undefined && { membership }) };
}

function regionOf({ stage }: LakeConfig, { region }: CleanRoomsReportConfig, { terminal }: CommandContext): string {
  const { AWS_REGION, AWS_DEFAULT_REGION } = terminal.env;
  const found = region ?? stage?.region ?? (AWS_REGION || AWS_DEFAULT_REGION);
  if (found) return found;
  throw new LakegateError(
    'config',
    'expected the region of Clean Rooms, found none. Set AWS_REGION, or `region` under `reports: cleanrooms:` in lake.yaml',
  );
}

/** A stage's reports go to its results bucket; those of a laptop beside its lake. URL ending in `/`. */
function folderOf(
  { stage, source }: LakeConfig,
  { folder }: CleanRoomsReportConfig,
  { terminal }: CommandContext,
  out: string | undefined,
): string {
  if (out !== undefined) return outFolder(terminal.cwd, out);
  if (stage !== undefined) return `s3://${stage.buckets.results.name}/${folder}`;
  const home = source === undefined ? resolve(terminal.cwd, '.lakegate') : resolve(source, '..');
  return `file://${home}/reports/${folder}`;
}

/** A report takes a minute or two: a terminal is told how far it is. */
async function look(
  { output, terminal }: CommandContext,
  settings: CleanRoomsReportConfig,
  region: string,
): Promise<CleanRoomsReport[]> {
  let asked = 0;
  const source = createAwsSource({
    region,
    now: () => performance.now(),
    sleep: (ms) => sleep(ms),
    random: Math.random,
    onRequest: (action) => {
      asked += 1;
      if (output.live) terminal.err.write(`\r\u001b[K${number(asked)} requests, last ${action}`);
    },
  });
  try {
    return await lookAt({ source, now: Date.now }, settings, region);
  } finally {
    if (output.live) terminal.err.write('\r\u001b[K');
  }
}

function summaryOf(report: CleanRoomsReport, changes: Changes | undefined): object {
  const names = (is: boolean) =>
    report.tables.filter(({ ready }) => ready.known && ready.value === is).map(({ name }) => name);
  return {
    membership: report.membershipId ?? null,
    collaboration: nameText(report),
    ready: names(true),
    notReady: names(false),
    unknown: report.tables.filter(({ ready }) => !ready.known).map(({ name }) => name),
    changes: changes ?? null,
    gaps: report.gaps,
  };
}

function rendered(report: CleanRoomsReport, changes: Changes | undefined, output: Output): string {
  const { tables, gaps } = report;
  const ready = tables.filter((table) => table.ready.known && table.ready.value).length;
  const head = `${printable(nameText(report))}: ${number(ready)} of ${count(tables.length, 'table')} ready\n`;
  const changed = [
    ...(changes?.stopped ?? []).map((name) => `${output.style('red', 'stopped being ready')}: ${printable(name)}\n`),
    ...(changes?.becameReady ?? []).map((name) => `${output.style('green', 'became ready')}: ${printable(name)}\n`),
  ];
  const list = columns(
    ['table', 'ready', 'why not, and remarks'],
    tables.map((table) => row(table, output)),
    output.width,
  );
  const silent = gaps.map(
    ({ action, reason, message, times }) =>
      `${output.style('yellow', 'not found out')}: ${action}: ${reason}${times > 1 ? ` (${times} times)` : ''}: ${printable(message)}\n`,
  );
  return [head, ...(tables.length > 0 ? [list] : []), ...changed, ...silent].join('');
}

function row(table: TableState, output: Output): Cell[] {
  const { ready } = table;
  const state = !ready.known
    ? { text: 'unknown', paint: (text: string) => output.style('yellow', text) }
    : { text: ready.value ? 'yes' : 'no', paint: (text: string) => output.style(ready.value ? 'green' : 'red', text) };
  return [table.name, state, [...table.missing, ...unknownsOf(table)].join('; ')];
}

function renderedVerdict({ verdict, demanded, notReady, unknown }: Verdict, output: Output): string {
  if (verdict === 'ready') return `${output.style('green', 'ready')}: all ${count(demanded, 'table')}`;
  const line = (state: string) => (entry: Verdict['notReady'][number]) => [
    entry.table,
    state,
    entry.membership ?? '',
    entry.reasons.join('; '),
  ];
  return columns(
    ['table', 'state', 'membership', 'why'],
    [...notReady.map(line('not ready')), ...unknown.map(line('unknown'))],
    output.width,
  );
}
