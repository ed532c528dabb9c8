import type { LakeConfig } from '../../config/model.ts';
import { monitorDefaults } from '../../config/monitor.ts';
import type { Notifier } from '../../notify/notifier.ts';
import { s3ConsoleLink } from '../console-links.ts';
import { latestMonitor, type SavedReport, saveMonitor } from './files.ts';
import { type MonitorPorts, monitorLake } from './monitor-lake.ts';
import { monitorNews } from './news.ts';
import type { MonitorReport } from './report.ts';

export interface RunOptions {
  /** Where the reports lie, and the one before is looked for. URL ending in `/`. */
  folder: string;
  /** Hears of unhealthy tables and of the report. Absent: nobody is told. */
  notifier?: Notifier;
  /** Of these tables only. Nothing is written then: a report in which the others are missing would be taken for the one before. */
  wanted?: (table: string) => boolean;
}

/**
 * Makes the report: looks at the tables, writes it, and tells people.
 * @throws LakegateError where it cannot be written, or people cannot be told
 */
export async function runMonitor(
  config: LakeConfig,
  ports: MonitorPorts,
  { folder, notifier, wanted }: RunOptions,
): Promise<{ report: MonitorReport; saved?: SavedReport }> {
  const settings = config.reports?.monitor ?? monitorDefaults();
  const { store } = ports.gate;
  const report = await monitorLake(config, ports, await latestMonitor(store, folder, settings), wanted);
  if (wanted !== undefined) return { report };
  const saved = await saveMonitor(store, folder, settings, report);
  const link = config.stage && s3ConsoleLink(saved.html, config.stage.region);
  await notifier?.notify(monitorNews(report, link, config));
  return { report, saved };
}

/** Where a stage's reports lie: in its results bucket. URL ending in `/`; undefined on a laptop. */
export function stageFolder({ stage, reports }: LakeConfig): string | undefined {
  const { folder } = reports?.monitor ?? monitorDefaults();
  return stage && `s3://${stage.buckets.results.name}/${folder}`;
}
