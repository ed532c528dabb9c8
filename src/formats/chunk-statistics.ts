import type { Value } from '../iceberg/model.ts';
import type { BytesChunk, FixedChunk } from './chunk-values.ts';
import type { Storage } from './column-storage.ts';

/** Smallest and largest value of a column chunk (spec: parquet.thrift, Statistics); undefined where it has none but NaN. */
export interface ChunkBounds {
  min?: Value;
  max?: Value;
  /** Only of fractions. */
  nans?: number;
}

/** Bounds of numbers. @param unscaled whether they are a decimal's digits, to be given as bigint */
export function fixedBounds(chunk: FixedChunk, storage: Storage & { kind: 'fixed' }, unscaled: boolean): ChunkBounds {
  const { bytes, count, width } = chunk;
  if (storage.number === 'fraction') {
    const { buffer, byteOffset } = bytes;
    return fractionBounds(
      width === 4 ? new Float32Array(buffer, byteOffset, count) : new Float64Array(buffer, byteOffset, count),
    );
  }
  if (count === 0) return {};
  if (width === 8) return longBounds(new Int32Array(bytes.buffer, bytes.byteOffset, 2 * count));
  const values = width === 1 ? bytes : new Int32Array(bytes.buffer, bytes.byteOffset, count);
  let min = values[0]!;
  let max = min;
  for (let i = 1; i < count; i++) {
    const value = values[i]!;
    if (value < min) min = value;
    else if (value > max) max = value;
  }
  if (width === 1) return { min: min !== 0, max: max !== 0 };
  return unscaled ? { min: BigInt(min), max: BigInt(max) } : { min, max };
}

function fractionBounds(values: Float32Array | Float64Array): ChunkBounds {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let nans = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value < min) min = value;
    if (value > max) max = value;
    if (Number.isNaN(value)) nans++;
  }
  if (nans === values.length) return { nans };
  // One zero may stand for the other, so the bound is the one that encloses both.
  return { min: min === 0 ? -0 : min, max: max === 0 ? 0 : max, nans };
}

function longBounds(words: Int32Array): ChunkBounds {
  let min = 0;
  let max = 0;
  for (let i = 2; i < words.length; i += 2) {
    const high = words[i + 1]!;
    const low = words[i]! >>> 0;
    const minHigh = words[min + 1]!;
    const maxHigh = words[max + 1]!;
    if (high < minHigh || (high === minHigh && low < words[min]! >>> 0)) min = i;
    else if (high > maxHigh || (high === maxHigh && low > words[max]! >>> 0)) max = i;
  }
  const long = (at: number) => (BigInt(words[at + 1]!) << 32n) | BigInt(words[at]! >>> 0);
  return { min: long(min), max: long(max) };
}

/** Bounds of text and bytes by their bytes, of decimals by their value; as stored. */
export function bytesBounds({ data, offsets, indexes, count }: BytesChunk, signed: boolean): ChunkBounds {
  if (count === 0) return {};
  const first = (entry: number): number => {
    const at = offsets[entry]!;
    return at < offsets[entry + 1]! ? data[at]! ^ (signed ? 0x80 : 0) : -1;
  };
  const order = (a: number, b: number): number => {
    const difference = first(a) - first(b);
    if (difference !== 0) return difference;
    let i = offsets[a]!;
    let j = offsets[b]!;
    const end = offsets[a + 1]!;
    const otherEnd = offsets[b + 1]!;
    while (i < end && j < otherEnd) {
      const byte = data[i++]! - data[j++]!;
      if (byte !== 0) return byte;
    }
    return end - i - (otherEnd - j);
  };
  let min = indexes[0]!;
  let max = min;
  for (let i = 1; i < count; i++) {
    const entry = indexes[i]!;
    if (entry === min || entry === max) continue;
    if (order(entry, min) < 0) min = entry;
    else if (order(entry, max) > 0) max = entry;
  }
  const bytes = (entry: number) => data.slice(offsets[entry], offsets[entry + 1]);
  return { min: bytes(min), max: bytes(max) };
}
