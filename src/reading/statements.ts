import { athenaStatements } from './athena.ts';
import { duckdbStatements } from './duckdb.ts';
import type { PublishedTable } from './published-table.ts';
import { snowflakeStatements } from './snowflake.ts';
import { sparkStatements } from './spark.ts';
import { trinoStatements } from './trino.ts';

/** Engines that a published table can be read from. */
export const ENGINES = ['snowflake', 'athena', 'duckdb', 'spark', 'trino'] as const;
export type Engine = (typeof ENGINES)[number];

const STATEMENTS: Record<Engine, (table: PublishedTable) => string[]> = {
  snowflake: snowflakeStatements,
  athena: athenaStatements,
  duckdb: duckdbStatements,
  spark: sparkStatements,
  trino: trinoStatements,
};

/**
 * The statements that read a published table from an engine, in order, comments among them. What only the reader knows (roles, secrets) stands
 * in angle brackets.
 * @throws LakegateError `unsupported` when the engine cannot read it where it lies
 */
export function readingStatements(engine: Engine, table: PublishedTable): string[] {
  return STATEMENTS[engine](table);
}
