import type { Answer } from '../answer.ts';
import type { CollectedMembership, RuleType } from './collect.ts';
import type { Identities } from './collect-identities.ts';
import type { GlueTableFacts } from './source.ts';

/** The report of one membership, before it is JSON, CSV or a page. */
export interface CleanRoomsReport {
  /** Milliseconds since the epoch. */
  generatedAt: number;
  region: string;
  database: string;
  tablePrefix: string;
  /** What accounts are called. */
  accounts: Readonly<Record<string, string>>;
  membershipId?: string;
  collaborationId: Answer<string | undefined>;
  collaborationName: Answer<string | undefined>;
  delivery: ResultsDelivery;
  tables: TableState[];
  identities: IdentityRow[];
  collected: {
    glueTables: Answer<number>;
    configuredTables: Answer<number>;
    membership: CollectedMembership;
    identities: Identities;
  };
  /** Everything that could not be found out, each once. */
  gaps: Gap[];
}

/** Who gets results, and where they go. */
export interface ResultsDelivery {
  canReceiveResults: Answer<boolean>;
  /** Accounts of members that can receive results. */
  receivers: Answer<string[]>;
  /** `s3://bucket/prefix`, and the format. */
  output: Answer<{ url: string; format?: string } | undefined>;
}

/** One table, from the catalogue to the collaboration. */
export interface TableState {
  name: string;
  glue: Answer<GlueTableFacts | undefined>;
  configured: Answer<ConfiguredState | undefined>;
  /** The configured table's analysis rule. */
  rule: Answer<{ type: RuleType; providers: string[] } | undefined>;
  association: Answer<{ id: string; name: string } | undefined>;
  collaborationRule: Answer<{ type: RuleType; receivers: string[] } | undefined>;
  ready: Answer<boolean>;
  /** What is missing, in words; empty when nothing is. */
  missing: string[];
}

export interface ConfiguredState {
  id: string;
  name: string;
  method: string;
  columns: Answer<string[]>;
}

/** One line of how records of people are matched. */
export interface IdentityRow {
  namespace: string;
  method: string;
  database: string;
  region: string;
  table: string;
  schemaMapping: string;
  uniqueId: string;
  inputField: string;
  matchKey: string;
}

/** A question without an answer, and how often it was asked. */
export interface Gap {
  action: string;
  reason: 'denied' | 'throttled' | 'unavailable' | 'other';
  message: string;
  times: number;
}

/** What a cell says where there is nothing. */
export const NONE = 'N/A';
