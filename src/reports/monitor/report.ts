import type { Column, SnapshotRows } from './facts.ts';

/** The data monitor report. Its JSON is this, so names are those of the file. */
export interface MonitorReport {
  version: 1;
  /** ISO 8601, UTC. */
  generated_at: string;
  /** The lake, with its stage. */
  lake: string;
  summary: MonitorSummary;
  tables: TableReport[];
  /** Places whose tables could not even be listed, and why. */
  not_listed: { place: string; reason: string }[];
}

export interface MonitorSummary {
  tables: number;
  healthy: number;
  unhealthy: number;
  unknown: number;
  findings: number;
}

/** `unknown`: nothing is wrong as far as could be checked, and something could not be. */
export type Health = 'healthy' | 'unhealthy' | 'unknown';

export const CHECKS = [
  'partitions',
  'schema',
  'record_count',
  'key_nulls',
  'key_duplicates',
  'freshness',
  'file_sizes',
] as const;

export type CheckName = (typeof CHECKS)[number];

export interface CheckResult {
  check: CheckName;
  /** `not_checked`: it could not be. `off`: nothing says what to expect. */
  status: 'ok' | 'finding' | 'not_checked' | 'off';
  expected: string;
  found: string;
}

/** Numbers are null where they are not known. */
export interface TableReport {
  table_name: string;
  kind: 'iceberg' | 'parquet';
  location: string;
  owner?: string;
  channel?: string;
  health_status: Health;
  snapshot: string | null;
  /** ISO 8601, UTC. */
  snapshot_at: string | null;
  snapshot_age_days: number | null;
  partition_count: number | null;
  columns: Column[] | null;
  record_count: number | null;
  previous_snapshot: SnapshotRows | null;
  record_change_percent: number | null;
  key: string[];
  null_keys: number | null;
  duplicate_keys: number | null;
  file_count: number | null;
  total_bytes: number | null;
  files_too_small: number | null;
  files_too_large: number | null;
  checks: CheckResult[];
}

/** The findings of a table, one sentence each. */
export function findingsOf(table: TableReport): string[] {
  return table.checks.filter(({ status }) => status === 'finding').map(sentence);
}

/** What could not be checked, one sentence each. */
export function uncheckedOf(table: TableReport): string[] {
  return table.checks
    .filter(({ status }) => status === 'not_checked')
    .map(({ check, found }) => `${words(check)} not checked: ${found}`);
}

/** `record count` */
export function words(check: CheckName): string {
  return check.replaceAll('_', ' ');
}

function sentence({ check, expected, found }: CheckResult): string {
  return `${words(check)}: expected ${expected}, found ${found}`;
}
