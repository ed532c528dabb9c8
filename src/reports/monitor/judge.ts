import type { MonitorThresholds } from '../../config/monitor-model.ts';
import { differences } from './columns.ts';
import { type Fact, type FileFact, knownOf, type SnapshotRows, type TableFacts } from './facts.ts';
import type { CheckName, CheckResult, Health, TableReport } from './report.ts';
import { bytesText, count, daysText, number, percentText } from './text.ts';

const DAY_MS = 86_400_000;

/** A table as the report before had it; `undefined` where there is no such report, or the table was not in it. */
export type Before = Pick<TableReport, 'snapshot' | 'record_count' | 'previous_snapshot' | 'columns'> | undefined;

/**
 * Judges a table by its thresholds. What is not known is never a finding.
 * @param before from the report before this one; not known where that could not be read
 * @param now milliseconds since the epoch
 */
export function judge(
  facts: TableFacts,
  thresholds: MonitorThresholds,
  before: Fact<Before>,
  now: number,
): TableReport {
  const previous = previousRows(facts, before);
  const sizes = sizesOf(facts.files, thresholds);
  const checks = [
    partitions(facts, thresholds),
    schema(facts, before),
    recordCount(facts, previous, thresholds),
    keyNulls(facts),
    keyDuplicates(facts),
    freshness(facts, thresholds, now),
    fileSizes(facts.files, sizes, thresholds),
  ];
  const rows = knownOf(facts.rows) ?? null;
  const earlier = knownOf(previous) ?? null;
  const snapshot = knownOf(facts.snapshot);
  const at = snapshot && knownOf(snapshot.at);
  const files = knownOf(facts.files);
  return {
    table_name: facts.table,
    kind: facts.kind,
    location: facts.location,
    ...(facts.owner !== undefined && { owner: facts.owner }),
    ...(facts.channel !== undefined && { channel: facts.channel }),
    health_status: healthOf(checks),
    snapshot: snapshot?.id ?? null,
    snapshot_at: at === undefined ? null : new Date(at).toISOString(),
    snapshot_age_days: at === undefined ? null : Math.floor((now - at) / DAY_MS),
    partition_count: knownOf(facts.partitions) ?? null,
    columns: knownOf(facts.columns) ?? null,
    record_count: rows,
    previous_snapshot: earlier,
    record_change_percent:
      rows === null || earlier === null || earlier.rows === 0 ? null : rounded(changeOf(rows, earlier.rows)),
    key: facts.key?.columns ?? [],
    null_keys: (facts.key && knownOf(facts.key.nulls)) ?? null,
    duplicate_keys: (facts.key && knownOf(facts.key.duplicates)) ?? null,
    file_count: files?.length ?? null,
    total_bytes: files?.reduce((sum, { size }) => sum + size, 0) ?? null,
    files_too_small: sizes?.small.length ?? null,
    files_too_large: sizes?.large.length ?? null,
    checks,
  };
}

function healthOf(checks: readonly CheckResult[]): Health {
  if (checks.some(({ status }) => status === 'finding')) return 'unhealthy';
  return checks.some(({ status }) => status === 'not_checked') ? 'unknown' : 'healthy';
}

/** The snapshot before: what the table itself says, else the last report that saw another snapshot than today's. */
function previousRows({ previous, snapshot }: TableFacts, before: Fact<Before>): Fact<SnapshotRows | undefined> {
  if ('known' in previous && previous.known !== undefined) return previous;
  const current = knownOf(snapshot)?.id;
  const last = knownOf(before);
  if (current !== undefined && last) {
    if (last.snapshot === current && last.previous_snapshot !== null) return { known: last.previous_snapshot };
    if (last.snapshot !== null && last.snapshot !== current && last.record_count !== null) {
      return { known: { id: last.snapshot, rows: last.record_count } };
    }
  }
  return 'unknown' in previous ? previous : 'unknown' in before ? before : { known: undefined };
}

function partitions(
  { partitions: found, partitionFaults }: TableFacts,
  { partitions: bounds }: MonitorThresholds,
): CheckResult {
  const expected = boundsText(bounds);
  const faults = knownOf(partitionFaults) ?? [];
  const amount = knownOf(found);
  const outside =
    amount !== undefined && (amount < (bounds?.min ?? 0) || amount > (bounds?.max ?? Number.POSITIVE_INFINITY));
  if (outside || faults.length > 0) {
    const many = amount === undefined ? [] : [count(amount, 'partition')];
    return result('partitions', 'finding', expected, [...many, ...faults].join('; '));
  }
  if ('unknown' in found) return unchecked('partitions', expected, found.unknown);
  if ('unknown' in partitionFaults) return unchecked('partitions', expected, partitionFaults.unknown);
  return result('partitions', 'ok', expected, count(found.known, 'partition'));
}

function boundsText(bounds: MonitorThresholds['partitions']): string {
  if (bounds === undefined || (bounds.min === undefined && bounds.max === undefined)) return 'any number';
  if (bounds.min === bounds.max) return number(bounds.min!);
  if (bounds.max === undefined) return `at least ${number(bounds.min!)}`;
  return bounds.min === undefined ? `at most ${number(bounds.max)}` : `${number(bounds.min)} to ${number(bounds.max)}`;
}

function schema({ columns, schemaFaults }: TableFacts, before: Fact<Before>): CheckResult {
  const declared = 'the columns declared, in every file';
  if ('unknown' in schemaFaults) return unchecked('schema', declared, schemaFaults.unknown);
  if (schemaFaults.known !== undefined) {
    const faults = schemaFaults.known;
    if (faults.length > 0) return result('schema', 'finding', declared, faults.join('; '));
    return result('schema', 'ok', declared, 'the same');
  }
  const expected = 'the columns of the report before';
  if ('unknown' in columns) return unchecked('schema', expected, columns.unknown);
  if ('unknown' in before) return unchecked('schema', expected, before.unknown);
  const last = before.known?.columns;
  if (!last) return result('schema', 'off', expected, 'no report before: nothing to compare with');
  const changes = differences(last, columns.known);
  if (changes.length > 0) return result('schema', 'finding', expected, changes.join('; '));
  return result('schema', 'ok', expected, 'the same');
}

function recordCount(
  { rows, snapshot }: TableFacts,
  previous: Fact<SnapshotRows | undefined>,
  { rowChange }: MonitorThresholds,
): CheckResult {
  const isAppend = knownOf(snapshot)?.isAppend ?? false;
  const expected = isAppend
    ? `at most ${rowChange}% fewer rows than before`
    : `rows within ${rowChange}% of the snapshot before`;
  if ('unknown' in rows) return unchecked('record_count', expected, rows.unknown);
  if ('known' in snapshot && snapshot.known === undefined) {
    return unchecked('record_count', expected, 'nothing was ever written to the table');
  }
  if (rows.known === 0) return result('record_count', 'finding', 'rows', 'none');
  if ('unknown' in previous) return unchecked('record_count', expected, previous.unknown);
  const now = count(rows.known, 'row');
  if (previous.known === undefined) return result('record_count', 'ok', expected, `${now}; no snapshot before`);
  const change = changeOf(rows.known, previous.known.rows);
  const found = `${now} after ${number(previous.known.rows)} in ${previous.known.id} (${percentText(change)})`;
  const isTooMuch = isAppend ? change < -rowChange : Math.abs(change) > rowChange;
  return result('record_count', isTooMuch && previous.known.rows > 0 ? 'finding' : 'ok', expected, found);
}

function keyNulls({ key }: TableFacts): CheckResult {
  if (key === undefined) return result('key_nulls', 'off', 'no nulls', 'no key is configured');
  const expected = `no nulls in ${key.columns.join(', ')}`;
  if (key.missing.length > 0) return result('key_nulls', 'finding', expected, `no column ${key.missing.join(', ')}`);
  if ('unknown' in key.nulls) return unchecked('key_nulls', expected, key.nulls.unknown);
  return result('key_nulls', key.nulls.known > 0 ? 'finding' : 'ok', expected, count(key.nulls.known, 'null'));
}

function keyDuplicates({ key }: TableFacts): CheckResult {
  if (key === undefined) return result('key_duplicates', 'off', 'no key twice', 'no key is configured');
  const expected = `no ${key.columns.join(', ')} twice`;
  const { duplicates } = key;
  if ('unknown' in duplicates) return unchecked('key_duplicates', expected, duplicates.unknown);
  const found =
    duplicates.known === 0 ? 'no repeats' : `${count(duplicates.known, 'row')} with the key of an earlier one`;
  return result('key_duplicates', duplicates.known > 0 ? 'finding' : 'ok', expected, found);
}

function freshness({ snapshot }: TableFacts, { freshnessMs }: MonitorThresholds, now: number): CheckResult {
  const expected = `data of the last ${daysText(freshnessMs)}`;
  if ('unknown' in snapshot) return unchecked('freshness', expected, snapshot.unknown);
  if (snapshot.known === undefined) {
    return unchecked('freshness', expected, 'nothing was ever written to the table');
  }
  const { at } = snapshot.known;
  if ('unknown' in at) return unchecked('freshness', expected, at.unknown);
  const age = now - at.known;
  const when = new Date(at.known).toISOString().slice(0, 10);
  // A day of another time zone may have begun already.
  if (age < -DAY_MS) return result('freshness', 'finding', expected, `data of ${when}, which is in the future`);
  const found = `data of ${when}, ${daysText(Math.max(0, age))} old`;
  return result('freshness', age > freshnessMs ? 'finding' : 'ok', expected, found);
}

interface Sizes {
  small: FileFact[];
  large: FileFact[];
}

/** Files outside the bounds. A file that is alone in its partition is as large as it can be, and never too small. */
function sizesOf(files: Fact<FileFact[]>, { fileSize }: MonitorThresholds): Sizes | undefined {
  const all = knownOf(files);
  if (all === undefined) return undefined;
  const perPartition = new Map<string, number>();
  const isSmall = (file: FileFact) => file.size < fileSize.min;
  for (const { partition } of all.filter(isSmall)) perPartition.set(partition, (perPartition.get(partition) ?? 0) + 1);
  return {
    small: all.filter((file) => isSmall(file) && perPartition.get(file.partition)! > 1),
    large: all.filter((file) => file.size > fileSize.max),
  };
}

function fileSizes(files: Fact<FileFact[]>, sizes: Sizes | undefined, { fileSize }: MonitorThresholds): CheckResult {
  const expected = `files of ${bytesText(fileSize.min)} to ${bytesText(fileSize.max)}`;
  if ('unknown' in files || sizes === undefined) {
    return unchecked('file_sizes', expected, 'unknown' in files ? files.unknown : '');
  }
  const all = files.known;
  const { small, large } = sizes;
  const found = [
    ...(small.length > fileSize.smallFiles
      ? [`${number(small.length)} of ${count(all.length, 'file')} too small`]
      : []),
    ...(large.length > 0 ? [`${number(large.length)} too large, first ${large[0]!.url}`] : []),
  ];
  if (found.length > 0) return result('file_sizes', 'finding', expected, found.join('; '));
  const total = all.reduce((sum, { size }) => sum + size, 0);
  return result('file_sizes', 'ok', expected, `${count(all.length, 'file')}, ${bytesText(total)}`);
}

function changeOf(now: number, before: number): number {
  return before === 0 ? 0 : ((now - before) / before) * 100;
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}

function result(check: CheckName, status: CheckResult['status'], expected: string, found: string): CheckResult {
  return { check, status, expected, found };
}

function unchecked(check: CheckName, expected: string, reason: string): CheckResult {
  return result(check, 'not_checked', expected, reason);
}
