import type { BytesChunk, FixedChunk } from './chunk-values.ts';

/** A column chunk as a dictionary and each value's place in it. */
export interface ChunkDictionary {
  /** Entry of each value, in the order of first appearance. */
  indexes: Uint32Array;
  entries: number;
  /** For numbers the entries themselves; for bytes the numbers that the entries have in the chunk. */
  values: Int32Array | Uint32Array;
}

const SAMPLE = 1000;
/** A sample in which more of the values than this are different speaks against a dictionary. */
const SAMPLE_DISTINCT = 0.9;

/** A dictionary of numbers where it saves at least half, else undefined. Numbers are told apart by their bits: -0 is not 0. */
export function fixedDictionary({ bytes, count, width }: FixedChunk): ChunkDictionary | undefined {
  if (width === 1 || count < 2) return undefined;
  const step = width === 8 ? 2 : 1;
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, count * step);
  if (!worthTrying(words, count, step)) return undefined;
  const most = count >> 1;
  const numbering = new Numbering(Math.min(most + 1, count), step);
  const indexes = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    indexes[i] = numbering.numberOf(words[i * step]!, step === 2 ? words[i * 2 + 1]! : 0);
    if (numbering.size > most) return undefined;
  }
  const entries = numbering.size;
  if (!saves(entries * width, entries, count, count * width)) return undefined;
  return { indexes, entries, values: numbering.values.slice(0, entries * step) };
}

function worthTrying(words: Int32Array, count: number, step: 1 | 2): boolean {
  const sample = Math.min(count, SAMPLE);
  const seen = new Numbering(sample, step);
  for (let i = 0; i < sample; i++) {
    const at = step * Math.floor((i * (count - 1)) / Math.max(1, sample - 1));
    seen.numberOf(words[at]!, step === 2 ? words[at + 1]! : 0);
  }
  return seen.size <= SAMPLE_DISTINCT * sample;
}

/** A dictionary of text or bytes where it saves at least half, else undefined. @param prefix bytes of a length before each value */
export function bytesDictionary(chunk: BytesChunk, prefix: 0 | 4): ChunkDictionary | undefined {
  const { indexes, count, distinct, offsets } = chunk;
  if (!distinct || count < 2) return undefined;
  let largest = 0;
  for (let i = 0; i < count; i++) if (indexes[i]! > largest) largest = indexes[i]!;
  const numbers = new Int32Array(largest + 1).fill(-1);
  const order = new Uint32Array(Math.min(count, largest + 1));
  const placed = new Uint32Array(count);
  let entries = 0;
  let entryBytes = 0;
  let plainBytes = 0;
  for (let i = 0; i < count; i++) {
    const entry = indexes[i]!;
    const length = offsets[entry + 1]! - offsets[entry]! + prefix;
    plainBytes += length;
    if (numbers[entry] === -1) {
      numbers[entry] = entries;
      order[entries++] = entry;
      entryBytes += length;
    }
    placed[i] = numbers[entry]!;
  }
  if (!saves(entryBytes, entries, count, plainBytes)) return undefined;
  return { indexes: placed, entries, values: order.subarray(0, entries) };
}

/** Bits of an index into so many entries. */
export function indexWidth(entries: number): number {
  return Math.max(1, 32 - Math.clz32(entries - 1));
}

function saves(entryBytes: number, entries: number, count: number, plainBytes: number): boolean {
  return 2 * (entryBytes + (count * indexWidth(entries)) / 8) <= plainBytes;
}

/** Numbers values of one or two words in the order in which they appear. */
class Numbering {
  size = 0;
  /** The values, in order. */
  readonly values: Int32Array;
  private readonly step: 1 | 2;
  private readonly table: Int32Array;

  /** @param most how many different values there may be at most, and one more */
  constructor(most: number, step: 1 | 2) {
    this.step = step;
    this.values = new Int32Array((most + 1) * step);
    this.table = new Int32Array(2 ** (33 - Math.clz32(most + 1))).fill(-1);
  }

  numberOf(low: number, high: number): number {
    const { values, table, step } = this;
    const mask = table.length - 1;
    let hash = Math.imul(low ^ Math.imul(high, 0x9e3779b1), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35);
    let slot = (hash ^ (hash >>> 16)) & mask;
    for (let number = table[slot]!; number !== -1; number = table[slot]!) {
      if (values[number * step] === low && (step === 1 || values[number * 2 + 1] === high)) return number;
      slot = (slot + 1) & mask;
    }
    table[slot] = this.size;
    values[this.size * step] = low;
    if (step === 2) values[this.size * 2 + 1] = high;
    return this.size++;
  }
}
