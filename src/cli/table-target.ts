import type { LoadedTable } from '../catalogs/catalog.ts';
import { parseIdentifier } from '../catalogs/identifier.ts';
import type { Lake } from '../compose.ts';
import { LakegateError } from '../errors.ts';
import type { TableTarget } from '../gate/ports.ts';
import { ancestorsOf, snapshotById } from '../iceberg/ancestry.ts';
import type { TableMetadata } from '../iceberg/model.ts';
import { namedTable } from './choose-table.ts';

/** The table by its name, in the catalogue that lake.yaml gives it, or the default one. */
export function targetOf(lake: Lake, name: string): TableTarget {
  const { config, ports } = lake;
  // A table may be in the catalogue without being in lake.yaml: somebody else's, which may be looked at all the same.
  const known = config.tables.some((table) => table.name === name || table.name.endsWith(`.${name}`));
  const configured = known || !name.includes('.') ? namedTable(config, name) : undefined;
  return {
    identifier: parseIdentifier(configured?.name ?? name),
    catalog: ports.catalog(configured?.catalog ?? config.defaultCatalog),
  };
}

/** Every table of the catalogues that the lake's tables are in. */
export async function allTargets({ config, ports }: Lake): Promise<(TableTarget & { catalogName: string })[]> {
  const settings = [...config.tables, ...(config.autoTables ? [config.autoTables] : [])];
  const catalogs = new Set([config.defaultCatalog, ...settings.flatMap(({ catalog }) => catalog ?? [])]);
  const targets: (TableTarget & { catalogName: string })[] = [];
  for (const catalogName of catalogs) {
    const catalog = ports.catalog(catalogName);
    for (const identifier of await catalog.listTables()) targets.push({ identifier, catalog, catalogName });
  }
  return targets;
}

/** What a table's main and refs amount to, by its metadata alone. */
export function factsOf({ metadata }: LoadedTable) {
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

/**
 * A snapshot by id or by the name of a tag or branch.
 * @throws LakegateError `usage` when there is none such
 */
export function snapshotIdOf(metadata: TableMetadata, text: string): bigint {
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
