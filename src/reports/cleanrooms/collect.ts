import type {
  AnalysisRule,
  Collaboration,
  ConfiguredTableAnalysisRule,
  ConfiguredTableAssociationAnalysisRule,
  ConfiguredTableAssociationSummary,
  IdMappingTable,
  IdMappingTableSummary,
  IdNamespaceAssociation,
  IdNamespaceAssociationSummary,
  MemberSummary,
  Membership,
  SchemaSummary,
} from '@aws-sdk/client-cleanrooms';
import type { CleanRoomsReportConfig } from '../../config/reports.ts';
import { LakegateError } from '../../errors.ts';
import { type Answer, following, known, type Unanswered, type unknown } from '../answer.ts';
import { collectIdentities, type Identities } from './collect-identities.ts';
import { associationOf } from './find-association.ts';
import { type ConfiguredFacts, doubtOf, type MatchedTable, matchTables } from './match.ts';
import type { CleanRoomsSource, GlueTableFacts } from './source.ts';

/** Everything that a report of one account is made of, as AWS told it. */
export interface Collected {
  /** Undefined: there is no such database. */
  glue: Answer<GlueTableFacts[] | undefined>;
  configured: Answer<ConfiguredFacts[]>;
  tables: CollectedTable[];
  /** Why tables without a configured table may have one; undefined where all are known. */
  doubt?: Unanswered;
  identities: Identities;
  memberships: CollectedMembership[];
}

export interface CollectedTable extends MatchedTable {
  /** By id of a configured table: its analysis rule. */
  rules: Map<string, Answer<ConfiguredTableAnalysisRule | undefined>>;
}

export interface CollectedMembership {
  /** Absent where there is none, or none is known. */
  id?: string;
  membership: Answer<Membership | undefined>;
  collaborationId: Answer<string | undefined>;
  collaboration: Answer<Collaboration | undefined>;
  members: Answer<MemberSummary[]>;
  associations: Answer<ConfiguredTableAssociationSummary[]>;
  schemas: Answer<SchemaSummary[]>;
  /** By lower-case name of a schema. */
  schemaRules: Map<string, Answer<AnalysisRule | undefined>>;
  /** By id of an association; only where the schema's rule does not say it. */
  associationRules: Map<string, Answer<ConfiguredTableAssociationAnalysisRule | undefined>>;
  idNamespaceAssociations: Answer<Detailed<IdNamespaceAssociationSummary, IdNamespaceAssociation>[]>;
  idMappingTables: Answer<Detailed<IdMappingTableSummary, IdMappingTable>[]>;
}

/** A list's entry and what was told of it when it was asked for by itself. */
export interface Detailed<S, D> {
  summary: S;
  details: Answer<D | undefined>;
}

/** Rules are looked for in this order: CUSTOM decides whether a table is ready. */
const RULE_TYPES = ['CUSTOM', 'AGGREGATION', 'LIST'] as const;
export type RuleType = (typeof RULE_TYPES)[number];

/**
 * Asks for all that the report needs.
 * @throws what the source throws
 */
export async function collect(source: CleanRoomsSource, config: CleanRoomsReportConfig): Promise<Collected> {
  const [glue, configured, memberships, identities] = await Promise.all([
    source.glueTables(config.database),
    configuredTables(source),
    membershipIds(source, config),
    collectIdentities(source, config),
  ]);
  const tables = await Promise.all(
    matchTables(config, (glue.known ? glue.value : undefined) ?? [], configured.known ? configured.value : []).map(
      async (table) => ({ ...table, rules: await rulesOf(source, table) }),
    ),
  );
  const doubt = doubtOf(configured, tables);
  const about = { glue, configured, tables, identities, ...(doubt && { doubt }) };
  if (!memberships.known) return { ...about, memberships: [noMembership(memberships)] };
  if (memberships.value.length === 0) return { ...about, memberships: [noMembership(known(undefined))] };
  const all = memberships.value.map((id) => collectMembership(source, config, tables, id));
  return { ...about, memberships: await Promise.all(all) };
}

async function configuredTables(source: CleanRoomsSource): Promise<Answer<ConfiguredFacts[]>> {
  const listed = await source.configuredTables();
  if (!listed.known) return listed;
  return known(
    await Promise.all(
      listed.value.map(async (summary) => ({ summary, details: await source.configuredTable(summary.id ?? '') })),
    ),
  );
}

async function membershipIds(
  source: CleanRoomsSource,
  { membership }: CleanRoomsReportConfig,
): Promise<Answer<string[]>> {
  if (membership !== undefined) return known([membership]);
  return following(await source.memberships(), (all) =>
    all.flatMap(({ id, status }) => (id !== undefined && status === 'ACTIVE' ? [id] : [])),
  );
}

async function rulesOf(source: CleanRoomsSource, { configured }: MatchedTable): Promise<CollectedTable['rules']> {
  const rules = await Promise.all(
    configured.map(async ({ summary }) => {
      const id = summary.id ?? '';
      return [id, await firstRule(summary.analysisRuleTypes, (type) => source.tableRule(id, type))] as const;
    }),
  );
  return new Map(rules);
}

/** The rule of the first type that there is; what is listed and gone since is none. @param listed absent: not said, so all are asked for */
async function firstRule<T>(
  listed: readonly string[] | undefined,
  ask: (type: RuleType) => Promise<Answer<T | undefined>>,
): Promise<Answer<T | undefined>> {
  let unanswered: Answer<T | undefined> | undefined;
  for (const type of RULE_TYPES.filter((each) => listed === undefined || listed.includes(each))) {
    const answer = await ask(type);
    if (answer.known && answer.value !== undefined) return unanswered ?? answer;
    if (!answer.known) unanswered ??= answer;
  }
  return unanswered ?? known(undefined);
}

async function collectMembership(
  source: CleanRoomsSource,
  config: CleanRoomsReportConfig,
  tables: readonly CollectedTable[],
  id: string,
): Promise<CollectedMembership> {
  const [membership, associations, namespaces, mappings] = await Promise.all([
    source.membership(id),
    source.associations(id),
    source.idNamespaceAssociations(id),
    source.idMappingTables(id),
  ]);
  if (id === config.membership && membership.known && membership.value === undefined) throw noSuchMembership(id);
  const collaborationId = following(membership, (found) => found?.collaborationId);
  const [idNamespaceAssociations, idMappingTables, inCollaboration] = await Promise.all([
    detailed(namespaces, (each) => source.idNamespaceAssociation(id, each.id ?? '')),
    detailed(mappings, (each) => source.idMappingTable(id, each.id ?? '')),
    collectCollaboration(source, collaborationId),
  ]);
  const own = tables.flatMap((table) => {
    const found = associationOf(config, table, associations);
    return found.known && found.value ? [{ table, association: found.value }] : [];
  });
  const schemaRules = await rulesOfSchemas(
    source,
    collaborationId,
    inCollaboration.schemas,
    own.map(({ association }) => association),
  );
  const associationRules = new Map(
    await Promise.all(
      own
        .filter(({ association }) => !saysCollaborationRule(schemaRules.get(String(association.name).toLowerCase())))
        .map(async ({ table, association }) => {
          const associationId = association.id ?? '';
          const ask = (type: RuleType) => source.associationRule(id, associationId, type);
          const listed = association.analysisRuleTypes ?? [ruleTypeOf(table, association)];
          return [associationId, await firstRule(listed, ask)] as const;
        }),
    ),
  );
  return {
    id,
    membership,
    collaborationId,
    associations,
    idNamespaceAssociations,
    idMappingTables,
    ...inCollaboration,
    schemaRules,
    associationRules,
  };
}

/** Everything would be said to be in no collaboration, where a name is mistyped or the region is another. */
function noSuchMembership(id: string): LakegateError {
  return new LakegateError(
    'not_found',
    `membership ${id}: Clean Rooms has none of this id in this account and region. See \`membership\` and \`region\` under \`reports: cleanrooms:\`, or --membership`,
    { context: { membership: id } },
  );
}

/** A table's rule in a collaboration is of the same type as its own. */
function ruleTypeOf({ rules }: CollectedTable, { configuredTableId }: ConfiguredTableAssociationSummary): RuleType {
  const rule = rules.get(configuredTableId ?? '');
  return RULE_TYPES.find((type) => rule?.known && rule.value?.type === type) ?? 'CUSTOM';
}

type InCollaboration = Pick<CollectedMembership, 'collaboration' | 'members' | 'schemas'>;

async function collectCollaboration(
  source: CleanRoomsSource,
  id: Answer<string | undefined>,
): Promise<InCollaboration> {
  if (!id.known) return { collaboration: id, members: id, schemas: id };
  if (id.value === undefined) return { collaboration: known(undefined), members: known([]), schemas: known([]) };
  const [collaboration, members, schemas] = await Promise.all([
    source.collaboration(id.value),
    source.members(id.value),
    source.schemas(id.value),
  ]);
  return { collaboration, members, schemas };
}

/** Rules of the collaboration's schemas that are ours: by 25 in a request, where asking for each would take a request per table. */
async function rulesOfSchemas(
  source: CleanRoomsSource,
  collaborationId: Answer<string | undefined>,
  schemas: Answer<SchemaSummary[]>,
  associations: readonly ConfiguredTableAssociationSummary[],
): Promise<CollectedMembership['schemaRules']> {
  const rules: CollectedMembership['schemaRules'] = new Map();
  const names = new Set(associations.map(({ name }) => String(name).toLowerCase()));
  if (!schemas.known) {
    for (const name of names) rules.set(name, schemas);
    return rules;
  }
  if (!collaborationId.known || collaborationId.value === undefined) return rules;
  const asked = schemas.value.flatMap(({ name, analysisRuleTypes }) => {
    const type = RULE_TYPES.find((each) => analysisRuleTypes?.includes(each));
    return name !== undefined && type !== undefined && names.has(name.toLowerCase()) ? [{ name, type }] : [];
  });
  const answers = await source.schemaRules(collaborationId.value, asked);
  for (const [index, { name }] of asked.entries()) rules.set(name.toLowerCase(), answers[index]!);
  return rules;
}

function saysCollaborationRule(rule: Answer<AnalysisRule | undefined> | undefined): boolean {
  return rule?.known === true && rule.value?.collaborationPolicy !== undefined;
}

async function detailed<S, D>(
  listed: Answer<S[]>,
  ask: (summary: S) => Promise<Answer<D | undefined>>,
): Promise<Answer<Detailed<S, D>[]>> {
  if (!listed.known) return listed;
  return known(await Promise.all(listed.value.map(async (summary) => ({ summary, details: await ask(summary) }))));
}

/** Where there is no membership, nothing is in a collaboration; where it cannot be known, neither can what is. */
function noMembership(
  answer: Answer<undefined> | { known: false; why: Parameters<typeof unknown>[0] },
): CollectedMembership {
  const nothing = <T>(value: T): Answer<T> => (answer.known ? known(value) : answer);
  return {
    membership: nothing(undefined),
    collaborationId: nothing(undefined),
    collaboration: nothing(undefined),
    members: nothing([]),
    associations: nothing([]),
    schemas: nothing([]),
    schemaRules: new Map(),
    associationRules: new Map(),
    idNamespaceAssociations: nothing([]),
    idMappingTables: nothing([]),
  };
}
