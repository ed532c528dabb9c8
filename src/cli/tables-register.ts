import { LakegateError } from '../errors.ts';
import { type RegisterOutcome, registerTables } from '../tables/register.ts';
import { columns } from './columns.ts';
import type { CommandContext } from './context.ts';
import { EXIT, type ExitCode } from './output.ts';
import { tablesFolder, withTables } from './tables-lake.ts';
import { count, number } from './words.ts';

export interface RegisterOptions {
  database: string;
  root: string;
  prefix: string;
  snapshot?: string;
  bucketColumn?: string;
  bucketCount?: number;
  tables: string[];
  maxColumns: number;
  cut?: boolean;
  dryRun?: boolean;
}

/** `lakegate tables register`: Glue tables over the files of a split. */
export async function register(context: CommandContext, options: RegisterOptions): Promise<ExitCode> {
  const { bucketColumn, bucketCount, output } = { ...options, ...context };
  if ((bucketColumn === undefined) !== (bucketCount === undefined)) {
    throw new LakegateError('usage', 'expected --bucket-column and --bucket-count together, found one of them');
  }
  const { snapshot, tables } = await withTables(context, {}, (ports) =>
    registerTables(ports, {
      database: options.database,
      root: tablesFolder(context, options.root, '--root'),
      prefix: options.prefix,
      ...(options.snapshot !== undefined && { snapshot: options.snapshot }),
      ...(bucketColumn !== undefined &&
        bucketCount !== undefined && { buckets: { column: bucketColumn, count: bucketCount } }),
      only: options.tables,
      maxColumns: options.maxColumns,
      tooWide: options.cut ? 'cut' : 'fail',
      dryRun: options.dryRun ?? false,
    }),
  );
  output.result({ database: options.database, snapshot, dryRun: options.dryRun ?? false, tables }, () => {
    const rows = tables.map((table) => [
      table.table,
      table.outcome,
      table.columns === undefined ? '' : number(table.columns),
      remarks(table),
    ]);
    const of = snapshot === undefined ? '' : `, snapshot_dt=${snapshot}`;
    const heading = options.dryRun ? 'would be' : 'outcome';
    return `${options.database}${of}: ${count(tables.length, 'table')}\n\n${columns(['table', heading, 'columns', 'remarks'], rows, output.width)}`;
  });
  return tables.some(({ outcome }) => outcome === 'failed') ? EXIT.failed : EXIT.done;
}

const SHOWN = 5;

/** What there is to say of a table that was registered, or was not. */
export function remarks({
  changes,
  cut,
  reason,
  remark,
}: Pick<RegisterOutcome, 'changes' | 'cut' | 'reason' | 'remark'>): string {
  const some = (what: string, names: readonly string[]) =>
    names.length === 0
      ? []
      : [
          `${what} ${names.slice(0, SHOWN).join(', ')}${names.length > SHOWN ? ` and ${names.length - SHOWN} more` : ''}`,
        ];
  return [
    ...[reason, remark].filter((text) => text !== undefined),
    ...some('new:', changes?.added.map(({ name }) => name) ?? []),
    ...some('gone:', changes?.removed ?? []),
    ...some('changed:', changes?.changed.map(({ name, from, to }) => `${name} ${from} → ${to}`) ?? []),
    ...some('left out:', cut ?? []),
  ].join('; ');
}
