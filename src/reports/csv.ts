/** A cell: text, a number, or nothing. */
export type CsvCell = string | number | null | undefined;

/** What a spreadsheet takes for the start of a formula, full-width forms included (OWASP, "CSV Injection"). */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/u;

const NEEDS_QUOTES = /[",\r\n]/;

/**
 * Rows as CSV (RFC 4180): lines end with CRLF, quotes only where a value needs them, UTF-8 without a mark: what Python's `csv` writes.
 * Text that a spreadsheet would run as a formula gets an apostrophe before it. Numbers are written as they are.
 */
export function csvText(header: readonly string[], rows: readonly (readonly CsvCell[])[]): string {
  return [header, ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}

function cell(value: CsvCell): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number') return String(value);
  const safe = FORMULA.test(value) ? `'${value}` : value;
  return NEEDS_QUOTES.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
