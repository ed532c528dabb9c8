import type { ConfiguredTable, ConfiguredTableSummary } from '@aws-sdk/client-cleanrooms';
import type { CleanRoomsReportConfig } from '../../config/reports.ts';
import type { Answer } from '../answer.ts';
import type { GlueTableFacts } from './source.ts';

/** A configured table of the account, with its details as far as they are known. */
export interface ConfiguredFacts {
  summary: ConfiguredTableSummary;
  details: Answer<ConfiguredTable | undefined>;
}

/** A table of the report, and the configured tables that may be its own. */
export interface MatchedTable {
  name: string;
  glue?: GlueTableFacts;
  configured: ConfiguredFacts[];
}

type Names = Pick<CleanRoomsReportConfig, 'database' | 'tablePrefix' | 'skipTables' | 'associationPrefix'>;

/**
 * The tables that the report is about: those of the database whose names have the prefix, and those that a configured table of Clean Rooms
 * refers to there although the catalogue does not have them (any more). Names are compared without regard to case: Glue's are lower case,
 * those in Clean Rooms are as people typed them.
 */
export function matchTables(
  config: Names,
  glue: readonly GlueTableFacts[],
  configured: readonly ConfiguredFacts[],
): MatchedTable[] {
  const tables = new Map<string, MatchedTable>();
  const isReported = (name: string) =>
    name.startsWith(config.tablePrefix.toLowerCase()) && !config.skipTables.includes(name);
  for (const facts of glue) {
    const key = facts.name.toLowerCase();
    if (isReported(key)) tables.set(key, { name: facts.name, glue: facts, configured: [] });
  }
  for (const facts of configured) {
    const key = tableOf(config, facts);
    if (key === undefined || !isReported(key)) continue;
    const table = tables.get(key) ?? { name: key, configured: [] };
    table.configured.push(facts);
    tables.set(key, table);
  }
  for (const { configured: own } of tables.values()) own.sort(byName);
  return [...tables.values()];
}

/** The table that a configured table is of, lower case: by what it refers to; by its own name where that cannot be known. */
function tableOf(config: Names, { summary, details }: ConfiguredFacts): string | undefined {
  if (details.known && details.value !== undefined) {
    const reference = details.value.tableReference;
    if (reference?.glue === undefined) return undefined;
    const { databaseName, tableName } = reference.glue;
    return databaseName?.toLowerCase() === config.database.toLowerCase() ? tableName?.toLowerCase() : undefined;
  }
  const name = summary.name?.toLowerCase();
  const prefix = config.associationPrefix.toLowerCase();
  return name?.startsWith(prefix) ? name.slice(prefix.length) : name;
}

function byName(a: ConfiguredFacts, b: ConfiguredFacts): number {
  return String(a.summary.name) < String(b.summary.name) ? -1 : 1;
}
