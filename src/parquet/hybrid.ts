/**
 * The RLE/bit-packed hybrid encoding of small integers: levels, dictionary indexes and booleans (spec: Encodings.md, "Run Length Encoding /
 * Bit-Packing Hybrid"). Plain errors are thrown for bytes that are not of it; callers know which page they came from.
 */

export interface RunVisitor {
  run(value: number, length: number): void;
  /** `length` values are packed from byte `offset` on, and their bytes are there. */
  packed(offset: number, length: number): void;
}

/**
 * Visits the runs that make up `count` values of `width` bits (0 to 32), without expanding them.
 * @throws Error when the bytes end before
 */
export function eachRun(bytes: Uint8Array, count: number, width: number, visit: RunVisitor): void {
  const valueBytes = (width + 7) >> 3;
  const short = (left: number) => new Error(`the bytes end ${left} short of their ${count} values`);
  let offset = 0;
  let left = count;
  while (left > 0) {
    let header = 0;
    for (let scale = 1, byte = 0x80; byte >= 0x80; scale *= 128) {
      if (offset >= bytes.length || scale > 2 ** 28) throw short(left);
      byte = bytes[offset++]!;
      header += (byte & 0x7f) * scale;
    }
    const size = Math.floor(header / 2);
    const length = Math.min(left, header % 2 === 1 ? size * 8 : size);
    if (header % 2 === 1) {
      if (offset + Math.ceil((length * width) / 8) > bytes.length) throw short(left);
      visit.packed(offset, length);
      offset += size * width;
    } else {
      if (offset + valueBytes > bytes.length) throw short(left);
      let value = 0;
      for (let i = 0; i < valueBytes; i++) value += bytes[offset++]! * 2 ** (8 * i);
      visit.run(value, length);
    }
    left -= length;
  }
}

/** Visits `length` values of `width` bits, packed from the least significant bit of byte `start` on. */
export function eachPacked(
  bytes: Uint8Array,
  start: number,
  length: number,
  width: number,
  visit: (value: number) => void,
): void {
  if (width > 24) {
    // 32 bits of buffer do not hold these and a started byte: bit by bit, which only dictionaries of 16 million entries need.
    for (let i = 0, bit = start * 8; i < length; i++) {
      let value = 0;
      for (let k = 0; k < width; k++, bit++) value += ((bytes[Math.floor(bit / 8)]! >> (bit % 8)) & 1) * 2 ** k;
      visit(value);
    }
    return;
  }
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

/** All `count` values of `width` bits. @throws Error as `eachRun` */
export function expandRuns(bytes: Uint8Array, count: number, width: number): Uint32Array {
  const values = new Uint32Array(count);
  let at = 0;
  eachRun(bytes, count, width, {
    run: (value, length) => {
      values.fill(value, at, at + length);
      at += length;
    },
    packed: (offset, length) =>
      eachPacked(bytes, offset, length, width, (value) => {
        values[at++] = value;
      }),
  });
  return values;
}
