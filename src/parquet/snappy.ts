/**
 * The first `wanted` bytes of a Snappy block (spec: snappy/format_description.txt), or fewer where `input` ends before them: decoding stops
 * there, so a page's levels cost no more than their own bytes.
 * @param input a block, or its beginning
 * @throws Error when the bytes are no Snappy
 */
export function snappyPrefix(input: Uint8Array, wanted: number): Uint8Array {
  let at = 0;
  while (at < input.length && input[at]! >= 0x80) at++;
  at++;
  const output = new Uint8Array(wanted);
  let length = 0;
  while (length < wanted && at < input.length) {
    const tag = input[at++]!;
    const kind = tag & 3;
    if (kind === 0) {
      let size = tag >> 2;
      if (size >= 60) {
        const bytes = size - 59;
        if (at + bytes > input.length) break;
        size = 0;
        for (let i = 0; i < bytes; i++) size += input[at++]! * 2 ** (8 * i);
      }
      const end = Math.min(at + size + 1, at + wanted - length, input.length);
      output.set(input.subarray(at, end), length);
      length += end - at;
      at += size + 1;
      continue;
    }
    const bytes = kind === 3 ? 4 : kind;
    if (at + bytes > input.length) break;
    let offset = kind === 1 ? (tag >> 5) * 256 + input[at]! : 0;
    if (kind !== 1) for (let i = 0; i < bytes; i++) offset += input[at + i]! * 2 ** (8 * i);
    at += bytes;
    const size = kind === 1 ? ((tag >> 2) & 7) + 4 : (tag >> 2) + 1;
    if (offset === 0 || offset > length) throw new Error(`Snappy copy reaches ${offset} back after ${length} bytes`);
    length = copyBack(output, length, offset, Math.min(size, wanted - length));
  }
  return output.subarray(0, length);
}

/** Copies `size` bytes that lie `offset` back, which may overlap what is being written; returns the new length. */
export function copyBack(output: Uint8Array, length: number, offset: number, size: number): number {
  const end = length + size;
  if (offset >= size && size > 16) output.copyWithin(length, length - offset, end - offset);
  else for (let i = length; i < end; i++) output[i] = output[i - offset]!;
  return end;
}
