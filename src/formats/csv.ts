import { type CsvError, parse } from 'csv-parse';
import type { TableConfig } from '../config/model.ts';
import { LakegateError } from '../errors.ts';

/** How a CSV file is written: lake.yaml's `csv`. */
export type CsvOptions = TableConfig['csv'];

/** Some records of a CSV file. */
export interface CsvBatch {
  /** Column names of the header line; undefined where the file has none. */
  header: readonly string[] | undefined;
  /** Position of the first record, zero-based, header not counted. */
  firstRow: number;
  /** Cells as text, as many in each record as in the first. */
  records: string[][];
  /** Line on which each record ends, from 1. */
  endLines: number[];
}

/** A record longer than this is an unclosed quote or the wrong delimiter. */
const MAX_RECORD_CHARACTERS = 16 << 20;

/**
 * Reads CSV (RFC 4180, with the given delimiter and quote; line ends may be mixed; blank lines are skipped). Yields at least one batch, so that
 * a file with a header and no rows still shows its columns.
 * @param chunks UTF-8 text
 * @throws LakegateError `corrupt` naming the line, for ragged records, stray and unclosed quotes, duplicate or empty names, a missing header
 */
export async function* csvRecords(
  chunks: AsyncIterable<Uint8Array>,
  options: CsvOptions,
  url: string,
): AsyncGenerator<CsvBatch> {
  let header: string[] | undefined;
  let firstRow = 0;
  let records: string[][] = [];
  let endLines: number[] = [];
  // Records are taken in the callback and never queued in the parser's object stream, which would cost a third of the time.
  const parser = parse({
    delimiter: options.delimiter,
    quote: options.quote === '' ? null : options.quote,
    escape: options.quote === '' ? null : options.quote,
    record_delimiter: ['\r\n', '\n', '\r'],
    skip_empty_lines: true,
    max_record_size: MAX_RECORD_CHARACTERS,
    on_record: (record: string[], context) => {
      if (options.header && header === undefined) header = record;
      else {
        records.push(record);
        endLines.push(context.lines);
      }
      return undefined;
    },
  });
  let fault: Error | undefined;
  parser.on('error', (error) => {
    fault = error;
  });
  parser.resume();

  let checked = false;
  const take = (): CsvBatch => {
    if (!checked && header !== undefined) {
      checkHeader(header, url);
      checked = true;
    }
    const batch = { header, firstRow, records, endLines };
    firstRow += records.length;
    records = [];
    endLines = [];
    return batch;
  };

  let yielded = false;
  try {
    for await (const chunk of chunks) {
      await new Promise<void>((resolve) => {
        parser.write(chunk, () => resolve());
      });
      if (fault !== undefined) throw structureError(fault, options, url);
      if (records.length > 0) {
        yield take();
        yielded = true;
      }
    }
    await new Promise<void>((resolve) => {
      parser.once('close', () => resolve());
      parser.end(() => resolve());
    });
    if (fault !== undefined) throw structureError(fault, options, url);
  } finally {
    parser.destroy();
  }
  if (options.header && header === undefined) {
    throw new LakegateError('corrupt', `${url}: expected a header line with column names, found an empty file.`, {
      context: { url },
    });
  }
  if (records.length > 0 || !yielded) yield take();
}

/** Line on which the record at `index` of the batch starts, from 1. */
export function lineOf(batch: CsvBatch, index: number): number {
  let line = batch.endLines[index] ?? 0;
  for (const cell of batch.records[index] ?? []) line -= cell.split('\n').length - 1;
  return line;
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

function structureError(fault: Error, options: CsvOptions, url: string): LakegateError {
  const { code, lines } = fault as CsvError;
  const line = typeof lines === 'number' ? lines : undefined;
  const advice =
    code === 'CSV_QUOTE_NOT_CLOSED' || code === 'CSV_MAX_RECORD_SIZE'
      ? `A quote (${options.quote}) is not closed, or the file was cut off.`
      : code === 'CSV_RECORD_INCONSISTENT_FIELDS_LENGTH' || code === 'CSV_RECORD_INCONSISTENT_COLUMNS'
        ? `Every line needs as many cells as the first; a ${JSON.stringify(options.delimiter)} inside a cell has to be quoted.`
        : 'A quote inside a cell has to be doubled, and the cell quoted.';
  return new LakegateError(
    'corrupt',
    `${url}: ${line === undefined ? '' : `line ${line}: `}not well-formed CSV: ${fault.message.replace(/ (on|at) line \d+/, '').slice(0, 200)}. ${advice}`,
    { context: { url, line, code }, cause: fault },
  );
}
