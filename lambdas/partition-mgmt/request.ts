import { LakegateError } from '../../src/errors.ts';
import { isObject } from '../../src/events/fields.ts';
import type { Continuation, SyncMode } from '../../src/partitions/result.ts';

/** How far a run looks. */
const SYNC_MODES = ['incremental', 'full', 'reconcile'] as const satisfies readonly SyncMode[];

/** What a run of the state machine is started with: by a schedule, by a person, or by the run before it for the databases that are left. */
export interface RunRequest {
  sync: SyncMode;
  /** These databases and no others. Default: all that lake.yaml's patterns match. */
  databases?: string[];
  /** Only those whose names sort after this one. */
  after?: string;
}

/** What a database's run has come to so far. */
export interface DatabaseItem {
  database: string;
  sync: SyncMode;
  /** Where to go on; null at first, and when there is nothing left. */
  continuation: Continuation | null;
  /** Of the calls before this one; null at first. */
  outcome: DatabaseOutcome | null;
}

/** What became of a database, in few bytes: a state machine carries one for each. */
export interface DatabaseOutcome {
  database: string;
  /** Looks at tables: one that a later call looks at again counts again. */
  tables: number;
  created: number;
  removed: number;
  updated: number;
  rejected: number;
  /** Partitions that Glue did not take. */
  errors: number;
  /** Tables that could not be looked at. */
  failedTables: number;
  glue: number;
  s3: number;
  throttled: number;
}

/** A database that was given up; `error` is the name of what was thrown. */
export interface FailedDatabase {
  database: string;
  error: string;
}

export type PartitionRequest =
  | { mode: 'databases'; request: RunRequest }
  | { mode: 'database'; item: DatabaseItem }
  | { mode: 'summary'; sync: SyncMode; outcomes: (DatabaseOutcome | FailedDatabase)[]; execution: string };

/**
 * What the state machine asks for.
 * @returns undefined for an event that names no mode: it comes from S3
 * @throws LakegateError `usage` for a mode that there is not, or for one that lacks what it needs
 */
export function parseRequest(event: unknown): PartitionRequest | undefined {
  if (!isObject(event) || event.mode === undefined) return undefined;
  switch (event.mode) {
    case 'databases':
      return { mode: 'databases', request: runRequest(event.request) };
    case 'database': {
      const item = isObject(event.item) ? event.item : {};
      if (typeof item.database !== 'string') throw refused('item.database', 'the name of a database', item.database);
      return {
        mode: 'database',
        item: {
          database: item.database,
          sync: syncMode(item.sync),
          continuation: (item.continuation ?? null) as Continuation | null,
          outcome: (item.outcome ?? null) as DatabaseOutcome | null,
        },
      };
    }
    case 'summary':
      if (!Array.isArray(event.outcomes)) throw refused('outcomes', 'a list', event.outcomes);
      return {
        mode: 'summary',
        sync: syncMode(event.sync),
        outcomes: event.outcomes as (DatabaseOutcome | FailedDatabase)[],
        execution: String(event.execution ?? ''),
      };
    default:
      throw refused('mode', 'databases, database or summary', event.mode);
  }
}

function runRequest(input: unknown): RunRequest {
  const { sync, databases, after } = isObject(input) ? input : {};
  if (databases !== undefined && !(Array.isArray(databases) && databases.every((name) => typeof name === 'string')))
    throw refused('databases', 'a list of names', databases);
  if (after !== undefined && typeof after !== 'string') throw refused('after', 'the name of a database', after);
  return {
    sync: syncMode(sync),
    ...(databases !== undefined && { databases: databases as string[] }),
    ...(after !== undefined && { after }),
  };
}

function syncMode(given: unknown): SyncMode {
  const known = SYNC_MODES.find((mode) => mode === (given ?? 'incremental'));
  if (known === undefined) throw refused('sync', `one of ${SYNC_MODES.join(', ')}`, given);
  return known;
}

function refused(field: string, expected: string, found: unknown): LakegateError {
  return new LakegateError('usage', `${field}: expected ${expected}, found ${JSON.stringify(found)}`);
}
