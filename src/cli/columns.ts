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
  const [first] = lines as [string];
  const over = width === undefined ? 0 : first.length - width;
  if (over > 0) {
    const last = first.length - first.lastIndexOf(head.at(-1)!);
    lines.splice(
      0,
      lines.length,
      ...render(head, rows, [...head.slice(1).map(() => null), Math.max(LEAST_WIDTH, last - over)]),
    );
  }
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
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
