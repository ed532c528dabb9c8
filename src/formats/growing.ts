/** Typed arrays that grow by doubling; what they grew out of is given back at once rather than when garbage is collected. */

const SMALLEST_BYTES = 1 << 12;

/** An array of at least `length` numbers that begins with those of `array`. */
export function grown<T extends Uint8Array<ArrayBuffer> | Uint32Array<ArrayBuffer> | Int32Array<ArrayBuffer>>(
  array: T,
  length: number,
  make: new (buffer: ArrayBuffer) => T,
): T {
  const wanted = length * array.BYTES_PER_ELEMENT;
  if (wanted <= array.buffer.byteLength) return array;
  return new make(array.buffer.transfer(Math.max(SMALLEST_BYTES, 2 * array.buffer.byteLength, roundedUp(wanted))));
}

function roundedUp(bytes: number): number {
  return Math.ceil(bytes / 8) * 8;
}
