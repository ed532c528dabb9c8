import type { CleanRoomsReportConfig } from '../../config/reports.ts';
import { type Answer, following, type Unanswered, unknown } from '../answer.ts';
import type { Collected, CollectedMembership } from './collect.ts';
import { identityRows } from './identity-rows.ts';
import type { CleanRoomsReport, Gap, ResultsDelivery, TableState } from './model.ts';
import { tableState } from './table-state.ts';

/** The reports of what was collected: one for each membership, collaborations in the order of their names. */
export function buildReports(
  config: CleanRoomsReportConfig,
  collected: Collected,
  { generatedAt, region }: { generatedAt: number; region: string },
): CleanRoomsReport[] {
  const identities = identityRows(collected.identities, config.schemaMapping);
  return collected.memberships
    .map((membership) => ({
      generatedAt,
      region,
      database: config.database,
      tablePrefix: config.tablePrefix,
      accounts: config.accounts,
      ...(membership.id !== undefined && { membershipId: membership.id }),
      collaborationId: membership.collaborationId,
      collaborationName: nameOf(membership),
      delivery: delivery(membership),
      tables: collected.tables.map((table) => tableState(config, collected, membership, table)).sort(byAssociation),
      identities,
      collected: {
        glueTables: following(collected.glue, () => collected.tables.filter(({ glue }) => glue !== undefined).length),
        configuredTables: following(collected.configured, (all) => all.length),
        membership,
        identities: collected.identities,
      },
      gaps: gapsOf(collected, membership, { database: config.database, region }),
    }))
    .sort((a, b) => compare(nameText(a), nameText(b)));
}

/** The collaboration's name for people, or why it is not known. */
export function nameText({ collaborationName }: Pick<CleanRoomsReport, 'collaborationName'>): string {
  return (collaborationName.known && collaborationName.value) || 'N/A';
}

/** The membership says the collaboration's name too, to whoever may not read the collaboration. */
function nameOf({ membership, collaboration }: CollectedMembership): Answer<string | undefined> {
  const own = following(collaboration, (found) => found?.name);
  if (own.known && own.value !== undefined) return own;
  const named = following(membership, (found) => found?.collaborationName);
  return named.known && named.value !== undefined ? named : own;
}

function delivery({ membership, members }: CollectedMembership): ResultsDelivery {
  return {
    canReceiveResults: following(
      membership,
      (found) => found?.memberAbilities?.includes('CAN_RECEIVE_RESULTS') ?? false,
    ),
    receivers: following(members, (all) =>
      all.flatMap(({ accountId, abilities }) =>
        accountId !== undefined && abilities?.includes('CAN_RECEIVE_RESULTS') ? [accountId] : [],
      ),
    ),
    output: following(membership, (found) => {
      const s3 = found?.defaultResultConfiguration?.outputConfiguration?.s3;
      if (s3?.bucket === undefined) return undefined;
      return {
        url: `s3://${s3.bucket}/${s3.keyPrefix ?? ''}`,
        ...(s3.resultFormat !== undefined && { format: s3.resultFormat }),
      };
    }),
  };
}

/** Associated tables first, then by name. */
function byAssociation(a: TableState, b: TableState): number {
  const rank = ({ association }: TableState) => (association.known && association.value !== undefined ? 0 : 1);
  return rank(a) - rank(b) || compare(a.name, b.name);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Every question without an answer, by action and reason. */
function gapsOf(
  collected: Collected,
  membership: CollectedMembership,
  { database, region }: { database: string; region: string },
): Gap[] {
  const answers: Answer<unknown>[] = [
    collected.glue,
    collected.configured,
    ...(collected.configured.known ? collected.configured.value.map(({ details }) => details) : []),
    ...collected.tables.flatMap(({ rules }) => [...rules.values()]),
    collected.identities.namespaces,
    collected.identities.mappings,
    ...detailsOf(collected.identities.namespaces),
    ...detailsOf(collected.identities.mappings),
    membership.membership,
    membership.collaboration,
    membership.members,
    membership.associations,
    membership.schemas,
    ...membership.schemaRules.values(),
    ...membership.associationRules.values(),
    membership.idNamespaceAssociations,
    membership.idMappingTables,
    ...detailsOf(membership.idNamespaceAssociations),
    ...detailsOf(membership.idMappingTables),
  ];
  const gaps = new Map<string, Gap>();
  // What follows from a question carries the question's own reason: it was asked once.
  if (collected.glue.known && collected.glue.value === undefined) {
    const message = `there is no database ${database} in the catalogue of ${region}`;
    answers.push(unknown({ reason: 'other', action: 'glue:GetTables', message }));
  }
  for (const why of new Set(answers.flatMap((answer): Unanswered[] => (answer.known ? [] : [answer.why])))) {
    const key = `${why.action} ${why.reason}`;
    const gap = gaps.get(key);
    if (gap === undefined) gaps.set(key, { ...why, times: 1 });
    else gap.times += 1;
  }
  return [...gaps.values()].sort((a, b) => compare(a.action, b.action));
}

function detailsOf(listed: Answer<{ details: Answer<unknown> }[]>): Answer<unknown>[] {
  return listed.known ? listed.value.map(({ details }) => details) : [];
}
