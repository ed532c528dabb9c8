import type { LogicalField, ParquetFooter } from './model.ts';
import { type Cursor, readByte, readZigZag, skipValue } from './thrift.ts';

/** FileMetaData.schema, FileMetaData.key_value_metadata, SchemaElement.field_id, KeyValue.key (parquet.thrift). */
const SCHEMA = 2;
const KEY_VALUES = 5;
const FIELD_ID = 9;
const KEY = 1;
const BINARY = 8;

/** Holds the writer's own schema, with the field ids once more. Readers do without it. */
const ARROW_SCHEMA = 'ARROW:schema';

/** A footer as it is once the file's field ids are gone: columns are told by their names alone. */
export function withoutFieldIds(footer: ParquetFooter): ParquetFooter {
  const strip = ({ fieldId: _fieldId, ...field }: LogicalField): LogicalField => ({
    ...field,
    children: field.children.map(strip),
  });
  const { [ARROW_SCHEMA]: _schema, ...keyValueMetadata } = footer.keyValueMetadata;
  return { ...footer, fields: footer.fields.map(strip), keyValueMetadata };
}

/**
 * A FileMetaData's thrift without field ids, everything else byte for byte as it was: with it behind the same data, a file is the same to every
 * reader that goes by names.
 * @param metadata the footer's thrift, from `footerStart` to its end
 * @throws Error when the bytes are no thrift
 */
export function stripFieldIds(metadata: Uint8Array): Uint8Array {
  const out: Uint8Array[] = [];
  const cursor: Cursor = { bytes: metadata, offset: 0 };
  copyStruct(cursor, out, (id, type) => {
    if (id === SCHEMA) return copySchema(cursor, out);
    if (id === KEY_VALUES) return copyKeyValues(cursor, out);
    return copyValue(cursor, out, type);
  });
  return Buffer.concat(out);
}

/** Copies a struct field by field. @param copyField copies the value, or reads over it: then false, and the field is left out */
function copyStruct(cursor: Cursor, out: Uint8Array[], copyField: (id: number, type: number) => boolean): void {
  let read = 0;
  let written = 0;
  for (;;) {
    const head = readByte(cursor);
    const type = head & 0x0f;
    if (type === 0) break;
    read = head >> 4 > 0 ? read + (head >> 4) : Number(readZigZag(cursor));
    const at = out.length;
    if (!copyField(read, type)) continue;
    out.splice(at, 0, fieldHeader(written, read, type));
    written = read;
  }
  out.push(Uint8Array.of(0));
}

/** A field's header counts from the field before it, which may have been left out. */
function fieldHeader(before: number, id: number, type: number): Uint8Array {
  const delta = id - before;
  if (delta >= 1 && delta <= 15) return Uint8Array.of((delta << 4) | type);
  return Uint8Array.of(type, ...varint(id * 2));
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return [...bytes, rest];
}

function copyValue(cursor: Cursor, out: Uint8Array[], type: number): true {
  const start = cursor.offset;
  skipValue(cursor, type);
  out.push(cursor.bytes.subarray(start, cursor.offset));
  return true;
}

function copySchema(cursor: Cursor, out: Uint8Array[]): true {
  const { size, type } = listHead(cursor);
  out.push(listHeader(size, type));
  for (let i = 0; i < size; i += 1) {
    copyStruct(cursor, out, (id, fieldType) => {
      if (id !== FIELD_ID) return copyValue(cursor, out, fieldType);
      skipValue(cursor, fieldType);
      return false;
    });
  }
  return true;
}

function copyKeyValues(cursor: Cursor, out: Uint8Array[]): true {
  const { size, type } = listHead(cursor);
  const kept: Uint8Array[] = [];
  for (let i = 0; i < size; i += 1) {
    const start = cursor.offset;
    let key = '';
    copyStruct(cursor, [], (id, fieldType) => {
      const value = skipValue(cursor, fieldType);
      if (id === KEY && fieldType === BINARY) key = Buffer.from(value as Uint8Array).toString('utf8');
      return false;
    });
    if (key !== ARROW_SCHEMA) kept.push(cursor.bytes.subarray(start, cursor.offset));
  }
  out.push(listHeader(kept.length, type), ...kept);
  return true;
}

function listHead(cursor: Cursor): { size: number; type: number } {
  const head = readByte(cursor);
  if (head >> 4 < 15) return { size: head >> 4, type: head & 0x0f };
  let size = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = readByte(cursor);
    size |= (byte & 0x7f) << shift;
    if (byte < 0x80) return { size, type: head & 0x0f };
  }
}

function listHeader(size: number, type: number): Uint8Array {
  return size < 15 ? Uint8Array.of((size << 4) | type) : Uint8Array.of(0xf0 | type, ...varint(size));
}
