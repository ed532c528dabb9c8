import type { ConfiguredTable, ConfiguredTableSummary } from '@aws-sdk/client-cleanrooms';
import type { CleanRoomsReportConfig } from '../../config/reports.ts';
import type { Answer, Unanswered } from '../answer.ts';
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

/**
 * Why a table that has no configured table may have one after all: nobody could say what some of them are of, and their names do not either.
 * Undefined: those that are matched are all there are.
 */
export function doubtOf(
  configured: Answer<readonly ConfiguredFacts[]>,
  tables: readonly MatchedTable[],
): Unanswered | undefined {
  if (!configured.known) return configured.why;
  const placed = new Set(tables.flatMap((table) => table.configured));
  for (const facts of configured.value) if (!facts.details.known && !placed.has(facts)) return facts.details.why;
  return undefined;
}

/**
 * The table that a configured table is of, lower case: by what it refers to; by its own name where that cannot be known. Undefined for one that
 * was deleted since it was listed.
 */
function tableOf(config: Names, { summary, details }: ConfiguredFacts): string | undefined {
  if (details.known) {
    // Athena's tables are those of the same catalogue.
    const reference = details.value?.tableReference?.glue ?? details.value?.tableReference?.athena;
    if (reference === undefined) return undefined;
    const { databaseName, tableName } = reference;
    return databaseName?.toLowerCase() === config.database.toLowerCase() ? tableName?.toLowerCase() : undefined;
  }
  const name = summary.name?.toLowerCase();
  const prefix = config.associationPrefix.toLowerCase();
  return name?.startsWith(prefix) ? name.slice(prefix.length) : name;
}

function byName(a: ConfiguredFacts, b: ConfiguredFacts): number {
  return String(a.summary.name) < String(b.summary.name) ? -1 : 1;
}
