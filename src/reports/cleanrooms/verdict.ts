import { unknownText } from '../answer.ts';
import type { CleanRoomsReport } from './model.ts';

/** Whether the tables that should be ready are, for pipelines. */
export interface Verdict {
  /** `unknown`: nothing is known to be wrong, and not everything is known to be right. */
  verdict: 'ready' | 'not_ready' | 'unknown';
  demanded: number;
  notReady: { membership: string | null; table: string; reasons: string[] }[];
  unknown: { membership: string | null; table: string; reasons: string[] }[];
}

/**
 * @param mustBeReady names of the tables; undefined: every table of the reports, of which there has to be one
 */
export function verdictOf(reports: readonly CleanRoomsReport[], mustBeReady: readonly string[] | undefined): Verdict {
  const notReady: Verdict['notReady'] = [];
  const unknown: Verdict['unknown'] = [];
  let demanded = 0;
  for (const report of reports) {
    const membership = report.membershipId ?? null;
    const silent = [report.collected.glueTables, report.collected.configuredTables].find((each) => !each.known);
    const everyTable = `${report.tablePrefix}*`;
    if (mustBeReady === undefined && silent?.known === false) {
      // There may be more tables than the report has.
      unknown.push({ membership, table: everyTable, reasons: [unknownText(silent.why)] });
    } else if (mustBeReady === undefined && report.tables.length === 0) {
      const reasons = [`there are no such tables in ${report.database}`];
      notReady.push({ membership, table: everyTable, reasons });
    }
    const names = mustBeReady ?? report.tables.map(({ name }) => name);
    demanded += names.length;
    for (const name of names) {
      const table = report.tables.find((each) => each.name.toLowerCase() === name.toLowerCase());
      if (table === undefined) {
        const entry = { membership, table: name };
        if (silent?.known === false) unknown.push({ ...entry, reasons: [unknownText(silent.why)] });
        else notReady.push({ ...entry, reasons: ['there is no such table'] });
      } else if (!table.ready.known) {
        unknown.push({ membership, table: table.name, reasons: [unknownText(table.ready.why)] });
      } else if (!table.ready.value) {
        notReady.push({ membership, table: table.name, reasons: table.missing });
      }
    }
  }
  const verdict = notReady.length > 0 ? 'not_ready' : unknown.length > 0 ? 'unknown' : 'ready';
  return { verdict, demanded, notReady, unknown };
}
