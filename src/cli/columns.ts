import Table from 'cli-table3';
import { printable } from '../notify/printable.ts';

/** A cell: text as it came, and how it is to be coloured. */
export type Cell = string | { text: string; paint: (text: string) => string };

/** The last column is not made narrower than this for the sake of the terminal's width. */
const LEAST_WIDTH = 12;

const NO_BORDERS = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
};

/**
 * Columns without borders, wide characters counted right.
 * @param width characters in a line of the terminal: where a row would be longer, its last cell is cut (`…`)
 */
export function columns(head: readonly string[], rows: readonly (readonly Cell[])[], width?: number): string {
  const lines = render(head, rows, []);
  // The head is plain ASCII and padded to the table's full width, so its length is what the widest row takes.
  const full = lines[0]!.length;
  const fitted =
    width === undefined || full <= width
      ? lines
      : render(head, rows, [
          ...head.slice(1).map(() => null),
          Math.max(LEAST_WIDTH, lastWidth(lines[0]!, head) - (full - width)),
        ]);
  return `${fitted.map((line) => line.trimEnd()).join('\n')}\n`;
}

function lastWidth(line: string, head: readonly string[]): number {
  return line.length - head.slice(0, -1).reduce((from, name) => line.indexOf(name, from) + name.length, 0);
}

function render(
  head: readonly string[],
  rows: readonly (readonly Cell[])[],
  colWidths: readonly (number | null)[],
): string[] {
  const table = new Table({
    head: [...head],
    chars: NO_BORDERS,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
    colWidths: [...colWidths],
  });
  for (const row of rows) {
    table.push(row.map((cell) => (typeof cell === 'string' ? printable(cell) : cell.paint(printable(cell.text)))));
  }
  return table.toString().split('\n');
}
