import { schemaOf } from './entry.ts';
import { folderUrl } from './folder-url.ts';
import { knownFolders } from './known.ts';
import { partHead } from './known-head.ts';
import { type KnownPartitions, knownPartitions } from './known-partitions.ts';
import { type Layout, templateLayout } from './layout.ts';
import type { FoundPartition, RejectedPrefix } from './model.ts';
import { identityOf, planPartitions, type RegisteredPartition } from './plan.ts';
import type { CatalogTable, PartitionPorts } from './ports.ts';
import type { SyncMode } from './result.ts';
import type { TableSettings } from './settings.ts';
import type { TableState } from './state.ts';
import type { Tally } from './tally.ts';
import { isHiddenFolder, walk } from './walk.ts';

/** What a table's folders and the catalogue hold, and what is to be done about it. */
export interface Survey {
  layout: Layout;
  /** Location in one spelling. */
  root: string;
  mode: SyncMode;
  create: FoundPartition[];
  /** Registered at a folder that is gone. */
  gone: FoundPartition[];
  moved: { registered: RegisteredPartition; found: FoundPartition }[];
  rejected: RejectedPrefix[];
  /** What is registered, by folder, as far as is known; and its schema, empty where it is not known. */
  known: KnownPartitions;
  unchanged: number;
  /** Folders of partitions that the listings named. */
  seen: number;
}

export type Limit = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * Looks at a table: its folders against what is known to be registered, in mode `reconcile` against the catalogue itself. A table of which
 * nothing is known, or that is another one by now, is reconciled in every mode.
 * @throws LakegateError `config` for a layout that does not fit the table's keys
 */
export async function surveyTable(
  ports: PartitionPorts,
  table: CatalogTable,
  settings: TableSettings,
  state: TableState | undefined,
  wanted: SyncMode,
  limit: Limit,
  tally: Tally,
): Promise<Survey> {
  const layout = templateLayout(settings.layout, table.keys);
  const root = folderUrl(table.location ?? '');
  const usable = state !== undefined && isOf(state, table, layout, root) ? state.partitions : undefined;
  const mode = usable === undefined ? 'reconcile' : wanted;
  const before = usable ?? knownPartitions();
  const now = ports.now();
  const { lookbackMs } = settings;
  const parted = mode === 'incremental' ? partHead(before, layout, lookbackMs, now) : undefined;
  const walked = await walk(ports.folders(root, tally), {
    layout,
    known: knownFolders(parted?.tail ?? before.prefixes()),
    ...(parted !== undefined && { head: parted.head }),
    ...(mode === 'incremental' && { lookbackMs, now }),
    limit,
  });
  const survey: Survey = {
    layout,
    root,
    mode,
    create: [],
    gone: [],
    moved: [],
    rejected: walked.rejected,
    known: knownPartitions(before.texts()),
    unchanged: walked.unchanged,
    seen: walked.seen,
  };
  if (mode !== 'reconcile') {
    survey.gone = partitionsAt(layout, walked.gone);
    survey.create = distinct(table, walked.partitions, survey, before.prefixes());
    return survey;
  }
  const gone = new Set(walked.gone);
  const there = [
    ...partitionsAt(
      layout,
      [...before.prefixes()].filter((prefix) => !gone.has(prefix)),
    ),
    ...walked.partitions,
  ];
  await reconcile(ports, table, settings, usable, distinct(table, there, survey, []), survey, tally);
  return survey;
}

/** Holds the folders against the catalogue. */
async function reconcile(
  ports: PartitionPorts,
  table: CatalogTable,
  settings: TableSettings,
  before: KnownPartitions | undefined,
  found: readonly FoundPartition[],
  survey: Survey,
  tally: Tally,
): Promise<void> {
  const { layout, root } = survey;
  const known = knownPartitions();
  survey.known = known;
  const registered: (RegisteredPartition & { schema?: string })[] = [];
  // Columns are most of what is sent: they are asked for where nothing tells what they are, or where they are to be set right.
  const columns = before === undefined || settings.updateSchema || before.counts().has('');
  const name = { database: table.database, table: table.name };
  for await (const page of ports.catalog.partitions(name, { columns, about: found.length }, tally)) {
    for (const { Values = [], StorageDescriptor = {} } of page) {
      const { Location = '' } = StorageDescriptor;
      registered.push({ values: Values, location: Location, ...(columns && { schema: schemaOf(StorageDescriptor) }) });
    }
  }
  const plan = planPartitions(table.keys, root, found, registered);
  survey.create = plan.create;
  survey.moved = plan.moved;
  survey.unchanged = plan.unchanged;
  const schemas = new Map(registered.map(({ values, schema }) => [identityOf(table.keys, values), schema]));
  const missing = new Set(plan.create);
  for (const partition of found) {
    if (missing.has(partition)) continue;
    const schema = schemas.get(identityOf(table.keys, partition.values)) ?? before?.get(partition.prefix) ?? '';
    known.set(partition.prefix, schema);
  }
  for (const partition of plan.gone) {
    const prefix = folderUrl(partition.location).slice(root.length);
    const parsed = layout.parse(prefix);
    const own = 'values' in parsed && JSON.stringify(parsed.values) === JSON.stringify(partition.values);
    if (!own || prefix.split('/').some(isHiddenFolder)) {
      // Its folder may well be there: it was not looked for.
      const reason = `registered as ${JSON.stringify(partition.values)}, which the layout ${layout.text} keeps elsewhere: left as it is`;
      survey.rejected.push({ prefix, reason });
    } else {
      survey.gone.push({ values: partition.values, prefix });
      known.set(prefix, schemas.get(identityOf(table.keys, partition.values)) ?? before?.get(prefix) ?? '');
    }
  }
}

/** Partitions without those that another folder stands for already (`m=1/` and `m=01/`), which are reported. */
function distinct(
  table: CatalogTable,
  found: readonly FoundPartition[],
  survey: Survey,
  before: Iterable<string>,
): FoundPartition[] {
  if (found.length === 0) return [];
  const seen = new Map<string, string>();
  // Only whole numbers are written in several ways.
  if (table.keys.some(({ type }) => /^(tinyint|smallint|int|integer|bigint)$/.test(type))) {
    for (const { values, prefix } of partitionsAt(survey.layout, before))
      seen.set(identityOf(table.keys, values), prefix);
  }
  return found.filter(({ values, prefix }) => {
    const identity = identityOf(table.keys, values);
    const other = seen.get(identity);
    if (other !== undefined) survey.rejected.push({ prefix, reason: `stands for the same partition as ${other}` });
    else seen.set(identity, prefix);
    return other === undefined;
  });
}

/** The partitions of folders, as far as the layout reads them. */
export function partitionsAt(layout: Layout, prefixes: Iterable<string>): FoundPartition[] {
  const partitions: FoundPartition[] = [];
  for (const prefix of prefixes) {
    const parsed = layout.parse(prefix);
    if ('values' in parsed) partitions.push({ values: parsed.values, prefix });
  }
  return partitions;
}

/** How a table's keys are told apart from those of an earlier time. */
export function keysOf(table: CatalogTable): string {
  return table.keys.map(({ name, type }) => `${name}:${type}`).join(',');
}

function isOf(state: TableState, table: CatalogTable, layout: Layout, root: string): boolean {
  return (
    state.created === table.created &&
    state.location === root &&
    state.layout === layout.text &&
    state.keys === keysOf(table)
  );
}
