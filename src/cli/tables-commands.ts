import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Act } from './commands.ts';

/** Adds the commands of `lakegate tables`: the pipeline that splits wide snapshots. */
export function addTables(tables: Command, act: Act): void {
  tables
    .command('split')
    .description("copy a wide snapshot's columns into the tables of a split map")
    .requiredOption('--source <folder>', 'folder or s3:// URL with snapshot_dt=YYYY-MM-DD/ folders of Parquet files')
    .requiredOption('--target <folder>', 'folder or s3:// URL that the tables go to')
    .requiredOption('--map <file>', 'the split map: CSV of table, column, description')
    .option('--snapshot <date>', 'YYYY-MM-DD (default: the latest)')
    .option('--marker <name>', 'a snapshot counts only with this object in its folder, such as _SUCCESS')
    .option('--key <column>', 'the column that every table carries first', 'customer_user_id')
    .option('--alias <names>', 'a source column under another name: source=name, more by commas', aliases, {})
    .option('--tables <names>', 'these tables alone, by commas', names, [])
    .addOption(new Option('--engine <engine>', 'what moves the data').choices(['copy']).default('copy'))
    .option('--target-mb <n>', 'megabytes of an output file at most', megabytes, 512)
    .option('--strict', 'stop where the map and the source differ in anything')
    .option('--dry-run', 'say what would be made')
    .action(act(async () => (await import('./tables-split.ts')).split));
}

function names(text: string): string[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

function aliases(text: string, before: Record<string, string>): Record<string, string> {
  const pairs = names(text).map((pair) => {
    const [from = '', to = '', ...rest] = pair.split('=').map((name) => name.trim());
    if (from === '' || to === '' || rest.length > 0) {
      throw new InvalidArgumentError(`expected source=name, found ${JSON.stringify(pair)}.`);
    }
    return [from, to];
  });
  return { ...before, ...Object.fromEntries(pairs) };
}

function megabytes(text: string): number {
  const value = Number(text);
  if (!(value > 0 && Number.isFinite(value)))
    throw new InvalidArgumentError(`expected a number of megabytes, found ${JSON.stringify(text)}.`);
  return value;
}
