const C1 = 0xcc9e2d51;
const C2 = 0x1b873593;

/**
 * Murmur3, the x86 32-bit variant with seed 0, as Iceberg's bucket transform uses it (spec: Appendix B).
 * @returns a signed 32-bit integer
 */
export function murmur3(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const whole = bytes.length & ~3;
  let hash = 0;
  for (let i = 0; i < whole; i += 4) {
    hash ^= scramble(view.getInt32(i, true));
    hash = Math.imul(rotate(hash, 13), 5) + 0xe6546b64;
  }
  let tail = 0;
  for (let i = bytes.length - 1; i >= whole; i--) tail = (tail << 8) | bytes[i]!;
  if (whole < bytes.length) hash ^= scramble(tail);
  return finished(hash ^ bytes.length);
}

/** `murmur3` of a long's eight bytes, given as its lower and its upper half. */
export function murmur3Long(low: number, high: number): number {
  let hash = Math.imul(rotate(scramble(low), 13), 5) + 0xe6546b64;
  hash = Math.imul(rotate(hash ^ scramble(high), 13), 5) + 0xe6546b64;
  return finished(hash ^ 8);
}

function finished(mixed: number): number {
  let hash = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

function scramble(block: number): number {
  return Math.imul(rotate(Math.imul(block, C1), 15), C2);
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
