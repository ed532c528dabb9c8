import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseDuration } from '../config/duration.ts';
import type { Act } from './commands.ts';

/** Adds the commands of `lakegate tables`: the pipeline that splits wide snapshots. */
export function addTables(tables: Command, act: Act): void {
  addSplit(tables, act);
  addCataloging(tables, act);
  addBucketing(tables, act);
  addRun(tables, act);
}

/** The whole pipeline, as lake.yaml describes it. */
function addRun(tables: Command, act: Act): void {
  tables
    .command('run')
    .description("run lake.yaml's pipeline from the snapshot to its tables; with --stage by its state machine")
    .argument('<which>', 'bucketed, partitioned or all')
    .option('--snapshot <date>', 'YYYY-MM-DD (default: the latest)', snapshot)
    .option('--tables <names>', 'these tables of the split maps alone, by commas', names, [])
    .option('--sources <names>', 'these sources alone, by commas', names, [])
    .option('--force', 'take a snapshot again that was taken already')
    .option('--no-wait', 'on a stage: end when the execution is started')
    .option('--memory-mb <n>', 'without a stage: megabytes of memory that Spark may take', whole, 2048)
    .option(
      '--python <program>',
      'without a stage: the Python that has pyspark (default: LAKEGATE_PYTHON, else python3)',
    )
    .action(act(async () => (await import('./tables-run.ts')).run));
}

function addSplit(tables: Command, act: Act): void {
  tables
    .command('split')
    .description("make a wide snapshot's columns the tables of a split map")
    .requiredOption('--source <folder>', 'folder or s3:// URL with snapshot_dt=YYYY-MM-DD/ folders of Parquet files')
    .option('--target <folder>', 'folder or s3:// URL that the tables go to (with every engine but virtual)')
    .option('--map <file>', 'the split map: CSV of table, column, description')
    .option('--table <name>', 'without a map: all columns as this one table, such as addressable_ids')
    .addOption(choice('--layout <layout>', 'folders of snapshots, or files alone', ['partitioned', 'plain']))
    .option('--snapshot <date>', 'YYYY-MM-DD (default: the latest)', snapshot)
    .option('--marker <name>', 'a snapshot counts only with this object in its folder, such as _SUCCESS')
    .option('--key <column>', 'the column that every table carries first', 'customer_user_id')
    .option('--alias <names>', 'a source column under another name: source=name, more by commas', aliases, {})
    .option('--tables <names>', 'these tables alone, by commas', names, [])
    .addOption(choice('--engine <engine>', 'what makes the tables', ['copy', 'duckdb', 'spark', 'virtual']))
    .addOption(
      new Option('--otherwise <engine>', 'what makes the tables that cannot be copied').choices(['duckdb', 'spark']),
    )
    .addOption(choice('--bucketing <way>', "who lays plain tables' rows into Hive's buckets", ['ctas', 'direct']))
    .option('--bucket-count <n>', 'how many buckets', whole, 256)
    .option('--target-mb <n>', 'megabytes of an output file at most', megabytes, 512)
    .option('--memory-mb <n>', 'megabytes of memory that duckdb or spark may take', whole, 2048)
    .option('--python <program>', 'the Python that has pyspark (default: LAKEGATE_PYTHON, else python3)')
    .option('--database <name>', 'database of Glue, for virtual')
    .option('--prefix <text>', "what the virtual tables' names begin with", prefix, 'part_')
    .option('--strict', 'stop where the map and the source differ in anything')
    .option('--dry-run', 'say what would be made')
    .action(act(async () => (await import('./tables-split.ts')).split));
}

/** One of a few words, the first where none is given. */
function choice(flags: string, description: string, words: readonly string[]): Option {
  return new Option(flags, description).choices(words).default(words[0]);
}

/** What is done with the tables in Glue once their files are there. */
function addCataloging(tables: Command, act: Act): void {
  tables
    .command('register')
    .description('register the tables that a split left under a folder in Glue')
    .requiredOption('--database <name>', 'database of Glue')
    .requiredOption('--root <folder>', 'folder or s3:// URL with the folders of the tables')
    .option('--prefix <text>', "what the tables' names begin with", prefix, 'ext_')
    .option('--snapshot <date>', 'YYYY-MM-DD (default: what the split wrote down)', snapshot)
    .option('--bucket-column <name>', "files of plain tables are Hive's buckets by this column")
    .option('--bucket-count <n>', 'how many buckets there are', whole)
    .option('--tables <names>', 'these folders alone, by commas', names, [])
    .option('--max-columns <n>', 'columns of a table at most, partition keys counted', whole, 100)
    .option('--cut', 'leave the last columns of wider tables out, and name them, where the table would fail')
    .option('--dry-run', 'say what would be changed')
    .action(act(async () => (await import('./tables-register.ts')).register));
  withAthena(
    tables
      .command('prepare')
      .description('register the partitions of the partitioned tables')
      .requiredOption('--database <name>', 'database of Glue')
      .option('--prefix <text>', "what the tables' names begin with", prefix, 'part_')
      .addOption(new Option('--engine <engine>', 'who looks for them').choices(['sync', 'msck']).default('sync')),
  )
    .option('--concurrency <n>', 'statements of Athena at a time', whole, 5)
    .option('--poll-seconds <n>', 'between two looks at a statement of Athena, at most', whole, 2)
    .action(act(async () => (await import('./tables-prepare.ts')).prepare));
}

/** Tables that are made of other tables. */
function addBucketing(tables: Command, act: Act): void {
  withAthena(
    tables
      .command('bucket')
      .description('make bucketed tables of the registered ones by Athena, and swap them in')
      .requiredOption('--database <name>', 'database of the registered tables')
      .requiredOption('--base <folder>', 's3:// URL of the folder that the bucketed tables go to')
      .option('--prefix <text>', "what the registered tables' names begin with", prefix, 'ext_')
      .option('--final-database <name>', 'database of the bucketed tables (default: the same)')
      .option('--final-prefix <text>', "what the bucketed tables' names begin with", prefix, 'bucketed_')
      .option('--key <column>', 'the column to bucket by, which comes first', 'customer_user_id')
      .option('--buckets <n>', 'how many buckets', whole, 256)
      .option('--version-suffix <name>', "folder of this run's files (default: v=<time>; _NONE_: none)")
      .option('--tables <names>', 'these tables alone, by commas', names, [])
      .option('--max-columns <n>', 'columns of a table at most', whole, 100)
      .option('--cut', 'leave the last columns of wider tables out, and name them, where the table would fail'),
  )
    .option('--concurrency <n>', 'statements of Athena at a time', whole, 5)
    .option('--keep <time>', 'how long versions that were replaced stay', duration, parseDuration(KEEP))
    .action(act(async () => (await import('./tables-bucket.ts')).bucket));
  tables
    .command('check-buckets')
    .description("look whether every row of a folder's files lies in Hive's bucket of its key")
    .requiredOption('--folder <folder>', 'folder or s3:// URL of the files')
    .option('--key <column>', 'the column that rows are bucketed by', 'customer_user_id')
    .option('--buckets <n>', 'how many buckets', whole, 256)
    .action(act(async () => (await import('./tables-bucket.ts')).checkBucketed));
  withAthena(
    tables
      .command('er')
      .description('make the table that Entity Resolution reads anew, and swap it in')
      .requiredOption('--database <name>', 'database of Glue')
      .requiredOption('--folder <folder>', "s3:// URL of the folder that the table's files go to")
      .option('--source <table>', 'the partitioned identity table', 'part_addressable_ids')
      .option('--table <name>', 'the table to make (default: the source with _er)')
      .option('--key <column>', 'the column that identifies a customer', 'customer_user_id')
      .option('--snapshot <date>', 'YYYY-MM-DD (default: the latest)', snapshot),
  )
    .option('--keep <time>', 'how long versions that were replaced stay', duration, parseDuration(KEEP))
    .action(act(async () => (await import('./tables-er.ts')).er));
}

const KEEP = '7d';

function withAthena(command: Command): Command {
  return command
    .option('--workgroup <name>', "Athena's workgroup (default: primary)")
    .option('--results <folder>', "s3:// URL of Athena's results, where the workgroup does not say it");
}

function whole(text: string): number {
  const value = Number(text);
  if (!(Number.isSafeInteger(value) && value > 0))
    throw new InvalidArgumentError(`expected a whole number, found ${JSON.stringify(text)}.`);
  return value;
}

function duration(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) throw new InvalidArgumentError(`expected a time such as 7d, found ${JSON.stringify(text)}.`);
  return ms;
}

/** What begins a table's name: Athena knows letters, digits and underscores alone. */
function prefix(text: string): string {
  if (!/^[A-Za-z0-9_]{0,200}$/.test(text))
    throw new InvalidArgumentError(`expected letters, digits and underscores, found ${JSON.stringify(text)}.`);
  return text;
}

/** A date, or what jobs hand over in place of one. Whether there is such a day is seen where snapshots are looked for. */
function snapshot(text: string): string {
  if (!/^(\d{4}-\d{2}-\d{2}|_NONE_)$/.test(text))
    throw new InvalidArgumentError(`expected a date such as 2026-01-31, found ${JSON.stringify(text)}.`);
  return text;
}

/** Names by commas. No name at all is refused: an empty list stands for all of them. */
function names(text: string): string[] {
  const found = text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
  if (found.length === 0) throw new InvalidArgumentError(`expected names by commas, found ${JSON.stringify(text)}.`);
  return found;
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
