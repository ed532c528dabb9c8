import type { PartitionsConfig } from '../config/partitions-model.ts';
import type { PartitionPorts } from './ports.ts';
import type { DatabaseResult, TableResult } from './result.ts';

/** Form of a run's record. */
const VERSION = 1;

/**
 * Writes down what a run did, one JSON object a run under `<state>runs/YYYY/MM/DD/`: what the dashboard shows. A run that found nothing new and
 * nothing wrong leaves none, unless all folders were looked at.
 * @returns its URL
 */
export async function saveRecord(
  ports: Pick<PartitionPorts, 'store' | 'now' | 'uuid'>,
  config: PartitionsConfig,
  result: DatabaseResult,
): Promise<string | undefined> {
  const { database, mode, totals, continuation } = result;
  const changed = totals.created + totals.removed + totals.updated + totals.failed + totals.errors;
  if (mode === 'incremental' && changed === 0 && continuation === undefined) return undefined;
  const at = new Date(ports.now()).toISOString();
  const name = `${at.replace(/[^\dTZ]/g, '')}-${encodeURIComponent(database)}-${mode}-${ports.uuid().slice(0, 8)}`;
  const url = `${config.state}runs/${at.slice(0, 10).replaceAll('-', '/')}/${name}.json`;
  const tables = result.tables.filter(hasNews);
  const record = { version: VERSION, at, database, mode, totals, tables, unfinished: continuation !== undefined };
  await ports.store.create(url, Buffer.from(JSON.stringify(record)));
  return url;
}

function hasNews(table: TableResult): boolean {
  const { outcome, missing, gone, rejected, moved, errors, drifted, removed, updated } = table;
  const found = [missing, gone, rejected, moved, errors].some(({ count }) => count > 0);
  return outcome !== 'synced' || found || drifted + removed + updated > 0;
}
