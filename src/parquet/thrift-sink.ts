import { skipRaw } from './raw-thrift.ts';
import { type Cursor, readByte, readZigZag } from './thrift.ts';

/**
 * Structs of Thrift's compact protocol written behind one another into one buffer, most of them field by field as they were read. For footers of
 * thousands of column chunks, where an object for each field would cost more than all else.
 */
export interface ThriftSink {
  bytes: Uint8Array;
  length: number;
}

const FIRST_ROOM = 64 * 1024;

/** An empty sink. */
export function thriftSink(): ThriftSink {
  return { bytes: new Uint8Array(FIRST_ROOM), length: 0 };
}

/** What was written: a view, as long as nothing else is. The sink begins anew. */
export function takeWritten(sink: ThriftSink): Uint8Array {
  const { bytes, length } = sink;
  sink.length = 0;
  return bytes.subarray(0, length);
}

/** A field of the struct that is being read: where its value is. */
export interface FieldPlace {
  id: number;
  type: number;
  start: number;
  end: number;
}

/**
 * Reads a struct field by field and leaves the cursor behind it.
 * @throws TruncatedThrift when the bytes end too early, Error when they are no thrift
 */
export function eachField(cursor: Cursor, act: (field: FieldPlace) => void): void {
  const field = { id: 0, type: 0, start: 0, end: 0 };
  for (;;) {
    const head = readByte(cursor);
    field.type = head & 0x0f;
    if (field.type === 0) return;
    field.id = head >> 4 > 0 ? field.id + (head >> 4) : Number(readZigZag(cursor));
    field.start = cursor.offset;
    skipRaw(cursor, field.type);
    field.end = cursor.offset;
    act(field);
  }
}

/** Writes a struct: `write` is handed a function that begins a field, behind which its value has to be written. */
export function writeStruct(sink: ThriftSink, write: (begin: (id: number, type: number) => void) => void): void {
  let before = 0;
  write((id, type) => {
    const delta = id - before;
    if (delta >= 1 && delta <= 15) writeByte(sink, (delta << 4) | type);
    else {
      writeByte(sink, type);
      writeInteger(sink, id);
    }
    before = id;
  });
  writeByte(sink, 0);
}

export function writeByte(sink: ThriftSink, byte: number): void {
  if (sink.length === sink.bytes.length) grow(sink, 1);
  sink.bytes[sink.length] = byte;
  sink.length += 1;
}

/** Bytes as they are. */
export function writeRaw(sink: ThriftSink, bytes: Uint8Array, start: number, end: number): void {
  const length = end - start;
  if (sink.length + length > sink.bytes.length) grow(sink, length);
  // A few bytes, as most values are, are copied sooner than a view of them is made.
  if (length <= 32) for (let i = 0; i < length; i += 1) sink.bytes[sink.length + i] = bytes[start + i]!;
  else sink.bytes.set(bytes.subarray(start, end), sink.length);
  sink.length += length;
}

/** A whole number: i16, i32 and i64 are written alike. @param value below 2^52 in size */
export function writeInteger(sink: ThriftSink, value: number): void {
  writeVarint(sink, value >= 0 ? value * 2 : -value * 2 - 1);
}

/** An unsigned number, as lengths are written. */
export function writeVarint(sink: ThriftSink, value: number): void {
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) writeByte(sink, (rest % 0x80) | 0x80);
  writeByte(sink, rest);
}

/** Begins a list, behind which its elements have to be written. */
export function writeListHead(sink: ThriftSink, type: number, length: number): void {
  if (length < 15) writeByte(sink, (length << 4) | type);
  else {
    writeByte(sink, 0xf0 | type);
    writeVarint(sink, length);
  }
}

function grow(sink: ThriftSink, more: number): void {
  const grown = new Uint8Array(Math.max(2 * sink.bytes.length, sink.length + more));
  grown.set(sink.bytes.subarray(0, sink.length));
  sink.bytes = grown;
}
