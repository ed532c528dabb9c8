/** docs/commands.md names what the program has: every command with its arguments, every option beside a command that takes it, and no others. */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { buildProgram } from '../../src/cli/program.ts';

const { stdout: out, stderr: err } = process;
const program = buildProgram({ out, err }, () => async () => undefined);
const rows = readFileSync('docs/commands.md', 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.slice(2).split(' | '));

/** Everything that can be called, by its words. */
function callable(command: Command, words: readonly string[] = []): [string, Command][] {
  return command.commands.flatMap((child): [string, Command][] => {
    const own = [...words, child.name()];
    return child.commands.length > 0 ? callable(child, own) : [[own.join(' '), child]];
  });
}

const commands = callable(program);
const takes = (command: Command) =>
  command.registeredArguments
    .map(
      (argument) =>
        `${argument.required ? '<' : '['}${argument.name()}${argument.variadic ? '...' : ''}${argument.required ? '>' : ']'}`,
    )
    .join(' ');
const flags = (text: string) => [...text.matchAll(/`(--?[\w-]+(?: <\w+>)?)`/g)].map(([, flag]) => flag!).join(', ');

test('every command, with its arguments', () => {
  const documented = rows.filter(({ length }) => length === 2).map(([first]) => first!.replaceAll('`', ''));
  const wanted = commands.map(([words, command]) => `${words} ${takes(command)}`.trim());
  expect(wanted.filter((words) => !documented.includes(words))).toEqual([]);
  expect(commands.length).toBeGreaterThan(15);
});

test('every option, at the command that takes it, and no other', () => {
  const documented = rows
    .filter(({ length }) => length === 4)
    .flatMap(([option, of]) => of!.split(', ').map((words) => `${words.replaceAll('`', '')}: ${flags(option!)}`));
  const wanted = commands.flatMap(([words, command]) => command.options.map((option) => `${words}: ${option.flags}`));
  expect(documented.sort()).toEqual(wanted.sort());
});

test('the options of all commands', () => {
  const documented = rows.filter(({ length }) => length === 3).map(([first]) => flags(first!));
  expect(documented).toEqual(expect.arrayContaining(program.options.map(({ flags: option }) => option)));
});
