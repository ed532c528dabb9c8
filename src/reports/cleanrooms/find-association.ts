import type { ConfiguredTableAssociationSummary } from '@aws-sdk/client-cleanrooms';
import type { CleanRoomsReportConfig } from '../../config/reports.ts';
import { type Answer, following } from '../answer.ts';
import type { MatchedTable } from './match.ts';

/**
 * The association that brings a table into a collaboration: one of its configured tables', the one with the expected name first. Where no
 * configured table is known, by its name alone.
 */
export function associationOf(
  { associationPrefix }: Pick<CleanRoomsReportConfig, 'associationPrefix'>,
  { name, configured }: MatchedTable,
  associations: Answer<ConfiguredTableAssociationSummary[]>,
): Answer<ConfiguredTableAssociationSummary | undefined> {
  const expected = `${associationPrefix}${name}`.toLowerCase();
  const isExpected = (each: ConfiguredTableAssociationSummary) => each.name?.toLowerCase() === expected;
  const ids = new Set(configured.map(({ summary }) => summary.id));
  return following(associations, (all) => {
    const own =
      ids.size > 0 ? all.filter(({ configuredTableId }) => ids.has(configuredTableId)) : all.filter(isExpected);
    return own.find(isExpected) ?? own[0];
  });
}
