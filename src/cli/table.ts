import type { LoadedTable } from '../catalogs/catalog.ts';
import { formatIdentifier, parseIdentifier } from '../catalogs/identifier.ts';
import type { Lake } from '../compose.ts';
import { parseDuration } from '../config/duration.ts';
import { LakegateError } from '../errors.ts';
import { commitOptions } from '../gate/commit-options.ts';
import { rollbackDelivery, rollbackTable } from '../gate/decide.ts';
import type { TableTarget } from '../gate/ports.ts';
import { type SweepReport, sweepTable, sweepUnfinished } from '../gate/sweep.ts';
import { ancestorsOf, history as historyOf, snapshotById } from '../iceberg/ancestry.ts';
import { commitWithRetry } from '../iceberg/commit.ts';
import type { Snapshot, TableMetadata } from '../iceberg/model.ts';
import { planTag } from '../iceberg/refs.ts';
import { allFields } from '../iceberg/schema.ts';
import { formatType } from '../iceberg/types.ts';
import { printable } from '../notify/printable.ts';
import { namedTable } from './choose-table.ts';
import { findRecord, person } from './delivery.ts';
import { withLake } from './lake.ts';
import { EXIT, type ExitCode } from './output.ts';
import type { CommandContext } from './program.ts';
import { bytes, columns, count, time } from './words.ts';

/** `lakegate table list` */
export async function list(context: CommandContext): Promise<ExitCode> {
  const tables = await withLake(context, async (lake) => {
    const catalog = lake.ports.catalog(lake.config.defaultCatalog);
    const found = await catalog.listTables();
    return Promise.all(
      found.map(async (identifier) => {
        const name = formatIdentifier(identifier);
        try {
          return { name, error: undefined, ...factsOf(await catalog.loadTable(identifier)) };
        } catch (error) {
          // One table that cannot be read (a newer format, a lost file) must not hide the others.
          return { name, error: String((error as Error).message) };
        }
      }),
    );
  });
  context.output.result(tables, () =>
    tables.length === 0
      ? 'no tables yet; the first delivery makes one'
      : columns(
          ['table', 'rows on main', 'files', 'size', 'kept branches', 'last change (UTC)'],
          tables.map((table) =>
            table.error !== undefined
              ? [table.name, table.error, '', '', '', '']
              : [
                  table.name,
                  number(table.rows),
                  number(table.files),
                  bytes(table.bytes),
                  String(table.branches.length),
                  time(table.lastUpdatedMs),
                ],
          ),
        ),
  );
  return EXIT.done;
}

/** `lakegate table show TABLE` */
export async function show(context: CommandContext, name: string): Promise<ExitCode> {
  const table = await withLake(context, (lake) => load(lake, name));
  const { metadata } = table;
  const facts = factsOf(table);
  const schema = metadata.schemas.find(({ schemaId }) => schemaId === metadata.currentSchemaId)!;
  const spec = metadata.partitionSpecs.find(({ specId }) => specId === metadata.defaultSpecId)!;
  const fields = allFields(schema).map(({ name: path, field }) => ({
    id: field.id,
    name: path,
    type: formatType(field.type),
    required: field.required,
  }));
  const partitioning = spec.fields.map(({ name: field, transform, sourceId }) => ({
    name: field,
    transform,
    sourceId,
  }));
  const refs = Object.entries(metadata.refs).map(([ref, { type, snapshotId }]) => ({
    ref,
    type,
    snapshotId,
    at: snapshotById(metadata, snapshotId)?.timestampMs,
  }));
  context.output.result(
    {
      table: name,
      location: metadata.location,
      metadata: table.metadataLocation,
      ...facts,
      schema: fields,
      partitioning,
      refs,
      properties: metadata.properties,
    },
    () =>
      [
        `${name}  ${count(facts.rows, 'row')} on main, ${count(facts.files, 'file')}, ${bytes(facts.bytes)}`,
        `location  ${printable(metadata.location)}`,
        `metadata  ${printable(table.metadataLocation)}`,
        '',
        columns(
          ['id', 'column', 'type', ''],
          fields.map((field) => [String(field.id), field.name, field.type, field.required ? 'required' : '']),
        ),
        partitioning.length > 0
          ? `partitioned by ${partitioning.map((field) => printable(`${field.name} (${field.transform})`)).join(', ')}\n`
          : 'not partitioned\n',
        columns(
          ['ref', 'type', 'snapshot', 'of (UTC)'],
          refs.map((ref) => [ref.ref, ref.type, String(ref.snapshotId), ref.at === undefined ? '' : time(ref.at)]),
        ),
      ].join('\n'),
  );
  return EXIT.done;
}

/** `lakegate table history TABLE` */
export async function history(context: CommandContext, name: string, options: { limit: number }): Promise<ExitCode> {
  const { metadata } = await withLake(context, (lake) => load(lake, name));
  const entries = historyOf(metadata)
    .reverse()
    .slice(0, options.limit)
    .map(({ snapshot, madeCurrentAt, isCurrentAncestor }) => ({
      snapshotId: snapshot.snapshotId,
      at: madeCurrentAt,
      operation: snapshot.summary.operation,
      addedRows: Number(snapshot.summary['added-records'] ?? 0),
      deletedRows: Number(snapshot.summary['deleted-records'] ?? 0),
      totalRows: Number(snapshot.summary['total-records'] ?? 0),
      onMain: isCurrentAncestor,
      deliveries: deliveriesOf(snapshot),
    }));
  context.output.result(entries, () =>
    entries.length === 0
      ? 'nothing on main yet'
      : columns(
          ['snapshot', 'on main since (UTC)', 'operation', 'rows', 'total', 'deliveries', ''],
          entries.map((entry) => [
            String(entry.snapshotId),
            time(entry.at),
            entry.operation,
            `${entry.addedRows > 0 ? `+${number(entry.addedRows)}` : ''}${entry.deletedRows > 0 ? ` -${number(entry.deletedRows)}` : ''}`.trim(),
            number(entry.totalRows),
            entry.deliveries.length > 2
              ? `${entry.deliveries[0]} and ${entry.deliveries.length - 1} more`
              : entry.deliveries.join(' '),
            entry.onMain ? '' : 'rolled back',
          ]),
        ),
  );
  return EXIT.done;
}

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
  const decision = { by: person(), reason: options.reason ?? 'no reason given' };
  const done = await withLake(context, async (lake) => {
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
  const reports = await withLake(context, async (lake) => {
    const targets = name === undefined ? await allTargets(lake) : [targetOf(lake, name)];
    const done: SweepReport[] = [];
    for (const target of targets) {
      done.push(
        await sweepTable(lake.ports, target, {
          ...(options.olderThan === undefined ? {} : { maxSnapshotAgeMs: duration(options.olderThan) }),
          orphansOlderThanMs: duration(options.sweepOlderThan),
          dryRun: options.dryRun ?? false,
        }),
      );
    }
    if (name === undefined) {
      const dryRun = options.dryRun ?? false;
      for (const folder of [lake.config.records, lake.config.raw])
        await sweepUnfinished(lake.ports.store, folder, { olderThanMs: duration(options.sweepOlderThan), dryRun });
    }
    return done;
  });
  context.output.result(reports, () =>
    reports
      .map((report) => {
        const would = options.dryRun ? 'would remove' : 'removed';
        const files = report.expiredFiles.length + report.orphans.length;
        return `${report.table}: ${would} ${count(report.snapshots.length, 'snapshot')}, ${count(report.branches.length, 'branch').replace('branchs', 'branches')}, ${count(files, 'file')}${report.orphans.length > 0 ? ` (${report.orphans.length} of attempts that came to nothing)` : ''}`;
      })
      .join('\n'),
  );
  return EXIT.done;
}

async function allTargets(lake: Lake): Promise<TableTarget[]> {
  const catalog = lake.ports.catalog(lake.config.defaultCatalog);
  return (await catalog.listTables()).map((identifier) => ({ identifier, catalog }));
}

/** The table by its name, in the catalogue that lake.yaml gives it, or the default one. */
function targetOf(lake: Lake, name: string): TableTarget {
  const { config, ports } = lake;
  // A table may be in the catalogue without being in lake.yaml: somebody else's, which may be looked at all the same.
  const known = config.tables.some((table) => table.name === name || table.name.endsWith(`.${name}`));
  const configured = known || !name.includes('.') ? namedTable(config, name) : undefined;
  return {
    identifier: parseIdentifier(configured?.name ?? name),
    catalog: ports.catalog(configured?.catalog ?? config.defaultCatalog),
  };
}

async function load(lake: Lake, name: string): Promise<LoadedTable> {
  const { identifier, catalog } = targetOf(lake, name);
  return catalog.loadTable(identifier);
}

function factsOf({ metadata }: LoadedTable) {
  const head =
    metadata.currentSnapshotId === undefined ? undefined : snapshotById(metadata, metadata.currentSnapshotId);
  const total = (key: string) => Number(head?.summary[key] ?? 0);
  return {
    rows: total('total-records'),
    files: total('total-data-files'),
    bytes: total('total-files-size'),
    branches: Object.entries(metadata.refs).flatMap(([ref, { type }]) =>
      type === 'branch' && ref !== 'main' ? [ref] : [],
    ),
    lastUpdatedMs: metadata.lastUpdatedMs,
  };
}

function deliveriesOf(snapshot: Snapshot): string[] {
  return (snapshot.summary['lakegate.deliveries'] ?? '').split(',').filter(Boolean);
}

/** A snapshot by id or by the name of a tag or branch. */
function snapshotIdOf(metadata: TableMetadata, text: string): bigint {
  const named = metadata.refs[text];
  if (named) return named.snapshotId;
  if (/^\d+$/.test(text) && snapshotById(metadata, BigInt(text))) return BigInt(text);
  const known = [...ancestorsOf(metadata, metadata.currentSnapshotId)]
    .slice(0, 5)
    .map((snapshot) => String(snapshot.snapshotId));
  throw new LakegateError(
    'usage',
    `the table has no snapshot or tag ${JSON.stringify(text)}; main's latest: ${known.join(', ') || 'none'}`,
  );
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

function number(value: number): string {
  return value.toLocaleString('en-US');
}
