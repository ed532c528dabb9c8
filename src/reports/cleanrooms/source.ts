import type {
  AnalysisRule,
  AnalysisRuleType,
  Collaboration,
  ConfiguredTable,
  ConfiguredTableAnalysisRule,
  ConfiguredTableAnalysisRuleType,
  ConfiguredTableAssociationAnalysisRule,
  ConfiguredTableAssociationAnalysisRuleType,
  ConfiguredTableAssociationSummary,
  ConfiguredTableSummary,
  IdMappingTable,
  IdMappingTableSummary,
  IdNamespaceAssociation,
  IdNamespaceAssociationSummary,
  MemberSummary,
  Membership,
  MembershipSummary,
  SchemaSummary,
} from '@aws-sdk/client-cleanrooms';
import type {
  GetIdNamespaceOutput,
  GetSchemaMappingOutput,
  IdNamespaceSummary,
  SchemaMappingSummary,
} from '@aws-sdk/client-entityresolution';
import type { Answer } from '../answer.ts';

/** A table of the Glue catalogue, as far as the report says it. */
export interface GlueTableFacts {
  name: string;
  location?: string;
  columns: string[];
  partitionKeys: string[];
}

/**
 * What the report asks AWS. Lists are whole: every page. A thing that is not there is `undefined`; what cannot be found out is an answer that is
 * not known, never an exception.
 * Every method @throws LakegateError `config` when there are no valid credentials: then there is no report at all
 */
export interface CleanRoomsSource {
  /** Undefined: there is no such database. */
  glueTables(database: string): Promise<Answer<GlueTableFacts[] | undefined>>;

  memberships(): Promise<Answer<MembershipSummary[]>>;
  membership(id: string): Promise<Answer<Membership | undefined>>;
  collaboration(id: string): Promise<Answer<Collaboration | undefined>>;
  members(collaboration: string): Promise<Answer<MemberSummary[]>>;
  configuredTables(): Promise<Answer<ConfiguredTableSummary[]>>;
  configuredTable(id: string): Promise<Answer<ConfiguredTable | undefined>>;
  tableRule(
    id: string,
    type: ConfiguredTableAnalysisRuleType,
  ): Promise<Answer<ConfiguredTableAnalysisRule | undefined>>;
  associations(membership: string): Promise<Answer<ConfiguredTableAssociationSummary[]>>;
  associationRule(
    membership: string,
    id: string,
    type: ConfiguredTableAssociationAnalysisRuleType,
  ): Promise<Answer<ConfiguredTableAssociationAnalysisRule | undefined>>;
  schemas(collaboration: string): Promise<Answer<SchemaSummary[]>>;
  /** For each of the schemas asked for, in order, its rule of the type. */
  schemaRules(
    collaboration: string,
    asked: readonly { name: string; type: AnalysisRuleType }[],
  ): Promise<Answer<AnalysisRule | undefined>[]>;
  idNamespaceAssociations(membership: string): Promise<Answer<IdNamespaceAssociationSummary[]>>;
  idNamespaceAssociation(membership: string, id: string): Promise<Answer<IdNamespaceAssociation | undefined>>;
  idMappingTables(membership: string): Promise<Answer<IdMappingTableSummary[]>>;
  idMappingTable(membership: string, id: string): Promise<Answer<IdMappingTable | undefined>>;

  idNamespaces(): Promise<Answer<IdNamespaceSummary[]>>;
  idNamespace(name: string): Promise<Answer<GetIdNamespaceOutput | undefined>>;
  schemaMappings(): Promise<Answer<SchemaMappingSummary[]>>;
  schemaMapping(name: string): Promise<Answer<GetSchemaMappingOutput | undefined>>;
}
