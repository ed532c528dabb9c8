import { type Answer, following, unknownText } from '../answer.ts';
import type { CleanRoomsReport, TableState } from './model.ts';

/** Named types, so that what programs read does not change by accident. What is not known is null, and `unknown` beside it says why. */
export type ReportDocument = Record<string, unknown> & { generated_at: string; tables: TableDocument[] };
export interface TableDocument extends Record<string, unknown> {
  table_name: string;
  status: {
    in_collaboration: boolean | null;
    ready_for_analysis: boolean | null;
    missing: string[];
    unknown: string[];
  };
}

/** The report as one JSON document. Field names are those of the report it replaces; `unknown`, `missing` and `gaps` are more than it had. */
export function reportDocument(report: CleanRoomsReport): ReportDocument {
  const { collected } = report;
  const { membership, identities } = collected;
  const { canReceiveResults, receivers, output } = report.delivery;
  const count = (answer: Answer<unknown[]>) => plain(following(answer, (all) => all.length));
  const ready = (is: boolean | null) =>
    report.tables.filter(({ ready: answer }) => (answer.known ? answer.value : null) === is).length;
  return {
    generated_at: new Date(report.generatedAt).toISOString(),
    membership_id: report.membershipId ?? null,
    collaboration_id: plain(report.collaborationId),
    collaboration_name: plain(report.collaborationName),
    region: report.region,
    database: report.database,
    table_prefix: report.tablePrefix,
    summary: {
      tables_count: report.tables.length,
      ready_count: ready(true),
      not_ready_count: ready(false),
      unknown_count: ready(null),
      glue_tables_count: plain(collected.glueTables),
      configured_tables_count: plain(collected.configuredTables),
      associations_count: count(membership.associations),
      id_namespace_associations_count: count(membership.idNamespaceAssociations),
      id_mapping_tables_count: count(membership.idMappingTables),
      entity_resolution_namespaces_count: count(identities.namespaces),
      schema_mappings_count: count(identities.mappings),
    },
    gaps: report.gaps,
    identity_resolution: {
      id_namespace_associations: listed(membership.idNamespaceAssociations, ({ summary, details }) => ({
        id: summary.id,
        name: summary.name,
        description: summary.description ?? null,
        entity_resolution_namespace_arn: summary.inputReferenceConfig?.inputReferenceArn ?? null,
        namespace_type: summary.inputReferenceProperties?.idNamespaceType ?? null,
        id_mapping_config: plain(following(details, (own) => own?.idMappingConfig)),
        ...because(details),
      })),
      id_mapping_tables: listed(membership.idMappingTables, ({ summary, details }) => ({
        id: summary.id,
        name: summary.name,
        description: summary.description ?? null,
        input_reference_arn: summary.inputReferenceConfig?.inputReferenceArn ?? null,
        input_sources: plain(
          following(details, (own) =>
            (own?.inputReferenceProperties?.idMappingTableInputSource ?? []).map((source) => ({
              id_namespace_association_id: source.idNamespaceAssociationId,
              type: source.type,
            })),
          ),
        ),
        ...because(details),
      })),
      entity_resolution_namespaces: listed(identities.namespaces, ({ summary, details }) => ({
        name: summary.idNamespaceName,
        arn: summary.idNamespaceArn,
        type: summary.type,
        input_sources: plain(following(details, (own) => own?.inputSourceConfig ?? [])),
        id_mapping_workflow_properties: plain(following(details, (own) => own?.idMappingWorkflowProperties ?? [])),
        ...because(details),
      })),
      schema_mappings: listed(identities.mappings, ({ summary, details }) => ({
        name: summary.schemaName,
        arn: summary.schemaArn,
        has_workflows: summary.hasWorkflows ?? false,
        mappedInputFields: plain(following(details, (own) => own?.mappedInputFields ?? [])),
        ...because(details),
      })),
    },
    membership_results_delivery: {
      can_receive_results: plain(canReceiveResults),
      receivers: plain(receivers),
      default_result_configuration: plain(output),
      ...because([canReceiveResults, receivers, output].find((each) => !each.known) ?? output),
    },
    tables: report.tables.map(tableDocument),
  };
}

function tableDocument(table: TableState): TableDocument {
  const { glue, configured, rule, association, collaborationRule, ready } = table;
  const exists = (answer: Answer<unknown>) => plain(following(answer, (value) => value !== undefined));
  const inGlue = found(glue);
  const own = found(configured);
  const ruled = found(rule);
  const associated = found(association);
  const shared = found(collaborationRule);
  const columns = own?.columns;
  return {
    table_name: table.name,
    glue_table: {
      exists: exists(glue),
      location: inGlue?.location ?? null,
      column_count: inGlue?.columns.length ?? null,
      partition_keys: inGlue?.partitionKeys ?? [],
      columns: inGlue?.columns ?? [],
      ...because(glue),
    },
    configured_table: {
      exists: exists(configured),
      id: own?.id ?? null,
      name: own?.name ?? null,
      allowed_columns_count: columns?.known ? columns.value.length : null,
      allowed_columns: columns?.known ? columns.value : null,
      analysis_method: own?.method ?? null,
      ...because(columns?.known === false ? columns : configured),
    },
    analysis_rule: {
      exists: exists(rule),
      type: ruled?.type ?? null,
      allowed_analysis_providers: ruled?.providers ?? [],
      ...because(rule),
    },
    association: {
      exists: exists(association),
      id: associated?.id ?? null,
      name: associated?.name ?? null,
      ...because(association),
    },
    collaboration_analysis_rule: {
      exists: exists(collaborationRule),
      type: shared?.type ?? null,
      allowed_result_receivers: shared?.receivers ?? [],
      ...because(collaborationRule),
    },
    status: {
      in_collaboration: exists(association) as boolean | null,
      ready_for_analysis: plain(ready) as boolean | null,
      missing: table.missing,
      unknown: unknownsOf(table),
    },
  };
}

/** Why parts of a table's state are not known, each reason once. */
export function unknownsOf(table: TableState): string[] {
  const { glue, configured, rule, association, collaborationRule } = table;
  const columns = configured.known ? configured.value?.columns : undefined;
  const answers = [glue, configured, ...(columns ? [columns] : []), rule, association, collaborationRule];
  return [...new Set(answers.flatMap((answer) => (answer.known ? [] : [unknownText(answer.why)])))];
}

function found<T>(answer: Answer<T>): T | undefined {
  return answer.known ? answer.value : undefined;
}

/** The value, or null where there is none or none is known. */
function plain(answer: Answer<unknown>): unknown {
  return found(answer) ?? null;
}

function because(answer: Answer<unknown>): { unknown?: string } {
  return answer.known ? {} : { unknown: unknownText(answer.why) };
}

/** A list's entries; where the list is not known, one entry that says why. */
function listed<T>(answer: Answer<T[]>, give: (item: T) => object): object[] {
  return answer.known ? answer.value.map(give) : [because(answer)];
}
