import pLimit from 'p-limit';
import { LakegateError } from '../errors.ts';
import { printable, shorten } from '../notify/printable.ts';
import type { DatabaseResult, SyncMode, TableResult } from '../partitions/result.ts';
import { isManaged } from '../partitions/settings.ts';
import { managedDatabases, type SyncRequest, syncDatabase } from '../partitions/sync.ts';
import type { CommandContext } from './context.ts';
import { describeError, EXIT, type ExitCode } from './output.ts';
import { partsOf, withPartitions } from './partitions-lake.ts';
import { renderDatabases } from './partitions-report.ts';

interface ModeOptions {
  full?: boolean;
  reconcile?: boolean;
}

/** A database that could not be looked at. */
export interface FailedDatabase {
  database: string;
  error: string;
}

/** `lakegate partitions plan [WHICH]` */
export async function plan(
  context: CommandContext,
  which: string | undefined,
  options: ModeOptions,
): Promise<ExitCode> {
  return run(context, which, { mode: modeOf(options), dryRun: true });
}

/** `lakegate partitions sync [WHICH]` */
export async function sync(
  context: CommandContext,
  which: string | undefined,
  options: ModeOptions & { remove?: boolean; updateSchema?: boolean },
): Promise<ExitCode> {
  const { remove, updateSchema } = options;
  const mode = modeOf(options);
  return run(context, which, {
    // Columns are set right where all folders are looked at.
    mode: updateSchema === true && mode === 'incremental' ? 'full' : mode,
    ...(remove !== undefined && { remove }),
    ...(updateSchema !== undefined && { updateSchema }),
  });
}

async function run(
  context: CommandContext,
  which: string | undefined,
  request: Omit<SyncRequest, 'database'>,
): Promise<ExitCode> {
  const { output, terminal } = context;
  return withPartitions(context, async ({ config, ports }) => {
    const only = which === undefined ? undefined : partsOf(which);
    if (only !== undefined && !isManaged(config, only.database)) {
      const { databases, exclude } = config;
      const but = exclude.length === 0 ? '' : ` but ${exclude.join(', ')}`;
      throw new LakegateError(
        'usage',
        `${only.database} is no managed database: \`partitions.databases\` is ${databases.join(', ')}${but}`,
      );
    }
    const databases = only === undefined ? await managedDatabases(ports, config) : [only.database];
    let done = 0;
    const onTable = ({ table }: TableResult) => {
      done += 1;
      // One line, however narrow the terminal: what wraps cannot be taken back.
      const line = shorten(`${done} tables looked at, ${printable(table)}`, Math.min(60, (output.width ?? 80) - 1));
      if (output.live) terminal.err.write(`\r\x1b[K${line}`);
    };
    const limit = pLimit(config.concurrency);
    const ended = await Promise.all(
      databases.map((database) =>
        limit(async (): Promise<DatabaseResult | FailedDatabase> => {
          try {
            const tables = only?.table === undefined ? {} : { tables: [only.table] };
            return await syncDatabase(ports, config, { ...request, ...tables, database, onTable });
          } catch (error) {
            if (!(error instanceof LakegateError)) throw error;
            return { database, error: describeError(error) };
          }
        }),
      ),
    );
    if (output.live) terminal.err.write('\r\x1b[K');
    if (only?.table !== undefined && ended.every((one) => 'tables' in one && one.tables.length === 0)) {
      throw new LakegateError('usage', `${only.database} has no table ${only.table}`);
    }
    output.result({ dryRun: request.dryRun ?? false, databases: ended }, () =>
      renderDatabases(ended, request.dryRun ?? false, output),
    );
    return ended.some((one) => 'error' in one || one.totals.failed + one.totals.errors > 0) ? EXIT.failed : EXIT.done;
  });
}

function modeOf({ full, reconcile }: ModeOptions): SyncMode {
  return reconcile ? 'reconcile' : full ? 'full' : 'incremental';
}
