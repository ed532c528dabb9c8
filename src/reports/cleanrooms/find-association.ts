import type { ConfiguredTableAssociationSummary } from '@aws-sdk/client-cleanrooms';
import type { CleanRoomsReportConfig } from '../../config/reports.ts';
import { type Answer, known, type Unanswered, unknown } from '../answer.ts';
import type { MatchedTable } from './match.ts';

/**
 * The association that brings a table into a collaboration: one of its configured tables', the one with the expected name first. Where no
 * configured table is known, by its name alone.
 * @param doubt why configured tables of this table may be unknown: then that no association has its name does not say that there is none
 */
export function associationOf(
  { associationPrefix }: Pick<CleanRoomsReportConfig, 'associationPrefix'>,
  { name, configured }: MatchedTable,
  associations: Answer<ConfiguredTableAssociationSummary[]>,
  doubt?: Unanswered,
): Answer<ConfiguredTableAssociationSummary | undefined> {
  const expected = `${associationPrefix}${name}`.toLowerCase();
  const isExpected = (each: ConfiguredTableAssociationSummary) => each.name?.toLowerCase() === expected;
  const ids = new Set(configured.map(({ summary }) => summary.id));
  if (!associations.known) return associations;
  const all = associations.value;
  const own = ids.size > 0 ? all.filter(({ configuredTableId }) => ids.has(configuredTableId)) : all.filter(isExpected);
  const found = own.find(isExpected) ?? own[0];
  return found === undefined && ids.size === 0 && doubt !== undefined && all.length > 0 ? unknown(doubt) : known(found);
}
