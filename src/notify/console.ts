import { type Notice, notices, type StoppedNotice } from './notice.ts';
import type { News } from './notifier.ts';
import { printable } from './printable.ts';

export interface ConsoleOptions {
  /** Whether the terminal takes ANSI colours. */
  color: boolean;
}

type Style = 'red' | 'green' | 'bold' | 'dim';
const CODES: Readonly<Record<Style, number>> = { red: 31, green: 32, bold: 1, dim: 2 };

/**
 * What Slack would be told, for a terminal: the same deliveries, findings and commands, all of them. Ends in a line break; empty when there
 * is nothing to tell. Control characters in names and values are shown, not obeyed.
 */
export function renderConsole(events: readonly News[], options: ConsoleOptions): string {
  const paint = (style: Style, text: string) =>
    options.color ? `\u{1b}[${CODES[style]}m${printable(text)}\u{1b}[0m` : printable(text);
  return notices(events)
    .map((notice) => `${render(notice, paint).join('\n')}\n`)
    .join('\n');
}

type Paint = (style: Style, text: string) => string;

function render(notice: Notice, paint: Paint): string[] {
  const owner = notice.owner === undefined ? '' : ` ${paint('dim', `owner ${notice.owner}`)}`;
  if (notice.kind === 'stopped')
    return [`${paint('red', '✗')} ${paint('bold', notice.headline)}${owner}`, ...stopped(notice, paint)];
  if (notice.kind === 'note') {
    return [
      `${paint('dim', '!')} ${paint('bold', notice.headline)}${owner}`,
      ...notice.items.map((item) => `    ${printable(item)}`),
      ...notice.text.map((text) => `  ${printable(text)}`),
      ...(notice.link ? [`  ${printable(`${notice.link.text}: ${notice.link.url}`)}`] : []),
    ];
  }
  return [
    `${paint('green', '+')} ${paint('bold', notice.headline)}${owner}`,
    ...notice.columns.map((column) => `    ${printable(column)}`),
    ...notice.files.map((file) => `  ${paint('dim', `from ${file}`)}`),
  ];
}

function stopped(notice: StoppedNotice, paint: Paint): string[] {
  return notice.deliveries.flatMap((delivery) => {
    const facts = [...delivery.facts, delivery.branch === undefined ? 'no branch' : `branch ${delivery.branch}`];
    return [
      `  ${printable(delivery.file)}`,
      `    ${paint('dim', facts.join(' · '))}`,
      ...(delivery.reason === undefined ? [] : [`    ${printable(delivery.reason)}`]),
      ...delivery.findings.map(({ rule, column, text }) => {
        const on = column === undefined ? '' : ` on ${printable(column)}`;
        return `    ${paint('red', rule)}${on}: ${printable(text)}`;
      }),
      ...delivery.commands.map((command) => `    ${paint('dim', '$')} ${printable(command)}`),
    ];
  });
}
