import { LakegateError } from '../../src/errors.ts';
import { isObject } from '../../src/events/fields.ts';

/** The reports that the function makes. */
export const REPORTS = ['cleanrooms', 'monitor'] as const;
export type ReportName = (typeof REPORTS)[number];

/**
 * Which report is asked for.
 * @param event `{ "report": "cleanrooms" }` of a schedule, or an event of the bus whose detail says it
 * @throws LakegateError `usage` for a report that there is not
 */
export function parseRequest(event: unknown): ReportName {
  const given = isObject(event) ? event : {};
  const asked = isObject(given.detail) ? given.detail.report : given.report;
  const known = REPORTS.find((name) => name === asked);
  if (known !== undefined) return known;
  throw new LakegateError('usage', `report: expected one of ${REPORTS.join(', ')}, found ${JSON.stringify(asked)}`);
}
