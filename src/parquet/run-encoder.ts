/** Runs of fewer equal values than this are packed: a packed group has eight. */
const SHORTEST_RUN = 8;

/**
 * Small integers in the RLE/bit-packed hybrid encoding (spec: Encodings.md): the reverse of `expandRuns`.
 * @param width bits of a value, 0 to 32
 */
export function encodeRuns(values: Uint8Array | Uint32Array, width: number): Uint8Array {
  const count = values.length;
  // Each group of eight may be a run of its own, with a header before its values.
  const bytes = new Uint8Array(Math.ceil(count / 8) * (Math.max(width, 4) + 6) + 16);
  const valueBytes = (width + 7) >> 3;
  let at = 0;
  const header = (value: number): void => {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 128)) bytes[at++] = (rest & 0x7f) | 0x80;
    bytes[at++] = rest;
  };
  const pack = (from: number, groups: number): void => {
    header(groups * 2 + 1);
    let held = 0;
    let bits = 0;
    for (let i = from; i < from + groups * 8; i++) {
      let value = i < count ? values[i]! : 0;
      // A value goes in byte by byte, so that what is held never exceeds 32 bits.
      for (let left = width; left > 0; left -= 8) {
        const part = Math.min(left, 8);
        held |= (value & ((1 << part) - 1)) << bits;
        bits += part;
        value >>>= part;
        if (bits >= 8) {
          bytes[at++] = held;
          held >>>= 8;
          bits -= 8;
        }
      }
    }
    if (bits > 0) bytes[at++] = held;
  };

  let packedFrom = 0;
  let groups = 0;
  for (let i = 0; i < count; ) {
    const value = values[i]!;
    let end = i + 1;
    while (end < count && values[end] === value) end++;
    if (end - i < SHORTEST_RUN) {
      if (groups++ === 0) packedFrom = i;
      i += 8;
      continue;
    }
    if (groups > 0) pack(packedFrom, groups);
    groups = 0;
    header((end - i) * 2);
    for (let byte = 0; byte < valueBytes; byte++) bytes[at++] = value >>> (8 * byte);
    i = end;
  }
  if (groups > 0) pack(packedFrom, groups);
  return bytes.subarray(0, at);
}

/** As `encodeRuns` of `length` times the same value of one bit. */
export function encodeRun(value: 0 | 1, length: number): Uint8Array {
  const bytes: number[] = [];
  let header = length * 2;
  for (; header >= 0x80; header = Math.floor(header / 128)) bytes.push((header & 0x7f) | 0x80);
  return Uint8Array.from([...bytes, header, value]);
}
