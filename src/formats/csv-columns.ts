import { LakegateError } from '../errors.ts';
import type { NestedField, PrimitiveType } from '../iceberg/model.ts';
import type { FlatColumn } from '../parquet/flat-column.ts';
import type { BadValues } from './bad-values.ts';
import { type CellReader, dateDays, fraction, localMicros, truth, wholeNumber, zonedMicros } from './cell-bytes.ts';
import { columnBuilder, nullColumn } from './column-builder.ts';
import { expectedText, textConverter } from './convert.ts';
import { type CsvBatch, cellText, lineOf } from './csv.ts';
import type { Column } from './row-batch.ts';

/** Gives one cell of each record of a batch as a column. */
export type CellsReader = (batch: CsvBatch) => Column;

/**
 * Reads the cells of a field: numbers, dates and the like from their bytes, text as it lies there.
 * @param cell index of the field's cell in a record; -1 where the file has none
 * @param nulls cells that are null, quoted or not
 * @throws LakegateError `unsupported` for a list, map or struct
 */
export function cellsReader(field: NestedField, cell: number, nulls: readonly string[], bad: BadValues): CellsReader {
  const { type, name, required } = field;
  if (typeof type !== 'string') {
    return (batch) => {
      if (cell >= 0) throw noCell(name, type.type);
      return new Array<undefined>(batch.rows).fill(undefined);
    };
  }
  if (cell < 0) return (batch) => nullColumn(type, batch.rows);
  const isNull = nullTest(nulls);
  const nullAt = (batch: CsvBatch, row: number): boolean => {
    const at = row * batch.width + cell;
    if (!isNull(batch.data, batch.starts[at]!, batch.ends[at]!)) return false;
    if (required) bad.add(where(batch, row), name, null, `${type} (required)`);
    return true;
  };
  if (type === 'string') return (batch) => textColumn(batch, cell, nullAt);
  const fast = fastReader(type);
  const convert = textConverter(type);
  const expected = expectedText(type);
  return (batch) => {
    const { rows, width, data, starts, ends } = batch;
    const builder = columnBuilder(type, rows);
    for (let row = 0, at = cell; row < rows; row++, at += width) {
      if (nullAt(batch, row)) {
        builder.setNull(row);
        continue;
      }
      const number = fast(data, starts[at]!, ends[at]!);
      if (!Number.isNaN(number)) {
        builder.setNumber(row, number);
        continue;
      }
      const text = cellText(batch, row, cell);
      const value = convert(text);
      if (value !== undefined) builder.set(row, value);
      else {
        builder.setNull(row);
        bad.add(where(batch, row), name, text, expected);
      }
    }
    return builder.finish();
  };
}

function fastReader(type: PrimitiveType): CellReader {
  switch (type) {
    case 'int':
      return (data, start, end) => {
        const value = wholeNumber(data, start, end);
        return value >= -2147483648 && value <= 2147483647 ? value : Number.NaN;
      };
    case 'long':
      return wholeNumber;
    case 'double':
      return fraction;
    case 'boolean':
      return truth;
    case 'date':
      return dateDays;
    case 'timestamp':
      return localMicros;
    case 'timestamptz':
      return zonedMicros;
    default:
      return () => Number.NaN;
  }
}

function textColumn(batch: CsvBatch, cell: number, nullAt: (batch: CsvBatch, row: number) => boolean): FlatColumn {
  const { rows, width, data } = batch;
  const starts = new Uint32Array(rows);
  const ends = new Uint32Array(rows);
  let present: Uint8Array | undefined;
  for (let row = 0, at = cell; row < rows; row++, at += width) {
    if (nullAt(batch, row)) {
      present ??= new Uint8Array(rows).fill(1);
      present[row] = 0;
    } else {
      starts[row] = batch.starts[at]!;
      ends[row] = batch.ends[at]!;
    }
  }
  return { kind: 'bytes', rows, entries: { data, starts, ends }, ...(present === undefined ? {} : { present }) };
}

/** Tells whether a cell is one of the texts that mean null. */
export function nullTest(nulls: readonly string[]): (data: Uint8Array, start: number, end: number) => boolean {
  const spelled = nulls.map((text) => Buffer.from(text));
  return (data, start, end) => {
    for (const bytes of spelled) {
      if (bytes.length !== end - start) continue;
      let same = true;
      for (let i = 0; same && i < bytes.length; i++) same = data[start + i] === bytes[i];
      if (same) return true;
    }
    return false;
  };
}

function where(batch: CsvBatch, index: number): { row: number; line: number } {
  return { row: batch.firstRow + index, line: lineOf(batch, index) };
}

function noCell(name: string, kind: string): LakegateError {
  return new LakegateError(
    'unsupported',
    `Column "${name}" is a ${kind}: a CSV cell cannot hold one. Send the file as JSON Lines or Parquet.`,
    { context: { column: name } },
  );
}
