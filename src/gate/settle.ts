import type { TableConfig } from '../config/model.ts';
import type { DomainEvent } from '../notify/notifier.ts';
import type { AuditVerdict, RuleResult } from '../rules/rule.ts';
import { type ClaimedDelivery, isoTime } from './claim.ts';
import type { DeliveryRecord } from './delivery.ts';

/** How a delivery ends. The record and what people hear are made from it. */
export type Ending =
  | { kind: 'published'; snapshotId: bigint; verdict?: AuditVerdict; detail?: string }
  /** It is bad data: failed rules, or it does not fit the table. */
  | { kind: 'rejected'; reason: string; verdict?: AuditVerdict; branch?: string; stagedSnapshotId?: bigint }
  /** It could not be read or checked. */
  | { kind: 'errored'; reason: string; verdict?: AuditVerdict; branch?: string; stagedSnapshotId?: bigint };

/** The change that puts the ending into the record; the history is noted on the delivery. */
export function recordEnding(delivery: ClaimedDelivery, ending: Ending): Partial<DeliveryRecord> {
  const { verdict } = ending;
  if (verdict) delivery.note(verdict.outcome, summary(verdict));
  const change: Partial<DeliveryRecord> = {
    state: ending.kind,
    ...(verdict ? { rows: verdict.rows, results: verdict.results } : {}),
  };
  if (ending.kind === 'published') {
    delivery.note('published', ending.detail ?? `snapshot ${ending.snapshotId}`);
    return { ...change, branch: undefined, publishedSnapshotId: ending.snapshotId.toString() };
  }
  delivery.note(ending.kind, ending.branch ? `kept on branch ${ending.branch}` : 'not kept');
  return {
    ...change,
    reason: ending.reason,
    branch: ending.branch,
    stagedSnapshotId: ending.stagedSnapshotId?.toString(),
    notification: 'pending',
  };
}

/** One line over a verdict: `19 columns without nulls`, or what failed. */
export function summary(verdict: AuditVerdict): string {
  const off = verdict.results.filter((result) => result.outcome !== 'passed');
  if (off.length === 0) return 'all checks passed';
  return off.map(sentence).join('; ');
}

/** `not_null on email: 3 nulls found, expected no nulls`. */
export function sentence(result: RuleResult): string {
  const where = result.column === undefined ? '' : ` on ${result.column}`;
  const verb = result.outcome === 'inconclusive' ? 'could not be checked: ' : '';
  return `${result.rule}${where}: ${verb}${result.found}, expected ${result.expected}`;
}

/** What people hear of a delivery that has ended, from its record alone. */
export function eventOf(
  record: DeliveryRecord,
  table: Pick<TableConfig, 'owner' | 'channel'> | undefined,
): DomainEvent | undefined {
  const common = {
    id: record.id,
    table: record.table,
    file: record.drop.url,
    at: record.history.at(-1)?.at ?? isoTime(0),
    ...(table?.owner === undefined ? {} : { owner: table.owner }),
    ...(table?.channel === undefined ? {} : { channel: table.channel }),
  };
  if (record.state === 'published') {
    return {
      ...common,
      event: 'delivery.published',
      rows: record.rows ?? 0,
      snapshotId: record.publishedSnapshotId ?? '',
      ...(record.addedColumns === undefined ? {} : { addedColumns: record.addedColumns }),
    };
  }
  if (record.state !== 'rejected' && record.state !== 'errored') return undefined;
  const results = (record.results ?? []).filter((result) => result.outcome !== 'passed');
  return {
    ...common,
    event: `delivery.${record.state}`,
    ...(record.rows === undefined ? {} : { rows: record.rows }),
    ...(record.branch === undefined ? {} : { branch: record.branch }),
    // Where rules failed, they say why; the reason would only repeat them.
    ...(record.reason === undefined || results.length > 0 ? {} : { reason: record.reason }),
    results,
  };
}
