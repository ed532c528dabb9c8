import { composePartitions, type PartitionManagement } from '../compose-partitions.ts';
import { LakegateError } from '../errors.ts';
import type { CommandContext } from './context.ts';
import { readConfig } from './lake.ts';

/** Opens partition management of the lake that the command is about, runs `work`, and closes it. */
export async function withPartitions<T>(
  context: CommandContext,
  work: (management: PartitionManagement) => Promise<T>,
): Promise<T> {
  const management = composePartitions(await readConfig(context), { env: context.terminal.env });
  try {
    return await work(management);
  } finally {
    management.close();
  }
}

/** Database and table of `database.table`; a database alone where there is no dot. */
export function partsOf(which: string): { database: string; table?: string } {
  const [database = '', ...rest] = which.split('.');
  const table = rest.join('.');
  if (database === '' || (rest.length > 0 && table === '')) {
    throw new LakegateError('usage', `expected a database, or database.table, found ${JSON.stringify(which)}`);
  }
  // Glue's names are lower case, whatever was written when they were made.
  return { database: database.toLowerCase(), ...(table !== '' && { table: table.toLowerCase() }) };
}
