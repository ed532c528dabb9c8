import { styleText } from 'node:util';
import { LakegateError } from '../errors.ts';
import { printable } from '../notify/printable.ts';

/** What the command ends with; programs rely on the numbers. */
export const EXIT = { done: 0, failed: 1, usage: 2, auditFailed: 3 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Where a command writes. Results go to `out` (one JSON document with `--json`), everything else to `err`. */
export interface Terminal {
  /** Whom to ask, where it is a terminal too. */
  in?: NodeJS.ReadableStream & { isTTY?: boolean };
  out: NodeJS.WritableStream & { isTTY?: boolean; columns?: number };
  err: NodeJS.WritableStream & { isTTY?: boolean; columns?: number };
  cwd: string;
  env: Readonly<Record<string, string | undefined>>;
}

export interface Output {
  readonly json: boolean;
  readonly color: boolean;
  /** Whether progress may be drawn. */
  readonly live: boolean;
  /** Characters in a line of the terminal; undefined where the result goes to a file or a program. */
  readonly width: number | undefined;
  /** The command's result: `render` for people, `value` for programs. */
  result(value: unknown, render: () => string): void;
  /** A remark for people, never in the way of a program. */
  say(text: string): void;
  style(format: Parameters<typeof styleText>[0], text: string): string;
  /** A command to type next, about the lake that this one was about: `lakegate delivery show 1f --config lake.yaml`. */
  command(words: string): string;
}

/** @param options what the call was given: suggested commands repeat it */
export function createOutput(
  terminal: Terminal,
  options: { json?: boolean; config?: string; stage?: string; catalog?: string },
): Output {
  const { env } = terminal;
  const json = options.json ?? false;
  const isTerminal = Boolean(terminal.out.isTTY);
  const color = !json && isTerminal && !env.NO_COLOR && env.TERM !== 'dumb';
  return {
    json,
    color,
    live: !json && Boolean(terminal.err.isTTY) && env.TERM !== 'dumb',
    // A terminal that nobody has told its size says 0.
    width: !json && isTerminal ? terminal.out.columns || undefined : undefined,
    result(value, render) {
      terminal.out.write(json ? `${toJson(value)}\n` : endWithNewline(render()));
    },
    say(text) {
      if (!json) terminal.out.write(endWithNewline(text));
    },
    style: (format, text) => (color ? styleText(format, text, { validateStream: false }) : text),
    command(words) {
      // npx and npm scripts find the command where a shell would not.
      const program = env.npm_command === undefined ? 'lakegate' : 'npx lakegate';
      const flags = [
        options.config === undefined ? '' : ` --config ${quoted(options.config)}`,
        options.stage === undefined ? '' : ` --stage ${quoted(options.stage)}`,
        options.catalog === undefined ? '' : ` --catalog ${quoted(options.catalog)}`,
      ];
      return `${program} ${words}${flags.join('')}`;
    },
  };
}

/** A word as a shell takes it for one. */
export function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${printable(word).replaceAll("'", "'\\''")}'`;
}

function endWithNewline(text: string): string {
  return text.endsWith('\n') || text === '' ? text : `${text}\n`;
}

/** JSON for programs: 64-bit ids as strings, since a JSON number would lose digits in most readers. */
export function toJson(value: unknown, indent = 2): string {
  return JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? item.toString() : item), indent);
}

/** What a fault says on the terminal: its message, and its causes where they add something. Nothing in it is obeyed by the terminal. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return printable(String(error));
  const lines = [error.message];
  let cause = error.cause;
  while (cause instanceof Error) {
    const { message } = cause;
    if (!lines.some((line) => line.includes(message))) lines.push(`because: ${message}`);
    cause = cause.cause;
  }
  return lines
    .join('\n  ')
    .split('\n')
    .map((line) => printable(line))
    .join('\n');
}

/** The exit code of a fault that ended a command. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof LakegateError && (error.kind === 'usage' || error.kind === 'config')) return EXIT.usage;
  return EXIT.failed;
}
