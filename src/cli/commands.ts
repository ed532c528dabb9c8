import { type Command, InvalidArgumentError, Option } from 'commander';
import type { DeliveryState } from '../gate/delivery.ts';
import { ENGINES } from '../reading/statements.ts';
import type { CommandContext } from './context.ts';
import type { ExitCode } from './output.ts';
import { addTables } from './tables-commands.ts';

/** What a command does: its module is loaded when it is called, so that `--help` and small commands start at once. */
export type Action<A extends unknown[]> = (context: CommandContext, ...args: A) => Promise<ExitCode>;

/** Makes an action into what commander calls with a command's arguments, its options and itself. */
export type Act = <A extends unknown[]>(action: () => Promise<Action<A>>) => (...received: unknown[]) => Promise<void>;

/** Adds every command of `lakegate` to the program. */
export function addCommands(program: Command, act: Act): void {
  addVerbs(program, act);
  addDelivery(
    program.command('delivery').description('what became of the drops: list, show, retry, redrive, publish, discard'),
    act,
  );
  addTable(program.command('table').description('the tables: list, show, history, sql, rollback, tag, expire'), act);
  addPartitions(program.command('partitions').description('partitions of Glue databases: plan, sync, infer'), act);
  addTables(
    program
      .command('tables')
      .description('wide snapshots split into tables: split, register, bucket, prepare, er, run'),
    act,
  );
  addReport(program.command('report').description('reports on the lake: cleanrooms, check, monitor'), act);
}

function addVerbs(program: Command, act: Act): void {
  program
    .command('demo')
    .description('make a lake in a folder, deliver a clean file and one with nulls, and show what happens')
    .option('--dir <folder>', 'where to make the lake', '.lakegate/demo')
    .action(act(async () => (await import('./demo.ts')).demo));
  program
    .command('init')
    .description('write a commented lake.yaml to start from')
    .option('--force', 'replace a lake.yaml that is there')
    .action(act(async () => (await import('./init.ts')).init));
  program
    .command('dev')
    .description('watch the raw folder and run every drop through the gate')
    .option('--once', 'take what lies there now, then end')
    .action(act(async () => (await import('./dev.ts')).dev));
  program
    .command('load')
    .description('drop a generated file of three columns; its last row is null unless --no-null')
    .option('-n, --rows <n>', 'rows to generate', positiveInteger, 100)
    .option('--no-null', 'no nulls: a file that passes')
    .option('--verbose', 'show the first rows and each step')
    .option('--table <name>', 'the table to load', 'customer_data_log')
    .option('--no-wait', 'on a stage: end when the file is dropped')
    .option('--here', 'on a stage: deliver in this process, not by the deployed gate')
    .action(act(async () => (await import('./load.ts')).load));
  program
    .command('drop')
    .description('deliver files: stage each on a branch, audit it, publish it or keep it aside')
    .argument('<file...>', 'Parquet, CSV or JSON Lines; the last two also .gz or .zst')
    .option(
      '--table <name>',
      "the table they belong to (default: by folder; the file's own name where any table will do)",
    )
    .option('--verbose', 'show each step')
    .option('--no-wait', 'on a stage: end when the files are dropped')
    .option('--here', 'on a stage: deliver in this process, not by the deployed gate')
    .action(act(async () => (await import('./drop.ts')).drop));
  program
    .command('audit')
    .description("check a file against its table's rules; nothing is committed")
    .argument('<file>', 'Parquet, CSV or JSON Lines; the last two also .gz or .zst')
    .option('--table <name>', 'take the rules and the columns of this table')
    .action(act(async () => (await import('./audit.ts')).auditFile));
  program
    .command('doctor')
    .description('look whether everything the lake needs is there, and say what to do where it is not')
    .action(act(async () => (await import('./doctor.ts')).doctor));
  program
    .command('schema')
    .description("print lake.yaml's JSON Schema, for editors to check the file by")
    .action(act(async () => (await import('./schema.ts')).schema));
}

/** Queues of a stage whose events may have been given up. */
const QUEUES = ['gate', 'notify'] as const;

const STATES: readonly DeliveryState[] = [
  'received',
  'staged',
  'published',
  'rejected',
  'errored',
  'discarded',
  'rolled_back',
];

const DELIVERY_ID = 'delivery id, or enough of its first digits';

function addDelivery(delivery: Command, act: Act): void {
  delivery
    .command('list')
    .description('deliveries, newest first')
    .option('--table <name>', 'of this table only')
    .addOption(new Option('--state <state>', 'in this state only').choices(STATES))
    .option('-n, --limit <n>', 'at most this many', positiveInteger, 50)
    .action(act(async () => (await import('./delivery.ts')).list));
  delivery
    .command('show')
    .argument('<id>', DELIVERY_ID)
    .description('one delivery: its way, its rules, its branch')
    .action(act(async () => (await import('./delivery.ts')).show));
  delivery
    .command('retry')
    .argument('<id>', DELIVERY_ID)
    .description('run a delivery again that was rejected, errored, discarded or left lying')
    .action(act(async () => (await import('./delivery-decision.ts')).retry));
  delivery
    .command('redrive')
    .description('on a stage: send events that were given up back to their queue, and show what they were')
    .addOption(new Option('--queue <name>', 'whose events').choices(QUEUES).default('gate'))
    .option('--dry-run', 'only show them')
    .action(act(async () => (await import('./redrive.ts')).redrive));
  delivery
    .command('publish')
    .argument('<id>', DELIVERY_ID)
    .description('publish a delivery that the audit stopped; the record says who and why')
    .option('--reason <text>', 'why it may pass all the same (asked for on a terminal)')
    .action(act(async () => (await import('./delivery-decision.ts')).publish));
  delivery
    .command('discard')
    .argument('<id>', DELIVERY_ID)
    .description('give a stopped delivery up and drop its branch')
    .option('--reason <text>', 'why, for the record')
    .action(act(async () => (await import('./delivery-decision.ts')).discard));
}

const TABLE = 'namespace.table, or its name alone';

function addTable(table: Command, act: Act): void {
  table
    .command('list')
    .description('tables with rows, files and branches')
    .action(act(async () => (await import('./table.ts')).list));
  table
    .command('show')
    .argument('<table>', TABLE)
    .description('columns, partitioning, branches, tags')
    .action(act(async () => (await import('./table.ts')).show));
  table
    .command('history')
    .argument('<table>', TABLE)
    .description('what main went through, newest first')
    .option('-n, --limit <n>', 'at most this many', positiveInteger, 20)
    .action(act(async () => (await import('./table.ts')).history));
  table
    .command('sql')
    .argument('<table>', TABLE)
    .description('print the statements that read the published table from another engine')
    .addOption(new Option('--for <engine>', 'the engine to read it from').choices(ENGINES).makeOptionMandatory())
    .action(act(async () => (await import('./table-sql.ts')).sql));
  table
    .command('rollback')
    .argument('<table>', TABLE)
    .description('take main back to a snapshot, or take one delivery out of main')
    .option('--to <snapshot>', 'snapshot id, or tag, that main was at before')
    .option('--delivery <id>', 'take the files of this delivery out')
    .option('--reason <text>', 'why, for the record')
    .action(act(async () => (await import('./table-change.ts')).rollback));
  table
    .command('tag')
    .argument('<table>', TABLE)
    .argument('<name>', "the tag's name")
    .description('name a snapshot so that it is kept')
    .option('--snapshot <id>', "snapshot id (default: main's)")
    .option('--delete', 'remove the tag')
    .action(act(async () => (await import('./table-change.ts')).tag));
  table
    .command('expire')
    .argument('[table]', `${TABLE} (default: every table of the lake)`)
    .description('expire snapshots and kept branches by their age, and sweep files that nothing references')
    .option('--older-than <duration>', "snapshots older than this (default: the table's own properties)")
    .option('--sweep-older-than <duration>', 'unreferenced files older than this', '3d')
    .option('--dry-run', 'say what would go')
    .action(act(async () => (await import('./table-change.ts')).expire));
}

function addReport(report: Command, act: Act): void {
  report
    .command('cleanrooms')
    .description('which tables are ready for analysis in AWS Clean Rooms, and why the others are not')
    .option('--membership <id>', "of this membership only (default: lake.yaml's, else every active one)")
    .option('--out <folder>', "where to write it (default: a stage's results bucket, else reports/ beside lake.yaml)")
    .option('--tell', 'tell people too: the summary, as the scheduled run does')
    .action(act(async () => (await import('./report-cleanrooms.ts')).cleanrooms));
  report
    .command('check')
    .description('whether the tables that should be ready for Clean Rooms are; ends with 3 when one is not')
    .option('--membership <id>', "of this membership only (default: lake.yaml's, else every active one)")
    .action(act(async () => (await import('./report-cleanrooms.ts')).check));
  report
    .command('monitor')
    .description('whether the tables are in good health: rows, keys, columns, partitions, age, file sizes')
    .option('--out <folder>', "where to write it (default: a stage's results bucket, else reports/ beside lake.yaml)")
    .option('--check', 'end with 3 on findings, with 1 when something could not be checked')
    .option('--table <name>', 'look at this table only; nothing is written')
    .option('--tell', 'tell people too: unhealthy tables and the report, as the scheduled run does')
    .action(act(async () => (await import('./report-monitor.ts')).monitor));
}

function addPartitions(partitions: Command, act: Act): void {
  const which = 'database, or database.table (default: every managed database)';
  partitions
    .command('plan')
    .argument('[which]', which)
    .description('say for each table what would be registered, and why others are left alone')
    .option('--full', 'look at all folders (default: those since the look-back)')
    .option('--reconcile', 'look at all folders and at all partitions that Glue has')
    .action(act(async () => (await import('./partitions.ts')).plan));
  partitions
    .command('sync')
    .argument('[which]', which)
    .description('register the partitions whose folders are there')
    .option('--full', 'look at all folders (default: those since the look-back)')
    .option('--reconcile', 'look at all folders and at all partitions that Glue has')
    .option('--remove', 'take partitions out of the catalogue whose folder is gone')
    .option('--update-schema', 'give partitions the columns that their table has; all folders are looked at')
    .action(act(async () => (await import('./partitions.ts')).sync));
  partitions
    .command('infer')
    .argument('<table>', 'database.table')
    .description('propose a layout from the folders that are there')
    .action(act(async () => (await import('./partitions-infer.ts')).infer));
}

function positiveInteger(text: string): number {
  const value = Number(text.replaceAll('_', ''));
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError(`expected a whole number from 1, found ${JSON.stringify(text)}.`);
  return value;
}
