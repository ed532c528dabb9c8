import type { Lake } from '../../src/compose.ts';
import { LakegateError } from '../../src/errors.ts';
import { lookAt, saveReports } from '../../src/reports/cleanrooms/make.ts';
import { reportNews } from '../../src/reports/cleanrooms/news.ts';
import type { CleanRoomsSource } from '../../src/reports/cleanrooms/source.ts';
import { s3ConsoleLink } from '../../src/reports/console-links.ts';
import type { GlueTables } from '../../src/reports/monitor/glue-tables.ts';
import { runMonitor, stageFolder } from '../../src/reports/monitor/run-monitor.ts';
import { METRICS } from '../metric-names.ts';
import type { Observer } from '../observer.ts';
import type { StageLakeConfig } from '../stage-config.ts';
import type { ReportName } from './request.ts';

export interface ReportPorts {
  lake: Lake;
  config: StageLakeConfig;
  observer: Observer;
  cleanRooms(): CleanRoomsSource;
  glue(): Promise<GlueTables>;
}

/** What a run of the function did, for its log and for whoever called it. */
export interface ReportAnswer {
  report: ReportName;
  /** URL of the page for people. */
  page: string;
  tables: number;
  /** Ready for analysis, or in good health. */
  good: number;
  bad: number;
  unknown: number;
  /** Questions to AWS without an answer. What is not a table's own may be missing though every table's state is known. */
  gaps: number;
}

/**
 * Makes a report, writes it to the results bucket, and tells the bus.
 * @throws LakegateError `config` for a report that lake.yaml does not have, `unavailable` when it could not be written or told: Lambda tries again
 */
export async function makeReport(ports: ReportPorts, report: ReportName): Promise<ReportAnswer> {
  const answer = report === 'cleanrooms' ? await cleanRoomsReport(ports) : await monitorReport(ports);
  ports.observer.info('report-made', { ...answer });
  ports.observer.measure({ [METRICS.reportUnknowns]: answer.unknown + answer.gaps });
  return answer;
}

async function cleanRoomsReport({ lake, config, observer, cleanRooms }: ReportPorts): Promise<ReportAnswer> {
  const { stage, reports } = config;
  const settings = reports?.cleanrooms;
  if (settings === undefined) throw notAsked('cleanrooms');
  const made = await lookAt({ source: cleanRooms(), now: lake.ports.now }, settings, settings.region ?? stage.region);
  for (const gap of made.flatMap(({ gaps }) => gaps)) observer.warn('report-gap', { ...gap });
  const folder = `s3://${stage.buckets.results.name}/${settings.folder}`;
  const saved = await saveReports(lake.ports.store, folder, settings, made);
  const link = s3ConsoleLink(saved.page, stage.region);
  const { channel } = settings;
  await lake.ports.notifier.notify([
    reportNews(made, saved.changes, { link, ...(channel !== undefined && { channel }) }),
  ]);
  const tables = made.flatMap((each) => each.tables);
  const count = (is: boolean | undefined) =>
    tables.filter(({ ready }) => (ready.known ? ready.value : undefined) === is).length;
  return {
    report: 'cleanrooms',
    page: saved.page,
    tables: tables.length,
    good: count(true),
    bad: count(false),
    unknown: count(undefined),
    gaps: made.reduce((sum, { gaps }) => sum + gaps.length, 0),
  };
}

function notAsked(report: ReportName): LakegateError {
  return new LakegateError(
    'config',
    `lake.yaml has no \`reports: ${report}:\`, so there is no such report to make. Add it and deploy, or ask for another`,
  );
}

async function monitorReport({ lake, config, observer, glue }: ReportPorts): Promise<ReportAnswer> {
  const folder = stageFolder(config);
  if (config.reports?.monitor === undefined || folder === undefined) throw notAsked('monitor');
  const { report, saved } = await runMonitor(
    config,
    { gate: lake.ports, glue },
    { folder, notifier: lake.ports.notifier },
  );
  const { summary, not_listed: notListed } = report;
  for (const { place, reason } of notListed) observer.warn('report-gap', { place, reason });
  return {
    report: 'monitor',
    page: saved?.html ?? folder,
    tables: summary.tables,
    good: summary.healthy,
    bad: summary.unhealthy,
    // A check that a limit of lake.yaml leaves out is no reason for an alarm at each run.
    unknown: report.tables.filter(({ record_count: rows }) => rows === null).length,
    gaps: notListed.length,
  };
}
