import { LakegateError } from '../errors.ts';
import type { BatchesResult } from './batches.ts';
import { schemaOf } from './entry.ts';
import { folderUrl } from './folder-url.ts';
import type { FoundPartition } from './model.ts';
import { BATCH, type CatalogTable, type PartitionPorts } from './ports.ts';
import { projectionStatement } from './projection.ts';
import { emptyResult, type SyncMode, some, type TableResult } from './result.ts';
import type { TableSettings } from './settings.ts';
import { skipReason } from './skip.ts';
import type { TableState } from './state.ts';
import { keysOf, type Limit, partitionsAt, type Survey, surveyTable } from './survey.ts';
import { newTally } from './tally.ts';
import { createPartitions, isOutOfTime, readPartitions, removePartitions, updatePartitions } from './write.ts';

export interface TableRequest {
  mode: SyncMode;
  settings: TableSettings;
  /** Says what would be done, and does nothing. */
  dryRun: boolean;
  /** A person asked to take out what is gone of this very table: even all of it. */
  evenAll: boolean;
  /** What is known of the table. */
  state: TableState | undefined;
  /** Makes a listing when its turn comes. */
  limit: Limit;
}

export interface SyncedTable {
  result: TableResult;
  /** What is known of the table from here on; undefined where nothing was learnt. */
  state?: TableState;
}

/**
 * Makes the catalogue show the folders of one table. Nothing is thrown but for a bug: what went wrong stands in the result, and what was done up
 * to then in the state.
 */
export async function syncTable(
  ports: PartitionPorts,
  table: CatalogTable,
  request: TableRequest,
): Promise<SyncedTable> {
  const { settings } = request;
  const tally = newTally();
  const result = emptyResult(table.name, tally);
  const skip =
    settings.skip === undefined ? skipReason(table) : ({ reason: 'configured', text: settings.skip } as const);
  if (skip !== undefined) return { result: { ...result, outcome: 'skipped', skip } };

  const limit: Limit = (work) =>
    request.limit(() => {
      if (isOutOfTime(ports)) throw new LakegateError('unavailable', 'there is no time left to list folders');
      return work();
    });
  let survey: Survey | undefined;
  try {
    survey = await surveyTable(ports, table, settings, request.state, request.mode, limit, tally);
    describe(result, survey, table);
    if (request.dryRun) {
      const folders = [...survey.create, ...partitionsAt(survey.layout, survey.known.prefixes())];
      const statement = projectionStatement(table, survey.root, folders);
      return { result: { ...result, ...(statement !== undefined && { projection: statement }) } };
    }
    await create(ports, table, survey, result);
    if (settings.remove && mayRemove(table, survey, request)) await remove(ports, table, survey, result, limit);
    if (settings.updateSchema && survey.mode !== 'incremental') await repair(ports, table, survey, result);
    result.drifted = drifted(survey, table);
  } catch (error) {
    fail(ports, result, error);
  }
  if (survey === undefined) return { result };
  const { root, layout, known } = survey;
  const { created } = table;
  return { result, state: { created, location: root, layout: layout.text, keys: keysOf(table), partitions: known } };
}

function describe(result: TableResult, survey: Survey, table: CatalogTable): void {
  result.layout = survey.layout.text;
  result.mode = survey.mode;
  result.missing = some(survey.create.map(({ prefix }) => prefix));
  result.gone = some(survey.gone.map(({ prefix }) => prefix));
  result.rejected = some(survey.rejected);
  result.moved = some(
    survey.moved.map(({ registered, found }) => ({
      values: registered.values,
      registered: registered.location,
      folder: `${survey.root}${found.prefix}`,
    })),
  );
  result.unchanged = survey.unchanged;
  result.drifted = drifted(survey, table);
}

async function create(ports: PartitionPorts, table: CatalogTable, survey: Survey, result: TableResult): Promise<void> {
  const written = await createPartitions(ports, table, survey.root, survey.create, result.tally);
  const schema = schemaOf(table.descriptor);
  for (const { prefix } of written.done) survey.known.set(prefix, schema);
  // By whom and with which columns is not said.
  for (const { prefix } of written.already) survey.known.set(prefix, '');
  result.created = written.done.length;
  result.already = written.already.length;
  settle(result, written);
}

/**
 * Whether what is gone may be taken out. A place without any folder of a partition looks the same whether all is gone, the table was pointed at a
 * wrong place, or its data are being written anew: then only a person can tell.
 * @throws LakegateError `invalid` where all of the table is gone
 */
function mayRemove(table: CatalogTable, { gone, seen, mode, root }: Survey, { evenAll }: TableRequest): boolean {
  if (gone.length === 0) return false;
  if (seen > 0 || evenAll) return true;
  // Not all of it was listed: the next full run finds out.
  if (mode === 'incremental') return false;
  const name = `${table.database}.${table.name}`;
  throw new LakegateError(
    'invalid',
    `${gone.length} partitions are registered and ${root} holds no folder of any: expected at least one, so none was taken out. If its data are gone for good, \`lakegate partitions sync ${name} --full --remove\` takes them out; else set the table's location right`,
  );
}

/** Partitions whose folders are looked at again before they are taken out: so many that what was seen is still so. */
const LOOKED_AT_AGAIN = 4 * BATCH.remove;

/**
 * Takes out what is gone, where the catalogue still has it at the folder that is gone: somebody may have put it elsewhere. Each folder is looked
 * at once more right before: a job that writes a folder anew empties it first.
 */
async function remove(
  ports: PartitionPorts,
  table: CatalogTable,
  survey: Survey,
  result: TableResult,
  limit: Limit,
): Promise<void> {
  const { root, gone, known } = survey;
  const values = gone.map((partition) => partition.values);
  const registered = new Map<string, string>();
  for (const { Values, StorageDescriptor } of await readPartitions(ports, table, values, result.tally)) {
    registered.set(JSON.stringify(Values), folderUrl(StorageDescriptor?.Location ?? ''));
  }
  if (isOutOfTime(ports)) {
    result.outcome = 'unfinished';
    return;
  }
  const toRemove: FoundPartition[] = [];
  for (const partition of gone) {
    const location = registered.get(JSON.stringify(partition.values));
    if (location === `${root}${partition.prefix}`) toRemove.push(partition);
    // Not there any more, or somewhere else by now: nothing of ours.
    else known.delete(partition.prefix);
  }
  const folders = ports.folders(root, result.tally);
  const back = new Set<FoundPartition>();
  for (let start = 0; start < toRemove.length; start += LOOKED_AT_AGAIN) {
    const next = toRemove.slice(start, start + LOOKED_AT_AGAIN);
    const filled = await Promise.all(next.map(({ prefix }) => limit(() => folders.holds(prefix))));
    for (const [i, partition] of next.entries()) if (filled[i]) back.add(partition);
    const empty = next.filter((partition) => !back.has(partition));
    result.gone = some(gone.filter((partition) => !back.has(partition)).map(({ prefix }) => prefix));
    result.unchanged = survey.unchanged + back.size;
    const written = await removePartitions(ports, table, empty, result.tally);
    for (const { prefix } of [...written.done, ...written.already]) known.delete(prefix);
    result.removed += written.done.length;
    settle(result, written);
    if (written.left.length > 0) return;
  }
}

/** Gives partitions their table's columns. Those whose files are read in another way than the table's keep what they have. */
async function repair(ports: PartitionPorts, table: CatalogTable, survey: Survey, result: TableResult): Promise<void> {
  const { layout, known } = survey;
  const schema = schemaOf(table.descriptor);
  const suspects = new Map<string, string>();
  for (const [prefix, own] of known.entries()) {
    const parsed = own === schema ? undefined : layout.parse(prefix);
    if (parsed !== undefined && 'values' in parsed) suspects.set(JSON.stringify(parsed.values), prefix);
  }
  if (suspects.size === 0) return;
  const values = [...suspects.keys()].map((text) => JSON.parse(text) as string[]);
  const partitions = await readPartitions(ports, table, values, result.tally);
  for (const { Values, StorageDescriptor = {} } of partitions) {
    const prefix = suspects.get(JSON.stringify(Values));
    if (prefix !== undefined) known.set(prefix, schemaOf(StorageDescriptor));
  }
  const format = formatOf(table.descriptor);
  const written = await updatePartitions(
    ports,
    table,
    partitions.filter(
      ({ StorageDescriptor = {} }) => schemaOf(StorageDescriptor) !== schema && formatOf(StorageDescriptor) === format,
    ),
    result.tally,
  );
  for (const { Values } of written.done) known.set(suspects.get(JSON.stringify(Values))!, schema);
  result.updated = written.done.length;
  settle(result, written);
}

function formatOf({ InputFormat, SerdeInfo }: CatalogTable['descriptor']): string {
  return JSON.stringify([InputFormat, SerdeInfo?.SerializationLibrary]);
}

/** How many partitions are known to have other columns than their table. */
function drifted({ known }: Survey, table: CatalogTable): number {
  const schema = schemaOf(table.descriptor);
  let count = 0;
  for (const [own, partitions] of known.counts()) if (own !== '' && own !== schema) count += partitions;
  return count;
}

function settle(result: TableResult, written: BatchesResult<unknown>): void {
  const { count, first } = result.errors;
  result.errors = { ...some([...first, ...written.faults]), count: count + written.faults.length };
  if (written.error !== undefined) throw written.error;
  if (written.left.length > 0) result.outcome = 'unfinished';
}

function fail(ports: PartitionPorts, result: TableResult, error: unknown): void {
  if (!(error instanceof LakegateError)) throw error;
  if (error.retryable && isOutOfTime(ports)) {
    result.outcome = 'unfinished';
    return;
  }
  const { kind, message, retryable } = error;
  result.outcome = 'failed';
  result.error = { kind, message, retryable };
}
