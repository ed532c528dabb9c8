import { parse } from 'csv-parse/sync';
import { LakegateError } from '../errors.ts';
import type { MapEntry } from './model.ts';

const TABLE = /(^|_)table(_?name)?$/i;
const COLUMN = /(^|_)(column|field)(_?name)?$/i;
/** Spreadsheets write it in front of UTF-8. */
const BOM = '\ufeff';
/** What a decoder of UTF-8 makes of bytes that are none. */
const NO_UTF8 = '\ufffd';
/** What spreadsheets put between fields where they do not put commas, as messages call it. */
const SEPARATORS = { ';': 'semicolons', '\t': 'tabs' } as const;

/**
 * Reads a split map: CSV with a header that names a table column and a column column (`OMC_FLYWHEEL_TABLE`, `table`, `table_name`; likewise for
 * the column), any third one describes the field. Quotes, commas and line breaks in descriptions are CSV's own. Empty lines count for nothing. What is
 * no UTF-8 may stand in descriptions alone.
 * @param text decoded as UTF-8, other bytes replaced (U+FFFD)
 * @param name how error messages call it
 * @throws LakegateError `invalid` with every faulty line
 */
export function parseSplitMap(text: string, name: string): MapEntry[] {
  checkText(text, name);
  const records = recordsOf(text.startsWith(BOM) ? text.slice(1) : text, name);
  const [header, ...rows] = records;
  if (header === undefined) throw invalid(name, ['it is empty; expected a header and a line for each field']);
  const names = header.cells.map((cell) => cell.trim());
  const table = names.findIndex((cell) => TABLE.test(cell));
  const column = names.findIndex((cell) => COLUMN.test(cell));
  if (table === -1 || column === -1) {
    throw invalid(name, [
      `line ${header.line}: expected a header that names a table and a column, such as "table,column,description", found ${JSON.stringify(names.join(','))}`,
    ]);
  }
  const description = names.findIndex((_, index) => index !== table && index !== column);
  const faults: string[] = [];
  const entries = rows.map(({ cells, line }) => {
    const entry = {
      table: (cells[table] ?? '').trim(),
      column: (cells[column] ?? '').trim(),
      description: (cells[description] ?? '').trim(),
      line,
    };
    if (entry.table === '') faults.push(`line ${line}: no table`);
    if (entry.column === '') faults.push(`line ${line}: no column`);
    const broken = [entry.table, entry.column].find((cell) => cell.includes(NO_UTF8));
    if (broken !== undefined) {
      faults.push(`line ${line}: ${JSON.stringify(broken)} has bytes that are no UTF-8. Save the map as "CSV UTF-8"`);
    }
    return entry;
  });
  if (entries.length === 0) faults.push('it has a header and nothing below it');
  if (faults.length > 0) throw invalid(name, faults);
  return entries;
}

/** What spreadsheets save under the same name, and is no CSV by commas in UTF-8. @throws LakegateError `invalid` */
function checkText(text: string, name: string): void {
  if (text.includes('\0')) {
    throw invalid(name, ['expected CSV in UTF-8, found zero bytes: it looks like UTF-16. Save it as "CSV UTF-8"']);
  }
  const [first = ''] = text.split('\n', 1);
  if (first.includes(',')) return;
  for (const [separator, what] of Object.entries(SEPARATORS)) {
    if (!first.includes(separator)) continue;
    throw invalid(name, [`line 1: expected commas between the fields, found ${what}. Save it with commas`]);
  }
}

function recordsOf(text: string, name: string): { cells: string[]; line: number }[] {
  try {
    const records = parse(text, { info: true, relax_column_count: true, skip_empty_lines: true }) as unknown as {
      record: string[];
      info: { lines: number };
    }[];
    return records
      .map(({ record, info }) => ({ cells: record, line: info.lines }))
      .filter(({ cells }) => cells.some((cell) => cell.trim() !== ''));
  } catch (cause) {
    throw new LakegateError(
      'invalid',
      `${name} is not readable as CSV: ${(cause as Error).message}. Fields with commas, quotes or line breaks stand in quotes, and a quote in them is doubled`,
      { cause },
    );
  }
}

function invalid(name: string, faults: readonly string[]): LakegateError {
  const shown = faults.slice(0, 50).map((fault) => `\n  ${fault}`);
  const more = faults.length > 50 ? `\n  and ${faults.length - 50} more` : '';
  return new LakegateError('invalid', `the split map ${name} cannot be used:${shown.join('')}${more}`, {
    context: { name },
  });
}
