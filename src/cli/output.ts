import { styleText } from 'node:util';
import { LakegateError } from '../errors.ts';

/** What the command ends with; programs rely on the numbers. */
export const EXIT = { done: 0, failed: 1, usage: 2, auditFailed: 3 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Where a command writes. Results go to `out` (one JSON document with `--json`), everything else to `err`. */
export interface Terminal {
  out: NodeJS.WritableStream & { isTTY?: boolean };
  err: NodeJS.WritableStream & { isTTY?: boolean };
  cwd: string;
  env: Readonly<Record<string, string | undefined>>;
}

export interface Output {
  readonly json: boolean;
  readonly color: boolean;
  /** Whether progress may be drawn. */
  readonly live: boolean;
  /** The command's result: `render` for people, `value` for programs. */
  result(value: unknown, render: () => string): void;
  /** A remark for people, never in the way of a program. */
  say(text: string): void;
  style(format: Parameters<typeof styleText>[0], text: string): string;
}

export function createOutput(terminal: Terminal, options: { json: boolean }): Output {
  const color = !options.json && Boolean(terminal.out.isTTY) && !terminal.env.NO_COLOR && terminal.env.TERM !== 'dumb';
  return {
    json: options.json,
    color,
    live: !options.json && Boolean(terminal.err.isTTY) && terminal.env.TERM !== 'dumb',
    result(value, render) {
      terminal.out.write(options.json ? `${toJson(value)}\n` : endWithNewline(render()));
    },
    say(text) {
      if (!options.json) terminal.out.write(endWithNewline(text));
    },
    style: (format, text) => (color ? styleText(format, text, { validateStream: false }) : text),
  };
}

function endWithNewline(text: string): string {
  return text.endsWith('\n') || text === '' ? text : `${text}\n`;
}

/** JSON for programs: 64-bit ids as strings, since a JSON number would lose digits in most readers. */
export function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? item.toString() : item), 2);
}

/** What a fault says on the terminal: its message, and its causes where they add something. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const lines = [error.message];
  let cause = error.cause;
  while (cause instanceof Error) {
    if (!lines.some((line) => line.includes((cause as Error).message))) lines.push(`because: ${cause.message}`);
    cause = cause.cause;
  }
  return lines.join('\n  ');
}

/** The exit code of a fault that ended a command. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof LakegateError && (error.kind === 'usage' || error.kind === 'config')) return EXIT.usage;
  return EXIT.failed;
}
