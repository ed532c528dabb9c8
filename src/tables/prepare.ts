import pLimit from 'p-limit';
import { LakegateError } from '../errors.ts';
import { repairTable } from './athena-statements.ts';
import type { StatementRunner, TableCatalog } from './table-catalog.ts';

export interface PrepareRequest {
  database: string;
  /** Tables whose names begin with it: `part_`. */
  prefix: string;
  /** Statements at a time: Athena runs 20 of them by default (service quotas, "Active DDL queries"). */
  concurrency: number;
}

export interface PrepareOutcome {
  table: string;
  outcome: 'repaired' | 'failed';
  reason?: string;
}

/**
 * Names of the partitioned tables that begin with a prefix.
 * @throws LakegateError `not_found` where there is none
 */
export async function partitionedTables(
  catalog: TableCatalog,
  { database, prefix }: Pick<PrepareRequest, 'database' | 'prefix'>,
): Promise<string[]> {
  const tables = (await catalog.list(database, prefix)).filter(({ partitionKeys }) => partitionKeys.length > 0);
  if (tables.length > 0) return tables.map(({ name }) => name);
  throw new LakegateError(
    'not_found',
    `there is no partitioned table ${prefix}* in ${database}. \`tables register\` makes them`,
  );
}

/**
 * Registers the partitions of tables by Athena's MSCK REPAIR TABLE, some at a time. One table's failure stops no other. lakegate's own way to do it is
 * `syncDatabase`, which pays for no query and says what it did; this one is there for whoever has it so today. Contract-tested.
 * @returns an outcome for each table
 */
export async function repairTables(
  athena: StatementRunner,
  tables: readonly string[],
  { database, concurrency }: Pick<PrepareRequest, 'database' | 'concurrency'>,
): Promise<PrepareOutcome[]> {
  const limit = pLimit(concurrency);
  return Promise.all(
    tables.map((table) =>
      limit(async (): Promise<PrepareOutcome> => {
        try {
          await athena.run(repairTable(table), database);
          return { table, outcome: 'repaired' };
        } catch (error) {
          if (!(error instanceof LakegateError)) throw error;
          return { table, outcome: 'failed', reason: error.message };
        }
      }),
    ),
  );
}
