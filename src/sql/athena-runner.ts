import {
  AthenaClient,
  GetQueryExecutionCommand,
  type QueryExecutionStatus,
  StartQueryExecutionCommand,
  StopQueryExecutionCommand,
} from '@aws-sdk/client-athena';
import { LakegateError } from '../errors.ts';
import { athenaFault, failedQuery } from './athena-fault.ts';

export interface AthenaRunnerOptions {
  /** Says where results go and what a query may scan. Default: Athena's `primary`. */
  workgroup?: string;
  /** URL of the folder for results, where the workgroup does not say it. */
  outputLocation?: string;
  /** Athena's name of the catalogue. Default: the account's own Glue catalogue. */
  catalog?: string;
  region?: string;
  /** Milliseconds after which a query is stopped. Default 5 minutes. */
  timeoutMs?: number;
  /** Milliseconds between two looks at a query, at most. Default 2 seconds. */
  pollMs?: number;
  /** Default: one made for the region and the environment's credentials and endpoint. */
  client?: AthenaClient;
  /** Milliseconds of any steady clock. */
  now: () => number;
  sleep: (ms: number) => Promise<void>;
}

export interface AthenaRunner {
  /** Runs a statement to its end. @returns the query's id. @throws LakegateError `invalid` when the statement is at fault, else `unavailable` */
  execute(statement: string, database: string): Promise<string>;
  run(statement: string, database: string): Promise<void>;
}

const TIMEOUT_MS = 300_000;
const FIRST_DELAY_MS = 200;
const LONGEST_DELAY_MS = 2_000;
const REQUEST_TIMEOUT_MS = 30_000;
const CONNECTION_TIMEOUT_MS = 5_000;

/**
 * Statements run by Athena (API reference: StartQueryExecution, GetQueryExecution, StopQueryExecution). Contract-tested against a stand-in of the
 * protocol only.
 */
export function createAthenaRunner(options: AthenaRunnerOptions): AthenaRunner {
  const { workgroup, outputLocation, catalog = 'AwsDataCatalog', timeoutMs = TIMEOUT_MS, now, sleep } = options;
  const longestDelayMs = options.pollMs ?? LONGEST_DELAY_MS;
  const client = options.client ?? createAthenaClient(options.region);

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
      for (let delay = Math.min(FIRST_DELAY_MS, longestDelayMs); ; delay = Math.min(longestDelayMs, delay * 1.5)) {
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

  async function execute(statement: string, database: string): Promise<string> {
    const deadline = now() + timeoutMs;
    const id = await start(statement, database);
    await finish(id, deadline);
    return id;
  }

  return {
    execute,
    async run(statement, database) {
      await execute(statement, database);
    },
  };
}

/** A client with lakegate's timeouts. @param configured default: the environment's region */
export function createAthenaClient(configured: string | undefined): AthenaClient {
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
