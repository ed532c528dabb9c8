import { type CsvCell, csvText } from '../csv.ts';
import { findingsOf, type MonitorReport, type TableReport, uncheckedOf } from './report.ts';

const HEADER = [
  'table_name',
  'table_kind',
  'health_status',
  'partition_count',
  'schema_valid',
  'record_count',
  'previous_record_count',
  'record_change_percent',
  'key',
  'null_keys',
  'duplicate_keys',
  'snapshot',
  'snapshot_at',
  'snapshot_age_days',
  'file_count',
  'total_bytes',
  'files_too_small',
  'files_too_large',
  'alerts',
  'not_checked',
  'location',
];

/** One line for each table. What is not known is `N/A`; why, stands under `not_checked`. */
export function monitorCsv({ tables, not_listed: notListed }: MonitorReport): string {
  const places = notListed.map(({ place, reason }): CsvCell[] =>
    HEADER.map((column) => {
      if (column === 'table_name') return place;
      if (column === 'health_status') return 'unknown';
      return column === 'not_checked' ? `not listed: ${reason}` : 'N/A';
    }),
  );
  return csvText(HEADER, [...tables.map(row), ...places]);
}

function row(table: TableReport): CsvCell[] {
  return [
    table.table_name,
    table.kind,
    table.health_status,
    table.partition_count ?? 'N/A',
    schemaValid(table),
    table.record_count ?? 'N/A',
    table.previous_snapshot?.rows ?? 'N/A',
    table.record_change_percent ?? 'N/A',
    table.key.length === 0 ? 'N/A' : table.key.join(', '),
    table.null_keys ?? 'N/A',
    table.duplicate_keys ?? 'N/A',
    table.snapshot ?? 'N/A',
    table.snapshot_at ?? 'N/A',
    table.snapshot_age_days ?? 'N/A',
    table.file_count ?? 'N/A',
    table.total_bytes ?? 'N/A',
    table.files_too_small ?? 'N/A',
    table.files_too_large ?? 'N/A',
    findingsOf(table).join('\n'),
    uncheckedOf(table).join('\n'),
    table.location,
  ];
}

function schemaValid({ checks }: TableReport): string {
  const status = checks.find(({ check }) => check === 'schema')?.status;
  if (status === 'ok') return 'Yes';
  return status === 'finding' ? 'No' : 'N/A';
}
