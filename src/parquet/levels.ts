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
  const width = levelWidth(maxLevel);
  eachRun(bytes, count, maxLevel, {
    run: (level, length) => {
      histogram[level]! += length;
    },
    packed: (offset, length) => {
      if (width === 1) {
        const ones = onesIn(bytes, offset, length);
        histogram[1]! += ones;
        histogram[0]! += length - ones;
        return;
      }
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
  eachRun(bytes, count, maxLevel, {
    run: (level, length) => {
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

interface RunVisitor {
  run(level: number, length: number): void;
  /** `length` levels are packed from byte `offset` on, and their bytes are there. */
  packed(offset: number, length: number): void;
}

function eachRun(bytes: Uint8Array, count: number, maxLevel: number, visit: RunVisitor): void {
  const width = levelWidth(maxLevel);
  const valueBytes = (width + 7) >> 3;
  let offset = 0;
  let left = count;
  while (left > 0) {
    let header = 0;
    for (let shift = 0, byte = 0x80; byte >= 0x80; shift += 7) {
      if (offset >= bytes.length || shift > 28) throw new Error(`levels end ${left} short of their ${count} values`);
      byte = bytes[offset++]!;
      header += (byte & 0x7f) * 2 ** shift;
    }
    const packed = header % 2 === 1;
    const size = Math.floor(header / 2);
    if (packed) {
      const length = Math.min(left, size * 8);
      if (offset + Math.ceil((length * width) / 8) > bytes.length) {
        throw new Error(`levels end ${left} short of their ${count} values`);
      }
      visit.packed(offset, length);
      offset += size * width;
      left -= length;
    } else {
      if (offset + valueBytes > bytes.length) throw new Error(`levels end ${left} short of their ${count} values`);
      const level = valueBytes === 0 ? 0 : bytes[offset]!;
      offset += valueBytes;
      if (level > maxLevel) throw new Error(`level ${level} is above the column's ${maxLevel}`);
      const length = Math.min(left, size);
      visit.run(level, length);
      left -= length;
    }
  }
}

function eachPacked(
  bytes: Uint8Array,
  start: number,
  length: number,
  width: number,
  visit: (level: number) => void,
): void {
  const mask = (1 << width) - 1;
  let offset = start;
  let held = 0;
  let bits = 0;
  for (let i = 0; i < length; i++) {
    while (bits < width) {
      held |= bytes[offset++]! << bits;
      bits += 8;
    }
    visit(held & mask);
    held >>>= width;
    bits -= width;
  }
}

/** Ones among the first `length` bits from byte `start`, least significant bit first. */
function onesIn(bytes: Uint8Array, start: number, length: number): number {
  const whole = length >> 3;
  const words = start + (whole & ~3);
  let ones = 0;
  let offset = start;
  for (; offset < words; offset += 4) {
    let word = bytes[offset]! | (bytes[offset + 1]! << 8) | (bytes[offset + 2]! << 16) | (bytes[offset + 3]! << 24);
    word -= (word >>> 1) & 0x55555555;
    word = (word & 0x33333333) + ((word >>> 2) & 0x33333333);
    ones += (((word + (word >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24;
  }
  for (let bit = (offset - start) * 8; bit < length; bit++) ones += (bytes[start + (bit >> 3)]! >> (bit & 7)) & 1;
  return ones;
}
