import { composePartitions } from '../compose-partitions.ts';
import { partitionsConfig } from '../config/partitions.ts';
import type { TableResult } from '../partitions/result.ts';
import { syncDatabase } from '../partitions/sync.ts';
import { type PrepareOutcome, partitionedTables, repairTables } from '../tables/prepare.ts';
import { columns } from './columns.ts';
import type { CommandContext } from './context.ts';
import { readConfig } from './lake.ts';
import { EXIT, type ExitCode } from './output.ts';
import { type AthenaOptions, withTables } from './tables-lake.ts';
import { count } from './words.ts';

export interface PrepareOptions extends AthenaOptions {
  database: string;
  prefix: string;
  engine: 'sync' | 'msck';
  concurrency: number;
  pollSeconds: number;
}

/** What was done to a table's partitions. */
type Prepared = PrepareOutcome | { table: string; outcome: 'synced' | 'failed'; created: number; reason?: string };

/** `lakegate tables prepare`: partitions of the partitioned tables. */
export async function prepare(context: CommandContext, options: PrepareOptions): Promise<ExitCode> {
  const { output } = context;
  const pollMs = options.pollSeconds * 1000;
  const tables = await withTables(context, { ...athenaOf(options), pollMs }, async (ports): Promise<Prepared[]> => {
    const names = await partitionedTables(ports.catalog, options);
    return options.engine === 'msck'
      ? repairTables(ports.athena, names, options)
      : sync(context, options.database, names);
  });
  output.result({ database: options.database, engine: options.engine, tables }, () => {
    const rows = tables.map((one) => [
      one.table,
      one.outcome,
      one.reason ?? ('created' in one ? `${count(one.created, 'partition')} registered` : ''),
    ]);
    return columns(['table', 'outcome', 'partitions'], rows, output.width);
  });
  return tables.some(({ outcome }) => outcome === 'failed') ? EXIT.failed : EXIT.done;
}

function athenaOf({ workgroup, results }: AthenaOptions): AthenaOptions {
  return { ...(workgroup !== undefined && { workgroup }), ...(results !== undefined && { results }) };
}

/** By the code that manages partitions everywhere else, all folders looked at. */
async function sync(context: CommandContext, database: string, tables: readonly string[]): Promise<Prepared[]> {
  const config = await readConfig(context);
  const partitions = config.partitions ?? partitionsConfig({}, `${config.warehouse}.lakegate/partitions/`);
  const management = composePartitions({ ...config, partitions }, { env: context.terminal.env });
  try {
    const result = await syncDatabase(management.ports, partitions, { database, mode: 'full', tables });
    return result.tables.map(prepared);
  } finally {
    management.close();
  }
}

function prepared({ table, outcome, created, error, skip, errors }: TableResult): Prepared {
  const [first] = errors.first;
  const reason = error?.message ?? skip?.text ?? (first === undefined ? undefined : JSON.stringify(first));
  const done = outcome === 'synced' && first === undefined;
  return { table, outcome: done ? 'synced' : 'failed', created, ...(reason !== undefined && { reason }) };
}
