import { eachPacked, eachRun } from './hybrid.ts';

/**
 * Definition and repetition levels as pages store them (spec: Encodings.md, "RLE / Bit-Packing Hybrid" and "BIT_PACKED"). Plain errors are
 * thrown for bytes that are no levels; callers know which page they came from.
 */

/** How many bits hold a level. */
export function levelWidth(maxLevel: number): number {
  return 32 - Math.clz32(maxLevel);
}

/** Bytes that `count` levels take in the legacy BIT_PACKED encoding, which has no length prefix. */
export function bitPackedLength(count: number, maxLevel: number): number {
  return Math.ceil((count * levelWidth(maxLevel)) / 8);
}

/**
 * Adds to `histogram[level]` how often each level stands in RLE/bit-packed hybrid bytes: whole runs at once, one-bit groups by population
 * count.
 * @throws Error when a level is above `maxLevel` or the bytes end before `count` levels
 */
export function countLevels(bytes: Uint8Array, count: number, maxLevel: number, histogram: number[]): void {
  if (maxLevel === 1) {
    const ones = countOnes(bytes, count);
    histogram[1]! += ones;
    histogram[0]! += count - ones;
    return;
  }
  const width = levelWidth(maxLevel);
  eachRun(bytes, count, width, {
    run: (level, length) => {
      if (level > maxLevel) throw new Error(`level ${level} is above the column's ${maxLevel}`);
      histogram[level]! += length;
    },
    packed: (offset, length) => {
      eachPacked(bytes, offset, length, width, (level) => {
        if (level > maxLevel) throw new Error(`level ${level} is above the column's ${maxLevel}`);
        histogram[level]! += 1;
      });
    },
  });
}

/**
 * The levels of RLE/bit-packed hybrid bytes, one byte each.
 * @throws Error when a level is above `maxLevel` or the bytes end before `count` levels
 */
export function expandLevels(bytes: Uint8Array, count: number, maxLevel: number): Uint8Array {
  const width = levelWidth(maxLevel);
  const levels = new Uint8Array(count);
  let at = 0;
  eachRun(bytes, count, width, {
    run: (level, length) => {
      if (level > maxLevel) throw new Error(`level ${level} is above the column's ${maxLevel}`);
      if (level !== 0) levels.fill(level, at, at + length);
      at += length;
    },
    packed: (offset, length) => {
      eachPacked(bytes, offset, length, width, (level) => {
        if (level > maxLevel) throw new Error(`level ${level} is above the column's ${maxLevel}`);
        levels[at++] = level;
      });
    },
  });
  return levels;
}

/**
 * The levels of the legacy BIT_PACKED encoding: packed from the most significant bit.
 * @throws Error as `expandLevels`
 */
export function expandBitPacked(bytes: Uint8Array, count: number, maxLevel: number): Uint8Array {
  const width = levelWidth(maxLevel);
  if (bytes.length < bitPackedLength(count, maxLevel)) throw new Error(`levels end before their ${count} values`);
  const levels = new Uint8Array(count);
  let bit = 0;
  for (let i = 0; i < count; i++) {
    let level = 0;
    for (let k = 0; k < width; k++, bit++) level = (level << 1) | ((bytes[bit >> 3]! >> (7 - (bit & 7))) & 1);
    if (level > maxLevel) throw new Error(`level ${level} is above the column's ${maxLevel}`);
    levels[i] = level;
  }
  return levels;
}

const ONES = Uint8Array.from({ length: 256 }, (_, byte) => onesInWord(byte));

function onesInWord(bits: number): number {
  const pairs = bits - ((bits >>> 1) & 0x55555555);
  const nibbles = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/**
 * How many of `count` one-bit levels are 1. Random nulls make a run of every few values, and a column of millions has as many runs: this one
 * loop is where the time goes, so it has no calls in it.
 */
function countOnes(bytes: Uint8Array, count: number): number {
  const end = bytes.length;
  let ones = 0;
  let offset = 0;
  let left = count;
  while (left > 0) {
    let header = offset < end ? bytes[offset++]! : -1;
    if (header >= 0x80) {
      header &= 0x7f;
      for (let scale = 128, byte = 0x80; byte >= 0x80; scale *= 128) {
        if (offset >= end || scale > 2 ** 28) throw new Error(`levels end ${left} short of their ${count} values`);
        byte = bytes[offset++]!;
        header += (byte & 0x7f) * scale;
      }
    }
    if (header % 2 === 0) {
      const level = offset < end ? bytes[offset++]! : 2;
      if (level > 1) throw new Error('a level is above 1, or missing');
      const length = Math.min(left, header / 2);
      ones += level * length;
      left -= length;
      continue;
    }
    const length = Math.min(left, (header - 1) * 4);
    const whole = offset + (length >> 3);
    if (header < 0 || whole + ((length & 7) === 0 ? 0 : 1) > end) {
      throw new Error(`levels end ${left} short of their ${count} values`);
    }
    for (; offset + 4 <= whole; offset += 4) {
      ones += onesInWord(
        bytes[offset]! | (bytes[offset + 1]! << 8) | (bytes[offset + 2]! << 16) | (bytes[offset + 3]! << 24),
      );
    }
    for (; offset < whole; offset++) ones += ONES[bytes[offset]!]!;
    // Bits behind the last level pad its byte.
    if ((length & 7) !== 0) ones += ONES[bytes[offset++]! & ((1 << (length & 7)) - 1)]!;
    left -= length;
  }
  return ones;
}
