/**
 * The first `wanted` bytes of a Snappy block (spec: snappy/format_description.txt), or fewer where `input` ends before them: decoding stops
 * there, so a page's levels cost no more than their own bytes.
 * @param input a block, or its beginning
 * @param room to decode into, where it is large enough
 * @throws Error when the bytes are no Snappy
 */
export function snappyPrefix(input: Uint8Array, wanted: number, room?: Uint8Array): Uint8Array {
  let at = 0;
  while (at < input.length && input[at]! >= 0x80) at++;
  at++;
  const output = room !== undefined && room.length >= wanted ? room : new Uint8Array(wanted);
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
      if (end - at > 24) output.set(input.subarray(at, end), length);
      else for (let from = at, to = length; from < end; ) output[to++] = input[from++]!;
      length += end - at;
      at += size + 1;
      continue;
    }
    let offset: number;
    let size: number;
    if (kind === 1) {
      if (at >= input.length) break;
      offset = ((tag >> 5) << 8) | input[at++]!;
      size = ((tag >> 2) & 7) + 4;
    } else {
      const bytes = kind === 2 ? 2 : 4;
      if (at + bytes > input.length) break;
      offset = input[at]! | (input[at + 1]! << 8);
      if (bytes === 4) offset += (input[at + 2]! | (input[at + 3]! << 8)) * 65536;
      at += bytes;
      size = (tag >> 2) + 1;
    }
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
