import { GetQueryResultsCommand } from '@aws-sdk/client-athena';
import { LakegateError } from '../errors.ts';
import type { SqlEngine } from '../rules/rule.ts';
import { athenaFault } from './athena-fault.ts';
import { violationQueries } from './athena-query.ts';
import { type AthenaRunnerOptions, createAthenaClient, createAthenaRunner } from './athena-runner.ts';

export type AthenaSqlOptions = AthenaRunnerOptions;

/** Characters of a sample row that a person is shown. */
const LONGEST_ROW = 200;

/**
 * Athena over staged snapshots (API reference: StartQueryExecution, GetQueryExecution, GetQueryResults). A rule's query is one SELECT; what else
 * it may read than the delivery is up to the role's permissions. A delivery without violations costs one query, one with them a second.
 * Contract-tested against a stand-in of the protocol only.
 */
export function createAthenaSql(options: AthenaSqlOptions): SqlEngine {
  const client = options.client ?? createAthenaClient(options.region);
  const runner = createAthenaRunner({ ...options, client });

  /** The result's first rows; null is undefined. */
  async function run(
    query: string,
    database: string,
    rows: number,
  ): Promise<{ names: string[]; rows: (string | undefined)[][] }> {
    const id = await runner.execute(query, database);
    try {
      // The first row of a SELECT's result is its header.
      const request = { QueryExecutionId: id, MaxResults: Math.min(1000, rows + 1) };
      const { ResultSet } = await client.send(new GetQueryResultsCommand(request));
      const names = (ResultSet?.ResultSetMetadata?.ColumnInfo ?? []).map(({ Name }) => Name ?? '');
      const found = (ResultSet?.Rows ?? []).slice(1);
      return { names, rows: found.map(({ Data = [] }) => Data.map(({ VarCharValue }) => VarCharValue)) };
    } catch (error) {
      throw athenaFault(error, "fetch the query's result");
    }
  }

  return {
    async violations(query, files, sample, staged) {
      if (staged === undefined) {
        throw new LakegateError('unsupported', 'Athena reads what is staged in a table, and this file is in none');
      }
      const statements = violationQueries(query, files, sample, staged);
      const database = staged.namespace.join('.');
      const counted = await run(statements.count, database, 1);
      const text = counted.rows[0]?.[0];
      if (text === undefined || !/^\d+$/.test(text)) {
        throw new LakegateError('unavailable', `Athena: expected the number of rows, found ${JSON.stringify(text)}`);
      }
      const count = Number(text);
      if (count === 0) return { count, sample: [] };
      const { names, rows } = await run(statements.sample, database, sample);
      return { count, sample: rows.map((row) => shown(names, row)) };
    },
  };
}

function shown(names: readonly string[], row: readonly (string | undefined)[]): string {
  const text = row.map((value, i) => `${names[i] ?? ''}=${value ?? 'null'}`).join(', ');
  return text.length > LONGEST_ROW ? `${text.slice(0, LONGEST_ROW - 1)}…` : text;
}
