import type { TableConfig } from '../config/model.ts';
import { LakegateError } from '../errors.ts';
import { CsvFault, CsvScanner } from './csv-scanner.ts';

/** How a CSV file is written: lake.yaml's `csv`. */
export type CsvOptions = TableConfig['csv'];

/** Some records of a CSV file, as places in its bytes. */
export interface CsvBatch {
  /** Column names of the header line; undefined where the file has none. */
  header: readonly string[] | undefined;
  /** Position of the first record, zero-based, header not counted. */
  firstRow: number;
  rows: number;
  /** Cells of each record, as many as in the first. */
  width: number;
  /** UTF-8 text. */
  data: Buffer;
  /** Where cells start and end: cell c of record r at `r * width + c`. */
  starts: Uint32Array;
  ends: Uint32Array;
  /** Line on which each record starts, from 1. */
  lines: readonly number[];
}

/**
 * Reads CSV (RFC 4180, with the given delimiter and quote; line ends may be mixed; blank lines are skipped). Yields at least one batch, so that
 * a file with a header and no rows still shows its columns.
 * @param chunks UTF-8 text, cut between characters
 * @throws LakegateError `corrupt` naming the line, for ragged records, stray and unclosed quotes, duplicate or empty names, a missing header
 */
export async function* csvRecords(
  chunks: AsyncIterable<Uint8Array>,
  options: CsvOptions,
  url: string,
): AsyncGenerator<CsvBatch> {
  const scanner = new CsvScanner(options.delimiter, options.quote);
  let header: string[] | undefined;
  let firstRow = 0;
  let yielded = false;

  const take = (data: Buffer): CsvBatch => {
    const { width } = scanner;
    const skipped = options.header && header === undefined && scanner.cells > 0 ? 1 : 0;
    if (skipped === 1) {
      header = Array.from({ length: width }, (_, cell) => textOf(data, scanner.starts[cell]!, scanner.ends[cell]!));
      checkHeader(header, url);
    }
    const rows = scanner.lines.length - skipped;
    const batch = {
      header,
      firstRow,
      rows,
      width,
      data,
      starts: scanner.starts.subarray(skipped * width, scanner.cells),
      ends: scanner.ends.subarray(skipped * width, scanner.cells),
      lines: skipped === 0 ? scanner.lines : scanner.lines.slice(skipped),
    };
    firstRow += rows;
    return batch;
  };
  const scan = (data: Buffer, last: boolean): number => {
    try {
      return scanner.scan(data, last);
    } catch (error) {
      throw error instanceof CsvFault ? structureError(error, options, url) : error;
    }
  };

  let pieces: Uint8Array[] = [];
  let held = 0;
  let wanted = 0;
  for await (const chunk of chunks) {
    pieces.push(chunk);
    held += chunk.length;
    // A record that goes on and on is looked at again only when twice as much of it is there.
    if (held < wanted) continue;
    const data = Buffer.concat(pieces, held);
    const whole = scan(data, false);
    const batch = take(data);
    if (batch.rows > 0) {
      yield batch;
      yielded = true;
    }
    pieces = [data.subarray(whole)];
    held = data.length - whole;
    wanted = whole === 0 ? 2 * held : 0;
  }
  const data = Buffer.concat(pieces, held);
  scan(data, true);
  const batch = take(data);
  if (options.header && header === undefined) {
    throw new LakegateError('corrupt', `${url}: expected a header line with column names, found an empty file.`, {
      context: { url },
    });
  }
  if (batch.rows > 0 || !yielded) yield batch;
}

/** The text of a record's cell. */
export function cellText(batch: CsvBatch, row: number, cell: number): string {
  const at = row * batch.width + cell;
  return textOf(batch.data, batch.starts[at]!, batch.ends[at]!);
}

/** Line on which the record at `index` of the batch starts, from 1. */
export function lineOf(batch: CsvBatch, index: number): number {
  return batch.lines[index] ?? 0;
}

function textOf(data: Buffer, start: number, end: number): string {
  return data.toString('utf8', start, end);
}

function checkHeader(header: readonly string[], url: string): void {
  const seen = new Set<string>();
  for (const [index, name] of header.entries()) {
    const fault =
      name.trim() === '' ? 'has no name' : seen.has(name) ? `repeats the name ${JSON.stringify(name)}` : undefined;
    if (fault !== undefined) {
      throw new LakegateError(
        'corrupt',
        `${url}: line 1: column ${index + 1} of the header ${fault}. Give every column a name of its own; if the file has no header, set \`header: false\`.`,
        { context: { url, header: [...header] } },
      );
    }
    seen.add(name);
  }
}

function structureError(fault: CsvFault, options: CsvOptions, url: string): LakegateError {
  const { code, line, message } = fault;
  const advice =
    code === 'quote_not_closed' || code === 'too_long'
      ? `A quote (${options.quote}) is not closed, or the file was cut off.`
      : code === 'ragged'
        ? `Every line needs as many cells as the first; a ${JSON.stringify(options.delimiter)} inside a cell has to be quoted.`
        : 'A quote inside a cell has to be doubled, and the cell quoted.';
  return new LakegateError('corrupt', `${url}: line ${line}: not well-formed CSV: ${message}. ${advice}`, {
    context: { url, line, code },
    cause: fault,
  });
}
