import type { MonitorConfig } from '../../config/monitor-model.ts';
import type { ObjectStore } from '../../storage/store.ts';
import { saveNew } from '../save.ts';
import { monitorCsv } from './csv.ts';
import type { Fact } from './facts.ts';
import { monitorPage } from './page.ts';
import { reasonOf } from './reason.ts';
import type { MonitorReport } from './report.ts';

/** Where a report was written. URLs. */
export interface SavedReport {
  json: string;
  csv: string;
  html: string;
}

type Naming = Pick<MonitorConfig, 'namePrefix'>;

/**
 * Writes the report: `<prefix>_Data_Monitor_Report_YYYY-MM-DD.json`, `.csv` and `.html`. Another report of the same day gets a number
 * (`…-2.json`); none is overwritten.
 * @param folder URL ending in `/`
 */
export async function saveMonitor(
  store: ObjectStore,
  folder: string,
  { namePrefix }: Naming,
  report: MonitorReport,
): Promise<SavedReport> {
  const stem = `${namePrefix}_Data_Monitor_Report_${report.generated_at.slice(0, 10)}`;
  const [json, csv, html] = await saveNew(store, folder, stem, [
    { suffix: '.json', text: `${JSON.stringify(report, null, 2)}\n` },
    { suffix: '.csv', text: monitorCsv(report) },
    { suffix: '.html', text: monitorPage(report) },
  ]);
  return { json: json!, csv: csv!, html: html! };
}

/**
 * The newest report of a folder.
 * @returns known and undefined where there is none yet; not known where it cannot be read
 */
export async function latestMonitor(
  store: ObjectStore,
  folder: string,
  { namePrefix }: Naming,
): Promise<Fact<MonitorReport | undefined>> {
  try {
    let latest: { url: string; order: string } | undefined;
    for await (const { url } of store.list(`${folder}${namePrefix}_Data_Monitor_Report_`)) {
      const [, day, run = '1'] = /_Data_Monitor_Report_(\d{4}-\d{2}-\d{2})(?:-(\d{1,3}))?\.json$/.exec(url) ?? [];
      const order = `${day} ${run.padStart(3, '0')}`;
      if (day !== undefined && (latest === undefined || order > latest.order)) latest = { url, order };
    }
    if (latest === undefined) return { known: undefined };
    return parse((await store.read(latest.url)).bytes, latest.url);
  } catch (error) {
    return { unknown: `the report before: ${reasonOf(error)}` };
  }
}

function parse(bytes: Uint8Array, url: string): Fact<MonitorReport> {
  let report: unknown;
  try {
    report = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    report = undefined;
  }
  if (isReport(report)) return { known: report };
  return { unknown: `the report before, ${url}, is no data monitor report of this version` };
}

/** Whether it has what a later report compares with. */
function isReport(value: unknown): value is MonitorReport {
  if (!isRecord(value) || value.version !== 1 || !Array.isArray(value.tables)) return false;
  return value.tables.every(
    (table: unknown) =>
      isRecord(table) &&
      typeof table.table_name === 'string' &&
      (table.snapshot === null || typeof table.snapshot === 'string') &&
      (table.record_count === null || typeof table.record_count === 'number') &&
      (table.columns === null || (Array.isArray(table.columns) && table.columns.every(isColumn))) &&
      (table.previous_snapshot === null ||
        (isRecord(table.previous_snapshot) &&
          typeof table.previous_snapshot.id === 'string' &&
          typeof table.previous_snapshot.rows === 'number')),
  );
}

function isColumn(column: unknown): boolean {
  return isRecord(column) && typeof column.name === 'string' && typeof column.type === 'string';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
