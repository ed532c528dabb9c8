import { valuesOf } from '../../src/formats/column-storage.ts';
import type { Column, RowBatch, RowValue } from '../../src/formats/row-batch.ts';
import type { Schema } from '../../src/iceberg/model.ts';
import { isFlat } from '../../src/parquet/flat-column.ts';
import { createMemoryStore } from '../../src/storage/memory.ts';
import type { RangeReader } from '../../src/storage/store.ts';

/** A reader over bytes or text under a name of its own. */
export async function source(name: string, content: string | Uint8Array): Promise<RangeReader> {
  const store = createMemoryStore();
  const url = `memory:/drop/${name}`;
  await store.create(url, typeof content === 'string' ? Buffer.from(content) : content);
  return store.open(url);
}

/** Chunks of the given size, so that every boundary falls somewhere awkward. */
export async function* chunked(text: string | Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

export async function gathered<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

export const commaCsv = { delimiter: ',', quote: '"', header: true, nullValue: [''] };

/** The values of all batches, column by column. */
export function valuesOfBatches(batches: readonly RowBatch[], schema: Schema): RowValue[][] {
  return schema.fields.map(({ type }, index) => {
    const values = (column: Column): readonly RowValue[] =>
      isFlat(column) && typeof type === 'string' ? valuesOf(column, type) : (column as readonly RowValue[]);
    return batches.flatMap((batch) => [...values(batch.columns[index] ?? [])]);
  });
}
