import type {
  AnalysisRule,
  ConfiguredTableAnalysisRule,
  ConfiguredTableAssociationAnalysisRule,
  ConfiguredTableAssociationSummary,
} from '@aws-sdk/client-cleanrooms';
import type { CleanRoomsReportConfig } from '../../config/reports.ts';
import { type Answer, allOf, following, known, type Unanswered, unknown } from '../answer.ts';
import { accountOf } from './accounts.ts';
import type { Collected, CollectedMembership, CollectedTable, RuleType } from './collect.ts';
import { associationOf } from './find-association.ts';
import type { ConfiguredFacts } from './match.ts';
import type { ConfiguredState, TableState } from './model.ts';

/** What is known of one table in one membership, and whether it is ready for analysis. */
export function tableState(
  config: CleanRoomsReportConfig,
  collected: Pick<Collected, 'glue' | 'doubt'>,
  membership: CollectedMembership,
  table: CollectedTable,
): TableState {
  const { doubt } = collected;
  const found = associationOf(config, table, membership.associations, doubt);
  const chosen = chosenTable(table, found);
  const configured: TableState['configured'] = chosen ? known(configuredState(chosen)) : absent(doubt);
  const rule: TableState['rule'] = chosen
    ? following(table.rules.get(chosen.summary.id ?? '') ?? known(undefined), tableRule)
    : absent(doubt);
  const association = following(found, (own) => own && { id: own.id ?? '', name: own.name ?? '' });
  const collaborationRule = collaborationRuleOf(membership, found);
  const there = (answer: Answer<unknown>) => following(answer, (value) => value !== undefined);
  const ready = allOf([
    there(configured),
    there(rule),
    there(association),
    following(rule, (own) => (own?.providers.length ?? 0) > 0),
  ]);
  return {
    name: table.name,
    glue: following(collected.glue, () => table.glue),
    configured,
    rule,
    association,
    collaborationRule,
    ready,
    missing: missing({ configured, rule, association, collaborationRule }),
  };
}

function absent(doubt: Unanswered | undefined): Answer<undefined> {
  return doubt === undefined ? known(undefined) : unknown(doubt);
}

/** Of several configured tables over one table, the one that is associated; else the first by name. */
function chosenTable(
  { configured }: CollectedTable,
  association: Answer<ConfiguredTableAssociationSummary | undefined>,
): ConfiguredFacts | undefined {
  const id = association.known ? association.value?.configuredTableId : undefined;
  return configured.find(({ summary }) => summary.id === id) ?? configured[0];
}

function configuredState({ summary, details }: ConfiguredFacts): ConfiguredState {
  return {
    id: summary.id ?? '',
    name: summary.name ?? '',
    method: summary.analysisMethod ?? '',
    columns: following(details, (own) => own?.allowedColumns ?? []),
  };
}

function tableRule(rule: ConfiguredTableAnalysisRule | undefined): { type: RuleType; providers: string[] } | undefined {
  if (rule === undefined) return undefined;
  const custom = rule.policy?.v1?.custom;
  return { type: rule.type as RuleType, providers: (custom?.allowedAnalysisProviders ?? []).map(accountOf) };
}

/** The rule of the table in the collaboration: by its schema, which says who receives results; else by the association itself. */
function collaborationRuleOf(
  membership: CollectedMembership,
  found: Answer<ConfiguredTableAssociationSummary | undefined>,
): TableState['collaborationRule'] {
  if (!found.known) return found;
  if (found.value === undefined) return known(undefined);
  const { id, name } = found.value;
  const bySchema = membership.schemaRules.get(String(name).toLowerCase());
  const ofSchema = bySchema && following(bySchema, schemaRule);
  if (ofSchema?.known && ofSchema.value !== undefined) return ofSchema;
  const byAssociation = membership.associationRules.get(id ?? '');
  const ofAssociation = byAssociation && following(byAssociation, associationRule);
  if (ofAssociation?.known && ofAssociation.value !== undefined) return ofAssociation;
  // That there is none is only known when nobody who could know was silent.
  return [ofAssociation, ofSchema].find((answer) => answer?.known === false) ?? known(undefined);
}

function schemaRule(rule: AnalysisRule | undefined): { type: RuleType; receivers: string[] } | undefined {
  const consolidated = rule?.consolidatedPolicy?.v1;
  const own = rule?.collaborationPolicy?.v1;
  if (rule === undefined || (consolidated === undefined && own === undefined)) return undefined;
  const receivers = consolidated !== undefined ? receiversOf(consolidated) : own !== undefined ? receiversOf(own) : [];
  return { type: rule.type as RuleType, receivers };
}

function associationRule(
  rule: ConfiguredTableAssociationAnalysisRule | undefined,
): { type: RuleType; receivers: string[] } | undefined {
  if (rule === undefined) return undefined;
  return { type: rule.type as RuleType, receivers: rule.policy?.v1 ? receiversOf(rule.policy.v1) : [] };
}

interface Receiving {
  allowedResultReceivers?: string[] | undefined;
}

/** A policy is of one type; those who receive results are named in the same way in each. */
function receiversOf(policy: { custom?: Receiving; aggregation?: Receiving; list?: Receiving }): string[] {
  const { allowedResultReceivers = [] } = policy.custom ?? policy.aggregation ?? policy.list ?? {};
  return [...new Set(allowedResultReceivers.map(accountOf))];
}

function missing({
  configured,
  rule,
  association,
  collaborationRule,
}: Pick<TableState, 'configured' | 'rule' | 'association' | 'collaborationRule'>): string[] {
  const isMissing = (answer: Answer<unknown>) => answer.known && answer.value === undefined;
  const found: string[] = [];
  if (isMissing(configured)) found.push('missing configured table');
  if (isMissing(rule)) found.push('missing analysis rule');
  if (rule.known && rule.value !== undefined && rule.value.providers.length === 0) {
    found.push(
      rule.value.type === 'CUSTOM'
        ? 'no analysis provider in its analysis rule'
        : `analysis rule is ${rule.value.type}, not CUSTOM`,
    );
  }
  if (isMissing(association)) found.push('not in collaboration');
  if (isMissing(collaborationRule)) found.push('missing collaboration rule');
  return found;
}
