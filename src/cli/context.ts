import type { Output, Terminal } from './output.ts';

/** Options that every command takes. */
export interface CommonOptions {
  config?: string;
  catalog?: string;
  stage?: string;
  json?: boolean;
}

/** What a command is given. */
export interface CommandContext {
  terminal: Terminal;
  output: Output;
  options: CommonOptions;
}
