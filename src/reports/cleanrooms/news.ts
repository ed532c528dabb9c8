import type { ReportMade } from '../../notify/notifier.ts';
import { nameText } from './build.ts';
import type { Changes } from './changes.ts';
import type { CleanRoomsReport } from './model.ts';

/** Names in a line of a message; the page has the others. */
const MOST_NAMES = 10;

/**
 * What people are told of a run: how many tables are ready, what changed, what could not be found out.
 * @param changes in the order of the reports
 * @param link https address of the page
 */
export function reportNews(
  reports: readonly CleanRoomsReport[],
  changes: readonly (Changes | undefined)[],
  { link, channel }: { link?: string; channel?: string },
): ReportMade {
  const tables = reports.flatMap((report) => report.tables);
  const ready = tables.filter(({ ready: answer }) => answer.known && answer.value).length;
  const unknown = tables.filter(({ ready: answer }) => !answer.known).length;
  return {
    event: 'report.made',
    report: 'cleanrooms',
    headline: `Clean Rooms: ${ready} of ${tables.length} tables ready${unknown > 0 ? `, ${unknown} not known` : ''}`,
    lines: reports.flatMap((report, index) => linesOf(report, changes[index], reports.length > 1)),
    ...(link !== undefined && { link }),
    at: new Date(reports[0]!.generatedAt).toISOString(),
    ...(channel !== undefined && { channel }),
  };
}

function linesOf(report: CleanRoomsReport, changes: Changes | undefined, isOneOfMany: boolean): string[] {
  const { tables, gaps } = report;
  const ready = tables.filter(({ ready: answer }) => answer.known && answer.value).length;
  const notReady = tables.filter(({ ready: answer }) => answer.known && !answer.value).length;
  const prefix = isOneOfMany ? `${nameText(report)}: ` : '';
  const said = (label: string, names: readonly string[] | undefined) =>
    names === undefined || names.length === 0 ? [] : [`${prefix}${label}: ${some(names)}`];
  return [
    ...(isOneOfMany ? [`${prefix}${ready} ready, ${notReady} not ready, ${tables.length} tables`] : []),
    ...said('stopped being ready', changes?.stopped),
    ...said('became ready', changes?.becameReady),
    ...said(
      'could not be found out',
      gaps.map(({ action, reason }) => `${action} (${reason})`),
    ),
  ];
}

function some(names: readonly string[]): string {
  const rest = names.length - MOST_NAMES;
  return `${names.slice(0, MOST_NAMES).join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}
