import type { LoadedTable } from '../catalogs/catalog.ts';
import { formatIdentifier } from '../catalogs/identifier.ts';
import type { Lake } from '../compose.ts';
import { history as historyOf, snapshotById } from '../iceberg/ancestry.ts';
import type { Snapshot } from '../iceberg/model.ts';
import { allFields } from '../iceberg/schema.ts';
import { formatType } from '../iceberg/types.ts';
import { printable } from '../notify/printable.ts';
import { columns } from './columns.ts';
import type { CommandContext } from './context.ts';
import { withLake } from './lake.ts';
import { describeError, EXIT, type ExitCode } from './output.ts';
import { allTargets, factsOf, targetOf } from './table-target.ts';
import { bytes, count, number, time } from './words.ts';

/** `lakegate table list` */
export async function list(context: CommandContext): Promise<ExitCode> {
  const tables = await withLake(context, async (lake) =>
    Promise.all(
      (await allTargets(lake)).map(async ({ identifier, catalog, catalogName }) => {
        const name = formatIdentifier(identifier);
        try {
          return { name, catalog: catalogName, error: undefined, ...factsOf(await catalog.loadTable(identifier)) };
        } catch (error) {
          // One table that cannot be read (a newer format, a lost file) must not hide the others.
          return { name, catalog: catalogName, error: describeError(error) };
        }
      }),
    ),
  );
  context.output.result(tables, () => {
    if (tables.length === 0) return 'no tables yet; the first delivery makes one';
    const readable = tables.flatMap((table) => (table.error === undefined ? [table] : []));
    const broken = tables.flatMap((table) => (table.error === undefined ? [] : [table]));
    const several = new Set(tables.map(({ catalog }) => catalog)).size > 1;
    return [
      ...(readable.length === 0
        ? []
        : [
            columns(
              [
                ...['table', 'rows on main', 'files', 'size', 'kept branches', 'last change (UTC)'],
                ...(several ? ['catalogue'] : []),
              ],
              readable.map((table) => [
                table.name,
                number(table.rows),
                number(table.files),
                bytes(table.bytes),
                number(table.branches.length),
                time(table.lastUpdatedMs),
                ...(several ? [table.catalog] : []),
              ]),
            ),
          ]),
      ...broken.map(
        ({ name, error }) => `${context.output.style('red', 'unreadable')}  ${printable(name)}: ${error}\n`,
      ),
    ].join('');
  });
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

async function load(lake: Lake, name: string): Promise<LoadedTable> {
  const { identifier, catalog } = targetOf(lake, name);
  return catalog.loadTable(identifier);
}

function deliveriesOf(snapshot: Snapshot): string[] {
  return (snapshot.summary['lakegate.deliveries'] ?? '').split(',').filter(Boolean);
}
