/**
 * Thrift's compact protocol, as far as Parquet uses it (spec: thrift-compact-protocol.md). Made for untrusted bytes: every length is checked
 * against what is left, varints end after ten bytes and nesting is bounded, so reading takes time linear in the input and always ends.
 */

export type ThriftValue = boolean | number | bigint | Uint8Array | ThriftValue[] | ThriftStruct;

/** A struct's fields by field id. */
export interface ThriftStruct {
  [fieldId: number]: ThriftValue | undefined;
}

/** Bytes and the position of the next one to read. */
export interface Cursor {
  readonly bytes: Uint8Array;
  offset: number;
}

const MAX_DEPTH = 64;

/** The bytes ended inside the struct: with more of them it may be readable. */
export class TruncatedThrift extends Error {}

/**
 * Reads one struct and leaves the cursor behind it. Integers come as numbers (as bigint beyond 2^53), binaries as views of the input.
 * @throws TruncatedThrift when the bytes end too early, Error when they are no thrift
 */
export function readStruct(cursor: Cursor, depth = 0): ThriftStruct {
  if (depth > MAX_DEPTH) throw new Error(`thrift structs are nested deeper than ${MAX_DEPTH}`);
  const struct: ThriftStruct = {};
  let id = 0;
  while (true) {
    const head = readByte(cursor);
    const type = head & 0x0f;
    if (type === 0) return struct;
    const delta = head >> 4;
    id = delta > 0 ? id + delta : Number(readZigZag(cursor));
    struct[id] = readValue(cursor, type, depth);
  }
}

/** Reads a value of a type and leaves the cursor behind it. Throws as `readStruct`. */
export function skipValue(cursor: Cursor, type: number): ThriftValue {
  return readValue(cursor, type, 0);
}

function readValue(cursor: Cursor, type: number, depth: number): ThriftValue {
  switch (type) {
    case 1:
      return true;
    case 2:
      return false;
    case 3:
      return (readByte(cursor) << 24) >> 24;
    case 4:
    case 5:
    case 6:
      return readZigZag(cursor);
    case 7: {
      const at = take(cursor, 8);
      return new DataView(cursor.bytes.buffer, cursor.bytes.byteOffset + at, 8).getFloat64(0, true);
    }
    case 8: {
      const length = readLength(cursor);
      const at = take(cursor, length);
      return cursor.bytes.subarray(at, at + length);
    }
    case 9:
    case 10:
      return readList(cursor, depth);
    case 12:
      return readStruct(cursor, depth + 1);
    default:
      throw new Error(`thrift type ${type} is not one that Parquet uses`);
  }
}

function readList(cursor: Cursor, depth: number): ThriftValue[] {
  const head = readByte(cursor);
  const type = head & 0x0f;
  const size = head >> 4 === 15 ? readLength(cursor) : head >> 4;
  // Every element takes at least a byte: a size beyond the input is refused before anything is allocated for it.
  if (size > cursor.bytes.length - cursor.offset) throw new TruncatedThrift(`thrift list of ${size} ends early`);
  const values: ThriftValue[] = [];
  for (let i = 0; i < size; i++) {
    values.push(type === 1 || type === 2 ? readByte(cursor) === 1 : readValue(cursor, type, depth + 1));
  }
  return values;
}

/** The next byte. @throws TruncatedThrift */
export function readByte(cursor: Cursor): number {
  const byte = cursor.bytes[cursor.offset];
  if (byte === undefined) throw new TruncatedThrift('thrift ends early');
  cursor.offset++;
  return byte;
}

function take(cursor: Cursor, length: number): number {
  const at = cursor.offset;
  if (length > cursor.bytes.length - at) throw new TruncatedThrift(`thrift binary of ${length} bytes ends early`);
  cursor.offset = at + length;
  return at;
}

function readLength(cursor: Cursor): number {
  const length = readVarint(cursor);
  if (length > 0x7fffffff) throw new Error(`thrift length ${length} is out of range`);
  return Number(length);
}

/** A signed varint: a number while 2^53 holds it, else a bigint. */
export function readZigZag(cursor: Cursor): number | bigint {
  const raw = readVarint(cursor);
  if (typeof raw === 'number') return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2;
  const value = BigInt.asIntN(64, (raw >> 1n) ^ -(raw & 1n));
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}

/** An unsigned varint: a number while seven bytes (49 bits) hold it, else a bigint. */
function readVarint(cursor: Cursor): number | bigint {
  let value = 0;
  let scale = 1;
  for (let i = 0; i < 7; i++) {
    const byte = readByte(cursor);
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return value;
    scale *= 128;
  }
  let wide = BigInt(value);
  for (let shift = 49n; shift < 70n; shift += 7n) {
    const byte = readByte(cursor);
    wide |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return wide;
  }
  throw new Error('thrift varint is longer than ten bytes');
}
