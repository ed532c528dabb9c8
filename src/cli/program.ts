import { Command, CommanderError } from 'commander';
import { LakegateError } from '../errors.ts';
import { VERSION } from '../version.ts';
import { type Act, addCommands } from './commands.ts';
import type { CommonOptions } from './context.ts';
import type { Terminal } from './output.ts';
import { createOutput, describeError, EXIT, type ExitCode, exitCodeOf, type Output } from './output.ts';

/** Characters in a line of help: no longer than reads well. */
const HELP_WIDTH = 100;

const EXAMPLES = `
Examples:
  lakegate demo                             see it work, in a folder of its own
  lakegate audit orders.parquet             nulls per column, and the verdict
  lakegate drop orders.parquet              deliver it
  lakegate delivery list --state rejected   what the audit stopped
  lakegate delivery publish 3fa9 --reason "known gap, agreed with sales"
  lakegate table rollback sales.orders --delivery 3fa9
  lakegate doctor --stage dev               is the stage as it should be?

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 stopped by the audit.`;

/**
 * Runs one `lakegate …` call.
 * @param argv the words after the program's name
 * @returns the exit code; nothing is thrown
 */
export async function runCli(argv: readonly string[], terminal: Terminal): Promise<ExitCode> {
  let exit: ExitCode = EXIT.done;
  let output = createOutput(terminal, {});
  let stage: string | undefined;
  const act: Act =
    (action) =>
    async (...received) => {
      const options = (received.at(-1) as Command).optsWithGlobals<CommonOptions>();
      output = createOutput(terminal, options);
      stage = options.stage;
      const run = await action();
      exit = await run({ terminal, output, options }, ...(received.slice(0, -1) as never));
    };
  try {
    await buildProgram(terminal, act).parseAsync([...argv], { from: 'user' });
    return exit;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    const hint =
      stage !== undefined && isOfStage(error) ? `\n  \`lakegate doctor\` looks at everything of stage ${stage}` : '';
    terminal.err.write(`lakegate: ${withFlags(`${describeError(error)}${hint}`, output)}\n`);
    return exitCodeOf(error);
  }
}

/** Whether it may be the stage that is not as it should be: something of it is missing, refuses, or does not answer. */
function isOfStage(error: unknown): boolean {
  if (!(error instanceof LakegateError)) return false;
  return error.kind === 'unavailable' || /^(NoSuchBucket|AccessDenied|Forbidden|403)/.test(String(error.context.code));
}

/** The commands that a message suggests, made to be about the lake of this call. */
function withFlags(message: string, output: Output): string {
  return message.replace(/`lakegate ([^`]+)`/g, (_whole, words: string) => `\`${output.command(words)}\``);
}

/** The command's grammar. @param act makes what a command does into what commander calls */
export function buildProgram(terminal: Pick<Terminal, 'out' | 'err'>, act: Act): Command {
  const program = new Command('lakegate')
    .description(
      "Nothing reaches the lake's main unaudited: drops are staged on a branch, audited, then published or kept aside.",
    )
    .version(VERSION, '-V, --version')
    .option(
      '--config <file>',
      'the lake.yaml to read (default: ./lake.yaml; where there is none, a lake in ./.lakegate)',
    )
    .option(
      '--stage <name>',
      'work against this deployed stage of lake.yaml, with the AWS credentials of the environment',
    )
    .option('--catalog <name>', 'use this catalogue, of lake.yaml or .pyiceberg.yaml')
    .option('--json', 'print the result as JSON')
    .showSuggestionAfterError(true)
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', EXAMPLES)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out.write(text),
      writeErr: (text) => terminal.err.write(text),
      getOutHelpWidth: () => helpWidth(terminal.out),
      getErrHelpWidth: () => helpWidth(terminal.err),
      outputError: (text, write) => write(text.replace(/^error: /, 'lakegate: ')),
    });
  program.showHelpAfterError('(lakegate --help lists the commands)');
  addCommands(program, act);
  return program;
}

function helpWidth(stream: { columns?: number }): number {
  return Math.min(stream.columns || 80, HELP_WIDTH);
}
