import {
  AthenaClient,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  type QueryExecutionStatus,
  StartQueryExecutionCommand,
  StopQueryExecutionCommand,
} from '@aws-sdk/client-athena';
import { LakegateError } from '../errors.ts';
import type { SqlEngine } from '../rules/rule.ts';
import { athenaFault, failedQuery } from './athena-fault.ts';
import { violationQueries } from './athena-query.ts';

export interface AthenaSqlOptions {
  /** Says where results go and what a query may scan. Default: Athena's `primary`. */
  workgroup?: string;
  /** URL of the folder for results, where the workgroup does not say it. */
  outputLocation?: string;
  /** Athena's name of the catalogue. Default: the account's own Glue catalogue. */
  catalog?: string;
  region?: string;
  /** Milliseconds after which a query is stopped. Default 5 minutes. */
  timeoutMs?: number;
  /** Default: one made for the region and the environment's credentials and endpoint. */
  client?: AthenaClient;
  /** Milliseconds of any steady clock. */
  now: () => number;
  sleep: (ms: number) => Promise<void>;
}

const FIRST_DELAY_MS = 200;
const LONGEST_DELAY_MS = 2_000;
const REQUEST_TIMEOUT_MS = 30_000;
const CONNECTION_TIMEOUT_MS = 5_000;
/** Characters of a sample row that a person is shown. */
const LONGEST_ROW = 200;

/**
 * Athena over staged snapshots (API reference: StartQueryExecution, GetQueryExecution, GetQueryResults). A rule's query is one SELECT; what else
 * it may read than the delivery is up to the role's permissions. A delivery without violations costs one query, one with them a second.
 * Contract-tested against a stand-in of the protocol only.
 */
export function createAthenaSql(options: AthenaSqlOptions): SqlEngine {
  const { workgroup, outputLocation, catalog = 'AwsDataCatalog', timeoutMs = 300_000, now, sleep } = options;
  const client = options.client ?? newClient(options.region);

  async function start(query: string, database: string): Promise<string> {
    try {
      const { QueryExecutionId } = await client.send(
        new StartQueryExecutionCommand({
          QueryString: query,
          QueryExecutionContext: { Catalog: catalog, Database: database },
          ...(workgroup === undefined ? {} : { WorkGroup: workgroup }),
          ...(outputLocation === undefined ? {} : { ResultConfiguration: { OutputLocation: outputLocation } }),
        }),
      );
      if (QueryExecutionId) return QueryExecutionId;
    } catch (error) {
      throw athenaFault(error, 'start the query');
    }
    throw new LakegateError('unavailable', 'Athena: the query was started, but its id was not given');
  }

  async function statusOf(id: string): Promise<QueryExecutionStatus | undefined> {
    try {
      return (await client.send(new GetQueryExecutionCommand({ QueryExecutionId: id }))).QueryExecution?.Status;
    } catch (error) {
      throw athenaFault(error, 'ask how the query goes');
    }
  }

  /** Waits until the query has succeeded. One that is given up on is stopped: it would go on scanning, and costing. */
  async function finish(id: string, deadline: number): Promise<void> {
    let ended = false;
    try {
      for (let delay = FIRST_DELAY_MS; ; delay = Math.min(LONGEST_DELAY_MS, delay * 1.5)) {
        const status = await statusOf(id);
        ended = status?.State === 'SUCCEEDED' || status?.State === 'FAILED' || status?.State === 'CANCELLED';
        if (status?.State === 'SUCCEEDED') return;
        if (ended) throw failedQuery(status!);
        if (now() + delay > deadline) {
          throw new LakegateError(
            'unavailable',
            `the query was stopped after ${timeoutMs / 1000} s: make it simpler, or give Athena more capacity`,
            { context: { queryExecutionId: id } },
          );
        }
        await sleep(delay);
      }
    } finally {
      // Best effort: the fault that led here is what counts.
      if (!ended) await client.send(new StopQueryExecutionCommand({ QueryExecutionId: id })).catch(() => undefined);
    }
  }

  /** The result's first rows; null is undefined. */
  async function run(
    query: string,
    database: string,
    rows: number,
  ): Promise<{ names: string[]; rows: (string | undefined)[][] }> {
    const deadline = now() + timeoutMs;
    const id = await start(query, database);
    await finish(id, deadline);
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

function newClient(configured: string | undefined): AthenaClient {
  // The second is the name that the AWS command line and Python know the region by.
  const region = configured ?? (process.env.AWS_REGION || process.env.AWS_DEFAULT_REGION || undefined);
  return new AthenaClient({
    ...(region === undefined ? {} : { region }),
    requestHandler: {
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionTimeout: CONNECTION_TIMEOUT_MS,
      throwOnRequestTimeout: true,
    },
  });
}

function shown(names: readonly string[], row: readonly (string | undefined)[]): string {
  const text = row.map((value, i) => `${names[i] ?? ''}=${value ?? 'null'}`).join(', ');
  return text.length > LONGEST_ROW ? `${text.slice(0, LONGEST_ROW - 1)}…` : text;
}
