import { LakegateError } from '../errors.ts';
import type { PrimitiveType, Value } from './model.ts';
import { decimalOf, fixedLength } from './types.ts';

const utf8 = new TextEncoder();
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * A value as single-value bytes (spec: Appendix D, "Binary single-value serialization").
 * @throws LakegateError `invalid` when the value is not one of the type
 */
export function serializeValue(type: PrimitiveType, value: Value): Uint8Array {
  switch (type) {
    case 'boolean':
      if (typeof value === 'boolean') return Uint8Array.of(value ? 1 : 0);
      break;
    case 'int':
    case 'date':
      if (typeof value === 'number' && (value | 0) === value) return packed(4, (v) => v.setInt32(0, value, true));
      break;
    case 'long':
    case 'time':
    case 'timestamp':
    case 'timestamptz':
      if (typeof value === 'bigint' && BigInt.asIntN(64, value) === value)
        return packed(8, (v) => v.setBigInt64(0, value, true));
      break;
    case 'float':
      if (typeof value === 'number') return packed(4, (v) => v.setFloat32(0, value, true));
      break;
    case 'double':
      if (typeof value === 'number') return packed(8, (v) => v.setFloat64(0, value, true));
      break;
    case 'string':
      if (typeof value === 'string') return utf8.encode(value);
      break;
    case 'binary':
      if (value instanceof Uint8Array) return value;
      break;
    case 'uuid':
      if (value instanceof Uint8Array && value.length === 16) return value;
      break;
    default:
      if (typeof value === 'bigint' && decimalOf(type) !== undefined) return minimalBigEndian(value);
      if (value instanceof Uint8Array && value.length === fixedLength(type)) return value;
  }
  throw new LakegateError('invalid', `a ${typeof value} (${String(value).slice(0, 40)}) is no value of type ${type}`);
}

/**
 * The value of single-value bytes. Bytes of a narrower type are taken for a column that was promoted since (4-byte long or double).
 * @throws LakegateError `corrupt` when the length or the text encoding is wrong
 */
export function deserializeValue(type: PrimitiveType, bytes: Uint8Array): Value {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (type) {
    case 'boolean':
      if (bytes.length === 1) return bytes[0] !== 0;
      break;
    case 'int':
    case 'date':
      if (bytes.length === 4) return view.getInt32(0, true);
      break;
    case 'long':
      if (bytes.length === 4) return BigInt(view.getInt32(0, true));
      if (bytes.length === 8) return view.getBigInt64(0, true);
      break;
    case 'time':
    case 'timestamp':
    case 'timestamptz':
      if (bytes.length === 8) return view.getBigInt64(0, true);
      break;
    case 'float':
      if (bytes.length === 4) return view.getFloat32(0, true);
      break;
    case 'double':
      if (bytes.length === 4) return view.getFloat32(0, true);
      if (bytes.length === 8) return view.getFloat64(0, true);
      break;
    case 'string':
      try {
        return strictUtf8.decode(bytes);
      } catch (cause) {
        throw new LakegateError('corrupt', 'a string value is not valid UTF-8', { cause });
      }
    case 'binary':
      return bytes;
    case 'uuid':
      if (bytes.length === 16) return bytes;
      break;
    default:
      if (decimalOf(type) !== undefined && bytes.length > 0) return fromBigEndian(bytes);
      if (bytes.length === fixedLength(type)) return bytes;
  }
  throw new LakegateError('corrupt', `${bytes.length} bytes are no single value of type ${type}`);
}

function packed(size: number, write: (view: DataView) => void): Uint8Array {
  const view = new DataView(new ArrayBuffer(size));
  write(view);
  return new Uint8Array(view.buffer);
}

/** An integer as two's complement, big-endian, in as few bytes as hold it: how Iceberg stores and hashes a decimal's unscaled value. */
export function minimalBigEndian(value: bigint): Uint8Array {
  let size = 1;
  while (BigInt.asIntN(size * 8, value) !== value) size++;
  const bytes = new Uint8Array(size);
  let rest = value;
  for (let i = size - 1; i >= 0; i--) {
    bytes[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

/** The signed integer of big-endian two's complement bytes; none is 0. */
export function fromBigEndian(bytes: Uint8Array): bigint {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  return BigInt.asIntN(bytes.length * 8, value);
}

/**
 * Compares two values of a type: negative, zero or positive. Strings by code point and bytes unsigned, as their UTF-8 compares;
 * floats in IEEE 754 total order without NaN (-0 before 0, as the spec's sorting section has it).
 * @throws LakegateError `invalid` when the values are of different kinds
 */
export function compareValues(type: PrimitiveType, a: Value, b: Value): number {
  if (typeof a === 'string' && typeof b === 'string') return a === b ? 0 : compareBytes(utf8.encode(a), utf8.encode(b));
  if (a instanceof Uint8Array && b instanceof Uint8Array) return compareBytes(a, b);
  if (typeof a === 'number' && typeof b === 'number') {
    if (a === 0 && b === 0) return Number(Object.is(b, -0)) - Number(Object.is(a, -0));
    return a < b ? -1 : a > b ? 1 : 0;
  }
  if ((typeof a === 'bigint' && typeof b === 'bigint') || (typeof a === 'boolean' && typeof b === 'boolean'))
    return a < b ? -1 : a > b ? 1 : 0;
  throw new LakegateError('invalid', `cannot compare a ${typeof a} with a ${typeof b} as ${type}`);
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}

/**
 * Whether a range holds the same values however a reader orders them. Iceberg Java up to 1.10 compares a uuid's two halves as signed numbers,
 * and passes over files whose bounds are in the specification's unsigned order (tried: Spark found no row by its uuid).
 */
export function sameInEveryOrder(type: PrimitiveType, lower: Value, upper: Value): boolean {
  if (type !== 'uuid' || !(lower instanceof Uint8Array && upper instanceof Uint8Array)) return true;
  // The halves' first bits; RFC 9562 fixes the second half's.
  return [0, 8].every((at) => lower[at]! >> 7 === upper[at]! >> 7);
}

/** A lower bound shortened to `length` code points (string) or bytes (binary). Other values are returned as they are. */
export function truncateLower(value: Value, length: number): Value {
  if (typeof value === 'string') return [...prefix(value, length)].slice(0, length).join('');
  return value instanceof Uint8Array ? value.subarray(0, length) : value;
}

/** As `truncateLower`, but the result is not below the value: the last unit that can be is incremented. Undefined when none can. */
export function truncateUpper(value: Value, length: number): Value | undefined {
  const cut = truncateLower(value, length);
  if (typeof cut === 'string') return cut === value ? cut : incrementString(cut);
  if (cut instanceof Uint8Array && value instanceof Uint8Array)
    return cut.length === value.length ? cut : incrementBytes(cut);
  return cut;
}

/** Enough UTF-16 units for `length` code points, so that a long text is not taken apart to its end. */
function prefix(value: string, length: number): string {
  return value.slice(0, length * 2);
}

/** The shortest string above every string that starts with `text`, at most as long; undefined when there is none. */
export function incrementString(text: string): string | undefined {
  const points = [...text];
  while (points.length > 0) {
    const point = points.pop()!.codePointAt(0)!;
    // Surrogates are no characters: UTF-8 cannot hold them.
    const next = point === 0xd7ff ? 0xe000 : point + 1;
    if (next <= 0x10ffff) return points.join('') + String.fromCodePoint(next);
  }
  return undefined;
}

function incrementBytes(bytes: Uint8Array): Uint8Array | undefined {
  for (let i = bytes.length - 1; i >= 0; i--) {
    if (bytes[i]! === 255) continue;
    const next = bytes.slice(0, i + 1);
    next[i]!++;
    return next;
  }
  return undefined;
}
