import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { LakegateError } from '../errors.ts';
import { printable } from '../notify/printable.ts';
import type { CommandContext } from './context.ts';
import { LAKE_YAML } from './lake.ts';
import { EXIT, type ExitCode } from './output.ts';

/** `lakegate init`: writes a lake.yaml that works as it is and explains itself, and makes its raw folder. */
export async function init(context: CommandContext, options: { force?: boolean }): Promise<ExitCode> {
  const path = resolve(context.terminal.cwd, context.options.config ?? LAKE_YAML);
  if (existsSync(path) && !options.force) {
    throw new LakegateError('usage', `${path} is there already; --force replaces it`);
  }
  const { lakeYamlTemplate } = await import('../config/template.ts');
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, lakeYamlTemplate());
  mkdirSync(join(dirname(path), 'raw'), { recursive: true });
  context.output.result({ written: path }, () =>
    [
      `wrote ${printable(path)}`,
      'next: look through it, then one of',
      `  ${context.output.command('drop FILE')}    deliver a file now`,
      `  ${context.output.command('dev')}          watch ${printable(join(dirname(path), 'raw'))} and deliver what lands there`,
    ].join('\n'),
  );
  return EXIT.done;
}
