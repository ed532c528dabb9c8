import { type Cursor, readByte, readZigZag, TruncatedThrift } from './thrift.ts';

/**
 * Thrift's compact protocol peeled one level at a time: what is not looked at stays the bytes it was, so that a struct of a newer format, with
 * fields that nobody here knows, is written again whole.
 */

/** Types of the compact protocol that are written here. */
export const TYPE = { i16: 4, i32: 5, i64: 6, binary: 8, list: 9, struct: 12 } as const;

/** A field as it stands in its struct. A boolean's value is its type; its bytes are empty. */
export interface RawField {
  id: number;
  type: number;
  value: Uint8Array;
}

const MAX_DEPTH = 64;
const NOTHING = new Uint8Array(0);

/**
 * The fields of the struct that begins at `at`, and where it ends.
 * @throws TruncatedThrift when the bytes end too early, Error when they are no thrift
 */
export function rawStruct(bytes: Uint8Array, at = 0): { fields: RawField[]; end: number } {
  const cursor: Cursor = { bytes, offset: at };
  const fields: RawField[] = [];
  let id = 0;
  for (;;) {
    const head = readByte(cursor);
    const type = head & 0x0f;
    if (type === 0) return { fields, end: cursor.offset };
    id = head >> 4 > 0 ? id + (head >> 4) : Number(readZigZag(cursor));
    const start = cursor.offset;
    skip(cursor, type, 0);
    fields.push({ id, type, value: cursor.offset === start ? NOTHING : bytes.subarray(start, cursor.offset) });
  }
}

/** The elements of a list, each as its bytes. Throws as `rawStruct`. */
export function rawList(value: Uint8Array): { type: number; items: Uint8Array[] } {
  const cursor: Cursor = { bytes: value, offset: 0 };
  const { size, type } = listHead(cursor);
  const items: Uint8Array[] = [];
  for (let i = 0; i < size; i += 1) {
    const start = cursor.offset;
    if (type === 1 || type === 2) readByte(cursor);
    else skip(cursor, type, 0);
    items.push(value.subarray(start, cursor.offset));
  }
  return { type, items };
}

/** A struct's bytes, fields in the order given; ids may go up or down. */
export function encodeStruct(fields: readonly RawField[]): Buffer {
  const parts: Uint8Array[] = [];
  let before = 0;
  for (const { id, type, value } of fields) {
    const delta = id - before;
    parts.push(delta >= 1 && delta <= 15 ? Uint8Array.of((delta << 4) | type) : headOf(id, type), value);
    before = id;
  }
  parts.push(END);
  return Buffer.concat(parts);
}

const END = Uint8Array.of(0);

/** A list's bytes. @param items its elements, each as its bytes */
export function encodeList(type: number, items: readonly Uint8Array[]): Buffer {
  return Buffer.concat([listStart(type, items.length), ...items]);
}

/** A list's bytes. @param elements all of them, one behind the other */
export function encodeListOf(type: number, length: number, elements: Uint8Array): Buffer {
  return Buffer.concat([listStart(type, length), elements]);
}

function listStart(type: number, length: number): Uint8Array {
  return length < 15 ? Uint8Array.of((length << 4) | type) : Uint8Array.of(0xf0 | type, ...varint(length));
}

/** A whole number's bytes: i16, i32 and i64 are written alike. @param value a safe integer below 2^52 in size */
export function encodeInteger(value: number): Uint8Array {
  return Uint8Array.from(varint(value >= 0 ? value * 2 : -value * 2 - 1));
}

/** A text's bytes, as those of a binary. */
export function encodeText(text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8');
  return Buffer.concat([Uint8Array.from(varint(bytes.length)), bytes]);
}

/** The whole number that a field's bytes hold. @throws Error beyond 2^53, TruncatedThrift */
export function integerOf(value: Uint8Array): number {
  const read = readZigZag({ bytes: value, offset: 0 });
  if (typeof read === 'number') return read;
  throw new Error(`${read} is beyond what a size can be`);
}

/** The text that a field's bytes hold. Throws as `rawStruct`. */
export function textOf(value: Uint8Array): string {
  const cursor: Cursor = { bytes: value, offset: 0 };
  const length = readLength(cursor);
  return Buffer.from(value.buffer, value.byteOffset + cursor.offset, length).toString('utf8');
}

/** The fields with some of them given another value, in place; a change to undefined drops the field. Fields that are not there stay so. */
export function changed(fields: readonly RawField[], changes: ReadonlyMap<number, Uint8Array | undefined>): RawField[] {
  return fields.flatMap((field) => {
    if (!changes.has(field.id)) return [field];
    const value = changes.get(field.id);
    return value === undefined ? [] : [{ ...field, value }];
  });
}

/** Leaves the cursor behind a value, unread. Throws as `rawStruct`. */
export function skipRaw(cursor: Cursor, type: number): void {
  skip(cursor, type, 0);
}

function skip(cursor: Cursor, type: number, depth: number): void {
  if (depth > MAX_DEPTH) throw new Error(`thrift is nested deeper than ${MAX_DEPTH}`);
  if (type >= 4 && type <= 6) skipVarint(cursor);
  else if (type === 9 || type === 10) skipList(cursor, depth);
  else if (type === 12) skipStruct(cursor, depth);
  // A boolean is all in its type.
  else if (type !== 1 && type !== 2) advance(cursor, lengthOf(cursor, type));
}

function lengthOf(cursor: Cursor, type: number): number {
  if (type === 3) return 1;
  if (type === 7) return 8;
  if (type === 8) return readLength(cursor);
  throw new Error(`thrift type ${type} is not one that Parquet uses`);
}

function skipList(cursor: Cursor, depth: number): void {
  const { size, type } = listHead(cursor);
  if (type === 1 || type === 2) advance(cursor, size);
  else for (let i = 0; i < size; i += 1) skip(cursor, type, depth + 1);
}

function skipStruct(cursor: Cursor, depth: number): void {
  for (;;) {
    const head = readByte(cursor);
    if ((head & 0x0f) === 0) return;
    if (head >> 4 === 0) skipVarint(cursor);
    skip(cursor, head & 0x0f, depth + 1);
  }
}

function advance(cursor: Cursor, length: number): void {
  if (length > cursor.bytes.length - cursor.offset) throw new TruncatedThrift(`thrift of ${length} bytes ends early`);
  cursor.offset += length;
}

function skipVarint(cursor: Cursor): void {
  for (let i = 0; i < 10; i += 1) if (readByte(cursor) < 0x80) return;
  throw new Error('thrift varint is longer than ten bytes');
}

function listHead(cursor: Cursor): { size: number; type: number } {
  const head = readByte(cursor);
  const size = head >> 4 === 15 ? readLength(cursor) : head >> 4;
  if (size > cursor.bytes.length - cursor.offset) throw new TruncatedThrift(`thrift list of ${size} ends early`);
  return { size, type: head & 0x0f };
}

function readLength(cursor: Cursor): number {
  let value = 0;
  let scale = 1;
  for (let i = 0; i < 5; i += 1) {
    const byte = readByte(cursor);
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return value;
    scale *= 128;
  }
  throw new Error('thrift length is out of range');
}

/** A field's header with its id written out. */
function headOf(id: number, type: number): Uint8Array {
  return Uint8Array.of(type, ...varint(id * 2));
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return [...bytes, rest];
}
