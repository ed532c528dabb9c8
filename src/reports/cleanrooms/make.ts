import type { CleanRoomsReportConfig } from '../../config/reports.ts';
import { isKind } from '../../errors.ts';
import type { ObjectStore } from '../../storage/store.ts';
import { s3ConsoleLink } from '../console-links.ts';
import { stamp } from '../names.ts';
import { type NamedFile, saveOver, saveRun } from '../save.ts';
import { buildReports } from './build.ts';
import { type Changes, carriedOn, changesOf, isRemembered, type RememberedReport, remembered } from './changes.ts';
import { collect } from './collect.ts';
import { identityCsv, tablesCsv } from './csv.ts';
import { reportNames } from './files.ts';
import { reportDocument } from './json.ts';
import type { CleanRoomsReport } from './model.ts';
import { cleanRoomsPage } from './page.ts';
import type { CleanRoomsSource } from './source.ts';

export interface MakePorts {
  source: CleanRoomsSource;
  now(): number;
}

/** What there is to report now. Writes nothing. @throws what the source throws */
export async function lookAt(
  { source, now }: MakePorts,
  config: CleanRoomsReportConfig,
  region: string,
): Promise<CleanRoomsReport[]> {
  return buildReports(config, await collect(source, config), { generatedAt: now(), region });
}

export interface SavedReport {
  /** URL of the page for people. */
  page: string;
  /** URLs of all files, the page last. */
  files: string[];
  /** In the order of the reports; undefined for the first one of a membership. */
  changes: (Changes | undefined)[];
}

/**
 * Writes the reports of a run: for each its JSON and two CSV files, then one page over all, and what the next run compares itself with.
 * @param folder URL ending in `/`
 * @throws LakegateError as the store
 */
export async function saveReports(
  store: ObjectStore,
  folder: string,
  config: CleanRoomsReportConfig,
  reports: readonly CleanRoomsReport[],
): Promise<SavedReport> {
  const { generatedAt } = reports[0]!;
  const memory = `${folder}${config.namePrefix}_Cleanroom_Report_latest.json`;
  const before = await recall(store, memory);
  const changes = reports.map((report) => changesOf(report, before));
  const filesOf = (own: string) => namedFiles(config, folder, reports, changes, own);
  const run = stamp(generatedAt, config.naming);
  let files: string[];
  if (config.naming === 'day') {
    const named = filesOf(run);
    for (const { name, text } of named) await saveOver(store, `${folder}${name}`, text);
    files = named.map(({ name }) => `${folder}${name}`);
  } else {
    files = await saveRun(store, folder, run, filesOf);
  }
  const now = remembered(reports, generatedAt);
  // A run that began earlier and ended later does not turn the memory back.
  if (before === undefined || before.generatedAt <= now.generatedAt) {
    await saveOver(store, memory, `${JSON.stringify(carriedOn(now, before), undefined, 2)}\n`);
  }
  return { page: files.at(-1)!, files, changes };
}

function namedFiles(
  config: CleanRoomsReportConfig,
  folder: string,
  reports: readonly CleanRoomsReport[],
  changes: readonly (Changes | undefined)[],
  own: string,
): NamedFile[] {
  const names = reportNames(config, reports, own);
  // In a bucket, a page is opened by a signed address of its own, and what lies beside it is not within reach.
  const linkTo = (name: string) =>
    folder.startsWith('s3:') ? s3ConsoleLink(`${folder}${name}`, reports[0]!.region) : encodeURIComponent(name);
  const page = reports.map((report, index) => {
    const name = names.reports[index]!;
    const changed = changes[index];
    return {
      report,
      ...(changed && { changes: changed }),
      files: [
        { label: 'Tables (CSV)', href: linkTo(`${name}_Tables.csv`) },
        { label: 'Identity resolution (CSV)', href: linkTo(`${name}_IdentityResolution.csv`) },
        { label: 'Everything (JSON)', href: linkTo(`${name}.json`) },
      ],
    };
  });
  const data = reports.flatMap((report, index) => {
    const name = names.reports[index]!;
    return [
      { name: `${name}.json`, text: `${JSON.stringify(reportDocument(report), undefined, 2)}\n` },
      { name: `${name}_Tables.csv`, text: tablesCsv(report) },
      { name: `${name}_IdentityResolution.csv`, text: identityCsv(report) },
    ];
  });
  // The page comes last: whoever finds it finds what it leads to.
  return [...data, { name: `${names.run}.html`, text: cleanRoomsPage(page) }];
}

/** The last report; one that cannot be read as such is none: the next one starts afresh. */
async function recall(store: ObjectStore, url: string): Promise<RememberedReport | undefined> {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode((await store.read(url)).bytes));
    return isRemembered(value) ? value : undefined;
  } catch (error) {
    if (isKind(error, 'not_found') || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
