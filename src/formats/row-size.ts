import type { RowBatch, RowValue } from './row-batch.ts';

/** A slot of an array and a boxed number or bigint. */
const SCALAR_BYTES = 24;
const STRING_BYTES = 40;

/** About how much memory a batch's values take, in bytes: what decides when a row group is written, so it need only be the same each time. */
export function estimateBytes(batch: RowBatch): number {
  let bytes = 0;
  for (const column of batch.columns) {
    for (const value of column) bytes += valueBytes(value);
  }
  return bytes;
}

function valueBytes(value: RowValue): number {
  switch (typeof value) {
    case 'undefined':
      return 8;
    case 'string':
      return STRING_BYTES + value.length;
    case 'object':
      if (value instanceof Uint8Array) return 4 * SCALAR_BYTES + value.length;
      return Object.values(value).reduce((sum: number, part: RowValue) => sum + valueBytes(part), 2 * SCALAR_BYTES);
    default:
      return SCALAR_BYTES;
  }
}
