import { parseDuration } from '../config/duration.ts';
import { LakegateError } from '../errors.ts';
import { commitOptions } from '../gate/commit-options.ts';
import { rollbackDelivery, rollbackTable } from '../gate/decide.ts';
import { type SweepReport, sweepTable, sweepUnfinished } from '../gate/sweep.ts';
import { commitWithRetry } from '../iceberg/commit.ts';
import { planTag } from '../iceberg/refs.ts';
import type { CommandContext } from './context.ts';
import { person } from './delivery-decision.ts';
import { findRecord } from './find-record.ts';
import { withLake } from './lake.ts';
import { EXIT, type ExitCode } from './output.ts';
import { allTargets, factsOf, snapshotIdOf, targetOf } from './table-target.ts';
import { count } from './words.ts';

/** `lakegate table rollback TABLE --to SNAPSHOT | --delivery ID` */
export async function rollback(
  context: CommandContext,
  name: string,
  options: { to?: string; delivery?: string; reason?: string },
): Promise<ExitCode> {
  if ((options.to === undefined) === (options.delivery === undefined)) {
    throw new LakegateError(
      'usage',
      'say what to roll back: --to SNAPSHOT (main goes back to it) or --delivery ID (its files are taken out)',
    );
  }
  const done = await withLake(context, async (lake, caller) => {
    const decision = { by: person(caller), reason: options.reason ?? 'no reason given' };
    const target = targetOf(lake, name);
    if (options.delivery !== undefined) {
      const record = await findRecord(lake.ports.records, options.delivery);
      const after = await rollbackDelivery(lake.ports, target, record.id, decision);
      return {
        table: name,
        snapshotId: after.metadata.currentSnapshotId,
        deliveries: [record.id],
        rows: factsOf(after).rows,
      };
    }
    const before = await target.catalog.loadTable(target.identifier);
    const { table, deliveries } = await rollbackTable(
      lake.ports,
      target,
      snapshotIdOf(before.metadata, options.to!),
      decision,
    );
    return { table: name, snapshotId: table.metadata.currentSnapshotId, deliveries, rows: factsOf(table).rows };
  });
  context.output.result(done, () =>
    [
      `main of ${name} is at snapshot ${done.snapshotId}: ${count(done.rows, 'row')}`,
      ...(done.deliveries.length > 0 ? [`no longer on main: ${done.deliveries.join(', ')}`] : []),
    ].join('\n'),
  );
  return EXIT.done;
}

/** `lakegate table tag TABLE NAME` */
export async function tag(
  context: CommandContext,
  name: string,
  tagName: string,
  options: { snapshot?: string; delete?: boolean },
): Promise<ExitCode> {
  const result = await withLake(context, async (lake) => {
    const { identifier, catalog } = targetOf(lake, name);
    const table = await catalog.loadTable(identifier);
    const existing = table.metadata.refs[tagName];
    if (options.delete) {
      if (existing?.type !== 'tag') throw new LakegateError('usage', `${name} has no tag ${JSON.stringify(tagName)}`);
      const requirement = { type: 'assert-ref-snapshot-id', ref: tagName, snapshotId: existing.snapshotId } as const;
      await catalog.commit(table, [requirement], [{ action: 'remove-snapshot-ref', ref: tagName }]);
      return { table: name, tag: tagName, deleted: true };
    }
    const chosen = options.snapshot === undefined ? undefined : snapshotIdOf(table.metadata, options.snapshot);
    const { table: after } = await commitWithRetry(
      catalog,
      identifier,
      table,
      async (current) => {
        const snapshotId = chosen ?? current.metadata.currentSnapshotId;
        if (snapshotId === undefined) throw new LakegateError('usage', `${name} has nothing on main to tag`);
        const there = current.metadata.refs[tagName];
        if (there !== undefined && there.snapshotId !== snapshotId) {
          throw new LakegateError(
            'usage',
            `${name} has a ${there.type} ${JSON.stringify(tagName)} already, at snapshot ${there.snapshotId}; choose another name, or remove the tag first (--delete)`,
          );
        }
        return planTag(current, tagName, snapshotId);
      },
      { ...commitOptions(lake.ports), happened: (current) => current.metadata.refs[tagName] !== undefined },
    );
    return { table: name, tag: tagName, snapshotId: after.metadata.refs[tagName]?.snapshotId };
  });
  context.output.result(result, () =>
    'deleted' in result
      ? `tag ${tagName} removed from ${name}`
      : `tag ${tagName} of ${name} names snapshot ${result.snapshotId}`,
  );
  return EXIT.done;
}

/** `lakegate table expire [TABLE]` */
export async function expire(
  context: CommandContext,
  name: string | undefined,
  options: { olderThan?: string; sweepOlderThan: string; dryRun?: boolean },
): Promise<ExitCode> {
  const dryRun = options.dryRun ?? false;
  const orphansOlderThanMs = duration(options.sweepOlderThan);
  const snapshots = options.olderThan === undefined ? {} : { maxSnapshotAgeMs: duration(options.olderThan) };
  const reports = await withLake(context, async (lake) => {
    const targets = name === undefined ? await allTargets(lake) : [targetOf(lake, name)];
    const done: SweepReport[] = [];
    for (const target of targets) {
      done.push(await sweepTable(lake.ports, target, { ...snapshots, orphansOlderThanMs, dryRun }));
    }
    if (name === undefined) {
      for (const folder of [lake.config.records, lake.config.raw])
        await sweepUnfinished(lake.ports.store, folder, { olderThanMs: orphansOlderThanMs, dryRun });
    }
    return done;
  });
  context.output.result(reports, () =>
    reports.length === 0
      ? 'there are no tables'
      : reports
          .map((report) => {
            const would = dryRun ? 'would remove' : 'removed';
            const files = report.expiredFiles.length + report.orphans.length;
            return `${report.table}: ${would} ${count(report.snapshots.length, 'snapshot')}, ${count(report.branches.length, 'branch', 'branches')}, ${count(files, 'file')}${report.orphans.length > 0 ? ` (${report.orphans.length} of attempts that came to nothing)` : ''}`;
          })
          .join('\n'),
  );
  return EXIT.done;
}

function duration(text: string): number {
  const ms = /^0[smhdw]?$/.test(text) ? 0 : parseDuration(text);
  if (ms === undefined)
    throw new LakegateError(
      'usage',
      `${JSON.stringify(text)} is no duration: expected a number and a unit, as in 30m, 12h, 14d`,
    );
  return ms;
}
