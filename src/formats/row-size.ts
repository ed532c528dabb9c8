import type { RowValue } from './row-batch.ts';

/** A slot of an array and a boxed number or bigint. */
const SCALAR_BYTES = 24;
const STRING_BYTES = 40;

/** About how much memory a value takes, in bytes: what decides when a row group is written, so it need only be the same each time. */
export function valueBytes(value: RowValue): number {
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
