import type { LakeConfig } from '../../config/model.ts';
import type { DomainEvent } from '../../notify/notifier.ts';
import { findingsOf, type MonitorReport } from './report.ts';
import { count, number } from './text.ts';

/** Tables that a summary names. */
const MOST_NAMED = 20;

/**
 * What people are told of a report: each unhealthy table, where its owners listen, and the report itself.
 * @param link where a person can open it; absent on a laptop
 */
export function monitorNews(
  report: MonitorReport,
  link: string | undefined,
  { reports }: Pick<LakeConfig, 'reports'>,
): DomainEvent[] {
  const { generated_at: at, summary, tables, not_listed: notListed } = report;
  const channel = reports?.monitor?.channel;
  const unhealthy = tables.filter(({ health_status: health }) => health === 'unhealthy');
  const named = unhealthy
    .slice(0, MOST_NAMED)
    .map((table) => `${table.table_name}: ${count(findingsOf(table).length, 'finding')}`);
  const more = unhealthy.length - named.length;
  return [
    ...unhealthy.map(
      (table): DomainEvent => ({
        event: 'table.unhealthy',
        table: table.table_name,
        checks: table.checks.filter(({ status }) => status === 'finding').map(({ check }) => check),
        findings: findingsOf(table),
        ...(link !== undefined && { link }),
        at,
        ...(table.owner !== undefined && { owner: table.owner }),
        ...((table.channel ?? channel) !== undefined && { channel: table.channel ?? channel }),
      }),
    ),
    {
      event: 'report.made',
      report: 'monitor',
      headline: `Data monitor: ${number(summary.healthy)} of ${count(summary.tables, 'table')} healthy, ${number(summary.unhealthy)} unhealthy, ${number(summary.unknown)} not checked`,
      lines: [
        ...named,
        ...(more > 0 ? [`and ${count(more, 'unhealthy table')} more`] : []),
        ...notListed.map(({ place, reason }) => `${place} could not be listed: ${reason}`),
      ],
      ...(link !== undefined && { link }),
      at,
      ...(channel !== undefined && { channel }),
    },
  ];
}
