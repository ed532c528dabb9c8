import { LakegateError } from '../errors.ts';
import type { NestedField, PrimitiveType, Schema, Value } from '../iceberg/model.ts';
import { type FlatColumn, isFlat } from '../parquet/flat-column.ts';
import { BytesBlock } from './bytes-block.ts';
import { type ChunkValues, Scratch } from './chunk-values.ts';
import { flatColumn } from './column-builder.ts';
import { storageOf } from './column-storage.ts';
import { FixedBlock } from './fixed-block.ts';
import type { Column, RowBatch, RowValue } from './row-batch.ts';
import { valueBytes } from './row-size.ts';

/** The waiting rows of one column. */
export type BlockColumn = FixedBlock | BytesBlock | ValuesBlock;

/** The waiting rows of a list, map or struct column. */
class ValuesBlock {
  readonly kind = 'values';
  size = 0;
  values: RowValue[] = [];

  append(values: readonly RowValue[]): void {
    for (const value of values) {
      this.values.push(value);
      this.size += valueBytes(value);
    }
  }

  keep(rows: Uint32Array): void {
    this.values = Array.from(rows, (row) => this.values[row]);
    this.size = this.values.reduce((sum: number, value) => sum + valueBytes(value), 0);
  }
}

/** Rows that wait to be written, of all partitions together: each column is one piece of memory that is used again and again. */
export class RowBlock {
  readonly columns: readonly BlockColumn[];
  rows = 0;
  private readonly fields: readonly NestedField[];
  private readonly scratch = new Scratch();

  constructor(schema: Schema) {
    this.fields = schema.fields;
    this.columns = schema.fields.map(({ type }) => {
      if (typeof type !== 'string') return new ValuesBlock();
      const storage = storageOf(type);
      return storage.kind === 'fixed' ? new FixedBlock(storage.width) : new BytesBlock();
    });
  }

  /** Memory that the rows take, in bytes. */
  get size(): number {
    return this.columns.reduce((sum, column) => sum + column.size, 0);
  }

  /** Takes a batch's rows in: they are copied. */
  append(batch: RowBatch): void {
    for (const [index, block] of this.columns.entries()) {
      const field = this.fields[index]!;
      const column = batch.columns[index] ?? [];
      const flat = typeof field.type === 'string' ? asFlat(column, field.type) : column;
      if (block.kind === 'values' && !isFlat(flat)) block.append(flat);
      else if (block.kind === 'fixed' && isFlat(flat) && flat.kind === 'fixed') block.append(flat);
      else if (block.kind === 'bytes' && isFlat(flat) && flat.kind === 'bytes') block.append(flat);
      else throw notStored(field);
      if ((isFlat(flat) ? flat.rows : flat.length) !== batch.rows) throw notStored(field);
    }
    this.rows += batch.rows;
  }

  /** The values of a column at the given rows, ascending. Numbers are good until the next column is gathered. */
  gather(column: number, rows: Uint32Array): ChunkValues {
    const block = this.columns[column]!;
    if (block.kind === 'fixed') return block.gather(rows, this.scratch);
    if (block.kind === 'bytes') return block.gather(rows);
    return { kind: 'values', values: Array.from(rows, (row) => block.values[row]) };
  }

  /** Lets go of all rows but the given ones, ascending. */
  keep(rows: Uint32Array): void {
    for (const column of this.columns) column.keep(rows);
    this.rows = rows.length;
  }
}

function asFlat(column: Column, type: PrimitiveType): FlatColumn {
  return isFlat(column) ? column : flatColumn(type, column as readonly (Value | undefined)[]);
}

function notStored(field: NestedField): LakegateError {
  return new LakegateError('internal', `Column "${field.name}" was handed over in a form that is not its type's.`, {
    context: { column: field.name },
  });
}
