import { type ComposeTablesOptions, composeTables, type TablesManagement } from '../compose-tables.ts';
import { resolveFolder } from '../config/location.ts';
import { LakegateError } from '../errors.ts';
import type { CommandContext } from './context.ts';
import { readConfig } from './lake.ts';

/** Where Athena runs what a command asks for. */
export interface AthenaOptions {
  workgroup?: string;
  results?: string;
}

/** Opens Glue, Athena and the stores of the lake that the command is about, runs `work`, and closes them. */
export async function withTables<T>(
  context: CommandContext,
  { results, ...options }: AthenaOptions & Pick<ComposeTablesOptions, 'pollMs'>,
  work: (management: TablesManagement) => Promise<T>,
): Promise<T> {
  const management = composeTables(await readConfig(context), {
    ...options,
    env: context.terminal.env,
    ...(results !== undefined && { results: athenaFolder(context, results, '--results') }),
  });
  try {
    return await work(management);
  } finally {
    management.close();
  }
}

/** The same of a folder that Athena writes to: it knows no other than S3's. @throws LakegateError `usage` */
export function athenaFolder(context: CommandContext, text: string, option: string): string {
  const url = tablesFolder(context, text, option);
  if (url.startsWith('s3://')) return url;
  throw new LakegateError(
    'usage',
    `${option}: Athena writes to S3 alone: expected an s3:// URL, found ${JSON.stringify(text)}`,
  );
}

/** The URL, ending in `/`, of a folder that an option gave. @throws LakegateError `usage` */
export function tablesFolder({ terminal }: CommandContext, text: string, option: string): string {
  const resolved = resolveFolder(text, terminal.cwd);
  if ('url' in resolved) return resolved.url;
  throw new LakegateError('usage', `${option}: ${resolved.fault}, found ${JSON.stringify(text)}`);
}
