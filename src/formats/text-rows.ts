import { LakegateError } from '../errors.ts';
import type { Schema } from '../iceberg/model.ts';
import { formatType } from '../iceberg/types.ts';
import type { RangeReader } from '../storage/store.ts';
import { type BadValues, collectBadValues } from './bad-values.ts';
import { jsonConverter } from './convert-json.ts';
import { type CsvBatch, type CsvOptions, csvRecords } from './csv.ts';
import { type CellsReader, cellsReader } from './csv-columns.ts';
import { asText, type DetectedFormat } from './detect.ts';
import { type JsonBatch, jsonRecords } from './jsonl.ts';
import type { RowBatch, RowValue } from './row-batch.ts';
import { textChunks } from './text-stream.ts';

/**
 * The rows of a CSV or JSON Lines file as values of the table's columns. Columns are matched by exact name (by position in a CSV without header);
 * optional columns that the file lacks are null. A CSV cell that equals one of `nullValue` is null, quoted or not.
 *
 * Every row is checked, but from the first bad value on no more rows are given: the file is refused at its end, with all bad values counted.
 * @throws LakegateError `invalid` for bad values (context `{url, count, first}`), for columns that the table lacks and required ones that the file
 *   lacks; `corrupt` for a file that is not what it says
 */
export async function* textRows(
  reader: RangeReader,
  detected: DetectedFormat,
  csv: CsvOptions,
  schema: Schema,
): AsyncGenerator<RowBatch> {
  const bad = collectBadValues(reader.url);
  const { format, compression, delimiter = csv.delimiter } = asText(detected, reader.url);
  const chunks = textChunks(reader, compression);
  const batches =
    format === 'csv'
      ? csvRows(csvRecords(chunks, { ...csv, delimiter }, reader.url), csv, schema, bad, reader.url)
      : jsonRows(jsonRecords(chunks, reader.url), schema, bad);
  for await (const batch of batches) {
    if (bad.count === 0 && batch.rows > 0) yield batch;
  }
  bad.refuse();
}

async function* csvRows(
  batches: AsyncIterable<CsvBatch>,
  options: CsvOptions,
  schema: Schema,
  bad: BadValues,
  url: string,
): AsyncGenerator<RowBatch> {
  let readers: CellsReader[] | undefined;
  for await (const batch of batches) {
    if (readers === undefined) {
      const cellOf = matchColumns(batch.header, batch.rows === 0 ? undefined : batch.width, schema, url);
      readers = schema.fields.map((field, index) => cellsReader(field, cellOf[index] ?? -1, options.nullValue, bad));
    }
    yield { firstRow: batch.firstRow, rows: batch.rows, columns: readers.map((read) => read(batch)) };
  }
}

/** For each field of the schema the index of its cell in a record; -1 where the file has none. */
function matchColumns(
  header: readonly string[] | undefined,
  cells: number | undefined,
  schema: Schema,
  url: string,
): number[] {
  const names = schema.fields.map((field) => field.name);
  if (header === undefined) {
    if (cells === undefined || cells === names.length) return names.map((_, index) => index);
    throw new LakegateError(
      'invalid',
      `${url}: expected ${names.length} cells a line (${names.join(', ')}), found ${cells}. Without a header the cells are the table's columns in order.`,
      { context: { url, expected: names.length, found: cells } },
    );
  }
  const unknown = header.filter((name) => !names.includes(name));
  const missing = schema.fields.filter((field) => field.required && !header.includes(field.name));
  if (unknown.length > 0 || missing.length > 0) {
    const faults = [
      ...unknown.map((name) => `column ${JSON.stringify(name)} is not in the table`),
      ...missing.map((field) => `required column "${field.name}" (${formatType(field.type)}) is not in the file`),
    ];
    throw new LakegateError(
      'invalid',
      `${url}: ${faults.join('; ')}. The table has: ${names.join(', ')}. Names have to match exactly.`,
      { context: { url, unknown, missing: missing.map((field) => field.name) } },
    );
  }
  return names.map((name) => header.indexOf(name));
}

async function* jsonRows(batches: AsyncIterable<JsonBatch>, schema: Schema, bad: BadValues): AsyncGenerator<RowBatch> {
  const converters = schema.fields.map((field) => jsonConverter(field.type, field.required, field.name));
  const known = new Set(schema.fields.map((field) => field.name));
  for await (const batch of batches) {
    const columns = schema.fields.map(() => new Array<RowValue>(batch.records.length).fill(undefined));
    for (const [index, record] of batch.records.entries()) {
      const misfit = (path: string, value: unknown, expected: string) =>
        bad.add({ row: batch.firstRow + index, line: batch.lines[index] ?? 0 }, path, value, expected);
      for (const name in record) {
        if (!known.has(name)) misfit(name, record[name], 'no such column: the table has none of this name');
      }
      for (const [column, field] of schema.fields.entries()) {
        const value = Object.hasOwn(record, field.name) ? record[field.name] : undefined;
        const values = columns[column];
        const convert = converters[column];
        if (values !== undefined && convert !== undefined) values[index] = convert(value, misfit);
      }
    }
    yield { firstRow: batch.firstRow, rows: batch.records.length, columns };
  }
}
