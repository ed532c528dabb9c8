import { parse } from 'csv-parse/sync';
import { LakegateError } from '../errors.ts';
import type { MapEntry } from './model.ts';

const TABLE = /(^|_)table(_?name)?$/i;
const COLUMN = /(^|_)(column|field)(_?name)?$/i;
/** Spreadsheets write it in front of UTF-8. */
const BOM = '\ufeff';

/**
 * Reads a split map: CSV with a header that names a table column and a column column (`OMC_FLYWHEEL_TABLE`, `table`, `table_name`; likewise for
 * the column), any third one describes the field. Quotes, commas and line breaks in descriptions are CSV's own. Empty lines count for nothing.
 * @param name how error messages call it
 * @throws LakegateError `invalid` with every faulty line
 */
export function parseSplitMap(text: string, name: string): MapEntry[] {
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
    return entry;
  });
  if (entries.length === 0) faults.push('it has a header and nothing below it');
  if (faults.length > 0) throw invalid(name, faults);
  return entries;
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
    throw new LakegateError('invalid', `${name} is not readable as CSV: ${(cause as Error).message}`, { cause });
  }
}

function invalid(name: string, faults: readonly string[]): LakegateError {
  const shown = faults.slice(0, 50).map((fault) => `\n  ${fault}`);
  const more = faults.length > 50 ? `\n  and ${faults.length - 50} more` : '';
  return new LakegateError('invalid', `the split map ${name} cannot be used:${shown.join('')}${more}`, {
    context: { name },
  });
}
