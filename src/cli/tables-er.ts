import { LakegateError } from '../errors.ts';
import { refreshEr } from '../tables/er.ts';
import { findSnapshot } from '../tables/snapshot.ts';
import { versionAt } from '../tables/table-version.ts';
import type { CommandContext } from './context.ts';
import { EXIT, type ExitCode } from './output.ts';
import { type AthenaOptions, athenaFolder, withTables } from './tables-lake.ts';

export interface ErOptions extends AthenaOptions {
  database: string;
  source: string;
  table?: string;
  folder: string;
  key: string;
  snapshot?: string;
  keep: number;
}

/** `lakegate tables er`: the table that Entity Resolution reads, made anew. */
export async function er(context: CommandContext, options: ErOptions): Promise<ExitCode> {
  const { database, source, table = `${options.source}_er`, key, keep } = options;
  const folder = athenaFolder(context, options.folder, '--folder');
  const result = await withTables(context, options, async (ports) => {
    const found = await ports.catalog.get(database, source);
    if (found?.location === undefined) {
      throw new LakegateError('not_found', `there is no table ${database}.${source}. \`tables register\` makes it`);
    }
    const root = found.location.replace(/\/*$/, '/');
    const snapshot = await findSnapshot(ports.store, root, {
      ...(options.snapshot !== undefined && { snapshot: options.snapshot }),
    });
    return refreshEr(ports, {
      database,
      source,
      table,
      folder,
      key,
      snapshot: snapshot.date,
      version: versionAt(ports.now()),
      keepMs: keep,
    });
  });
  context.output.result(
    result,
    () => `${result.table} is of snapshot_dt=${result.snapshot} now, in ${result.location}`,
  );
  return EXIT.done;
}
