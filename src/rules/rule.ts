import type { NullCount } from '../parquet/model.ts';

/** A rule as configured (lake.yaml, `rules:`), already validated. Columns are dotted paths. */
export type RuleSpec =
  | { rule: 'not_null'; columns: readonly string[] | '*' }
  | { rule: 'max_null_fraction'; column: string; atMost: number }
  | { rule: 'row_count'; min?: number; max?: number }
  | { rule: 'range'; column: string; min?: number | string; max?: number | string }
  | { rule: 'accepted_values'; column: string; values: readonly (string | number | boolean)[] }
  | { rule: 'unique'; columns: readonly string[] }
  | { rule: 'schema'; columns: Readonly<Record<string, string>>; allowExtra: boolean }
  /** The newest value of a date or timestamp column must not be older than this at audit time. */
  | { rule: 'freshness'; column: string; withinMs: number }
  /** Each row that the query returns is a violation. The delivery's rows are the view `delivery`. */
  | { rule: 'sql'; name: string; query: string };

export type RuleName = RuleSpec['rule'];

/** A verdict on one rule and (where it has one) one column. */
export interface RuleResult {
  rule: RuleName;
  /** Dotted path; several joined by `, ` for `unique`; absent for rules over the whole delivery. */
  column?: string;
  outcome: 'passed' | 'failed' | 'inconclusive';
  /** Offending rows or values; 0 when passed. Absent when inconclusive. */
  count?: number;
  /** Positions of the first offending rows, zero-based within `file`, at most `MAX_POSITIONS`. */
  rows?: number[];
  /** The file the positions are in, when a delivery has several. */
  file?: string;
  /** What was expected, for a person: `no nulls`, `between 0 and 100`. */
  expected: string;
  /** What was found, or why it could not be checked. */
  found: string;
}

export const MAX_POSITIONS = 5;

/** Field facts a rule may ask for. `type` is Iceberg's name for it, or the file's own where Iceberg has none. */
export interface FieldFacts {
  name: string;
  type: string;
  required: boolean;
  nested: boolean;
}

/**
 * One file under audit: answers questions from the cheapest evidence that decides them.
 * Implementations read statistics first, then definition levels, then values, and never more columns than asked for.
 */
export interface AuditedFile {
  readonly url: string;
  readonly rows: number;
  /** All fields, depth first in file order, nested ones included. */
  fields(): Promise<FieldFacts[]>;
  /** The fields that the file itself has, typed as the table types them, where `fields()` answers for its table. Absent: `fields()` is the file's own. */
  storedFields?(): Promise<FieldFacts[]>;
  /** Null counts of the named fields (or all), in the order of `fields()`. @throws LakegateError `corrupt` | `unavailable` */
  nulls(names: readonly string[] | '*'): Promise<NullCount[]>;
  /** Positions (zero-based rows) of the first `limit` rows in which the field is null (nested: in which it is null with its parent present). */
  nullRows(name: string, limit: number): Promise<number[]>;
  /**
   * Smallest and largest value by statistics; `undefined` when statistics cannot say. Values as `values` gives them. Where `exact` is false the
   * bounds hold but need not be reached (shortened strings): `lower` ≤ every value ≤ `upper`.
   */
  bounds(name: string): Promise<{ lower: AuditValue; upper: AuditValue; exact: boolean } | undefined>;
  /** The distinct values, when every page is dictionary-encoded so that dictionaries alone give a superset; undefined otherwise. */
  dictionary(name: string): Promise<AuditValue[] | undefined>;
  /** The values of one primitive, unrepeated field in row order, in batches; null is undefined. Decodes that column alone. */
  values(name: string): AsyncIterable<{ firstRow: number; values: (AuditValue | undefined)[] }>;
}

/**
 * A value as rules compare it: numbers and bigints as such; decimals as exact decimal strings wrapped in `{ decimal }`; dates and timestamps as
 * `{ micros }` since the epoch; strings, booleans; binary as Uint8Array.
 */
export type AuditValue = number | bigint | string | boolean | Uint8Array | { decimal: string } | { micros: bigint };

/** Where a delivery's rows are staged, for engines that read tables and not files. */
export interface StagedRows {
  /** Of the table. */
  namespace: readonly string[];
  name: string;
  /** The snapshot that has the delivery's files, beside others'. */
  snapshotId: bigint;
}

/** Runs SQL over files; DuckDB on a laptop, Athena on AWS. */
export interface SqlEngine {
  /**
   * @param files URLs of the Parquet files behind the view `delivery`
   * @param staged the snapshot that has them; undefined for files that are in no table
   * @returns the number of rows the query gave, and the first few of them as text for a person
   * @throws LakegateError `invalid` when the query itself is wrong, `unavailable` when the engine cannot run
   */
  violations(
    query: string,
    files: readonly string[],
    sample: number,
    staged?: StagedRows,
  ): Promise<{ count: number; sample: string[] }>;
}

/** What a rule is given. */
export interface AuditContext {
  files: readonly AuditedFile[];
  /** Milliseconds since the epoch at which the audit runs. */
  nowMs: number;
  sql?: SqlEngine;
  /** Where the files are staged; absent for a file that is only looked at. */
  staged?: StagedRows;
  /** Of `unique`: keys of this share alone are compared, from 0; all shares together, each by its own call, compare all of them. Absent: all. */
  share?: { number: number; of: number };
}

/** The verdict over a delivery. */
export interface AuditVerdict {
  /** failed when any rule failed, else inconclusive when any was, else passed. */
  outcome: 'passed' | 'failed' | 'inconclusive';
  rows: number;
  results: RuleResult[];
}
