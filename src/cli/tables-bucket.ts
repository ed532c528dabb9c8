import { LakegateError } from '../errors.ts';
import { bucketTables } from '../tables/bucket.ts';
import { checkBuckets } from '../tables/check-buckets.ts';
import { versionAt } from '../tables/table-version.ts';
import { columns } from './columns.ts';
import type { CommandContext } from './context.ts';
import { EXIT, type ExitCode } from './output.ts';
import { type AthenaOptions, athenaFolder, tablesFolder, withTables } from './tables-lake.ts';
import { count, number } from './words.ts';

export interface BucketOptions extends AthenaOptions {
  database: string;
  prefix: string;
  finalDatabase?: string;
  finalPrefix: string;
  base: string;
  key: string;
  buckets: number;
  versionSuffix?: string;
  tables: string[];
  maxColumns: number;
  cut?: boolean;
  concurrency: number;
  keep: number;
}

/** What stands for no version, in the argument that people pass today. */
const NO_VERSION = '_NONE_';

/** `lakegate tables bucket`: bucketed tables by Athena, each swapped in as a whole. */
export async function bucket(context: CommandContext, options: BucketOptions): Promise<ExitCode> {
  const { output } = context;
  const { versionSuffix, finalDatabase = options.database } = options;
  if (versionSuffix !== undefined && !/^[A-Za-z0-9][\w.=-]*$/.test(versionSuffix) && versionSuffix !== NO_VERSION) {
    throw new LakegateError(
      'usage',
      `--version-suffix: expected a folder's name such as v=20260131T000000Z, found ${JSON.stringify(versionSuffix)}`,
    );
  }
  const outcomes = await withTables(context, options, (ports) =>
    bucketTables(ports, {
      stagedDatabase: options.database,
      stagedPrefix: options.prefix,
      finalDatabase,
      finalPrefix: options.finalPrefix,
      base: athenaFolder(context, options.base, '--base'),
      buckets: { column: options.key, count: options.buckets },
      only: options.tables,
      ...(versionSuffix !== NO_VERSION && { version: versionSuffix ?? versionAt(ports.now()) }),
      maxColumns: options.maxColumns,
      tooWide: options.cut ? 'cut' : 'fail',
      concurrency: options.concurrency,
      keepMs: options.keep,
    }),
  );
  output.result({ database: finalDatabase, tables: outcomes }, () => {
    const rows = outcomes.map(({ table, outcome, location, cut, reason }) => [
      table,
      outcome,
      reason ?? (cut === undefined ? (location ?? '') : `${location}, without ${cut.join(', ')}`),
    ]);
    return columns(['table', 'outcome', 'where, or why not'], rows, output.width);
  });
  return outcomes.some(({ outcome }) => outcome === 'failed') ? EXIT.failed : EXIT.done;
}

/** `lakegate tables check-buckets`: whether each row lies in the bucket of its key. */
export async function checkBucketed(
  context: CommandContext,
  options: { folder: string; key: string; buckets: number },
): Promise<ExitCode> {
  const { output } = context;
  const folder = tablesFolder(context, options.folder, '--folder');
  const check = await withTables(context, {}, ({ store }) =>
    checkBuckets(store, folder, { column: options.key, count: options.buckets }),
  );
  const { files, rows, missing, faults } = check;
  if (files === 0)
    throw new LakegateError(
      'not_found',
      `there are no files in ${folder}: expected one table's Parquet files directly in it`,
    );
  output.result({ folder, ...check }, () =>
    [
      `${folder}: ${count(rows, 'row')} in ${count(files, 'file')}, ${faults.length === 0 ? 'each in its bucket' : `${count(faults.length, 'file')} at fault`}`,
      ...(missing.length === 0
        ? []
        : [`${number(missing.length)} of ${count(options.buckets, 'bucket')} without a file`]),
      ...faults.map(({ file, message }) => `  ${file}: ${message}`),
    ].join('\n'),
  );
  return faults.length > 0 ? EXIT.auditFailed : EXIT.done;
}
