import { Command, CommanderError, InvalidArgumentError } from 'commander';
import { VERSION } from '../version.ts';
import type { Terminal } from './output.ts';
import { createOutput, describeError, EXIT, type ExitCode, exitCodeOf, type Output } from './output.ts';

/** Options that every command takes. */
export interface CommonOptions {
  config?: string;
  catalog?: string;
  json?: boolean;
}

export interface CommandContext {
  terminal: Terminal;
  output: Output;
  options: CommonOptions;
}

/** What a command does: its module is loaded when it is called, so that `--help` and small commands start at once. */
type Action<A extends unknown[]> = (context: CommandContext, ...args: A) => Promise<ExitCode>;

/**
 * Runs one `lakegate …` call.
 * @param argv the words after the program's name
 * @returns the exit code; nothing is thrown
 */
export async function runCli(argv: readonly string[], terminal: Terminal): Promise<ExitCode> {
  let exit: ExitCode = EXIT.done;
  const program = buildProgram(terminal, (code) => {
    exit = code;
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exit;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    terminal.err.write(`lakegate: ${describeError(error)}\n`);
    return exitCodeOf(error);
  }
}

function buildProgram(terminal: Terminal, finish: (code: ExitCode) => void): Command {
  const program = new Command('lakegate')
    .description(
      "Nothing reaches the lake's main unaudited: drops are staged on a branch, audited, then published or kept aside.",
    )
    .version(VERSION, '-V, --version')
    .showHelpAfterError('(lakegate --help lists the commands)')
    .showSuggestionAfterError(true)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out.write(text),
      writeErr: (text) => terminal.err.write(text),
    });

  const common = (command: Command): Command =>
    command
      .option(
        '--config <file>',
        'the lake.yaml to read (default: ./lake.yaml; without one, an embedded lake in ./.lakegate)',
      )
      .option('--catalog <name>', 'use this catalogue, of lake.yaml or .pyiceberg.yaml')
      .option('--json', 'print the result as JSON')
      .exitOverride();

  const act =
    <A extends unknown[]>(action: () => Promise<Action<A>>) =>
    async (...received: unknown[]): Promise<void> => {
      const command = received.at(-1) as Command;
      const options = command.optsWithGlobals<CommonOptions>();
      const output = createOutput(terminal, { json: options.json ?? false });
      const run = await action();
      finish(await run({ terminal, output, options }, ...(received.slice(0, -1) as A)));
    };

  common(program.command('demo'))
    .description('make a lake in a folder, deliver a clean file and one with nulls, and show what happens')
    .option('--dir <folder>', 'where to make the lake', '.lakegate/demo')
    .action(act(async () => (await import('./demo.ts')).demo));
  common(program.command('init'))
    .description('write a commented lake.yaml to start from')
    .option('--force', 'replace a lake.yaml that is there')
    .action(act(async () => (await import('./init.ts')).init));
  common(program.command('dev'))
    .description('watch the raw folder and run every drop through the gate')
    .option('--once', 'take what lies there now, then end')
    .action(act(async () => (await import('./dev.ts')).dev));
  common(program.command('load'))
    .description(
      'drop a generated file: my_col_0 int, my_col_1 string, my_col_2 double; the last row null unless --no-null',
    )
    .option('-n, --rows <n>', 'rows to generate', positiveInteger, 100)
    .option('--no-null', 'no nulls: a file that passes')
    .option('--verbose', 'show the first rows and each step')
    .option('--table <name>', 'the table to load', 'customer_data_log')
    .action(act(async () => (await import('./load.ts')).load));
  common(program.command('drop'))
    .description('deliver files: stage each on a branch, audit it, publish it or keep it aside')
    .argument('<file...>', 'Parquet, CSV or JSON Lines; the last two also .gz or .zst')
    .option(
      '--table <name>',
      "the table they belong to (default: by folder, or the file's own name in an embedded lake)",
    )
    .option('--verbose', 'show each step')
    .action(act(async () => (await import('./drop.ts')).drop));
  common(program.command('audit'))
    .description("check a file against its table's rules; nothing is committed")
    .argument('<file>', 'Parquet, CSV or JSON Lines')
    .option('--table <name>', 'take the rules and the schema of this table')
    .action(act(async () => (await import('./audit.ts')).auditFile));

  const delivery = program.command('delivery').description('what became of the drops').exitOverride();
  common(delivery.command('list'))
    .description('deliveries, newest first')
    .option('--table <name>', 'of this table only')
    .option(
      '--state <state>',
      'in this state only: received, staged, published, rejected, errored, discarded, rolled_back',
    )
    .option('-n, --limit <n>', 'at most this many', positiveInteger, 50)
    .action(act(async () => (await import('./delivery.ts')).list));
  common(delivery.command('show').argument('<id>', 'delivery id, or enough of its first digits'))
    .description('one delivery: its way, its rules, its branch')
    .action(act(async () => (await import('./delivery.ts')).show));
  common(delivery.command('retry').argument('<id>'))
    .description('run a delivery again that was rejected, errored or left lying')
    .action(act(async () => (await import('./delivery.ts')).retry));
  common(delivery.command('publish').argument('<id>'))
    .description('publish a delivery that the audit stopped; says who and why in the record')
    .option('--reason <text>', 'why it may pass all the same')
    .action(act(async () => (await import('./delivery.ts')).publish));
  common(delivery.command('discard').argument('<id>'))
    .description('give a stopped delivery up and drop its branch')
    .option('--reason <text>', 'why')
    .action(act(async () => (await import('./delivery.ts')).discard));

  const table = program.command('table').description('the tables').exitOverride();
  common(table.command('list'))
    .description('tables with rows, files and branches')
    .action(act(async () => (await import('./table.ts')).list));
  common(table.command('show').argument('<table>', 'namespace.table'))
    .description('schema, partitioning, branches, tags')
    .action(act(async () => (await import('./table.ts')).show));
  common(table.command('history').argument('<table>'))
    .description('what main went through, newest first')
    .option('-n, --limit <n>', 'at most this many', positiveInteger, 20)
    .action(act(async () => (await import('./table.ts')).history));
  common(table.command('rollback').argument('<table>'))
    .description('take main back to a snapshot, or take one delivery out of main')
    .option('--to <snapshot>', 'snapshot id, or tag, that main was at before')
    .option('--delivery <id>', 'take the files of this delivery out')
    .option('--reason <text>', 'why, for the record')
    .action(act(async () => (await import('./table.ts')).rollback));
  common(table.command('tag').argument('<table>').argument('<name>'))
    .description('name a snapshot so that it is kept')
    .option('--snapshot <id>', "snapshot id (default: main's)")
    .option('--delete', 'remove the tag')
    .action(act(async () => (await import('./table.ts')).tag));
  common(table.command('expire').argument('[table]', 'default: every table of the lake'))
    .description('expire snapshots and kept branches by their age, and sweep files that nothing references')
    .option('--older-than <duration>', "snapshots older than this (default: the table's own properties)", String)
    .option('--sweep-older-than <duration>', 'unreferenced files older than this', '3d')
    .option('--dry-run', 'say what would go')
    .action(act(async () => (await import('./table.ts')).expire));
  return program;
}

function positiveInteger(text: string): number {
  const value = Number(text.replaceAll('_', ''));
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError(`expected a whole number from 1, found ${JSON.stringify(text)}.`);
  return value;
}
